"""Events and edits in words, not escaped: who, when, what, and how it stands. Not here: formats (`markdown`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sage_git.operations.wording import actor, relative, short

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.reading.blame import Origin

__all__ = ["actor", "ago", "day", "instant", "label", "many", "short", "standing", "why"]

_VERBS: Final = {
    "FILE_ADDED": "added",
    "FILE_EDITED": "edited",
    "FILE_REMOVED": "removed",
    "FILE_RENAMED": "renamed",
    "FILE_SPLIT": "split",
    "FILE_MERGED": "merged",
    "ROGUE_EDIT_DETECTED": "unplanned edit",
    "HALT_AND_REPORT": "halt",
}
_WHY: Final = ("justification", "reason", "summary", "invariant", "action", "title", "reconciliationStrategy")


def label(event: Event) -> str:
    """One word or two for what an event says."""
    return _VERBS.get(event.type) or event.type.lower().replace("_", " ") or "event without a type"


def why(event: Event) -> str:
    """What somebody gave as the reason or content of a statement; empty for a fact."""
    return next((found for name in _WHY if isinstance(found := event.get(name), str) and found), "")


def instant(timestamp: str) -> datetime | None:
    """The instant of an event's `timestamp`; None if it is none."""
    try:
        found = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ago(timestamp: str, now: datetime) -> str:
    """How long ago, in one unit and at git's own bounds: "3 hours ago"."""
    then = instant(timestamp)
    return "undated" if then is None or then.year == 1 else relative(now - then)


def day(timestamp: str) -> str:
    """When, in a phrase that stays true as long as it is shown: " on 2026-01-31"; empty for what has no date."""
    then = instant(timestamp)
    return "" if then is None or then.year == 1 else f" on {then:%Y-%m-%d}"


def many(count: int, word: str) -> str:
    """`3 events`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def standing(origin: Origin) -> str | None:
    """What an edit has to do with a plan: planned, unplanned, answered; None if it needs none."""
    if origin.stands.is_uncovered:
        return "unplanned" if origin.stands.is_open else "answered"
    return "planned" if origin.stands.plan is not None else None
