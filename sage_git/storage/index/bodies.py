"""The bodies of events: which are to be nowhere, and which are gone or came back."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, is_hex
from sage_git.storage.index.chronicles import Chronicles
from sage_git.storage.index.schema import NOT_A_FACT
from sage_git.storage.index.writers import WriterTable

REDACTION: Final = "EVENT_REDACTED"
_AT_ONCE: Final = 500


class Bodies(Chronicles):
    """The bodies of the events of an index; what the table of events (`EventTable`) knows of redactions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._writers = WriterTable(connection)
        self._redacted: frozenset[EventId] | None = None

    def entry(self, event_id: EventId) -> int | None:
        """The number of an event in this clone's own log; None if it is not there."""
        row = self._execute("SELECT entry FROM events WHERE event_id = ?", (bytes.fromhex(event_id),)).fetchone()
        return None if row is None else row[0]

    def redacted(self) -> frozenset[EventId]:
        """The events whose bodies are to be nowhere, as those say who may: see `may_redact`."""
        if self._redacted is None:
            sql = f"SELECT event_id, entry, line FROM events WHERE {NOT_A_FACT} AND type = ? AND line IS NOT NULL"  # noqa: S608
            found, said_by_others = set(), defaultdict(list)
            for identifier, entry, line in self._execute(sql, (REDACTION,)).fetchall():
                name = Event.trusted(None, line).get("redactedEventId")
                if isinstance(name, str) and entry is not None:
                    found.add(EventId(name))
                elif isinstance(name, str) and is_hex(name, 64):
                    said_by_others[EventId(name)].append(identifier)
            for name, statements in said_by_others.items():
                if self.entry(name) is None and self._writers.may_redact(statements, name):
                    found.add(name)
            self._redacted = frozenset(found)
        return self._redacted

    def redactions_changed(self) -> None:
        """Look again which bodies are to be nowhere: logs came to hold other events."""
        self._redacted = None

    def without_body(self, event_ids: Iterable[EventId]) -> set[EventId]:
        """Those of the events that are here without their bodies."""
        return self._among("SELECT event_id FROM events WHERE line IS NULL AND event_id IN", event_ids)

    def restore(self, event_id: EventId, line: bytes) -> None:
        """Give an event its body back: a log has it that nobody redacted it in."""
        self._execute("UPDATE events SET line = ? WHERE event_id = ?", (line, bytes.fromhex(event_id)))
        self._forget_node(event_id)

    def redact(self, event_id: EventId) -> None:
        """Drop the body of an event for good."""
        self._execute("UPDATE events SET line = NULL WHERE event_id = ?", (bytes.fromhex(event_id),))
        self._forget_node(event_id)

    def _among(self, sql: str, event_ids: Iterable[EventId]) -> set[EventId]:
        wanted = [bytes.fromhex(each) for each in event_ids]
        found: set[EventId] = set()
        for start in range(0, len(wanted), _AT_ONCE):
            portion = wanted[start : start + _AT_ONCE]
            rows = self._execute(f"{sql} ({', '.join('?' * len(portion))})", portion)
            found.update(EventId(row[0].hex()) for row in rows)
        return found

    def _forget_node(self, event_id: EventId) -> None:
        """Drop what is remembered of an event."""
        raise NotImplementedError
