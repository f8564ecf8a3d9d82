"""Which events wait for a parent: one that is not here, or one that waits itself. Empty where nothing is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from sage_git.chronicle.ids import EventId

_NOBODY: Final[frozenset[int]] = frozenset()


class WaitingTable:
    """The waiting events of an index, by number; all of them are remembered, since they are few."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered beside the table."""
        self._awaited: dict[int, frozenset[EventId]] | None = None
        self._children: dict[EventId, set[int]] = {}
        self._new: list[tuple[bytes, int]] = []

    def flush(self) -> None:
        """Put what was added into the table."""
        if self._new:
            self._connection.executemany("INSERT OR IGNORE INTO awaited VALUES (?, ?)", self._new)
            self._new = []

    def has(self, number: int) -> bool:
        """True if an event waits."""
        return number in self._loaded()

    def is_awaited(self, parent: EventId) -> bool:
        """True if any event waits for this one."""
        self._loaded()
        return parent in self._children

    def children(self, parent: EventId) -> Collection[int]:
        """The events that wait for this one, the first to come first."""
        self._loaded()
        return sorted(self._children.get(parent, _NOBODY))

    def put(self, number: int, parents: Iterable[EventId]) -> None:
        """Have an event wait for these parents and no others; for none, it waits no more."""
        awaited, wanted = self._loaded(), frozenset(parents)
        before = awaited.pop(number, frozenset())
        if wanted:
            awaited[number] = wanted
        self._new += [(bytes.fromhex(parent), number) for parent in wanted - before]
        for parent in wanted - before:
            self._children.setdefault(parent, set()).add(number)
        if gone := before - wanted:
            self.flush()
            rows = [(bytes.fromhex(parent), number) for parent in gone]
            self._connection.executemany("DELETE FROM awaited WHERE parent = ? AND number = ?", rows)
            for parent in gone:
                self._children[parent].discard(number)
                if not self._children[parent]:
                    del self._children[parent]

    def renumber(self, number: int, into: int) -> None:
        """Have an event that got another number wait under that."""
        if parents := self._loaded().get(number):
            self.put(number, ())
            self.put(into, parents)

    def _loaded(self) -> dict[int, frozenset[EventId]]:
        if self._awaited is None:
            found: dict[int, set[EventId]] = {}
            for parent, number in self._connection.execute("SELECT parent, number FROM awaited"):
                identifier = EventId(parent.hex())
                found.setdefault(number, set()).add(identifier)
                self._children.setdefault(identifier, set()).add(number)
            self._awaited = {number: frozenset(parents) for number, parents in found.items()}
        return self._awaited
