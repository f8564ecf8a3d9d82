"""Identifiers, each its own type, and the hashes that make them (SPEC 4.4). Not here: who may use them."""

from __future__ import annotations

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

HEX_DIGITS: Final = frozenset("0123456789abcdef")


def event_id(event: Mapping[str, Any]) -> EventId:
    """The id of `event`: SHA-256 of its canonical JSON without `eventId`. Raises ValidationError."""
    return EventId(sha256(canonical_json({k: v for k, v in event.items() if k != "eventId"})).hexdigest())


def leaf(identifier: EventId) -> bytes:
    """The Merkle leaf of an event: canonical JSON, no newline."""
    return b'{"eventId":"%s"}' % identifier.encode("ascii")


def lineage_name(repository: RepositoryId, path: str, birth: ObjectId | None) -> LineageName:
    """The name of the lineage that began at `path` in commit `birth` (None: before the record, no `since`)."""
    return LineageName(sha256(canonical_json([repository, path, birth])).hexdigest())


def is_hex(text: str, *lengths: int) -> bool:
    """True if `text` is lower-case hex of one of these lengths."""
    return len(text) in lengths and HEX_DIGITS.issuperset(text)
