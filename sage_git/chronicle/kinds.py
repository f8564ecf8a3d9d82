"""The sorts of values that events hold: a name for each, and its test. Not here: which field holds which."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sage_git.chronicle.ids import is_hex, is_plan_id
from sage_git.errors import Detail

_TYPE_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_TIMESTAMP: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MODES: Final = frozenset(("100644", "100664", "100755", "120000", "160000"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of value: what it must be, in words, and the test for it."""

    expected: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object."""

    name: str
    kind: Kind
    optional: bool


def timestamp(clock_ms: int) -> str:
    """Milliseconds since 1970 as events carry them: ISO 8601 in UTC. Raises OverflowError beyond the years 1–9999."""
    moment = _EPOCH + timedelta(milliseconds=clock_ms)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def milliseconds(timestamp: str) -> int:
    """A timestamp of an event as ms since 1970; 0 if it is none."""
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except ValueError:
        return 0


def is_timestamp(value: object) -> bool:
    """True for ISO 8601 UTC with milliseconds and `Z`, on a day that the calendar has, in the years 1–9999."""
    return isinstance(value, str) and _is_timestamp(value)


@lru_cache(maxsize=256)  # a batch says the same few times over and over
def _is_timestamp(value: str) -> bool:
    if _TIMESTAMP.fullmatch(value) is None:
        return False
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
    leap_day = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return year > 0 and 1 <= day <= _DAYS[month - 1] + leap_day


def is_path(value: object) -> bool:
    """True for a path as git has them in trees: relative, `/` between names, no empty name, `.` or `..`."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return {"", ".", ".."}.isdisjoint(value.split("/"))


@dataclass(frozen=True, slots=True)
class Shape:
    """Fields and their tests, made ready for many objects of which nearly all keep the rules."""

    required: frozenset[str]
    tests: Mapping[str, Callable[[Any], bool]]

    @classmethod
    def of(cls, *rules: Field) -> Shape:
        """The shape of what keeps all of `rules`; of two for one name, the last is meant."""
        required = frozenset(rule.name for rule in rules if not rule.optional)
        return cls(required, {rule.name: rule.kind.accepts for rule in rules})

    def fits(self, value: Mapping[str, Any]) -> bool:
        """True if `check_fields` finds nothing; it says what."""
        tests = self.tests
        for name, member in value.items():
            if name in tests and not tests[name](member):
                return False
        return self.required <= value.keys()


def check_fields(value: Mapping[str, Any], rules: tuple[Field, ...], within: str = "") -> list[Detail]:
    """Every one of `rules` that `value` breaks; `within` is put before the fields' names."""
    broken = []
    for rule in rules:
        if rule.name not in value:
            if not rule.optional:
                broken.append(Detail(within + rule.name, "is missing", None, rule.kind.expected))
        elif not rule.kind.accepts(value[rule.name]):
            received = value[rule.name]
            broken.append(Detail(within + rule.name, f"must be {rule.kind.expected}", received, rule.kind.expected))
    return broken


def list_of(kind: Kind) -> Kind:
    """A list, perhaps empty, of one kind."""
    return Kind(
        f"a list, each {kind.expected}", lambda value: isinstance(value, list) and all(map(kind.accepts, value))
    )


def one_of(*words: str) -> Kind:
    """One of these words."""
    return Kind("one of " + ", ".join(words), lambda value: isinstance(value, str) and value in words)


def _text_where(expected: str, accepts: Callable[[str], object]) -> Kind:
    return Kind(expected, lambda value: isinstance(value, str) and bool(accepts(value)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_diff_reference(text: str) -> bool:
    before, _, after = text.partition("..")
    return is_hex(before, 40, 64) and is_hex(after, len(before))


def _is_action_item(value: object) -> bool:
    return isinstance(value, Mapping) and not check_fields(value, _ACTION_ITEM)


ANYTHING: Final = Kind("a JSON value", lambda _: True)
OBJECT: Final = Kind("an object", lambda value: isinstance(value, (dict, Mapping)))  # the usual one first
STRING: Final = Kind("a text", lambda value: isinstance(value, str))
TEXT: Final = Kind("a text that is not empty", lambda value: isinstance(value, str) and value != "")
TYPE_NAME: Final = _text_where("an upper-case name like FILE_EDITED", _TYPE_NAME.fullmatch)
TIMESTAMP: Final = Kind("a time like 2026-01-31T23:59:59.000Z", is_timestamp)
COUNT: Final = Kind("an integer, 0 or more", lambda value: _is_number(value) and isinstance(value, int) and value >= 0)
MILLISECONDS: Final = Kind("a number of milliseconds, 0 or more", lambda value: _is_number(value) and value >= 0)
PATH: Final = Kind("a path from the repository's root", is_path)
PATHS: Final = Kind("a list of paths, at least one", lambda value: value != [] and list_of(PATH).accepts(value))
MODE: Final = _text_where("a mode of git's like 100644", _MODES.__contains__)
OBJECT_ID: Final = _text_where("a full git object id in lower-case hex", lambda text: is_hex(text, 40, 64))
SHA256: Final = _text_where("64 lower-case hex digits", lambda text: is_hex(text, 64))
PLAN_ID: Final = _text_where("1 to 64 of A-Z a-z 0-9 . _ -", is_plan_id)
DIFF_REFERENCE: Final = _text_where("two object ids with .. between them", _is_diff_reference)
_ACTION_ITEM: Final = (
    Field("description", TEXT, optional=False),
    Field("assignee", TEXT, optional=True),
    Field("dueDate", TEXT, optional=True),
)
ACTION_ITEM: Final = Kind("an object with description, assignee? and dueDate?", _is_action_item)
