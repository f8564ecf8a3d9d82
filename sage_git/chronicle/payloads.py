"""What each type of event says, as one table (SPEC 4.3). Not here: the envelope, and whether what is said is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sage_git.chronicle.ids import is_hex, is_plan_id
from sage_git.errors import Detail

FACT_TYPES: Final = frozenset(
    ("FILE_ADDED", "FILE_EDITED", "FILE_REMOVED", "FILE_RENAMED", "FILE_SPLIT", "FILE_MERGED")
)
"""Derived from a commit by git objects alone."""
VERDICT_TYPES: Final = frozenset(("ROGUE_EDIT_DETECTED", "RECONCILIATION"))
"""Leaves on facts; a RECONCILIATION without `graphCommit` is a statement instead."""
PLAN_TYPES: Final = frozenset(("PLAN_DRAFTED", "PLAN_APPROVED", "PLAN_DENIED", "PLAN_UNSAFE"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of value: what to call it, and the test for it."""

    expected: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload."""

    name: str
    kind: Kind
    optional: bool = False


def is_timestamp(value: object) -> bool:
    """True for ISO 8601 UTC with milliseconds and `Z`, a day that the calendar has, years 1–9999."""
    if not isinstance(value, str) or _TIMESTAMP.fullmatch(value) is None:
        return False
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return year > 0 and 1 <= day <= (29 if leap and month == 2 else _DAYS[month])


_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
)
_DAYS: Final = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MODE: Final = re.compile(r"(?:100644|100664|100755|120000|160000)")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_path(value: object) -> bool:
    """True for a repository-relative path with `/`, as git has them in trees."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return all(part not in ("", ".", "..") for part in value.split("/"))


def _is_object_id(value: object) -> bool:
    return isinstance(value, str) and is_hex(value, 40, 64)


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and is_hex(value, 64)


def _is_diff_reference(value: object) -> bool:
    return isinstance(value, str) and ".." in value and all(map(_is_object_id, value.split("..")))


def _is_action_item(value: object) -> bool:
    if not isinstance(value, Mapping) or not _is_text(value.get("description")):
        return False
    return all(_is_text(value[name]) for name in ("assignee", "dueDate") if name in value)


def _list_of(kind: Kind) -> Kind:
    return Kind(f"a list, each {kind.expected}", lambda value: isinstance(value, list) and all(map(kind.accepts, value)))


def _some(kind: Kind) -> Kind:
    return Kind(f"a list of at least one, each {kind.expected}", lambda value: _list_of(kind).accepts(value) and value != [])


def _one_of(*words: str) -> Kind:
    return Kind("one of " + ", ".join(words), lambda value: isinstance(value, str) and value in words)


TEXT: Final = Kind("a text that is not empty", _is_text)
ANYTHING: Final = Kind("any value", lambda _: True)
OBJECT: Final = Kind("an object", lambda value: isinstance(value, Mapping))
COUNT: Final = Kind("an integer from 0", _is_count)
DURATION: Final = Kind("a number of milliseconds from 0", _is_duration)
TIMESTAMP: Final = Kind("a time like 2026-01-31T23:59:59.000Z", is_timestamp)
PATH: Final = Kind("a path relative to the repository's root", _is_path)
MODE: Final = Kind("a mode of git like 100644", lambda value: isinstance(value, str) and bool(_MODE.fullmatch(value)))
OBJECT_ID: Final = Kind("a full git object id in lower-case hex", _is_object_id)
EVENT_ID: Final = Kind("an event id: 64 lower-case hex digits", _is_sha256)
SHA256: Final = Kind("64 lower-case hex digits", _is_sha256)
PLAN_IDENTIFIER: Final = Kind("1 to 64 of A-Z a-z 0-9 . _ -", lambda value: isinstance(value, str) and is_plan_id(value))
DIFF_REFERENCE: Final = Kind("two object ids with .. between them", _is_diff_reference)
ACTION_ITEM: Final = Kind("an object with description, assignee?, dueDate?", _is_action_item)
REASON: Final = _one_of("edit", "add", "remove", "rename", "merge", "mode")
TEXTS: Final = _list_of(TEXT)
EVENT_IDS: Final = _list_of(EVENT_ID)
PATHS: Final = _some(PATH)


def _need(name: str, kind: Kind) -> Field:
    return Field(name, kind)


def _may(name: str, kind: Kind) -> Field:
    return Field(name, kind, optional=True)


_PLAN: Final = (_need("planId", PLAN_IDENTIFIER), _need("planHash", SHA256))

