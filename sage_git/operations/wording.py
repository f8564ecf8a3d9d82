"""What every front end says in the same words: who, which, how long ago; and hostile text made visible. Pure.

Not here: events in words (a terminal has columns and colours, an editor has neither), and formats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

# Controls (C0, DEL, C1, which include U+0085), soft hyphen, invisible and bidirectional format characters, line and
# paragraph separators, interlinear annotations, tags, surrogates and noncharacters.
UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff\U0010fffe\U0010ffff]"
)
SHORT: Final = 8
# A unit, below which count it is used, and how many of it make one of the next. From days on, git counts in days.
_STEPS: Final = (("second", 90, 60), ("minute", 90, 60), ("hour", 36, 24), ("day", 14, 1))
_LONG: Final = (("week", 70, 7), ("month", 365, 30), ("year", None, 365))


def visible(hostile: str) -> str:
    r"""`hostile` with every control, invisible and direction-changing character as `\xNN` or `\u{…}`."""
    return UNSAFE.sub(_shown, hostile)


def actor(fields: Mapping[str, Any], agents: Sequence[str] = ()) -> str:
    """Who did it: the person's name, and the tool (or the first of `agents`) unless it is git. Not escaped."""
    who, agent = str(fields.get("id") or "somebody"), agents[0] if agents else str(fields.get("agent") or "git")
    name = who.partition(" <")[0].strip() or who
    return name if agent in ("git", "sage-git", name) else f"{name}, {agent}"


def short(identifier: str | None) -> str:
    """The first digits of an event's or commit's id, enough to name it."""
    return (identifier or "")[:SHORT]


def relative(age: timedelta) -> str:
    """`age` in one unit, rounded and at git's own bounds (date.c, show_date_relative): "3 hours ago"."""
    count = int(age.total_seconds())
    if count < 0:
        return "in the future"
    for unit, most, next_size in _STEPS:
        if count < most:
            return _ago(count, unit)
        count = (count + next_size // 2) // next_size
    unit, size = next((unit, size) for unit, most, size in _LONG if most is None or count < most)
    return _ago((count + (size // 2 if size != 365 else 0)) // size, unit)


def _ago(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def _shown(found: re.Match[str]) -> str:
    point = ord(found.group())
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{{{point:x}}}"
