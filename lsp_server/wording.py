"""Events and edits in words, not escaped: who, when, what, and how it stands. Not here: formats (`markdown`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.reading.blame import Origin

SHORT: Final = 8
_STEPS: Final = (("second", 90, 60), ("minute", 90, 60), ("hour", 36, 24), ("day", 14, 1))
_LONG: Final = (("week", 70, 7), ("month", 365, 30), ("year", None, 365))
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


def actor(fields: Mapping[str, Any], agents: Sequence[str] = ()) -> str:
    """Who did it: the person's name, and the tool unless it is git."""
    who, agent = str(fields.get("id") or "somebody"), agents[0] if agents else str(fields.get("agent") or "git")
    name = who.partition(" <")[0].strip() or who
    return name if agent in ("git", "sage-git", name) else f"{name}, {agent}"


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
    return "undated" if then is None or then.year == 1 else _relative(now - then)


def many(count: int, word: str) -> str:
    """`3 events`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def short(identifier: str | None) -> str:
    """The first digits of an id, enough to name it."""
    return (identifier or "")[:SHORT]


def standing(origin: Origin) -> str | None:
    """What an edit has to do with a plan: planned, unplanned, answered; None if it needs none."""
    if origin.stands.is_uncovered:
        return "unplanned" if origin.stands.is_open else "answered"
    return "planned" if origin.stands.plan is not None else None


def _relative(age: timedelta) -> str:
    count = int(age.total_seconds())
    if count < 0:
        return "in the future"
    for unit, most, next_size in _STEPS:
        if count < most:
            return f"{many(count, unit)} ago"
        count = (count + next_size // 2) // next_size
    unit, size = next((unit, size) for unit, most, size in _LONG if most is None or count < most)
    return f"{many((count + (size // 2 if size != 365 else 0)) // size, unit)} ago"
