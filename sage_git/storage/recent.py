"""What this process knows of the last 1,000 lines of a chronicle file, so that an append need not read them again.

It answers two questions: which event is the last, and does one of the last 1,000 lines have this content already? What
other processes append is read when it is noticed, and parsed only if a time stamp in it makes it a candidate. Not here:
locks and writes. Whoever uses a `Recent` holds the lock of its file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from sage_git.chronicle.canonical import canonical_of_own
from sage_git.chronicle.event import LINKS, Event
from sage_git.chronicle.ids import EventId
from sage_git.chronicle.ndjson import LineState, check_line
from sage_git.storage.durable import read_at

RECENT_LINES: Final = 1000
_FIRST_BLOCK_BYTES: Final = 1 << 16
_REMEMBERED_FILES: Final = 32
_END_BYTES: Final = 4096
_TIMESTAMP: Final = re.compile(rb'"timestamp"\s*:\s*"([^"]*)"')
_KNOWN_BY: Final = (LineState.VALID, LineState.NO_ID, LineState.ID_MISMATCH)
"""Lines that say what they say well enough to be recognised when they come again."""


class Recent:
    """The last lines of one file, of which `size` bytes are accounted for; `head` is the id of the last valid line."""

    __slots__ = ("_doubtful", "_end", "_lines", "_timestamps", "_true", "_unjudged", "head", "size")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know nothing, as after a write of which nobody can say what became of it."""
        self.size = 0
        self.head: EventId | None = None
        self._end = b""  # the last bytes of the file, by which it is recognised
        self._lines = 0  # how many are accounted for; a line's number is its place among them, from 1
        self._unjudged: list[tuple[int, bytes]] = []
        self._timestamps: dict[str, int] = {}  # the last line that has it
        self._true: dict[bytes, tuple[int, bytes]] = {}
        self._doubtful: dict[bytes, tuple[int, bytes]] = {}

    def is_all_of(self, fd: int, size: int) -> bool:
        """True if nothing came to the file of `size` bytes since we last accounted for it. Raises OSError."""
        return size == self.size and self._is_start_of(fd, size)

    def catch_up(self, fd: int, size: int) -> None:
        """Account for the file's first `size` bytes, which end with a newline. Raises OSError."""
        if not self._is_start_of(fd, size):
            self.forget()
            lines = list(islice(lines_backwards(fd, size), RECENT_LINES))
            self._take(lines[::-1])
            if self.head is None and len(lines) == RECENT_LINES:
                self.head = next(filter(None, map(_true_id, lines_backwards(fd, size))), None)
        elif size > self.size:
            self._take(read_at(fd, self.size, size - self.size).split(b"\n")[:-1])
        self.size = size
        self._end = read_at(fd, max(0, size - _END_BYTES), min(size, _END_BYTES))

    def find(self, event: Event, *, has_true_id: bool) -> Event | None:
        """The event of the last 1,000 lines with the content of `event`; None if there is none.

        A line without a true id does not stand in the way of an event with one.
        """
        oldest = max(0, self._lines - RECENT_LINES)
        if self._timestamps.get(event.timestamp, 0) <= oldest:
            return None
        self._judge()
        key = _content_key(event)
        for contents in (self._true,) if has_true_id else (self._true, self._doubtful):
            number, line = contents.get(key, (0, b""))
            if number > oldest:
                return Event.from_line(line)
        return None

    def add(self, event: Event, *, has_true_id: bool) -> None:
        """Account for a line that the caller is about to append."""
        self._lines += 1
        self.size += len(event.line) + 1
        self._end = (self._end + event.line + b"\n")[-_END_BYTES:]
        self._unjudged.append((self._lines, event.line))
        self._timestamps[event.timestamp] = self._lines
        if has_true_id:
            self.head = event.event_id
        if not self._lines % RECENT_LINES:
            self._prune()

    def _is_start_of(self, fd: int, size: int) -> bool:
        """True if the file is the one that we know, perhaps grown, and no other that has its place on the disk now."""
        known = len(self._end)
        return 0 < self.size <= size and read_at(fd, self.size - known, known) == self._end

    def _take(self, lines: list[bytes]) -> None:
        """Account for lines that somebody else appended, parsing no more than it takes to find the head."""
        if not lines:
            return
        for number, raw in enumerate(lines, self._lines + 1):
            self._unjudged.append((number, raw))
            for timestamp in _TIMESTAMP.findall(raw):
                self._timestamps[timestamp.decode("utf-8", "replace")] = number
        self._lines += len(lines)
        self.head = next(filter(None, map(_true_id, reversed(lines))), self.head)
        if any(b"\\u" in raw for raw in lines):  # may spell a time stamp in a way that the pattern does not see
            self._judge()
        self._prune()

    def _judge(self) -> None:
        for number, raw in self._unjudged:
            line = check_line(raw, number, 0)
            if line.event is None or line.state not in _KNOWN_BY:
                continue
            known = self._true if line.state is LineState.VALID else self._doubtful
            known[_content_key(line.event)] = (number, raw)
            self._timestamps[line.event.timestamp] = number
        self._unjudged.clear()

    def _prune(self) -> None:
        oldest = self._lines - RECENT_LINES
        self._unjudged = [known for known in self._unjudged if known[0] > oldest]
        self._timestamps = {timestamp: number for timestamp, number in self._timestamps.items() if number > oldest}
        self._true = {key: known for key, known in self._true.items() if known[0] > oldest}
        self._doubtful = {key: known for key, known in self._doubtful.items() if known[0] > oldest}


def recent_lines_of(there: os.stat_result) -> Recent:
    """What this process knows of the file that `there` tells of. The caller holds its lock."""
    return _remembered(there.st_dev, there.st_ino)


@lru_cache(maxsize=_REMEMBERED_FILES)
def _remembered(device: int, inode: int) -> Recent:  # noqa: ARG001  the key of what is remembered
    return Recent()


def lines_backwards(fd: int, size: int) -> Iterator[bytes]:
    """The lines of the file's first `size` bytes, which end with a newline, the last one first. Raises OSError."""
    rest = b""
    block = _FIRST_BLOCK_BYTES
    end = max(0, size - 1)
    while end > 0:
        start = max(0, end - block)
        first, *lines = (read_at(fd, start, end - start) + rest).split(b"\n")
        yield from reversed(lines)
        rest, end, block = first, start, 2 * block
    if size:
        yield rest


def complete_size(fd: int, size: int) -> int:
    """How many of the file's first `size` bytes are whole lines. Raises OSError."""
    block = _FIRST_BLOCK_BYTES
    while size:
        start = max(0, size - block)
        newline = read_at(fd, start, size - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        size, block = start, 2 * block
    return 0


def _true_id(raw: bytes) -> EventId | None:
    line = check_line(raw, 1, 0)
    return line.event.event_id if line.event is not None and line.state is LineState.VALID else None


def _content_key(event: Event) -> bytes:
    """What two events share exactly if all but their ids and parents is equal; no canonical JSON where floats are."""
    return canonical_of_own({name: value for name, value in event.fields.items() if name not in LINKS})
