"""A chronicle as a file: append durably and once, read, read the end (SPEC 4.2). Knows no repository.

An append locks the chronicle's own file, gives the event its parent (the last valid line) and its id, and is a no-op
if the last 1,000 lines hold the same content. A line that a killed writer left without its newline is no line: readers
pass over it, and the next append moves it to `PATH.torn`, or, if it is a whole and true event that lacks nothing but
its newline, gives it that. Not here: what a repository adds (operations.statements) and which lines a view shows
(operations.sidecars).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.kinds import timestamp
from sage_git.chronicle.ndjson import LineState, check_line
from sage_git.errors import Detail, ValidationError
from sage_git.storage.durable import append_and_sync, cut_back, read_at, set_aside, sync_directory, sync_file, told_as
from sage_git.storage.lock import open_locked, open_regular
from sage_git.storage.recent import Recent, complete_size, lines_backwards, recent_lines_of

SUFFIX: Final = ".sage"
_GIVEN_LINKS: Final = frozenset(("prevEventId", "mergedEventIds"))
StrPath = str | os.PathLike[str]


def append(
    path: StrPath,
    event: Mapping[str, Any],
    *,
    clock_ms: int,
    compute_id: bool = True,
    lock_timeout_ms: int = 2000,
) -> Event:
    """The event as it now stands in the chronicle `path`, durable; the one already there if it is a retry.

    `clock_ms` (since 1970) is its time if it has none; such an event is never taken for a retry. Raises
    ValidationError, LockTimeout, StorageError.
    """
    return append_many(path, [event], clock_ms=clock_ms, compute_id=compute_id, lock_timeout_ms=lock_timeout_ms)[0]


def append_many(
    path: StrPath,
    events: Sequence[Mapping[str, Any]],
    *,
    clock_ms: int,
    compute_id: bool = True,
    lock_timeout_ms: int = 2000,
) -> list[Event]:
    """Like `append` for each of `events` in turn, with one write and one fsync: all of them or, if it raises, none."""
    name = checked_path(path)
    fd = open_locked(name, lock_timeout_ms, os.O_APPEND)
    try:
        there = os.fstat(fd)
        recent, size = recent_lines_of(there), there.st_size
        try:
            with told_as(name, "read"):
                if not recent.is_all_of(fd, size):
                    size = _mend(fd, name, size)
                    recent.catch_up(fd, size)
            placed = [_place(event, recent, clock_ms, compute_id=compute_id) for event in events]
            _write(fd, name, [event for event, is_new in placed if is_new], size)
        except BaseException:
            recent.forget()
            raise
        return [event for event, _ in placed]
    finally:
        os.close(fd)


def read(path: StrPath) -> list[Event]:
    """The events of the chronicle in file order; `Event.has_true_id` says of each whether its id is right.

    Lines that are no events at all are passed over. Raises ValidationError, StorageError.
    """
    name = checked_path(path)
    fd = open_regular(name, os.O_RDONLY)
    try:
        with told_as(name, "read"):
            content = read_at(fd, 0, os.fstat(fd).st_size)
    finally:
        os.close(fd)
    return [event for event in map(_event, content.split(b"\n")[:-1]) if event is not None]


def tail(path: StrPath, n: int) -> list[Event]:
    """The last `n` events of the chronicle in file order; what stands before them is not read. Raises like `read`."""
    name = checked_path(path)
    fd = open_regular(name, os.O_RDONLY)
    try:
        with told_as(name, "read"):
            lines = lines_backwards(fd, complete_size(fd, os.fstat(fd).st_size))
            found = list(islice((event for event in map(_event, lines) if event is not None), max(0, n)))
    finally:
        os.close(fd)
    return found[::-1]


def checked_path(path: StrPath, suffix: str = SUFFIX) -> str:
    """`path` if a chronicle may lie there by its name. Raises ValidationError."""
    name = os.fspath(path)
    *_, base = parts = name.replace(os.sep, "/").split("/")
    if not base.endswith(suffix) or base == suffix:
        raise ValidationError(Detail("path", "does not name a chronicle", name, f"a name that ends in {suffix}"))
    if ".." in parts:
        raise ValidationError(Detail("path", "contains ..", name, "a path that goes down only"))
    if "\0" in name:
        raise ValidationError(Detail("path", "contains a NUL character", name, "a path"))
    return name


def _place(given: Mapping[str, Any], recent: Recent, clock_ms: int, *, compute_id: bool) -> tuple[Event, bool]:
    """The event to append and True, or the one already there and False. Raises ValidationError."""
    fields = dict(given)
    is_timed = "timestamp" in fields
    if not is_timed:
        fields["timestamp"] = timestamp(clock_ms)
    is_ours_to_link = compute_id or "eventId" not in fields  # an id that stays must stay true
    if recent.head is not None and is_ours_to_link and _GIVEN_LINKS.isdisjoint(fields):
        fields["prevEventId"] = recent.head
    event = Event.sealed(fields) if compute_id else Event.checked(fields)
    has_true_id = compute_id or event.has_true_id()
    known = recent.find(event, has_true_id=has_true_id) if is_timed else None
    if known is not None:
        return known, False
    recent.add(event, has_true_id=has_true_id)
    return event, True


def _write(fd: int, name: str, events: Sequence[Event], size: int) -> None:
    if events:
        append_and_sync(fd, b"".join([event.line + b"\n" for event in events]), size, name)
    else:  # a retry: whoever wrote these lines may have died before they were durable
        with told_as(name, "sync"):
            sync_file(fd)
    if not events or not size:
        with told_as(name, "sync the directory of"):
            sync_directory(os.path.dirname(name) or ".")


def _mend(fd: int, name: str, size: int) -> int:
    """The size that a file of `size` bytes has now that it ends with a whole line. Raises OSError, StorageError."""
    if not size or read_at(fd, size - 1, 1) == b"\n":
        return size
    whole = complete_size(fd, size)
    torn = read_at(fd, whole, size - whole)
    if check_line(torn, 1, 0).state is LineState.VALID:
        append_and_sync(fd, b"\n", size, name)
        return size + 1
    set_aside(torn, Path(name + ".torn"))
    cut_back(fd, whole, name)
    return whole


def _event(raw: bytes) -> Event | None:
    try:
        return Event.from_line(raw)
    except ValidationError:  # no event at all; `fsck` names it
        return None
