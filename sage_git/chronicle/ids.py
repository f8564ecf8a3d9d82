"""Identifiers, each its own type, and the hashes that make them (SPEC 4.4). Not here: who may use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NewType

from sage_git.chronicle.canonical import canonical_json

EventId = NewType("EventId", str)
"""Lower-case hex SHA-256 of an event without its `eventId`."""
ObjectId = NewType("ObjectId", str)
"""A full git object id in lower-case hex, 40 or 64 digits."""
LineageName = NewType("LineageName", str)
"""Lower-case hex SHA-256 of `[repository, birth path, birth commit or since]`."""
RepositoryId = NewType("RepositoryId", str)
"""The random id that `init` writes into the config."""
PlanHash = NewType("PlanHash", str)
"""Lower-case hex SHA-256 of what a plan intends."""

_HEX: Final = re.compile(r"[0-9a-f]+")
_LEAF: Final = re.compile(rb'\{"eventId":"[0-9a-f]{64}"\}')
PLAN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
PLANNED: Final = ("planId", "summary", "steps", "scope", "expiresAt")
"""The fields that a plan's hash covers; the last only if there is one."""


def event_id(event: Mapping[str, Any]) -> EventId:
    """The id of `event`: SHA-256 of its canonical JSON without `eventId`. Raises ValidationError."""
    return EventId(sha256(canonical_json({k: v for k, v in event.items() if k != "eventId"})).hexdigest())


def leaf(identifier: EventId) -> bytes:
    """The Merkle leaf of an event: canonical JSON, no newline."""
    return b'{"eventId":"%s"}' % identifier.encode("ascii")


def is_leaf(line: bytes) -> bool:
    """True if `line` is the leaf of some event."""
    return _LEAF.fullmatch(line) is not None


def lineage_name(repository: RepositoryId, path: str, birth: ObjectId | None) -> LineageName:
    """The name of the lineage that began at `path` in commit `birth` (None: before the record, no `since`)."""
    return LineageName(sha256(canonical_json([repository, path, birth])).hexdigest())


def plan_hash(plan: Mapping[str, Any]) -> PlanHash:
    """The hash of what `plan` intends; its other fields (a whole PLAN_DRAFTED will do) play no part.

    Raises ValidationError; KeyError if planId, summary, steps or scope is missing.
    """
    intended = {field: plan[field] for field in PLANNED if field in plan or field != "expiresAt"}
    return PlanHash(sha256(canonical_json(intended)).hexdigest())


def is_plan_id(text: str) -> bool:
    """True if `text` may name a plan."""
    return PLAN_ID.fullmatch(text) is not None


def is_hex(text: str, *lengths: int) -> bool:
    """True if `text` is lower-case hex of one of these lengths."""
    return len(text) in lengths and _HEX.fullmatch(text) is not None
