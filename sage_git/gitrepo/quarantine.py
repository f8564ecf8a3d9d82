"""What a peer offers, in a repository of its own until it is believed: `sage/incoming.git`, thrown away afterwards.

It borrows the objects of the store, so that git fetches only what is new; no ref of the store reaches into it, and
nobody is served from it. What lies in it is read with the same suspicion as what is still on its way. Not here: what is
to be believed (operations.exchange.vetting), and taking it over (store.adopt).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sage_git.errors import Detail, StorageError, ValidationError
from sage_git.gitrepo.command import Limits, run_bounded, sealed_environment
from sage_git.gitrepo.log_tree import LEAF_BYTES, SEGMENT_ENTRIES, WRITERS, Half, check_shape, ref_of
from sage_git.gitrepo.remote_environment import RemoteEnvironment, checked_url, refused_by_git, sent_too_much
from sage_git.gitrepo.segments import SegmentRepository
from sage_git.gitrepo.store import Store

LONGEST_LINE_BYTES: Final = 1 << 20
LONGEST_DOCUMENT_BYTES: Final = 1 << 16
_FETCH: Final = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-gc",
    "--no-recurse-submodules",
    "--depth=1",  # of a log's past nothing is wanted
    "--stdin",
)
_NAME: Final = "incoming.git"
_PRIVATE: Final = "refs/sage/private/"
_FILE: Final = "100644"
_READING: Final = Limits(seconds=60.0, output_bytes=64 << 20, file_bytes=1 << 20, memory_bytes=2 << 30)
_MOST_PRINTED_BYTES: Final = 1 << 20


class Quarantine:
    """The quarantine of the clone with this `sage/` directory and store, for one of its halves; empty once left.

    Whoever opens it holds a lock that keeps others from doing so.
    """

    def __init__(self, sage: Path, store: Store, half: Half = Half.PUBLIC) -> None:
        self.path = sage / _NAME
        self._half = half
        lender = store.repository(half)
        self._lenders = [store.repository(each) for each in {Half.PUBLIC, half}]
        self._repository = SegmentRepository(self.path, lender.object_format, lender.environment)
        self._files: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        self.clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Throw away what is there; what is left is an empty repository."""
        self._files.clear()
        shutil.rmtree(self.path, ignore_errors=True)
        make_empty(self.path, self._repository.object_format)
        # Relative, so that no name of a directory can be misread.
        lent = "".join(f"../../{each.git_dir.name}/objects\n" for each in self._lenders if each.is_ready())
        (self.path / "objects/info/alternates").write_text(lent, encoding="ascii")

    def fetch(self, url: str, logs: Mapping[str, str], remote: RemoteEnvironment) -> dict[str, str]:
        """The commits of those writers in `logs` that came; what they had when listed, or have by now.

        Raises PeerFailed, UsageError.
        """
        namespace = WRITERS if self._half is Half.PUBLIC else _PRIVATE
        wanted = "".join(f"+{ref_of(writer)}:{ref_of(writer, namespace)}\n" for writer in logs).encode("ascii")
        arguments = (*_FETCH, "--", checked_url(url))
        done = remote.run(*arguments, git_dir=self.path, input=wanted, output_bytes=_MOST_PRINTED_BYTES)
        if done.status:
            packs = (path.stat().st_size for path in self.path.glob("objects/pack/tmp_*"))
            raise sent_too_much() if max(packs, default=0) >= remote.file_bytes >> 1 else refused_by_git(done, url)
        (self.path / "shallow").unlink(missing_ok=True)  # what is taken over has no parents to be missing
        return self._repository.writers(namespace)

    def files(self, commit: str) -> Mapping[str, str]:
        """The object ids of the files of a log that came, by path. Raises ValidationError unless it is laid out as one,
        with nothing beside, and no file is larger than it may be.
        """
        if commit not in self._files:
            self._files[commit] = self._listed(commit)
        return self._files[commit]

    def _listed(self, commit: str) -> dict[str, str]:
        kind = self._read("cat-file", "-t", commit).strip()
        if kind != "commit":
            raise ValidationError(Detail("ref", f"is no commit but {kind[:20]!r}"))
        files: dict[str, str] = {}
        sizes: dict[str, int] = {}
        for row in self._read("ls-tree", "-r", "-l", "-z", commit).split("\0")[:-1]:
            words, _, path = row.partition("\t")
            mode, _, name, size = words.split()
            if mode != _FILE:
                raise ValidationError(Detail("tree", f"{path[:80]!r} is no plain file", mode, _FILE))
            files[path], sizes[path] = name, int(size)
        check_shape(list(files), self._half)
        for path, size_bytes in sizes.items():
            if size_bytes > (most := _most_bytes(path)):
                raise ValidationError(Detail("tree", f"{path} is too large ({size_bytes} bytes)", size_bytes, most))
        return files

    def segments(self, files: Mapping[str, str], paths: Sequence[str]) -> Iterator[list[bytes]]:
        """The lines of each of these segments, none for one that is not there. Raises GitFailed, StorageError."""
        return self._repository.segments(files, paths)

    def blobs(self, names: Sequence[str]) -> Iterator[bytes]:
        """The content of each of these files. Raises GitFailed, StorageError."""
        return self._repository.blobs(names)

    def _read(self, *arguments: str) -> str:
        """What git prints, which may be as endless as somebody made it. Raises ValidationError."""
        environment = sealed_environment(self._repository.environment)
        done = run_bounded(arguments, git_dir=self.path, environment=environment, limits=_READING)
        if done.over is not None or done.status:
            said = done.over.value if done.over else done.said.strip()[:200]
            raise ValidationError(Detail("tree", f"git cannot read it: {said}"))
        return done.output.decode("utf-8", "backslashreplace")


def discard_left(sage: Path) -> None:
    """Throw away what a run that was killed left in the quarantine of the clone with this `sage/` directory."""
    path = sage / _NAME
    if any((path / "objects/pack").glob("*")) or any((path / "objects").glob("??")):
        shutil.rmtree(path, ignore_errors=True)


def make_empty(git_dir: Path, object_format: str) -> None:
    """Have a bare repository at `git_dir`, empty if made now (gitrepository-layout(5)). Raises StorageError."""
    version = 0 if object_format == "sha1" else 1
    config = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n[sage]\n\tready = true\n"
    config += f"[extensions]\n\tobjectformat = {object_format}\n" if version else ""
    try:
        for folder in ("objects/info", "objects/pack", "refs"):
            (git_dir / folder).mkdir(parents=True, exist_ok=True)
        for name, content in (("config", config), ("HEAD", "ref: refs/heads/none\n")):
            path = git_dir / name
            if not path.exists() or path.read_text(encoding="ascii") != content:
                path.write_text(content, encoding="ascii")
    except OSError as problem:
        raise StorageError.from_os(problem, str(git_dir), "make") from problem


def _most_bytes(path: str) -> int:
    """How large a file of a writer's tree may be."""
    match path.partition("/")[0]:
        case "leaves":
            return SEGMENT_ENTRIES * (LEAF_BYTES + 1)
        case "events":
            return SEGMENT_ENTRIES * (LONGEST_LINE_BYTES + 1)
        case _:
            return LONGEST_DOCUMENT_BYTES
