"""A sidecar as somebody has it in an editor, against the record: the same judgement as fsck's, of text, and quickly.

Lines that are byte for byte the record's, by their hashes, need no second look: ten thousand cost milliseconds, and
the lines themselves stay in the index. A record goes on growing and being redacted meanwhile, so `expected_of` and
`examine` belong into one `snapshot` of the index.
Not here: what every finding is called (`fsck_sidecars`), and files on disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
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
    whole: bytes
    """The hash of the file."""
    _numbers: array[int]
    _ids: bytes
    _hashes: bytes
    """Packed, 32 bytes an event: a chronicle may be long, and hardly ever anybody touches one."""
    _tables: tuple[dict[EventId, int], dict[bytes, EventId]] | None = None

    @property
    def numbers(self) -> dict[EventId, int]:
        """The number of every event."""
        return self._unpacked()[0]

    @property
    def by_hash(self) -> dict[bytes, EventId]:
        """The event of every line, by the line's hash."""
        return self._unpacked()[1]

    def required(self, seen: int) -> Container[EventId]:
        """The events that a text must have which was read when `seen` was the newest event."""
        if seen >= self.last:
            return self.numbers
        return frozenset(each for each, number in self.numbers.items() if number <= seen)

    def rest(self) -> None:
        """Keep only what is packed."""
        self._tables = None

    def _unpacked(self) -> tuple[dict[EventId, int], dict[bytes, EventId]]:
        tables = self._tables
        if tables is None:
            names = [EventId(name.hex()) for name in _cut(self._ids)]
            tables = dict(zip(names, self._numbers, strict=True)), dict(zip(_cut(self._hashes), names, strict=True))
            self._tables = tables
        return tables


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


def expected_of(checkout: Checkout, file: bytes, before: Expected | None = None) -> Expected | None:
    """What the sidecar at `file`, from the root, should show: `before`, if nothing was recorded since that was found.

    None if no chronicle known here belongs to it.
    """
    if before is not None and before.last == checkout.index.events.last_number():
        return before
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
    numbers, ids, hashes, whole = array("q"), bytearray(), bytearray(), sha256()
    for number, identifier, line in index.events.lines(component):
        numbers.append(number)
        ids += bytes.fromhex(identifier)
        hashes += _hash(line)
        whole.update(line + b"\n")
    return Expected(file, component, index.events.last_number(), whole.digest(), numbers, bytes(ids), bytes(hashes))


def text_of(checkout: Checkout, expected: Expected) -> bytes:
    """The file as the record has it."""
    return b"".join(line + b"\n" for _, _, line in checkout.index.events.lines(expected.component))


def examine(checkout: Checkout, expected: Expected, content: bytes, seen: int) -> list[Flaw]:
    """What is wrong with a text that was read when `seen` was the newest event. Like fsck, notes included."""
    if _hash(content) == expected.whole:
        return []
    recorded = RecordedLines(checkout, expected)
    inspection = Inspection(expected.file, recorded, expected.required(seen), is_as_left=False)
    strange = list(_unfamiliar(expected, inspection, content))
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


def _unfamiliar(expected: Expected, inspection: Inspection, content: bytes) -> Iterator[Line]:
    """The lines that are not the record's own, or are so for the second time; the others are given their places."""
    by_hash, places = expected.by_hash, inspection.places
    offset, number = 0, 1
    while (end := content.find(b"\n", offset)) >= 0:  # all at once would be as much memory again
        raw = content[offset:end]
        identifier = by_hash.get(_hash(raw))
        if identifier is None or identifier in places:
            yield check_line(raw, number, offset)
        else:
            places[identifier] = number
            inspection.lines += 1
        offset, number = end + 1, number + 1
    if offset < len(content):
        yield Line(number, offset, content[offset:], LineState.TORN, None, "the line has no end")


def _cut(packed: bytes) -> Iterator[bytes]:
    return (packed[at : at + 32] for at in range(0, len(packed), 32))
