"""`sage/private.ids`: the statements that never leave this clone (`append --private`), an event id a line.

An id is here, durably, before its event is in the log, so that a crash between the two publishes nothing. Not here:
what else is withheld, which follows from policy and from which commits a remote has.
"""

from __future__ import annotations

import os
from pathlib import Path

from sage_git.chronicle.ids import EventId, is_hex
from sage_git.errors import StorageError
from sage_git.storage.durable import append_and_sync, make_directory
from sage_git.storage.lock import open_regular

FILE_NAME = "private.ids"


def withhold(directory: Path, event_id: EventId) -> None:
    """Never let the event leave the clone with this `sage/` directory, by log.lock's holder. Raises StorageError."""
    make_directory(directory)
    path = directory / FILE_NAME
    fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        # A line that a crash tore must not swallow this one.
        append_and_sync(fd, b"\n%s\n" % event_id.encode("ascii"), os.fstat(fd).st_size, path)
    finally:
        os.close(fd)


def withheld(directory: Path) -> frozenset[EventId]:
    """The events that never leave this clone. Raises StorageError."""
    path = directory / FILE_NAME
    try:
        words = path.read_bytes().decode("ascii", "replace").split()
    except FileNotFoundError:
        return frozenset()
    except OSError as problem:
        raise StorageError.from_os(problem, str(path), "read") from problem
    return frozenset(EventId(word) for word in words if is_hex(word, 64))
