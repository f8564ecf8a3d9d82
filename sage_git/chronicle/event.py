"""An event: one immutable JSON object with its envelope (SPEC 4.1). Not here: payloads, lines of a file, order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import orjson

from sage_git.chronicle.canonical import canonical_json, canonical_of_own, parse_canonical, parse_json
from sage_git.chronicle.ids import EventId, ObjectId, event_id
from sage_git.chronicle.kinds import Shape, check_fields
from sage_git.chronicle.payloads import ACTOR, ENVELOPE, SHAPES, check_payload
from sage_git.errors import Detail, ValidationError

LINKS: Final = frozenset(("eventId", "prevEventId", "mergedEventIds"))
"""What an event has of its place; all else is what it says."""
_ACTOR_SHAPE: Final = Shape.of(*ACTOR)


class Event(Mapping[str, Any]):
    """One immutable event. Equal to another if their canonical lines are equal; reads like a mapping of its fields."""

    __slots__ = ("_event_id", "_fields", "_line", "_parents")

    def __init__(self, event_id: EventId | None, line: bytes, fields: Mapping[str, Any] | None) -> None:
        self._event_id, self._line, self._fields = event_id, line, fields
        self._parents: tuple[EventId, ...] | None = None

    @classmethod
    def sealed(cls, fields: Mapping[str, Any]) -> Event:
        """The event of `fields` with the `eventId` that is theirs. Raises ValidationError naming every fault."""
        body = {name: value for name, value in fields.items() if name != "eventId"}
        broken = check_event(body)
        if broken:
            raise ValidationError(*broken)
        text = canonical_json(body)
        if text == canonical_of_own(body):  # nothing in it that the fast path writes otherwise
            return cls.own(orjson.loads(text))  # read back, so that no list of the caller's lives on in an event
        return cls.from_fields({**body, "eventId": event_id(body)})

    @classmethod
    def own(cls, body: Mapping[str, Any]) -> Event:
        """The event of fields that we put together from checked parts, without `eventId`; see `canonical_of_own`."""
        identifier = EventId(sha256(canonical_of_own(body)).hexdigest())
        fields = {**body, "eventId": identifier}
        return cls(identifier, canonical_of_own(fields), fields)

    @classmethod
    def checked(cls, fields: Mapping[str, Any]) -> Event:
        """The event of `fields` with the id that they carry, if all else in them is right. Raises ValidationError."""
        broken = check_event(fields)
        if broken:
            raise ValidationError(*broken)
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Event:
        """The event of `fields` with the id that they carry, right, wrong or none. Raises ValidationError (profile)."""
        line = canonical_json(fields)
        detached = orjson.loads(line)  # so that no list of the caller's lives on in an event
        return cls(_claimed_id(detached), line, detached)

    @classmethod
    def from_line(cls, raw: bytes) -> Event:
        """The event of a line that anybody may have written. Raises NotJson, or ValidationError (profile)."""
        fields = parse_canonical(raw)
        if isinstance(fields, dict):
            return cls(_claimed_id(fields), raw, fields)
        fields = parse_json(raw)
        if not isinstance(fields, dict):
            raise ValidationError(Detail("", "the line is not an object", None, "one JSON object"))
        return cls.from_fields(fields)

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
        fields = self._fields  # another thread may let it `rest` meanwhile
        if fields is None:
            fields = self._fields = orjson.loads(self._line)
        return fields

    def rest(self) -> None:
        """Keep only the line, which is parsed anew when it is asked for."""
        if self._line:
            self._fields = None

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
        if self._parents is None:
            self._parents = _parents_in(self.fields)
        return self._parents

    def has_true_id(self) -> bool:
        """True if the event carries the id that its content has by right."""
        return self._event_id is not None and self._event_id == event_id(self.fields)

    def _text(self, name: str) -> str:
        """The text of a field; empty if some foreign line has none there."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def links_to(parents: Sequence[EventId]) -> dict[str, Any]:
    """The fields by which an event names its parents; what `Event.parents` reads."""
    links: dict[str, Any] = {"prevEventId": parents[0]} if parents else {}
    return links | ({"mergedEventIds": sorted(parents[1:])} if len(parents) > 1 else {})


def _parents_in(fields: Mapping[str, Any]) -> tuple[EventId, ...]:
    previous, merged = fields.get("prevEventId"), fields.get("mergedEventIds")
    first = (EventId(previous),) if isinstance(previous, str) else ()
    if not isinstance(merged, list):
        return first
    return (*first, *(EventId(name) for name in merged if isinstance(name, str)))


def _claimed_id(fields: Mapping[str, Any]) -> EventId | None:
    identifier = fields.get("eventId")
    return EventId(identifier) if isinstance(identifier, str) else None


def check_event(fields: Mapping[str, Any]) -> list[Detail]:
    """Every rule of the envelope and of its type's payload that `fields` break."""
    return [] if _is_plainly_right(fields) else [*_check_envelope(fields), *check_payload(fields)]


def _is_plainly_right(fields: Mapping[str, Any]) -> bool:
    """True only for what keeps every rule, as nearly all do; found in a third of the time that naming faults takes."""
    kind = fields.get("type")
    shape = SHAPES.get(kind) if isinstance(kind, str) and "mergedEventIds" not in fields else None
    return shape is not None and shape.fits(fields) and _ACTOR_SHAPE.fits(fields["actor"])


def _check_envelope(fields: Mapping[str, Any]) -> list[Detail]:
    broken = check_fields(fields, ENVELOPE)
    if isinstance(fields.get("actor"), Mapping):
        broken += check_fields(fields["actor"], ACTOR, within="actor.")
    if not broken and "mergedEventIds" in fields:
        broken = _check_parents(fields)
    return broken


def _check_parents(fields: Mapping[str, Any]) -> list[Detail]:
    merged = fields["mergedEventIds"]
    if "prevEventId" not in fields:
        return [Detail("prevEventId", "is missing", None, "present beside mergedEventIds")]
    if merged != sorted(set(merged)):
        return [Detail("mergedEventIds", "must be sorted, each once", merged, "sorted, each once")]
    if fields["prevEventId"] in merged:
        return [Detail("mergedEventIds", "must not repeat prevEventId", merged, "further parents only")]
    return []
