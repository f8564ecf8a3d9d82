"""The verdict on a fact (SPEC 6): the event that tells how it stands, and hangs on it as a leaf.

Not here: how it stands (`standing`), and whether a kept verdict still holds, which is found out when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.judgement.standing import Ruling, Standing

DETECTED_BY: Final = "sage-git"
COPIED: Final = ("timestamp", "actor", "graphCommit", "pathEncoding")
"""What a verdict says as its fact does."""

Named = Callable[[EventId], EventId]
"""What other events call a rogue fact: the id of its verdict."""


def verdict(fact: Event, standing: Standing, named: Named) -> Event | None:
    """The verdict that tells `standing` of `fact`; None where it needs none."""
    if standing.ruling is Ruling.UNJUDGED:
        return None
    payload = _rogue(standing, named) if standing.is_rogue else _reconciliation(standing, named)
    last, new = _sides(fact)
    if standing.is_rogue:
        payload |= {"hash": new, "lastHash": last}
    else:
        payload["diffRef"] = f"{last}..{new}"
    copied = {name: fact[name] for name in COPIED if name in fact}
    path = fact.get("newPath") or fact["filePath"]
    return Event.own(copied | {"filePath": path, "prevEventId": fact.event_id} | payload)


def _rogue(standing: Standing, named: Named) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "type": "ROGUE_EDIT_DETECTED",
        "detectedBy": DETECTED_BY,
        "reason": standing.reason.value,
    }
    return payload | _listed("replayOf", map(named, standing.linked))


def _reconciliation(standing: Standing, named: Named) -> dict[str, Any]:
    payload: dict[str, Any] = {"type": "RECONCILIATION", "reconciliationStrategy": standing.ruling.value}
    plan = standing.coverage.plan if standing.coverage else None
    if plan is not None and standing.ruling is Ruling.PLAN:
        payload |= {"planId": plan.plan_id, "planHash": plan.plan_hash}
    if standing.ruling in (Ruling.REWRITE, Ruling.RESOLUTION):
        payload |= _listed("rewriteOf", standing.replayed)
    return payload | _listed("resolves", map(named, standing.undone))


def _listed(field: str, events: Iterable[EventId]) -> dict[str, list[EventId]]:
    names = list(dict.fromkeys(events))
    return {field: names} if names else {}


def _sides(fact: Event) -> tuple[str, str]:
    """The blobs before and after; the null id for a side that is missing."""
    match fact.type:
        case "FILE_ADDED":
            return "0" * len(fact["hash"]), fact["hash"]
        case "FILE_REMOVED":
            return fact["lastHash"], "0" * len(fact["lastHash"])
        case "FILE_RENAMED":
            return fact["hash"], fact["hash"]
        case _:
            return fact["lastHash"], fact["hash"]
