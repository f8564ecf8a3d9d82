"""An event: one immutable JSON object with its envelope (SPEC 4.1). Not here: payloads, lines of a file, order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson

from sage_git.chronicle.canonical import canonical_json, canonical_of_own
from sage_git.chronicle.ids import EventId, ObjectId, event_id, is_hex
from sage_git.chronicle.payloads import (
    EVENT_IDS,
    EVENT_ID,
    OBJECT_ID,
    SHA256,
    TEXT,
    TEXTS,
    TIMESTAMP,
    Field,
    Kind,
    check_fields,
    check_payload,
)
from sage_git.errors import Detail, ValidationError

_TYPE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
ENVELOPE: Final = (
    Field("type", Kind("an upper-case name", lambda value: isinstance(value, str) and bool(_TYPE.fullmatch(value)))),
    Field("eventId", EVENT_ID, optional=True),
    Field("timestamp", TIMESTAMP),
    Field("actor", Kind("an object with agent and id", lambda value: isinstance(value, Mapping))),
    Field("planHash", SHA256, optional=True),
    Field("graphCommit", OBJECT_ID, optional=True),
    Field("prevEventId", EVENT_ID, optional=True),
    Field("mergedEventIds", EVENT_IDS, optional=True),
    Field("tags", TEXTS, optional=True),
    Field("signature", TEXT, optional=True),
    Field("subject", TEXT, optional=True),
    Field("pathEncoding", Kind('"percent"', lambda value: value == "percent"), optional=True),
)
_ACTOR: Final = (
    Field("agent", TEXT),
    Field("id", TEXT),
    Field("model", TEXT, optional=True),
    Field("session", TEXT, optional=True),
)


class Event(Mapping[str, Any]):
    """One immutable event. Equal to another if their canonical lines are equal; reads like a mapping of its fields."""

    __slots__ = ("_event_id", "_fields", "_line")

    def __init__(self, event_id: EventId | None, line: bytes, fields: Mapping[str, Any] | None) -> None:
        self._event_id, self._line, self._fields = event_id, line, fields

    @classmethod
    def sealed(cls, fields: Mapping[str, Any]) -> Event:
        """The event of `fields` with the `eventId` that they have by right. Raises ValidationError, all faults named."""
        body = {name: value for name, value in fields.items() if name != "eventId"}
        broken = check_event(body)
        if broken:
            raise ValidationError(*broken)
        return cls.from_fields({**body, "eventId": event_id(body)})

    @classmethod
    def own(cls, body: Mapping[str, Any]) -> Event:
        """The event of fields that we put together from checked parts, without `eventId`; see `canonical_of_own`."""
        identifier = EventId(sha256(canonical_of_own(body)).hexdigest())
        fields = {**body, "eventId": identifier}
        return cls(identifier, canonical_of_own(fields), fields)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Event:
        """The event of `fields` with the id that they carry, right, wrong or none. Raises ValidationError (profile)."""
        line = canonical_json(fields)
        detached = orjson.loads(line)  # so that no list of the caller's lives on in an event
        identifier = detached.get("eventId")
        return cls(EventId(identifier) if isinstance(identifier, str) else None, line, detached)

    @classmethod
    def trusted(cls, event_id: EventId | None, line: bytes, fields: Mapping[str, Any] | None = None) -> Event:
        """The event of a canonical line that was checked before; without `fields`, the line is parsed when asked."""
        return cls(event_id, line, fields)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __eq__(self, other: object) -> bool:
        return self._line == other._line if isinstance(other, Event) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._line)

    def __repr__(self) -> str:
        return f"<Event {self.type!r} {(self._event_id or 'without id')[:12]!r}>"

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields; not to be changed."""
        if self._fields is None:
            self._fields = orjson.loads(self._line)
        return self._fields

    @property
    def line(self) -> bytes:
        """The canonical JSON, no newline."""
        return self._line

    @property
    def event_id(self) -> EventId | None:
        """The id that the event carries; whether by right, `has_true_id` knows."""
        return self._event_id

    @property
    def type(self) -> str:
        return self._text("type")

    @property
    def timestamp(self) -> str:
        return self._text("timestamp")

    @property
    def actor(self) -> Mapping[str, Any]:
        """The tool (`agent`) and who is accountable (`id`); perhaps `model` and `session`."""
        actor = self.fields.get("actor")
        return actor if isinstance(actor, dict) else {}

    @property
    def graph_commit(self) -> ObjectId | None:
        return ObjectId(self._text("graphCommit")) if "graphCommit" in self.fields else None

    @property
    def subject(self) -> str | None:
        """The source's path or the subject's name that a statement is about."""
        return self._text("subject") if "subject" in self.fields else None

    @property
    def parents(self) -> tuple[EventId, ...]:
        """`prevEventId` if there is one, then `mergedEventIds`."""
        previous, merged = self.fields.get("prevEventId"), self.fields.get("mergedEventIds")
        first = (previous,) if isinstance(previous, str) else ()
        rest = (name for name in merged if isinstance(name, str)) if isinstance(merged, list) else ()
        return tuple(map(EventId, (*first, *rest)))

    def has_true_id(self) -> bool:
        """True if the event carries the id that its content has by right."""
        return self._event_id is not None and self._event_id == event_id(self.fields)

    def _text(self, name: str) -> str:
        """The text of a field; empty if some foreign line has none there."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def check_event(fields: Mapping[str, Any]) -> list[Detail]:
    """Every rule of the envelope and of its type's payload that `fields` break."""
    return [*_check_envelope(fields), *check_payload(fields)]


def validate_envelope(fields: Mapping[str, Any]) -> None:
    """Raises ValidationError with every rule of the envelope that `fields` break."""
    broken = _check_envelope(fields)
    if broken:
        raise ValidationError(*broken)


def _check_envelope(fields: Mapping[str, Any]) -> list[Detail]:
    broken = check_fields(fields, ENVELOPE)
    if isinstance(fields.get("actor"), Mapping):
        broken += [
            Detail(f"actor.{fault.field}", fault.reason, fault.received, fault.expected)
            for fault in check_fields(fields["actor"], _ACTOR)
        ]
    if not broken and "mergedEventIds" in fields:
        broken = _check_parents(fields)
    return broken


def _check_parents(fields: Mapping[str, Any]) -> list[Detail]:
    merged = fields["mergedEventIds"]
    if "prevEventId" not in fields:
        return [Detail("prevEventId", "missing", None, "present beside mergedEventIds")]
    if merged != sorted(set(merged)):
        return [Detail("mergedEventIds", "not in ascending order", merged, "each once, sorted")]
    if fields["prevEventId"] in merged:
        return [Detail("mergedEventIds", "repeats prevEventId", merged, "further parents only")]
    return []
