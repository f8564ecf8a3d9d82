"""Events of plans as tests need them: each hangs on what it is given, at a second counted from a fixed morning."""

from __future__ import annotations

from typing import Any

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import plan_hash
from sage_git.chronicle.kinds import timestamp
from sage_git.judgement.coverage import Claim

MORNING = 1_767_254_400
ADA, BOB, EVE = "Ada <ada@example.org>", "Bob <bob@example.org>", "Eve <eve@example.org>"
NOBODY = "Nobody <nobody@example.org>"


def second(seconds: float) -> int:
    """Seconds since 1970 of a moment of the morning."""
    return MORNING + int(seconds)


def said(at: float, after: tuple[Event, ...] = (), by: str = ADA, **fields: Any) -> Event:
    """An event about plans, said `at` seconds into the morning by somebody who knows what was said `after`."""
    named = sorted(event.event_id or "" for event in after)
    links: dict[str, Any] = {"prevEventId": named[0]} if named else {}
    links |= {"mergedEventIds": named[1:]} if len(named) > 1 else {}
    moment = timestamp(int((MORNING + at) * 1000))
    envelope = {"timestamp": moment, "actor": {"agent": "git", "id": by}, "subject": "plans"}
    return Event.sealed({**envelope, **links, **fields})


def drafted(at: float = 0, *after: Event, by: str = ADA, plan: str = "tidy", **fields: Any) -> Event:
    """A PLAN_DRAFTED; `expires` in seconds of the morning."""
    content: dict[str, Any] = {"planId": plan, "summary": "tidy up", "steps": ["one"], "scope": ["src/**"]} | fields
    if (expires := content.pop("expires", None)) is not None:
        content["expiresAt"] = timestamp(int((MORNING + expires) * 1000))
    return said(at, after, by, type="PLAN_DRAFTED", planHash=plan_hash(content), **content)


def _of(draft: Event) -> dict[str, Any]:
    return {"planId": draft["planId"], "planHash": draft["planHash"]}


def approved(draft: Event, at: float, *after: Event, by: str = BOB, **fields: Any) -> Event:
    """A PLAN_APPROVED of what `draft` says."""
    content = {**_of(draft), "reviewerId": by, "justification": "fine", **fields}
    return said(at, after or (draft,), by, type="PLAN_APPROVED", **content)


def denied(draft: Event, at: float, *after: Event, by: str = BOB) -> Event:
    """A PLAN_DENIED of what `draft` says."""
    return said(at, after or (draft,), by, type="PLAN_DENIED", **_of(draft), reviewerId=by, reason="no")


def forced(draft: Event, at: float, *after: Event, by: str = BOB) -> Event:
    """A PLAN_UNSAFE of what `draft` says."""
    warnings = ["it was denied"]
    return said(at, after or (draft,), by, type="PLAN_UNSAFE", **_of(draft), forcedBy=by, overriddenWarnings=warnings)


def completed(draft: Event, at: float, *after: Event, by: str = ADA) -> Event:
    """The RECONCILIATION that ends what `draft` says."""
    content = {"reconciliationStrategy": "completed", **_of(draft), "justification": "done"}
    return said(at, after or (draft,), by, type="RECONCILIATION", **content)


def claim(approval: Event, digits: int = 16) -> Claim:
    """The line that names an approval."""
    assert approval.event_id is not None
    return Claim(approval["planId"], approval.event_id[:digits])
