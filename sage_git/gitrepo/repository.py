"""The user's repository: where it is and small named questions about it. Writes nothing there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed, NotHere
from sage_git.gitrepo.command import run_in_users

OLDEST_GIT: Final = (2, 38)
_MOST_LOOKED_UP: Final = 3_000
_LOOKED_UP_AT_ONCE: Final = 300
_LONGEST_ARGUMENT_BYTES: Final = 4_096
_TREE_MODE: Final = b"040000 "


@dataclass(frozen=True, slots=True)
class Repository:
    """One work tree (or bare repository) of the user's. Paths are absolute; `work_tree` is None when bare."""

    work_tree: Path | None
    git_dir: Path
    common_dir: Path
    object_format: str
    is_shallow: bool
    environment: Mapping[str, str]

    @classmethod
    def discover(cls, start: Path, environment: Mapping[str, str]) -> Repository:
        """The repository that contains `start`. Raises NotHere with git's own reason."""
        questions = ("--is-bare-repository", "--is-shallow-repository", "--show-object-format", "--absolute-git-dir")
        where = ["rev-parse", *questions, "--path-format=absolute", "--git-common-dir"]
        explicit = {k: Path(start, environment[k]) for k in ("GIT_DIR", "GIT_WORK_TREE") if environment.get(k)}

        def ask(*arguments: str) -> str:
            shown = run_in_users(
                arguments,
                environment=environment,
                cwd=start,
                git_dir=explicit.get("GIT_DIR"),
                work_tree=explicit.get("GIT_WORK_TREE"),
            )
            return shown.decode("utf-8", "surrogateescape")

        try:
            try:
                shown = ask(*where, "--show-toplevel")
            except GitFailed:  # a bare repository has no top, and then git says nothing else either
                shown = ask(*where) + "\n"
            bare, shallow, object_format, git_dir, common, top = shown.removesuffix("\n").split("\n")
        except GitFailed as failure:
            raise _not_here(failure, start, explicit.get("GIT_DIR")) from None
        except (FileNotFoundError, NotADirectoryError):
            raise NotHere(f"{start} is not a directory", remedy="go to one, or name one with -C") from None
        work_tree = Path(top) if top and bare != "true" else None
        return cls(work_tree, Path(git_dir), Path(common), object_format, shallow == "true", environment)

    def git(self, *arguments: str | bytes, input: bytes = b"", index: Path | None = None, locks: bool = False) -> bytes:
        """What git prints for `arguments` here, run at the top of the work tree. Raises GitFailed."""
        return run_in_users(
            arguments,
            environment=self.environment,
            cwd=self.work_tree or self.git_dir,
            git_dir=self.git_dir,
            work_tree=self.work_tree,
            input=input,
            index=index,
            locks=locks,
        )

    def offline(self) -> Self:
        """The same repository with every way to a remote closed: what is not here stays away."""
        return replace(self, environment={**self.environment, "GIT_ALLOW_PROTOCOL": ""})

    def head(self) -> ObjectId | None:
        """The commit that HEAD names; None in an unborn repository."""
        return self.commit_named("HEAD")

    def commit_named(self, revision: str) -> ObjectId | None:
        """The commit that `revision` names; None if it names none."""
        try:
            shown = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitFailed:
            return None
        return ObjectId(shown.decode("ascii").strip())

    def named(self, *revisions: str) -> list[ObjectId | None]:
        """The object that each revision names (no newline in it); None if it names none."""
        shown = self.git("cat-file", "--batch-check", input="".join(f"{each}\n" for each in revisions).encode())
        words = [line.rsplit(" ", 2) for line in shown.decode("utf-8", "surrogateescape").splitlines()]
        return [ObjectId(each[0]) if len(each) == 3 and each[2].isdigit() else None for each in words]

    def read_named(self, revision: str) -> tuple[ObjectId, bytes] | None:
        """The object that `revision` names (no newline in it) and its content; None if it names none."""
        header, _, rest = self.git("cat-file", "--batch", input=f"{revision}\n".encode()).partition(b"\n")
        words = header.decode("utf-8", "surrogateescape").rsplit(" ", 2)
        return (ObjectId(words[0]), rest[: int(words[2])]) if len(words) == 3 and words[2].isdigit() else None

    def has_remote_tracking_refs(self) -> bool:
        """True if some remote was ever fetched from or pushed to."""
        return bool(self.git("for-each-ref", "--count=1", "--format=x", "refs/remotes").strip())

    def remotes(self) -> frozenset[str]:
        """The names of the user's remotes."""
        return frozenset(self.git("remote").decode("utf-8", "surrogateescape").splitlines())

    def shallow_boundary(self) -> frozenset[ObjectId]:
        """The commits whose parents this clone was not given."""
        if not self.is_shallow:
            return frozenset()
        return frozenset(map(ObjectId, (self.common_dir / "shallow").read_text("ascii").split()))

    def is_partial(self) -> bool:
        """True if some remote promised objects that are not here."""
        try:
            text = (self.common_dir / "config").read_bytes().lower()
        except OSError:
            return False
        return b"promisor" in text or b"partialclone" in text

    def blob_at(self, commit: ObjectId, path: str) -> bytes | None:
        """The content of `path` in `commit`; None if it is not there."""
        try:
            return self.git("cat-file", "blob", f"{commit}:{path}")
        except GitFailed:
            return None

    def last_committed(self, path: str, beyond: Iterable[ObjectId]) -> ObjectId | None:
        """What `path` last was in any commit that a ref or reflog reaches and `beyond` does not; None if in none.

        `path` has no characters that mean something to git. Raises GitFailed.
        """
        less = [f"^{oid}" for oid in beyond]
        touched = self.git("rev-list", "--ignore-missing", "--full-history", "--all", "--reflog", *less, "--", path)
        found = self.named(*(f"{oid}:{path}" for oid in touched.decode("ascii").split()))
        return next((blob for blob in found if blob is not None), None)

    def tracked_paths(self, commit: ObjectId, only: Iterable[bytes] | None = None) -> set[bytes]:
        """The sources in the tree of `commit`: all of them, or those of `only` that are there."""
        if only is None:
            return set(filter(None, self.git("ls-tree", "-r", "-z", "--name-only", commit).split(b"\0")))
        wanted = list(only)
        is_too_long = any(len(path) > _LONGEST_ARGUMENT_BYTES for path in wanted)  # for a command line
        if is_too_long or len(wanted) > _MOST_LOOKED_UP:  # one reading of the whole tree is cheaper than many look-ups
            return self.tracked_paths(commit).intersection(wanted)
        found: set[bytes] = set()
        for start in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
            names = wanted[start : start + _LOOKED_UP_AT_ONCE]
            for entry in self.git("ls-tree", "-z", "--full-tree", commit, "--", *names).split(b"\0"):
                about, _, path = entry.partition(b"\t")
                if path and not about.startswith(_TREE_MODE):
                    found.add(path)
        return found

    def version(self) -> tuple[int, ...]:
        """git's version as numbers."""
        words = self.git("version").decode("ascii", "replace").split()
        return tuple(int(part) for part in words[2].split(".")[:3] if part.isdigit())


def _not_here(failure: GitFailed, start: Path, git_dir: Path | None) -> NotHere:
    words = failure.stderr.strip()
    if git_dir is not None and "not a git repository" in words:
        return NotHere(f"GIT_DIR says {git_dir}, which is no git repository", remedy="unset it, or set it right")
    if "not a git repository" in words:
        return NotHere(f"{start} is not inside a git repository", remedy="go to one, or make one with `git init`")
    if "dubious ownership" in words:
        return NotHere(
            f"git does not trust {start}: it belongs to somebody else", remedy=words.splitlines()[-1].strip()
        )
    return NotHere(words.splitlines()[-1].removeprefix("fatal: ") if words else str(failure))
