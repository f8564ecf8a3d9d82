"""Which fact a verdict is about, also where the body of either was redacted: an open edit stays open."""

from __future__ import annotations

import sqlite3
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.chronicle.payloads import FACT_TYPES, VERDICT_TYPES
from sage_git.storage import queries
from sage_git.storage.queries import Row

_KEPT: Final = ("timestamp", "actor", "graphCommit", "filePath", "pathEncoding", "hash", "lastHash")
_TYPES: Final = {"add": "FILE_ADDED", "remove": "FILE_REMOVED"}
"""By the reason of a verdict; what was renamed is told like an edit, since its old path is gone."""


def what_is_left(connection: sqlite3.Connection, fact: EventId) -> Event | None:
    """A redacted fact, as much of it as the verdict on it or the index still tells; None if nobody knows its commit."""
    for row in queries.verdicts_on(connection, fact):
        verdict = row.event
        fields = {name: verdict[name] for name in _KEPT if name in verdict}
        if "diffRef" in verdict:
            fields["lastHash"], _, fields["hash"] = str(verdict["diffRef"]).partition("..")
        fields["type"] = _TYPES.get(str(verdict.get("reason")), "FILE_EDITED")
        return Event.trusted(fact, b"", fields)
    for row in queries.by_event_prefix(connection, fact, 1):
        if row.commit is not None:
            known = {"type": row.type, "graphCommit": row.commit, "timestamp": row.event.timestamp, "filePath": ""}
            return Event.trusted(fact, b"", {**known, "redacted": True})
    return None


def stands_alone(connection: sqlite3.Connection, row: Row) -> bool:
    """True for the verdict on a merge that dropped a change, which hangs on facts of other commits, or on none."""
    if row.event.get("reason") != "merge":
        return False
    facts = queries.commits_of(connection, row.event.parents[:1])
    return row.commit not in facts


def facts_of_verdict(connection: sqlite3.Connection, row: Row) -> list[EventId]:
    """The fact that a verdict is about, which is itself if it stands alone.

    Of a redacted one: every fact of its commit that no readable verdict hangs on.
    """
    if row.commit is None:
        return list(row.event.parents[:1])
    if row.line is not None:
        hangs_on = [row.event_id] if stands_alone(connection, row) else row.event.parents[:1]
        return list(hangs_on)
    together = queries.of_commit(connection, row.commit)
    told = {parent for each in together if each.type in VERDICT_TYPES for parent in each.event.parents[:1]}
    return [each.event_id for each in together if each.type in FACT_TYPES and each.event_id not in told]
