"""Questions on which log has what, each one SQL statement with an answer in plain rows. Writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.storage import queries
from sage_git.storage.index.schema import NOT_A_FACT

_LOGGED: Final = "entry IS NOT NULL OR EXISTS (SELECT 1 FROM entries WHERE entries.event_id = events.event_id)"


def in_no_log(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, Event]]:
    """The oldest `limit` events after number `after` that stand in no log that is known, with their numbers."""
    condition = f"NOT ({_LOGGED}) AND line IS NOT NULL AND number > ? ORDER BY number LIMIT ?"
    rows = connection.execute(f"SELECT number, event_id, line FROM events WHERE {condition}", (after, limit))  # noqa: S608
    return [(number, Event.trusted(EventId(identifier.hex()), line)) for number, identifier, line in rows]


def verdicts_in_no_log(connection: sqlite3.Connection, commit_number: int) -> list[Event]:
    """The verdicts on a commit, by its number, that stand in no log that is known."""
    condition = f"commit_id = ? AND NOT ({_LOGGED}) AND line IS NOT NULL AND {NOT_A_FACT}"
    rows = connection.execute(f"SELECT event_id, line FROM events WHERE {condition}", (commit_number,))  # noqa: S608
    return [Event.trusted(EventId(identifier.hex()), line) for identifier, line in rows]


def is_logged(connection: sqlite3.Connection, event_id: EventId) -> bool:
    """True if the event stands in some log that is known."""
    found = connection.execute(f"SELECT {_LOGGED} FROM events WHERE event_id = ?", (bytes.fromhex(event_id),))  # noqa: S608
    return (found.fetchone() or (0,))[0] == 1


def answered(connection: sqlite3.Connection) -> frozenset[EventId]:
    """What statements answer for: it stays, whether a log holds it or not."""
    named = (row.event.get("resolves") for row in queries.answers(connection) if row.commit is None)
    return frozenset(name for names in named if isinstance(names, list) for name in names)


def commits_in_no_log(connection: sqlite3.Connection, since: int) -> list[ObjectId]:
    """The observed commits, parents first, on which no log that is known has a verdict.

    Only those that somebody else recorded, or that claim a plan; and whose effective second is `since` or later.
    """
    sql = f"""SELECT oid FROM commits WHERE effective >= ?
        AND (EXISTS (SELECT 1 FROM claims WHERE commit_id = commits.id)
          OR EXISTS (SELECT 1 FROM events WHERE commit_id = commits.id AND entry IS NULL AND NOT ({NOT_A_FACT})))
        AND NOT EXISTS (SELECT 1 FROM events WHERE commit_id = commits.id AND {NOT_A_FACT} AND ({_LOGGED}))
        ORDER BY id"""  # noqa: S608 constant text
    return [ObjectId(oid.hex()) for (oid,) in connection.execute(sql, (since,))]


def own_entries(connection: sqlite3.Connection) -> Iterator[tuple[int, EventId, bytes]]:
    """Number, id and line of the entries of this clone's own log, less redacted ones."""
    sql = "SELECT entry, event_id, line FROM events WHERE entry IS NOT NULL AND line IS NOT NULL ORDER BY entry"
    return ((number, EventId(key.hex()), line) for number, key, line in connection.execute(sql))


def findings(connection: sqlite3.Connection) -> list[tuple[ObjectId | None, str, str]]:
    """What could not be recorded: the commit, a stable code, a sentence."""
    both = "SELECT oid, code, message FROM findings UNION SELECT oid, code, message FROM refused"
    rows = connection.execute(f"{both} ORDER BY code, message")
    return [(ObjectId(oid.hex()) if oid else None, code, message) for oid, code, message in rows]
