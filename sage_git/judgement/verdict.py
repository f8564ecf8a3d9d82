"""The verdict on a fact (SPEC 6): an event that hangs on it as a leaf, the same wherever it is made.

There are no plans yet, so an edit is what git's automatic merge did, or was on a branch before `init`, or is
unplanned. Additions, removals and pure renames have no verdict until a plan has ever been approved. Not here: the
policy, which says what is done about a verdict.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from sage_git.chronicle.event import Event

DETECTED_BY: Final = "sage-git"
_COPIED: Final = ("timestamp", "actor", "graphCommit", "filePath", "pathEncoding")


class Circumstance(Enum):
    """How an edit came into its commit."""

    ORDINARY = "ordinary"
    """By a commit with one parent or none."""
    MERGE = "merge"
    """By a merge, in which git's automatic merge would have left something else."""
    AUTOMATIC_MERGE = "automatic merge"
    """By a merge, and git did it by itself."""
    BACKFILL = "backfill"
    """By whatever commit, on a branch that was there before `init`."""


def verdict(fact: Event, circumstance: Circumstance) -> Event | None:
    """The verdict on `fact`; None where it needs none."""
    if fact.type != "FILE_EDITED":
        return None
    copied = {name: fact[name] for name in _COPIED if name in fact}
    return Event.own(copied | {"prevEventId": fact.event_id} | _payload(fact, circumstance))


def _payload(fact: Event, circumstance: Circumstance) -> dict[str, Any]:
    match circumstance:
        case Circumstance.BACKFILL:
            return _reconciliation(fact, "backfill")
        case Circumstance.AUTOMATIC_MERGE:
            return _reconciliation(fact, "merge")
        case Circumstance.MERGE:
            return _rogue(fact, "merge")
        case Circumstance.ORDINARY:
            return _rogue(fact, "mode" if fact["hash"] == fact["lastHash"] else "edit")


def _rogue(fact: Event, reason: str) -> dict[str, Any]:
    hashes = {"hash": fact["hash"], "lastHash": fact["lastHash"]}
    return {"type": "ROGUE_EDIT_DETECTED", **hashes, "detectedBy": DETECTED_BY, "reason": reason}


def _reconciliation(fact: Event, strategy: str) -> dict[str, Any]:
    reference = f"{fact['lastHash']}..{fact['hash']}"
    return {"type": "RECONCILIATION", "reconciliationStrategy": strategy, "diffRef": reference}
