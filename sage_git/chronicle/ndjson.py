"""The lines of a chronicle's file: what each is worth (SPEC 4.1). Not here: files, and what to do about a bad line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from sage_git.chronicle.canonical import NotJson, parse_canonical
from sage_git.chronicle.event import Event, check_event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.errors import ValidationError


class LineState(Enum):
    """What a line is worth, the worst first to be found."""

    VALID = "valid"
    """An event whose id is right and whose envelope and payload keep the rules."""
    NO_ID = "no id"
    """An event that somebody wrote without `eventId`."""
    ID_MISMATCH = "id mismatch"
    """An event whose id is not that of its content: altered, or never right."""
    BAD_JSON = "bad json"
    """Not JSON in UTF-8."""
    OUT_OF_PROFILE = "out of profile"
    """JSON that two readers could read as two different things, or that is too big."""
    BAD_PAYLOAD = "bad payload"
    """The id is right, but the envelope or payload breaks the rules."""
    BLANK = "blank"
    TORN = "torn"
    """The last line, without its newline: its writer never finished, whatever it looks like."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: `number` from 1, `offset` in bytes, `raw` without the newline, `reason` if not VALID.

    The event is there whenever the line is an object within the profile.
    """

    number: int
    offset: int
    raw: bytes
    state: LineState
    event: Event | None = None
    reason: str = ""

    @property
    def is_canonical(self) -> bool:
        """True if the line is byte for byte what we would have written."""
        return self.event is not None and self.event.line == self.raw


def read_lines(data: bytes) -> Iterator[Line]:
    """Every line of a file, judged; split at `\\n` and nothing else, since U+2028 and the like stand raw in events."""
    for number, offset, raw in _split(data):
        if offset + len(raw) == len(data):
            yield Line(number, offset, raw, LineState.TORN, None, "the line has no end")
        else:
            yield check_line(raw, number, offset)


def check_line(raw: bytes, number: int, offset: int) -> Line:
    """One complete line, without its newline, judged."""
    if not raw.strip():
        return Line(number, offset, raw, LineState.BLANK, None, "the line is empty")
    try:
        event = Event.from_line(raw)
    except NotJson as problem:
        return Line(number, offset, raw, LineState.BAD_JSON, None, str(problem))
    except ValidationError as problem:
        return Line(number, offset, raw, LineState.OUT_OF_PROFILE, None, str(problem))
    return Line(number, offset, raw, *_judged(event))


def verify_ids(data: bytes) -> list[int]:
    """The numbers of the lines that are not canonical with a right id; `check_line` says what each of them is.

    Empty for a file that nobody but us wrote and nobody altered.
    """
    return [number for number, offset, raw in _split(data) if offset + len(raw) == len(data) or true_id(raw) is None]


def _split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(number from 1, offset, bytes without newline); a file that ends in a newline has no line after it."""
    offset = 0
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, raw in enumerate(lines, 1):
        yield number, offset, raw
        offset += len(raw) + 1


def true_id(raw: bytes) -> EventId | None:
    """The id of a canonical line that carries it by right; None for any other, however true it may be."""
    fields = parse_canonical(raw)
    return EventId(fields["eventId"]) if isinstance(fields, dict) and _hashes_to(raw, fields.get("eventId")) else None


def _hashes_to(raw: bytes, identifier: object) -> bool:
    """True if the canonical line `raw`, whose `eventId` is `identifier`, has that id by right.

    Cutting the member out of the text saves writing the body anew. The cut takes the first member of this name and
    value; were that one not the event's own, the hash would have to cover itself, which nobody can arrange.
    """
    if not isinstance(identifier, str) or len(identifier) != 64:
        return False
    body = raw.replace(b'"eventId":"%s",' % identifier.encode(), b"", 1)
    return sha256(body).hexdigest() == identifier


def _judged(event: Event) -> tuple[LineState, Event, str]:
    """What an event within the profile is worth, and why."""
    if "eventId" not in event:
        return LineState.NO_ID, event, "the event has no eventId"
    if not _hashes_to(event.line, event.event_id) and not event.has_true_id():
        return LineState.ID_MISMATCH, event, f"eventId is not that of the content, which is {event_id(event.fields)}"
    if broken := check_event(event.fields):
        return LineState.BAD_PAYLOAD, event, "; ".join(map(str, broken))
    return LineState.VALID, event, ""