PAYLOADS: Final[Mapping[str, tuple[Field, ...]]] = {
    "PLAN_DRAFTED": (*_PLAN, _need("summary", TEXT), _need("steps", TEXTS), _need("scope", TEXTS), _may("expiresAt", TIMESTAMP)),
    "PLAN_APPROVED": (*_PLAN, _need("reviewerId", TEXT), _need("justification", TEXT)),
    "PLAN_DENIED": (*_PLAN, _need("reviewerId", TEXT), _need("reason", TEXT)),
    "PLAN_UNSAFE": (*_PLAN, _need("forcedBy", TEXT), _need("overriddenWarnings", TEXTS)),
    "HALT_AND_REPORT": (_need("invariant", TEXT), _need("expected", ANYTHING), _need("actual", ANYTHING), _may("context", ANYTHING)),
    "ROGUE_EDIT_DETECTED": (
        _need("filePath", PATH), _need("hash", OBJECT_ID), _need("lastHash", OBJECT_ID), _need("detectedBy", TEXT),
        _need("reason", REASON), _may("replayOf", EVENT_IDS),
    ),
    "RECONCILIATION": (
        _need("reconciliationStrategy", TEXT), _may("filePath", PATH), _may("diffRef", DIFF_REFERENCE), _may("resolves", EVENT_IDS),
        _may("rewriteOf", EVENT_IDS), _may("planId", PLAN_IDENTIFIER), _may("justification", TEXT), _may("reviewerId", TEXT),
    ),
    "EVENT_REDACTED": (_need("redactedEventId", EVENT_ID), _need("reason", TEXT)),
    "FILE_EDITED": (
        _need("filePath", PATH), _need("lastHash", OBJECT_ID), _need("hash", OBJECT_ID), _may("lastMode", MODE), _may("mode", MODE),
    ),
    "AGENT_ACTION": (_need("action", TEXT), _may("meta", ANYTHING)),
    "BUILD": (
        _need("status", _one_of("started", "success", "failed")), _may("buildId", TEXT), _may("duration", DURATION),
        _may("artifacts", TEXTS), _may("errors", TEXTS),
    ),
    "DEPLOY": (
        _need("environment", TEXT), _need("deploymentId", TEXT), _need("status", _one_of("started", "success", "failed", "rolled_back")),
        _may("buildRef", TEXT),
    ),
    "ENVVAR_CHANGE": (
        _need("variable", TEXT), _need("environment", TEXT), _need("operation", _one_of("set", "unset", "changed")),
        _may("previousHash", SHA256), _may("newHash", SHA256),
    ),
    "POSTMORTEM": (
        _need("incidentId", TEXT), _need("title", TEXT), _need("rootCause", TEXT), _need("actionItems", _list_of(ACTION_ITEM)),
    ),
    "FILE_ADDED": (
        _need("filePath", PATH), _need("hash", OBJECT_ID), _need("size", COUNT), _may("mode", MODE), _may("copiedFrom", PATH),
    ),
    "FILE_REMOVED": (_need("filePath", PATH), _need("lastHash", OBJECT_ID), _may("reason", TEXT)),
    "FILE_RENAMED": (_need("oldPath", PATH), _need("newPath", PATH), _need("hash", OBJECT_ID)),
    "FILE_SPLIT": (
        _need("originalPath", PATH), _need("resultingPaths", PATHS), _need("originalHash", OBJECT_ID), _need("strategy", TEXT),
    ),
    "FILE_MERGED": (
        _need("sourcePaths", PATHS), _need("resultPath", PATH), _need("resultHash", OBJECT_ID), _need("strategy", TEXT),
    ),
}  # fmt: skip
"""Type → its payload. A type that is not here is accepted, kept and shown; its payload is nobody's to check."""

_ENVELOPE: Final = frozenset(
    ("type", "eventId", "timestamp", "actor", "planHash", "graphCommit", "prevEventId", "mergedEventIds", "tags")
    + ("signature", "subject", "pathEncoding")
)
_WITHOUT_PATH: Final = ("completed", "lifted")


def is_fact(type_name: str) -> bool:
    """True if events of this type are derived from a commit alone."""
    return type_name in FACT_TYPES


def check_payload(fields: Mapping[str, Any]) -> list[Detail]:
    """Every rule of its type's payload that `fields` (a whole event) breaks; none for a type of somebody else's."""
    type_name = fields.get("type")
    payload = PAYLOADS.get(type_name) if isinstance(type_name, str) else None
    if payload is None:
        return []
    broken = check_fields(fields, payload)
    match type_name:
        case "RECONCILIATION":
            broken += _check_reconciliation(fields)
        case "ENVVAR_CHANGE":
            broken += _check_closed(fields, payload)
    return broken


def check_fields(fields: Mapping[str, Any], rules: tuple[Field, ...]) -> list[Detail]:
    """Every one of `rules` that `fields` breaks."""
    broken = []
    for rule in rules:
        if rule.name not in fields:
            if not rule.optional:
                broken.append(Detail(rule.name, "missing", None, rule.kind.expected))
        elif not rule.kind.accepts(fields[rule.name]):
            received = fields[rule.name]
            broken.append(Detail(rule.name, f"not {rule.kind.expected}", received, rule.kind.expected))
    return broken


def _check_reconciliation(fields: Mapping[str, Any]) -> list[Detail]:
    """Only the end of a plan and of a halt speak of no change in particular."""
    if fields.get("reconciliationStrategy") in _WITHOUT_PATH:
        return []
    expected = "present unless the strategy is " + " or ".join(_WITHOUT_PATH)
    return [Detail(name, "missing", None, expected) for name in ("filePath", "diffRef") if name not in fields]


def _check_closed(fields: Mapping[str, Any], payload: tuple[Field, ...]) -> list[Detail]:
    """Nothing beyond the table, so that no value of a variable can come along under some name; nor is it repeated."""
    known = _ENVELOPE.union(field.name for field in payload)
    return [Detail(name, "not a field of this type", None, "never a value") for name in fields if name not in known]
