"""A sidecar as somebody has it in an editor, against the record: the same judgement as fsck's, of text, and quickly.

Lines that are byte for byte the record's, by their hashes, need no second look: ten thousand cost milliseconds, and
the lines themselves stay in the index.
Not here: what every finding is called (`fsck_sidecars`), and files on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.chronicle.ndjson import Line, LineState, check_line, read_lines
from sage_git.operations.checking.flaws import Flaw, Severity, shown
from sage_git.operations.checking.fsck_sidecars import CODES, Inspection, compare
from sage_git.operations.checkout import Checkout
from sage_git.operations.sidecars.lives import component_at
from sage_git.operations.sidecars.placing import key_of, subject_in

_MOST_STRANGE: Final = 1_000
"""Lines of a file that are looked at closely."""


@dataclass(slots=True)
class Expected:
    """What a sidecar shows by the record: the events of its chronicle, oldest first, each by the hash of its line."""

    file: bytes
    component: int
    last: int
    """The number of the newest event that the record has of anything."""
    whole: bytes = b""
    """The hash of the file."""
    numbers: dict[EventId, int] = field(default_factory=dict)
    by_hash: dict[bytes, EventId] = field(default_factory=dict)

    def required(self, seen: int) -> Container[EventId]:
        """The events that a text must have which was read when `seen` was the newest event."""
        if seen >= self.last:
            return self.numbers
        return frozenset(each for each, number in self.numbers.items() if number <= seen)


class RecordedLines(Mapping[EventId, bytes]):
    """The lines that a sidecar shows by the record, each read when it is asked for."""

    def __init__(self, checkout: Checkout, expected: Expected) -> None:
        self._events, self._numbers = checkout.index.events, expected.numbers

    def __getitem__(self, identifier: EventId) -> bytes:
        event = self._events.event(identifier) if identifier in self._numbers else None
        if event is None:
            raise KeyError(identifier)
        return event.line

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._numbers

    def __iter__(self) -> Iterator[EventId]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def expected_of(checkout: Checkout, file: bytes) -> Expected | None:
    """What the sidecar at `file`, from the root, should show; None if no chronicle known here belongs to it."""
    key = key_of(checkout.known_identity(), file)
    if not key:
        return None
    index, subject = checkout.index, subject_in(key)
    left = index.sidecars.get(checkout.worktree, key)
    if left is not None:
        component: int | None = left.component
    elif subject is not None:
        lineage = index.events.known_lineage(f"subject:{subject}")
        component = None if lineage is None else index.events.component(lineage)
    else:
        component = component_at(checkout, checkout.repository.head(), key)
    if component is None:
        return None
    expected, whole = Expected(file, component, index.events.last_number()), sha256()
    for number, identifier, line in index.events.lines(component):
        expected.numbers[identifier] = number
        expected.by_hash[_hash(line)] = identifier
        whole.update(line + b"\n")
    expected.whole = whole.digest()
    return expected


def text_of(checkout: Checkout, expected: Expected) -> bytes:
    """The file as the record has it."""
    return b"".join(line + b"\n" for _, _, line in checkout.index.events.lines(expected.component))


def examine(checkout: Checkout, expected: Expected, content: bytes, seen: int) -> list[Flaw]:
    """What is wrong with a text that was read when `seen` was the newest event. Like fsck, notes included."""
    if _hash(content) == expected.whole:
        return []
    recorded = RecordedLines(checkout, expected)
    inspection = Inspection(expected.file, recorded, expected.required(seen), is_as_left=False)
    strange = list(_unfamiliar(expected, inspection, content.split(b"\n")))
    if len(strange) > _MOST_STRANGE:  # another file altogether: what is missing of it nobody asks
        return [*map(_of_line(shown(expected.file)), strange[:_MOST_STRANGE])]
    compare(checkout, inspection, strange)
    return inspection.flaws


def examine_alone(file: bytes, content: bytes) -> list[Flaw]:
    """What is wrong with the lines of a chronicle that no record here knows, each looked at by itself."""
    wrong = (line for line in read_lines(content) if line.state is not LineState.VALID)
    return [*map(_of_line(shown(file)), islice(wrong, _MOST_STRANGE))]


def _hash(content: bytes) -> bytes:
    return sha256(content).digest()


def _of_line(path: str) -> Callable[[Line], Flaw]:
    """Says of a line what it is not, by itself."""

    def flaw(line: Line) -> Flaw:
        match line.state:
            case LineState.BLANK:
                return Flaw("line-blank", "the line is empty", Severity.WARNING, path=path, line=line.number)
            case LineState.VALID:
                return Flaw(
                    "line-unknown", "the record has no such line", Severity.WARNING, path=path, line=line.number
                )
            case state:
                return Flaw(CODES[state], line.reason, path=path, line=line.number)

    return flaw


def _unfamiliar(expected: Expected, inspection: Inspection, raws: list[bytes]) -> Iterator[Line]:
    """The lines that are not the record's own, or are so for the second time; the others are given their places."""
    offset, places = 0, inspection.places
    torn = raws.pop()
    for number, raw in enumerate(raws, 1):
        identifier = expected.by_hash.get(_hash(raw))
        if identifier is None or identifier in places:
            yield check_line(raw, number, offset)
        else:
            places[identifier] = number
            inspection.lines += 1
        offset += len(raw) + 1
    if torn:
        yield Line(len(raws) + 1, offset, torn, LineState.TORN, None, "the line has no end")
