"""Facts and verdicts that logs tell of commits which are not observed; checked when those are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId


class ForetoldTable:
    """The foretold events of an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, rows: Iterable[tuple[ObjectId, int]]) -> None:
        """Note which events, by number, are told of which commits."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO foretold VALUES (?, ?)", [(bytes.fromhex(oid), number) for oid, number in rows]
        )

    def of(self, oid: ObjectId) -> list[Event]:
        """What is told of a commit, in the order that it arrived, less redacted events."""
        sql = (
            "SELECT event_id, line FROM foretold JOIN events USING (number)"
            " WHERE oid = ? AND line IS NOT NULL ORDER BY number"
        )
        rows = self._connection.execute(sql, (bytes.fromhex(oid),))
        return [Event.trusted(EventId(identifier.hex()), line) for identifier, line in rows]

    def came_true(self, oid: ObjectId) -> None:
        """Forget what was told of a commit: it is observed now."""
        self._connection.execute("DELETE FROM foretold WHERE oid = ?", (bytes.fromhex(oid),))
