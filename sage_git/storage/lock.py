"""One writer at a time, between threads and between processes: a lock on an open file, gone when its holder dies.

The lock is filelock's native one on the file itself, so a chronicle needs no lock file beside it, and a lock file that
a dead process left behind locks nothing. Not here: what is done under a lock.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sage_git.errors import Detail, LockTimeout, StorageError, ValidationError
from sage_git.storage.durable import NO_SURPRISES, read_at, told_as

_FIRST_PAUSE_MS: Final = 1
_LONGEST_PAUSE_MS: Final = 20


@contextmanager
def held(path: str | Path, timeout_ms: int) -> Iterator[None]:
    """Holds the lock file `path`, which names its holder's process id. Raises LockTimeout, StorageError."""
    fd = open_locked(path, timeout_ms)
    try:
        _sign(fd)
        yield
    finally:
        os.close(fd)


def open_locked(path: str | Path, timeout_ms: int, flags: int = 0) -> int:
    """A descriptor of `path` (made if missing) for reading and writing that holds its lock until it is closed.

    Raises LockTimeout, StorageError, and ValidationError if `path` is a link or no regular file.
    """
    deadline = time.monotonic() + timeout_ms / 1000
    while True:
        fd = open_regular(path, os.O_RDWR | os.O_CREAT | flags)
        try:
            _wait(fd, path, deadline, timeout_ms)
            if _is_still_at(path, fd):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # replaced or removed while we waited: that lock guards nothing


def open_regular(path: str | Path, flags: int) -> int:
    """A descriptor of the regular file `path`. Raises StorageError; ValidationError if it is a link or the like."""
    try:
        fd = os.open(path, flags | NO_SURPRISES, 0o666)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.EMLINK):
            broken = Detail("path", "is a symbolic link", str(path), "a regular file")
            raise ValidationError(broken, remedy="name the file that it points to") from None
        raise StorageError.from_os(problem, str(path), "open") from problem
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ValidationError(Detail("path", "is no regular file", str(path), "a regular file"))
    return fd


def _wait(fd: int, path: str | Path, deadline: float, timeout_ms: int) -> None:
    from filelock import lock_descriptor  # 24 ms that readers need not wait for

    pause_ms = _FIRST_PAUSE_MS
    with told_as(path, "lock"):
        while not lock_descriptor(fd, blocking=False):
            left_ms = (deadline - time.monotonic()) * 1000
            if left_ms <= 0:
                raise LockTimeout(str(path), timeout_ms, _holder(fd))
            time.sleep(min(pause_ms, left_ms) / 1000)
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)


def _is_still_at(path: str | Path, fd: int) -> bool:
    try:
        there, here = os.stat(path, follow_symlinks=False), os.fstat(fd)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, here)


def _sign(fd: int) -> None:
    with suppress(OSError):  # a courtesy to whoever waits; a full disk is no reason to go without the lock
        os.write(fd, b"%-10d\n" % os.getpid())


def _holder(fd: int) -> int | None:
    """The process that holds the lock on the file, as Linux tells, else as the lock file says; None if neither does."""
    with suppress(OSError):
        inode = b":%d " % os.fstat(fd).st_ino
        for line in Path("/proc/locks").read_bytes().splitlines():
            words = line.split()
            if inode in line and b"FLOCK" in words and b"->" not in words and words[4] != b"0":
                return int(words[4])
    with suppress(OSError):
        said = read_at(fd, 0, 12).strip()
        return int(said) if said.isdigit() else None
    return None
