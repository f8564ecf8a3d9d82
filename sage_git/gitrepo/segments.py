"""One bare repository of ours with segments of writer logs: a file of 256 lines each, a ref for each writer.

The tree of `refs/sage/writers/<writer key id>` has `leaves/…`, `events/…` and `writer.json`; segments are numbered like
C2SP tlog-tiles (`000`, `x001/234`). Commits have no author and no time of their own, so that the same entries make the
same commits: nobody trusts a commit. Not here: what the lines mean, which repository has which (store), and locks.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed, StorageError
from sage_git.gitrepo.command import run

SEGMENT_ENTRIES: Final = 256
# By default git leaves loose objects to the kernel; our tail is cut off on the strength of them.
_DURABLE: Final = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync")
# Loose objects are compressed twice and fsynced one by one; below a few segments they are still fewer files to repack.
_PACKED: Final = ("-c", "fastimport.unpackLimit=20")
_READY: Final = "sage.ready"
_NOBODY: Final = "sage-git <sage-git@localhost> 0 +0000"


class Onto(Enum):
    """What a commit goes on from; the writer's other files are in it either way."""

    HISTORY = "history"
    """The writer's last commit."""
    NOTHING = "nothing"
    """No commit: the chain begins anew."""


@dataclass(frozen=True, slots=True)
class SegmentRepository:
    """The repository at `git_dir`, made when first written to. `environment` says where git is."""

    git_dir: Path
    object_format: str
    environment: Mapping[str, str]

    def files(self, writer: str) -> dict[str, str]:
        """The object ids of the writer's files by path; empty if there is nothing of this writer. Raises GitFailed."""
        tip = self._tip(writer) if self._is_ready() else ""
        listed = self._git("ls-tree", "-r", "-z", tip).decode("ascii").split("\0")[:-1] if tip else []
        return {path: words.split(" ")[2] for words, _, path in (entry.partition("\t") for entry in listed)}

    def lines(self, files: Mapping[str, str], paths: Sequence[str]) -> list[bytes]:
        """The lines of these segments one after another; 256 empty ones for each that is not in `files`.

        Raises GitFailed; StorageError if the repository is damaged.
        """
        blobs = self._blobs([files[path] for path in paths if path in files])
        found: list[bytes] = []
        for path in paths:
            lines = blobs[files[path]].split(b"\n")[:-1] if path in files else [b""] * SEGMENT_ENTRIES
            if len(lines) != SEGMENT_ENTRIES:
                raise self._damaged(f"{path} has {len(lines)} lines")
            found += lines
        return found

    def commit(self, writer: str, files: Mapping[str, bytes], onto: Onto = Onto.HISTORY) -> None:
        """Write `files` beside those that the writer has; durable on return. Raises GitFailed."""
        if not self._is_ready():
            self._create()
        try:
            self._import(writer, files, onto)
        except GitFailed:
            # Whoever was killed in the middle of it left git's own locks, which outlive their holders.
            if not self._remove_stale_locks():
                raise
            self._import(writer, files, onto)

    def damage(self) -> str:
        """What git finds damaged in the repository, all of which is read, in its own words; empty if nothing is."""
        if not self._is_ready():
            return ""
        try:
            self._git("fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs")
        except GitFailed as failure:
            words = failure.stderr.strip().splitlines()
            return words[0] if words else str(failure)
        return ""

    def forget_unreachable(self) -> None:
        """Delete every object that no ref reaches, for good. Raises GitFailed."""
        self._git(*_DURABLE, "repack", "-a", "-d", "-q")
        self._git("prune", "--expire=now")

    def _import(self, writer: str, files: Mapping[str, bytes], onto: Onto) -> None:
        tip = self._tip(writer)
        commands = [f"feature done\ncommit {_ref(writer)}\ncommitter {_NOBODY}\ndata 0\n".encode()]
        if tip:
            tree = f'M 040000 {self._git("rev-parse", f"{tip}^{{tree}}").decode("ascii").strip()} ""\n'
            commands.append((f"from {tip}\n" if onto is Onto.HISTORY else tree).encode())
        for path, content in files.items():
            commands += [f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n"]
        commands.append(b"\ndone\n")
        self._git(*_DURABLE, *_PACKED, "fast-import", "--quiet", "--force", "--depth=0", input=b"".join(commands))

    def _tip(self, writer: str) -> str:
        return self._git("for-each-ref", "--format=%(objectname)", _ref(writer)).decode("ascii").strip()

    def _blobs(self, names: Sequence[str]) -> dict[str, bytes]:
        """The contents of blobs by object id."""
        wanted = list(dict.fromkeys(names))
        answer = (
            self._git("cat-file", "--batch", input="".join(f"{name}\n" for name in wanted).encode()) if wanted else b""
        )
        blobs: dict[str, bytes] = {}
        at = 0
        while at < len(answer):
            end = answer.index(b"\n", at)
            name, kind, *size = answer[at:end].decode("ascii").split(" ")
            if kind != "blob":
                raise self._damaged(f"object {name} is {kind}")
            blobs[name] = answer[end + 1 : end + 1 + int(size[0])]
            at = end + 2 + int(size[0])
        return blobs

    def _is_ready(self) -> bool:
        try:
            return b"ready = true" in (self.git_dir / "config").read_bytes()
        except FileNotFoundError:
            return False

    def _create(self) -> None:
        """Make the repository; what a killed run left half made holds nothing yet, and is made anew."""
        shutil.rmtree(self.git_dir, ignore_errors=True)
        self._git("init", "--bare", "--quiet", "--template=", f"--object-format={self.object_format}")
        for setting, value in (("gc.auto", "0"), ("core.logAllRefUpdates", "false"), (_READY, "true")):
            self._git("config", setting, value)

    def _remove_stale_locks(self) -> bool:
        """True if there were lock files. The caller's own lock keeps everybody else who could have made them away."""
        locks = [*self.git_dir.glob("*.lock"), *self.git_dir.glob("refs/**/*.lock")]
        for path in (*locks, *self.git_dir.glob("fast_import_crash_*")):
            path.unlink(missing_ok=True)
        return bool(locks)

    def _git(self, *arguments: str, input: bytes = b"") -> bytes:
        return run(arguments, git_dir=self.git_dir, input=input, environment=self.environment)

    def _damaged(self, how: str) -> StorageError:
        return StorageError(str(self.git_dir), "read", how, remedy="run `sage-git fsck`")


def segment_path(folder: str, number: int) -> str:
    """Where segment `number` lies in a writer's tree, as in C2SP tlog-tiles: `leaves/x001/x234/067`."""
    digits = f"{number % 1000:03d}"
    while number := number // 1000:
        digits = f"x{number % 1000:03d}/{digits}"
    return f"{folder}/{digits}"


def joined(lines: Iterable[bytes]) -> bytes:
    """The content of a segment's file."""
    return b"".join([line + b"\n" for line in lines])


def _ref(writer: str) -> str:
    return f"refs/sage/writers/{writer}"
