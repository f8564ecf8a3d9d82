"""Sidecar files as views inside a work tree: written without a lock of their own and without fsync.

The log has every line; a view that a crash tore is found by its stamp and made whole. The caller holds `log.lock`.
Nothing here follows a link or leaves the work tree. Not here: which lines a sidecar shows (operations.sidecars).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sage_git.errors import StorageError
from sage_git.storage.durable import NO_SURPRISES, cut_back, replace_file, set_aside, told_as, write_all
from sage_git.storage.index.sidecars import Stamp


class WorkTree:
    """The folders of a work tree into which sidecars may be written. `root` is absolute."""

    def __init__(self, root: Path) -> None:
        self.root = os.fsencode(root)
        self._real_root = os.path.realpath(self.root)
        self._folders: dict[bytes, bool] = {}

    def file(self, relative: bytes) -> bytes:
        """The full name of a file below the root."""
        return os.path.join(self.root, relative)

    def has_folder_of(self, relative: bytes) -> bool:
        """True if the file's folder is there and no link leads out of the work tree on the way to it."""
        folder = os.path.dirname(relative)
        known = self._folders.get(folder)
        if known is None:
            full = os.path.join(self.root, folder)
            inside = os.path.join(self._real_root, folder) if folder else self._real_root
            known = self._folders[folder] = os.path.isdir(full) and os.path.realpath(full) == inside
        return known

    def make_folder_of(self, relative: bytes) -> bool:
        """Make the file's folder; True if it is there now, by no link."""
        with suppress(OSError):
            os.makedirs(os.path.dirname(self.file(relative)), exist_ok=True)
        self._folders.pop(os.path.dirname(relative), None)
        return self.has_folder_of(relative)

    def names_in(self, folder: bytes) -> list[bytes]:
        """The names of what is in a folder; none where a link leads out of the work tree."""
        if not self.has_folder_of(folder + b"/x"):
            return []
        try:
            with os.scandir(self.file(folder)) as found:
                return sorted(each.name for each in found)
        except OSError:
            return []

    def stamp(self, relative: bytes) -> Stamp | None:
        """What the file is like now; None if there is none."""
        try:
            found = os.lstat(self.file(relative))
        except OSError:
            return None
        return Stamp(found.st_size, found.st_mtime_ns)

    def not_as(self, files: Iterable[bytes], stamps: Iterable[Stamp]) -> list[bytes]:
        """Those of `files` that are not as their stamps say, or gone. All of them are looked at, in a few µs each."""
        prefix, changed = self.root + b"/", []
        for relative, stamp in zip(files, stamps, strict=True):
            try:
                found = os.lstat(prefix + relative)
            except OSError:
                changed.append(relative)
                continue
            if found.st_mtime_ns != stamp.mtime_ns or found.st_size != stamp.size:
                changed.append(relative)
        return changed

    def read(self, relative: bytes) -> bytes | None:
        """The file's content; None if there is none. Raises StorageError, also for what is no regular file."""
        path = self.file(relative)
        with told_as(os.fsdecode(path), "read"):
            try:
                fd = os.open(path, os.O_RDONLY | NO_SURPRISES)
            except FileNotFoundError:
                return None
            with open(fd, "rb") as stream:
                return stream.read()

    def append(self, relative: bytes, lines: Iterable[bytes]) -> Stamp:
        """Put `lines` at the end of the file, made if it is not there; its stamp then. Raises StorageError."""
        path = self.file(relative)
        with told_as(os.fsdecode(path), "append to"):
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | NO_SURPRISES, 0o666)
            try:
                write_all(fd, b"".join(line + b"\n" for line in lines))
                found = os.fstat(fd)
            finally:
                os.close(fd)
        return Stamp(found.st_size, found.st_mtime_ns)

    def replace(self, relative: bytes, lines: Iterable[bytes]) -> Stamp:
        """Make `lines` the whole file; its stamp then. Raises StorageError."""
        replace_file(Path(os.fsdecode(self.file(relative))), b"".join(line + b"\n" for line in lines))
        stamp = self.stamp(relative)
        if stamp is None:
            raise StorageError(os.fsdecode(relative), "replace", "ENOENT", remedy="run `sage-git record`")
        return stamp

    def set_torn_aside(self, relative: bytes, fragment: bytes, size: int, lost: Path) -> None:
        """Move what is behind the last whole line, which ends at `size`, out of the file. Raises StorageError."""
        set_aside(fragment, lost)
        path = os.fsdecode(self.file(relative))
        with told_as(path, "open"):
            fd = os.open(path, os.O_RDWR | NO_SURPRISES)
        try:
            cut_back(fd, size, path)
        finally:
            os.close(fd)

    def remove(self, relative: bytes) -> None:
        """Take the file away, and the folders that it leaves empty. Raises StorageError."""
        path = self.file(relative)
        if not self.has_folder_of(relative):
            return
        with told_as(os.fsdecode(path), "remove"), suppress(FileNotFoundError):
            os.unlink(path)
        folder = os.path.dirname(relative)
        while folder:
            try:
                os.rmdir(os.path.join(self.root, folder))
            except OSError:  # not empty, or gone
                break
            self._folders.pop(folder, None)
            folder = os.path.dirname(folder)
