"""What is left of facts and verdicts whose bodies were dropped: an open edit stays open, whoever redacts it."""

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


def fact_told_by_verdict(connection: sqlite3.Connection, fact: EventId) -> Event | None:
    """A redacted fact, as much of it as the verdict on it still tells; None if there is none."""
    for row in queries.verdicts_on(connection, fact):
        verdict = row.event
        fields = {name: verdict[name] for name in _KEPT if name in verdict}
        if "diffRef" in verdict:
            fields["lastHash"], _, fields["hash"] = str(verdict["diffRef"]).partition("..")
        fields["type"] = _TYPES.get(str(verdict.get("reason")), "FILE_EDITED")
        return Event.trusted(fact, b"", fields)
    return None


def facts_of_verdict(connection: sqlite3.Connection, row: Row) -> list[EventId]:
    """The fact that a verdict hangs on; of a redacted one, every fact of its commit that no readable verdict has."""
    if row.line is not None or row.commit is None:
        return list(row.event.parents[:1])
    together = queries.of_commit(connection, row.commit)
    told = {parent for each in together if each.type in VERDICT_TYPES for parent in each.event.parents[:1]}
    return [each.event_id for each in together if each.type in FACT_TYPES and each.event_id not in told]
