"""What an event says, as tables: its envelope and each type's payload (SPEC 4.1, 4.3). Not here: whether it is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sage_git.chronicle import kinds
from sage_git.chronicle.kinds import Field, Kind, Shape, check_fields, list_of, one_of
from sage_git.errors import Detail

FACT_TYPES: Final = frozenset("FILE_ADDED FILE_EDITED FILE_REMOVED FILE_RENAMED FILE_SPLIT FILE_MERGED".split())
"""Derived from a commit by git objects alone."""
VERDICT_TYPES: Final = frozenset(("ROGUE_EDIT_DETECTED", "RECONCILIATION"))
"""Leaves on facts; a RECONCILIATION without `graphCommit` is a statement instead."""
PLAN_TYPES: Final = frozenset("PLAN_DRAFTED PLAN_APPROVED PLAN_DENIED PLAN_UNSAFE".split())
"""Statements about plans; that one is done is a RECONCILIATION."""

WITHOUT_PATH: Final = ("completed", "lifted")
"""The strategies of a RECONCILIATION that speak of no change: the end of a plan, and of a halt."""

_KINDS: Final[Mapping[str, Kind]] = {
    "actionItems": list_of(kinds.ACTION_ITEM),
    "actor": kinds.OBJECT,
    "actual": kinds.ANYTHING,
    "artifacts": list_of(kinds.TEXT),
    "context": kinds.ANYTHING,
    "copiedFrom": kinds.PATH,
    "diffRef": kinds.DIFF_REFERENCE,
    "duration": kinds.MILLISECONDS,
    "errors": list_of(kinds.TEXT),
    "eventId": kinds.SHA256,
    "expected": kinds.ANYTHING,
    "expiresAt": kinds.TIMESTAMP,
    "filePath": kinds.PATH,
    "graphCommit": kinds.OBJECT_ID,
    "hash": kinds.OBJECT_ID,
    "lastHash": kinds.OBJECT_ID,
    "lastMode": kinds.MODE,
    "mergedEventIds": list_of(kinds.SHA256),
    "meta": kinds.ANYTHING,
    "mode": kinds.MODE,
    "newHash": kinds.SHA256,
    "newPath": kinds.PATH,
    "oldPath": kinds.PATH,
    "operation": one_of("set", "unset", "changed"),
    "originalHash": kinds.OBJECT_ID,
    "originalPath": kinds.PATH,
    "overriddenWarnings": list_of(kinds.TEXT),
    "pathEncoding": one_of("percent"),
    "planHash": kinds.SHA256,
    "planId": kinds.PLAN_ID,
    "prevEventId": kinds.SHA256,
    "previousHash": kinds.SHA256,
    "redactedEventId": kinds.SHA256,
    "replayOf": list_of(kinds.SHA256),
    "resolves": list_of(kinds.SHA256),
    "resultHash": kinds.OBJECT_ID,
    "resultingPaths": kinds.PATHS,
    "resultPath": kinds.PATH,
    "rewriteOf": list_of(kinds.SHA256),
    "scope": list_of(kinds.TEXT),
    "size": kinds.COUNT,
    "sourcePaths": kinds.PATHS,
    "steps": list_of(kinds.TEXT),
    "tags": list_of(kinds.TEXT),
    "timestamp": kinds.TIMESTAMP,
    "type": kinds.TYPE_NAME,
}
"""What a field holds wherever it occurs; a field that is not here holds a text."""


def _fields(names: str, **own: Kind) -> tuple[Field, ...]:
    """The fields of `names`, `?` after what is optional; `own` has those whose kind is particular to them."""
    fields = []
    for word in names.split():
        name = word.removesuffix("?")
        kind = own.get(name) or _KINDS.get(name, kinds.TEXT)
        fields.append(Field(name, kind, optional=word.endswith("?")))
    return tuple(fields)


ENVELOPE: Final = _fields(
    "type eventId? timestamp actor planHash? graphCommit? prevEventId? mergedEventIds?"
    " tags? signature? subject? pathEncoding? repository?"
)
ACTOR: Final = _fields("agent id model? session?", id=kinds.STRING)
"""A commit may have an empty author, so an id may be empty."""

PAYLOADS: Final[Mapping[str, tuple[Field, ...]]] = {
    "PLAN_DRAFTED": _fields("planId planHash summary steps scope expiresAt?"),
    "PLAN_APPROVED": _fields("planId planHash reviewerId justification"),
    "PLAN_DENIED": _fields("planId planHash reviewerId reason"),
    "PLAN_UNSAFE": _fields("planId planHash forcedBy overriddenWarnings justification?"),
    "HALT_AND_REPORT": _fields("invariant expected actual context?"),
    "ROGUE_EDIT_DETECTED": _fields(
        "filePath hash lastHash detectedBy reason replayOf?",
        reason=one_of("edit", "add", "remove", "rename", "merge", "mode"),
    ),
    "RECONCILIATION": _fields(
        "reconciliationStrategy filePath? diffRef? resolves? rewriteOf? planId? justification? reviewerId?"
    ),
    "EVENT_REDACTED": _fields("redactedEventId reason"),
    "FILE_EDITED": _fields("filePath lastHash hash lastMode? mode?"),
    "AGENT_ACTION": _fields("action meta?"),
    "BUILD": _fields(
        "status buildId? duration? artifacts? errors?",
        status=one_of("started", "success", "failed"),
    ),
    "DEPLOY": _fields(
        "environment deploymentId status buildRef?",
        status=one_of("started", "success", "failed", "rolled_back"),
    ),
    "ENVVAR_CHANGE": _fields("variable environment operation previousHash? newHash?"),
    "POSTMORTEM": _fields("incidentId title rootCause actionItems"),
    "FILE_ADDED": _fields("filePath hash size mode? copiedFrom?"),
    "FILE_REMOVED": _fields("filePath lastHash reason?"),
    "FILE_RENAMED": _fields("oldPath newPath hash"),
    "FILE_SPLIT": _fields("originalPath resultingPaths originalHash strategy"),
    "FILE_MERGED": _fields("sourcePaths resultPath resultHash strategy"),
}
"""Type → its payload. A type that is not here is accepted, kept and shown; its payload is nobody's to check."""

