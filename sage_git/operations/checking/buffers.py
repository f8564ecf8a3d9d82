"""A sidecar as somebody has it in an editor, against the record: the same judgement as fsck's, of text, and quickly.

Lines that are byte for byte the record's need no second look, so that a file of ten thousand lines costs milliseconds.
Not here: what every finding is called (`fsck_sidecars`), and files on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
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
    """What a sidecar shows by the record: the lines of its chronicle, oldest first, and the event each of them is."""

    file: bytes
    lines: dict[EventId, bytes] = field(default_factory=dict)
    numbers: dict[EventId, int] = field(default_factory=dict)
    by_line: dict[bytes, EventId] = field(default_factory=dict)
    last: int = 0
    """The number of the newest event that the record has of anything."""

    def required(self, seen: int) -> Container[EventId]:
        """The events that a text must have which was read when `seen` was the newest event."""
        if seen >= self.last:
            return self.numbers
        return frozenset(each for each, number in self.numbers.items() if number <= seen)


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
    expected = Expected(file, last=index.events.last_number())
    for number, identifier, line in index.events.lines(component):
        expected.lines[identifier], expected.numbers[identifier] = line, number
        expected.by_line[line] = identifier
    return expected


def examine(checkout: Checkout, expected: Expected, content: bytes, seen: int) -> list[Flaw]:
    """What is wrong with a text that was read when `seen` was the newest event. Like fsck, notes included."""
    raws = content.split(b"\n")
    if not raws[-1] and raws[:-1] == list(expected.lines.values()):
        return []
    inspection = Inspection(expected.file, expected.lines, expected.required(seen), is_as_left=False)
    strange = list(_unfamiliar(expected, inspection, raws))
    if len(strange) > _MOST_STRANGE:  # another file altogether: what is missing of it nobody asks
        return [*map(_of_line(shown(expected.file)), strange[:_MOST_STRANGE])]
    compare(checkout, inspection, strange)
    return inspection.flaws


def examine_alone(file: bytes, content: bytes) -> list[Flaw]:
    """What is wrong with the lines of a chronicle that no record here knows, each looked at by itself."""
    wrong = (line for line in read_lines(content) if line.state is not LineState.VALID)
    return [*map(_of_line(shown(file)), islice(wrong, _MOST_STRANGE))]


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
        identifier = expected.by_line.get(raw)
        if identifier is None or identifier in places:
            yield check_line(raw, number, offset)
        else:
            places[identifier] = number
            inspection.lines += 1
        offset += len(raw) + 1
    if torn:
        yield Line(len(raws) + 1, offset, torn, LineState.TORN, None, "the line has no end")
