"""The unsealed end of this clone's own writer log: one fsynced line an entry, in `sage/tail.ndjson`.

The first line says which numbers the entries have, `{"first":512,"redacted":0}`: `first` of the log's entries are
sealed in the store, and `redacted` counts rewritings that left `first` alone, so that two contents never share a first
line. Every other line is an entry: an event's canonical JSON, or the bare leaf `{"eventId":"…"}` of one whose body was
redacted.

Numbers start at 0 and `first` is a multiple of 256. Sealing is: put `sealable()` into the store, then `drop_sealed`; a
crash between leaves entries that are in both, which the next sealing drops. Not here: the store (gitrepo.store), which
events belong into the log, and its lock: the caller of anything that writes holds `log.lock`. Reading needs no lock.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.chronicle.canonical import canonical_json, parse_json
from sage_git.chronicle.ids import EventId, event_id, leaf
from sage_git.errors import SageError, StorageError
from sage_git.storage.durable import (
    append_and_sync,
    cut_back,
    make_directory,
    read_at,
    replace_file,
    set_aside,
    told_as,
)
from sage_git.storage.lock import open_regular

SEGMENT_ENTRIES: Final = 256
_LONGEST_HEADER_BYTES: Final = 64
_LEAF_START: Final = b'{"eventId":"'
_LEAF_BYTES: Final = len(_LEAF_START) + 64 + len(b'"}')


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log; `line` is its event, or its leaf if the body was redacted."""

    number: int
    line: bytes

    @property
    def body(self) -> bytes:
        """The event's canonical line; empty once redacted."""
        return b"" if _is_leaf(self.line) else self.line

    @property
    def leaf(self) -> bytes:
        """What the Merkle tree has for this entry: the id that the event's content has, whatever it says of itself."""
        return self.line if _is_leaf(self.line) else leaf(event_id(parse_json(self.line)))


@dataclass(frozen=True, slots=True)
class _Header:
    first: int
    redacted: int

    @property
    def line(self) -> bytes:
        return canonical_json({"first": self.first, "redacted": self.redacted}) + b"\n"


@dataclass(frozen=True, slots=True)
class _Counted:
    """`size` bytes of the tail that begins with `header` hold `entries` whole entries and nothing else."""

    header: _Header
    size: int
    entries: int


@dataclass(frozen=True, slots=True)
class Salvage:
    """A tail read without trust: `first` is None if `header` does not say it; `torn` follows the last newline."""

    first: int | None
    header: bytes
    lines: list[bytes]
    torn: bytes


