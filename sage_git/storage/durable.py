"""Bytes that are on disk when the call returns; the only module that calls fsync, rename and replace.

Content is durable once its file was synced, a name once its directory was. A write that fails is undone as far as the
system lets us, and what cannot be undone is a torn last line, which every reader of ours ignores. Not here: locks.
Every function that writes to a path expects its caller to hold whatever keeps other writers away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from sage_git.errors import StorageError

# Windows lacks these; there a descriptor is not inherited anyway, and links need a privilege.
NO_SURPRISES: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Open flags: nothing inherits the descriptor, a link is refused, a pipe does not hang us."""
_LONGEST_NAME_BYTES: Final = 255


@contextmanager
def told_as(path: str | Path, operation: str) -> Iterator[None]:
    """Raises StorageError that names `path` and `operation` (a verb: "read", "append to") for any OSError inside."""
    try:
        yield
    except OSError as problem:
        raise StorageError.from_os(problem, str(path), operation) from problem


def write_all(fd: int, content: bytes) -> None:
    """Write all of `content`, however little the system takes at a time. Raises OSError."""
    written = os.write(fd, content)
    if written < len(content):
        rest = memoryview(content)[written:]
        while rest:
            rest = rest[os.write(fd, rest) :]


def read_at(fd: int, offset: int, size: int) -> bytes:
    """The up to `size` bytes from `offset` on; fewer only at the end of the file. Raises OSError."""
    os.lseek(fd, offset, os.SEEK_SET)
    content = os.read(fd, size)
    while len(content) < size and (more := os.read(fd, size - len(content))):
        content += more
    return content


def append_and_sync(fd: int, content: bytes, size: int, path: str | Path) -> None:
    """Put `content` at the end of the file of `size` bytes that is open for appending. Raises StorageError.

    On an error the file is cut back to `size`: after a failed fsync the pages may never reach the disk, so they must
    not be seen either.
    """
    try:
        write_all(fd, content)
        sync_file(fd)
    except OSError as problem:
        with suppress(OSError):
            os.ftruncate(fd, size)
            sync_file(fd)
        raise StorageError.from_os(problem, str(path), "append to") from problem


def cut_back(fd: int, size: int, path: str | Path) -> None:
    """Drop what the open file has beyond `size` bytes. Raises StorageError."""
    with told_as(path, "truncate"):
        os.ftruncate(fd, size)
        sync_file(fd)


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Make `content` the whole of `path`: afterwards, and after any crash, it is all there or all as before.

    `mode` counts less the umask. Raises StorageError. What a killed run leaves behind is `unfinished(path)`, which the
    next call takes over.
    """
    draft = unfinished(path)
    with told_as(path, "replace"):
        try:
            with suppress(FileNotFoundError):
                draft.unlink()
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_SURPRISES, mode)
            try:
                write_all(fd, content)
                sync_file(fd)
            finally:
                os.close(fd)
            os.replace(draft, path)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise
        sync_directory(path.parent)


def set_aside(fragment: bytes, path: Path) -> None:
    """Keep `fragment`, which is about to be cut off a file, as a line of `path`. Raises StorageError.

    Done again after a crash it is kept once.
    """
    kept = fragment + b"\n"
    make_directory(path.parent)
    with told_as(path, "append to"):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_SURPRISES, 0o666)
    try:
        with told_as(path, "append to"):
            size = os.fstat(fd).st_size
            there = read_at(fd, max(0, size - len(kept)), len(kept))
        if there != kept:
            append_and_sync(fd, kept, size, path)
        with told_as(path, "append to"):
            sync_directory(path.parent)
    finally:
        os.close(fd)


def unfinished(path: Path) -> Path:
    """Where the next content of `path` is drafted: beside it, and ending like it, so that git ignores both or none."""
    name = f".new.{path.name}"
    if len(os.fsencode(name)) > _LONGEST_NAME_BYTES:
        name = f".new.{sha256(os.fsencode(path.name)).hexdigest()[:32]}.{path.name[-32:]}"
    return path.with_name(name)


def make_directory(path: Path) -> None:
    """Make `path` and what is missing above it, durably. Raises StorageError."""
    if path.is_dir():
        return
    make_directory(path.parent)
    with told_as(path, "make"):
        with suppress(FileExistsError):
            path.mkdir()
        sync_directory(path.parent)


def sync_directory(path: str | Path) -> None:
    """Make the names in `path` durable. Raises OSError."""
    if sys.platform == "win32":  # has no such thing; NTFS journals names
        return
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file(fd: int) -> None:
    """Make the content of the open file durable. Raises OSError."""
    if sys.platform == "darwin":  # fsync there stops at the drive's cache
        import fcntl

        with suppress(OSError):  # a file system that cannot: fsync is what is left
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)
