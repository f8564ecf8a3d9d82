"""Questions on which log has what, each one SQL statement with an answer in plain rows. Writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.storage.index.schema import NOT_A_FACT


def in_no_log(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, EventId, bytes]]:
    """Number, id and line of the oldest `limit` events after number `after` that stand in no log that is known."""
    sql = (
        "SELECT number, event_id, line FROM events WHERE entry IS NULL AND line IS NOT NULL AND number > ?"
        " AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.event_id = events.event_id) ORDER BY number LIMIT ?"
    )
    rows = connection.execute(sql, (after, limit))
    return [(number, EventId(identifier.hex()), line) for number, identifier, line in rows]


def verdicts_in_no_log(connection: sqlite3.Connection, commit_number: int) -> list[Event]:
    """The verdicts on a commit, by its number, that stand in no log that is known."""
    held = "EXISTS (SELECT 1 FROM entries WHERE entries.event_id = events.event_id)"
    unlogged = f"entry IS NULL AND NOT {held} AND line IS NOT NULL AND {NOT_A_FACT}"
    rows = connection.execute(f"SELECT event_id, line FROM events WHERE commit_id = ? AND {unlogged}", (commit_number,))  # noqa: S608
    return [Event.trusted(EventId(identifier.hex()), line) for identifier, line in rows]


def own_entries(connection: sqlite3.Connection) -> Iterator[tuple[int, EventId, bytes]]:
    """Number, id and line of the entries of this clone's own log, less redacted ones."""
    sql = "SELECT entry, event_id, line FROM events WHERE entry IS NOT NULL AND line IS NOT NULL ORDER BY entry"
    return ((number, EventId(key.hex()), line) for number, key, line in connection.execute(sql))


def findings(connection: sqlite3.Connection) -> list[tuple[ObjectId | None, str, str]]:
    """What could not be recorded: the commit, a stable code, a sentence."""
    both = "SELECT oid, code, message FROM findings UNION SELECT oid, code, message FROM refused"
    rows = connection.execute(f"{both} ORDER BY code, message")
    return [(ObjectId(oid.hex()) if oid else None, code, message) for oid, code, message in rows]
