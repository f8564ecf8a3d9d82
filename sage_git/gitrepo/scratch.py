"""The scratch repository: empty, bare, ours, borrowing the user's objects.

In it no attribute, configuration, replace ref, graft or `.gitmodules` of the user's can change what a commit did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.command import Dialogue, Stream, run
from sage_git.gitrepo.repository import Repository

# Pinned where a newer git, or a future one, might choose another default.
_PINNED: Final = (
    "-c", "diff.algorithm=myers",
    "-c", "diff.indentHeuristic=true",
    "-c", "diff.renames=true",
    "-c", "merge.conflictStyle=merge",
    "-c", "merge.renames=true",
    "-c", "merge.renameLimit=7000",
    "-c", "merge.directoryRenames=conflict",
    "-c", "merge.renormalize=false",
    "-c", "core.quotePath=false",
    "-c", "core.fsync=none",  # nothing in here has to last: an automatic merge made durable takes ten times as long
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scratch:
    """A repository of ours at `git_dir` through which a user's objects are read."""

    git_dir: Path
    environment: Mapping[str, str]

    @classmethod
    def open(cls, git_dir: Path, repository: Repository, objects: Sequence[Path] = ()) -> Scratch:
        """The scratch repository at `git_dir`, made if it is not there or not whole. Raises GitFailed.

        `objects` are where the user's objects are read, if not where they lie (see `borrowing`).
        """
        users = repository.environment
        borrowed = [_quoted(str(place)) for place in objects or _places(repository)]
        if users.get("GIT_ALTERNATE_OBJECT_DIRECTORIES") and not objects:
            borrowed.append(users["GIT_ALTERNATE_OBJECT_DIRECTORIES"])
        environment = {k: v for k, v in users.items() if k in ("PATH", "TMPDIR")}
        make_bare(git_dir, repository.object_format, environment)
        environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = ":".join(borrowed)
        return cls(git_dir, environment)

    def run(self, *arguments: str, input: bytes = b"") -> bytes:
        """What git prints for `arguments` in the scratch repository. Raises GitFailed."""
        return run([*_PINNED, *arguments], git_dir=self.git_dir, input=input, environment=self.environment)

    def stream(self, *arguments: str, requests: Iterable[str]) -> Stream:
        """A git process in the scratch repository that answers `requests`, a line each."""
        asked = "".join(f"{request}\n" for request in requests).encode("ascii")
        return Stream([*_PINNED, *arguments], git_dir=self.git_dir, requests=asked, environment=self.environment)

    def dialogue(self, *arguments: str, patience_s: float | None = None) -> Dialogue:
        """A git process in the scratch repository that is asked one thing at a time (see `Dialogue`)."""
        asked = [*_PINNED, *arguments]
        return Dialogue(asked, git_dir=self.git_dir, environment=self.environment, patience_s=patience_s)

    def contents(self, ids: Sequence[ObjectId], limit_bytes: int | None = None) -> Iterator[bytes | None]:
        """The content of each object, in order; None if it is not here or larger than the limit. Raises GitFailed."""
        if not ids:
            return
        with self.stream("cat-file", "--batch", "--buffer", requests=ids) as git:
            for _ in ids:
                size = _size_in(git.answers.readline(), git)
                if size is None:
                    yield None
                    continue
                content = git.answers.read(size + 1)
                if len(content) != size + 1:
                    raise git.failure()
                yield content[:-1] if limit_bytes is None or size <= limit_bytes else None

    def sizes(self, ids: Sequence[ObjectId]) -> dict[ObjectId, int | None]:
        """The size in bytes of each object; None if it is not here. Raises GitFailed."""
        if not ids:
            return {}
        with self.stream("cat-file", "--batch-check", "--buffer", requests=ids) as git:
            return {oid: _size_in(git.answers.readline(), git) for oid in ids}


def make_bare(git_dir: Path, object_format: str, environment: Mapping[str, str]) -> None:
    """Have an empty repository at `git_dir`; one that a killed run left half made is finished. Raises GitFailed."""
    if (git_dir / "objects" / "info").is_dir():  # which is what git makes last (setup.c, init_db)
        return
    command = ("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}")
    try:
        run(command, git_dir=git_dir, environment=environment)
    except GitFailed:  # a git that was killed leaves its locks
        from shutil import rmtree

        rmtree(git_dir, ignore_errors=True)
        run(command, git_dir=git_dir, environment=environment)


def _places(repository: Repository) -> list[Path]:
    """The user's own object directories."""
    places = [repository.common_dir / "objects"]
    quarantine = repository.environment.get("GIT_OBJECT_DIRECTORY")  # new objects are there for now
    if quarantine:
        places.insert(0, Path(repository.work_tree or repository.git_dir, quarantine))
    return places


def _size_in(header: bytes, git: Stream) -> int | None:
    """The size that the first line of a `cat-file` answer tells; None for an object that is missing."""
    if not header.endswith(b"\n"):
        raise git.failure()
    words = header.split()
    return int(words[2]) if len(words) == 3 else None


def _quoted(path: str) -> str:
    """`path` as an entry of GIT_ALTERNATE_OBJECT_DIRECTORIES, which splits at colons outside quotes."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
