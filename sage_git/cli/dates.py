"""Dates as people read them (relative, iso, short, git's default) and as they type them. No clock here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from sage_git.errors import UsageError
from sage_git.operations.wording import relative

if TYPE_CHECKING:
    from argparse import ArgumentParser

_SECONDS: Final = {
    "year": 31_557_600,
    "month": 2_629_800,
    "week": 604_800,
    "day": 86_400,
    "hour": 3_600,
    "minute": 60,
    "second": 1,
}
_AGO: Final = re.compile(r"(\d{1,6}|an?)[\s.]+(year|month|week|day|hour|minute|second)s?([\s.]+ago)?")


class DateStyle(Enum):
    """How `--date` writes an instant."""

    RELATIVE = "relative"
    ISO = "iso"
    SHORT = "short"
    DEFAULT = "default"


def date_option(parser: ArgumentParser, style: DateStyle) -> None:
    """Add --date; `style` is what holds without it."""
    parser.add_argument(
        "--date",
        choices=[each.value for each in DateStyle],
        default=style.value,
        metavar="STYLE",
        help="relative, iso, short or default (as git writes dates)",
    )


def parse_timestamp(timestamp: str) -> datetime:
    """The instant of an event's `timestamp`; in the year 1 if it is none, so that one bad event stops nobody."""
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def show_date(instant: datetime, style: DateStyle, now: datetime) -> str:
    """`instant` in `style`; relative to `now` or in the user's time zone, which is that of the process."""
    if instant.year == 1:
        return "undated"
    if style is DateStyle.RELATIVE:
        return relative(now - instant)
    try:
        local = instant.astimezone()
    except (OverflowError, ValueError):
        local = instant
    match style:
        case DateStyle.SHORT:
            return local.strftime("%Y-%m-%d")
        case DateStyle.ISO:
            return local.strftime("%Y-%m-%d %H:%M:%S %z")
        case _:
            return local.strftime(f"%a %b {local.day} %H:%M:%S %Y %z")


def parse_date(words: str, now: datetime) -> datetime:
    """The instant that a person means: ISO 8601, `yesterday`, `3 days ago`, `2.weeks`. Raises UsageError."""
    said = words.strip().lower()
    named = {"now": now, "today": _midnight(now), "yesterday": now - timedelta(days=1)}
    if said in named:
        return named[said]
    if found := _AGO.fullmatch(said):
        count = int(found[1]) if found[1].isdecimal() else 1
        try:
            return now - timedelta(seconds=count * _SECONDS[found[2]])
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    try:
        if found := re.fullmatch(r"@?(\d{9,11})", said):
            return datetime.fromtimestamp(int(found[1]), UTC)
        instant = datetime.fromisoformat(words.strip())
    except ValueError:
        raise UsageError(
            f"'{words}' is not a date", remedy="write 2026-01-31, 2026-01-31T12:00, yesterday or '3 days ago'"
        ) from None
    return instant if instant.tzinfo else instant.astimezone()


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