_FURTHER_RULES: Final = frozenset(("RECONCILIATION", "ENVVAR_CHANGE"))
"""The types whose payload has rules beyond those of single fields."""
SHAPES: Final = {
    kind: Shape.of(*ENVELOPE, *payload) for kind, payload in PAYLOADS.items() if kind not in _FURTHER_RULES
}
"""Type → the shape of a whole event, for the types of which that is all. Envelope and payload agree on `planHash`."""


def is_fact(type_name: str) -> bool:
    """True if events of this type are derived from a commit alone."""
    return type_name in FACT_TYPES


def check_payload(fields: Mapping[str, Any]) -> list[Detail]:
    """Every rule of its type's payload that `fields` (a whole event) breaks; none for a type not in the table."""
    type_name = fields.get("type")
    payload = PAYLOADS.get(type_name) if isinstance(type_name, str) else None
    if payload is None:
        return []
    broken = check_fields(fields, payload)
    match type_name:
        case "RECONCILIATION":
            broken += _check_reconciliation(fields)
        case "ENVVAR_CHANGE":
            broken = [replace(detail, received=None) for detail in broken]  # a message must not repeat a value
            broken += _check_no_value(fields, payload)
    return broken


def _check_reconciliation(fields: Mapping[str, Any]) -> list[Detail]:
    if fields.get("reconciliationStrategy") in WITHOUT_PATH:
        return []
    expected = "present unless the strategy is " + " or ".join(WITHOUT_PATH)
    return [Detail(name, "is missing", None, expected) for name in ("filePath", "diffRef") if name not in fields]


def _check_no_value(fields: Mapping[str, Any], payload: tuple[Field, ...]) -> list[Detail]:
    """Nothing beyond the table, so that no variable's value comes along under some name."""
    known = {field.name for field in (*ENVELOPE, *payload)}
    expected = "never a value; previousHash and newHash are keyed hashes"
    return [Detail(name, "is not a field of this type", None, expected) for name in fields if name not in known]
