"""What the policy says of a fact (SPEC 6): the verdict that hangs on it as a leaf, the same wherever it is made.

There are no plans yet, so an edit is what git's automatic merge did, or was on a branch before `init`, or is
unplanned. Additions, removals and pure renames have no verdict until a plan has ever been approved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sage_git.chronicle.event import Event

DETECTED_BY: Final = "sage-git"


class Circumstance(Enum):
    """What is known of the commit that a fact is of."""

    ORDINARY = "ordinary"
    MERGE = "merge"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Situation:
    """What a verdict needs beside the fact: `is_automatic` says that git's own merge gave the path this content."""

    circumstance: Circumstance
    is_automatic: bool = False


def verdict(fact: Event, situation: Situation) -> Event | None:
    """The verdict on `fact`; None where it needs none."""
    if fact.type != "FILE_EDITED":
        return None
    fields = fact.fields
    body: dict[str, Any] = {name: fields[name] for name in _COPIED if name in fields}
    body["prevEventId"] = fact.event_id
    if situation.circumstance is Circumstance.BACKFILL:
        return Event.own(body | _reconciliation(fields, "backfill"))
    if situation.is_automatic:
        return Event.own(body | _reconciliation(fields, "merge"))
    reason = "mode" if fields["hash"] == fields["lastHash"] else "edit"
    if situation.circumstance is Circumstance.MERGE:
        reason = "merge"
    return Event.own(
        body
        | {
            "type": "ROGUE_EDIT_DETECTED",
            "hash": fields["hash"],
            "lastHash": fields["lastHash"],
            "detectedBy": DETECTED_BY,
            "reason": reason,
        }
    )


_COPIED: Final = ("timestamp", "actor", "graphCommit", "filePath", "pathEncoding")


def _reconciliation(fields: Any, strategy: str) -> dict[str, Any]:
    reference = f"{fields['lastHash']}..{fields['hash']}"
    return {"type": "RECONCILIATION", "reconciliationStrategy": strategy, "diffRef": reference}