class WriterLog:
    """This clone's log in the directory `sage/` of the repository. Making one touches nothing."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "tail.ndjson"
        self._lost = directory / "lost" / "tail.ndjson"
        self._sealed = directory / "tail.sealed"  # there once anything was: without a tail, nobody knows where to go on
        self._counted: _Counted | None = None

    def length(self) -> int:
        """How many entries the whole log has, sealed ones included."""
        counted = self._count()
        return counted.header.first + counted.entries

    def sealed(self) -> int:
        """How many entries the tail leaves to the store."""
        return self._count().header.first

    def append(self, lines: Sequence[bytes]) -> range:
        """The numbers that `lines` (canonical events or leaves, no newline) now have; durable on return.

        One write and one fsync. Raises StorageError, and then none is in the log; after a kill it has the first few.
        """
        counted = self._count()
        start = counted.header.first + counted.entries
        if lines:
            if not counted.size:
                counted = self._begin(counted.header)
            added = b"\n".join(lines) + b"\n"
            self._append(added, counted.size)
            self._counted = _Counted(counted.header, counted.size + len(added), counted.entries + len(lines))
        return range(start, start + len(lines))

    def read_tail(self) -> list[Entry]:
        """The entries that are not sealed, oldest first."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise StorageError.from_os(problem, str(self.path), "read") from problem
        header = self._header_of(content)
        lines = content.split(b"\n")[1:-1]  # what follows the last newline is torn, or nothing
        return [Entry(number, line) for number, line in enumerate(lines, header.first)]

    def salvage(self) -> Salvage:
        """What is in the tail, whatever became of its first line. Raises StorageError."""
        try:
            header, *lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return Salvage(None, b"", [], b"")
        except OSError as problem:
            raise StorageError.from_os(problem, str(self.path), "read") from problem
        torn = lines.pop() if lines else b""
        try:
            return Salvage(self._header_of(header + b"\n").first, header, lines, torn)
        except StorageError:
            return Salvage(None, header, lines, torn)

    def rewrite(self, first: int, lines: Sequence[bytes], lost: Sequence[bytes]) -> None:
        """Make `lines` the entries from number `first` on, and keep `lost` ones elsewhere. Raises StorageError."""
        for fragment in lost:
            set_aside(fragment, self._lost)
        try:
            redacted = self._count().header.redacted + 1
        except StorageError:  # it does not say
            redacted = 0
        self._replace(_Header(first, redacted), lines)

    def sealable(self) -> list[Entry]:
        """The entries that fill whole segments: the longest run from the tail's first that 256 divides."""
        entries = self.read_tail()
        return entries[: len(entries) - len(entries) % SEGMENT_ENTRIES]

    def drop_sealed(self, upto: int) -> None:
        """Leave the entries before number `upto` to the store, which has them durably. Raises StorageError."""
        header = self._count().header
        if upto > header.first:
            if not self._sealed.exists():
                replace_file(self._sealed, b"%d\n" % upto)
            kept = [entry.line for entry in self.read_tail() if entry.number >= upto]
            self._replace(_Header(upto, 0), kept)

    def redact(self, number: int) -> None:
        """Put its leaf in the place of entry `number`, which is not sealed. Raises StorageError."""
        entries = self.read_tail()
        kept = [entry.leaf if entry.number == number else entry.line for entry in entries]
        header = self._count().header
        self._replace(_Header(header.first, header.redacted + 1), kept)

    def _append(self, added: bytes, size: int) -> None:
        fd = open_regular(self.path, os.O_RDWR | os.O_APPEND)
        try:
            with told_as(self.path, "read"):
                torn = read_at(fd, size, os.fstat(fd).st_size - size)
            if torn:  # a run was killed in the middle of its line; whoever asked for it was never told that it is there
                set_aside(torn, self._lost)
                cut_back(fd, size, self.path)
            append_and_sync(fd, added, size, self.path)
        finally:
            os.close(fd)

    def _begin(self, header: _Header) -> _Counted:
        if self._sealed.exists():
            remedy = "run `sage-git fsck --repair`, which starts a new one where the store ends"
            raise StorageError(str(self.path), "append to", "it is gone, though entries were sealed", remedy=remedy)
        make_directory(self.path.parent)
        self._replace(header, [])
        return _Counted(header, len(header.line), 0)

    def _replace(self, header: _Header, lines: Sequence[bytes]) -> None:
        content = header.line + b"".join(line + b"\n" for line in lines)
        replace_file(self.path, content, 0o600)
        self._counted = _Counted(header, len(content), len(lines))

    def _count(self) -> _Counted:
        """What the tail has now; only what came since the last look is read."""
        if not self.path.exists():
            return _Counted(_Header(0, 0), 0, 0)
        fd = open_regular(self.path, os.O_RDONLY)
        try:
            with told_as(self.path, "read"):
                header, size = self._header_of(read_at(fd, 0, _LONGEST_HEADER_BYTES)), os.fstat(fd).st_size
                known = self._counted
                if known is None or known.header != header or known.size > size:  # shorter: restored from a backup
                    known = _Counted(header, len(header.line), 0)
                grown = read_at(fd, known.size, size - known.size)
        finally:
            os.close(fd)
        whole = grown.rfind(b"\n") + 1
        self._counted = _Counted(header, known.size + whole, known.entries + grown.count(b"\n"))
        return self._counted

    def _header_of(self, content: bytes) -> _Header:
        line, newline, _ = content.partition(b"\n")
        try:
            value = parse_json(line)
            header = _Header(value["first"], value["redacted"])
            if newline and header.line == line + newline and header.first % SEGMENT_ENTRIES == 0:
                return header
        except (SageError, LookupError, TypeError):
            pass
        remedy = "run `sage-git fsck`; the entries of the other lines are still readable"
        raise StorageError(str(self.path), "read", "the first line does not say where it begins", remedy=remedy)


def _is_leaf(line: bytes) -> bool:
    return len(line) == _LEAF_BYTES and line.startswith(_LEAF_START)


def leaf_id(line: bytes) -> EventId:
    """The id in a leaf."""
    return EventId(line[len(_LEAF_START) : -2].decode("ascii"))
