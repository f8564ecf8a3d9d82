"""The sidecars of a work tree against the record, line by line. Reads only.

Every line is judged by itself (is it true?) and against the chronicle (does it belong here, once?). What the chronicle
has and the file has not is named by the line after which it belongs; a damaged line in that place is taken for what
became of it.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, event_id
from sage_git.chronicle.ndjson import Line, LineState, read_lines
from sage_git.chronicle.payloads import is_fact
from sage_git.errors import SageError
from sage_git.operations.checking.flaws import Flaw, Report, Severity, shown
from sage_git.operations.checkout import Checkout
from sage_git.operations.sidecars.adoption import is_adoptable, is_statement
from sage_git.operations.sidecars.lives import component_at
from sage_git.operations.sidecars.placing import key_of, sidecar_of, subject_in
from sage_git.operations.statements.appending import Statement
from sage_git.storage.index.sidecars import Left
from sage_git.storage.shown import WorkTree

CODES: Mapping[LineState, str] = {
    LineState.BAD_JSON: "line-damaged",
    LineState.OUT_OF_PROFILE: "line-damaged",
    LineState.ID_MISMATCH: "line-altered",
    LineState.NO_ID: "line-without-id",
    LineState.BAD_PAYLOAD: "line-invalid",
    LineState.TORN: "line-torn",
}


@dataclass(slots=True)
class Inspection:
    """One sidecar against what it should show."""

    file: bytes
    expected: Mapping[EventId, bytes]
    required: Container[EventId]
    is_as_left: bool
    flaws: list[Flaw] = field(default_factory=list)
    places: dict[EventId, int] = field(default_factory=dict)
    unknown: list[Event] = field(default_factory=list)
    """Statements that nobody knew."""
    strangers: list[bytes] = field(default_factory=list)
    """Lines that say nothing which the record could take in."""
    lines: int = 0

    @property
    def path(self) -> str:
        """The file's path as text."""
        return shown(self.file)

    def blame(self, line: Line, code: str, message: str, severity: Severity = Severity.ERROR) -> None:
        """Note a flaw of a line."""
        event = line.event.event_id if line.event is not None else None
        self.flaws.append(Flaw(code, message, severity, path=self.path, line=line.number, event_id=event))


def check_sidecars(checkout: Checkout) -> Report:
    """What is wrong with the sidecars of this work tree."""
    report = Report(checked={"sidecars": 0, "lines": 0})
    for _, inspection in inspections(checkout):
        report.add(inspection.flaws, sidecars=1, lines=inspection.lines)
    return report


def inspections(checkout: Checkout, only: bytes | None = None) -> Iterator[tuple[bytes, Inspection]]:
    """The key and inspection of every sidecar that should be here or is, or of the `only` one that is asked for."""
    work_tree, identity = checkout.repository.work_tree, checkout.known_identity()
    if work_tree is None:
        return
    tree = WorkTree(work_tree)
    known = set()
    for left in sorted(checkout.index.sidecars.all(checkout.worktree), key=lambda each: each.path):
        file = sidecar_of(identity, left.path)
        known.add(file)
        if only in (None, file) and tree.has_folder_of(file):
            yield left.path, _of_left(checkout, tree, file, left)
    head = checkout.repository.head()
    for file in _unnoted(checkout, tree, known) if only is None else {only} - known:
        key = key_of(identity, file)
        if key:
            yield key, _of_unnoted(checkout, tree, file, key, head)


def _of_left(checkout: Checkout, tree: WorkTree, file: bytes, left: Left) -> Inspection:
    rows = list(checkout.index.events.lines(left.component))
    inspection = Inspection(
        file,
        expected={identifier: line for _, identifier, line in rows},
        required=frozenset(identifier for number, identifier, _ in rows if number <= left.last),
        is_as_left=tree.stamp(file) == left.stamp,
    )
    _inspect(checkout, tree, file, inspection)
    return inspection


def _of_unnoted(checkout: Checkout, tree: WorkTree, file: bytes, key: bytes, head: ObjectId | None) -> Inspection:
    """A file that we never noted: of a subject, of a source that is not tracked, or noted in an index that is lost."""
    index, subject = checkout.index, subject_in(key)
    lineage = index.events.known_lineage(f"subject:{subject}") if subject else None
    component = component_at(checkout, head, key) if not subject else lineage and index.events.component(lineage)
    expected = {identifier: line for _, identifier, line in index.events.lines(component)} if component else {}
    is_tracked = not subject and head is not None and bool(checkout.repository.tracked_paths(head, {key}))
    inspection = Inspection(file, expected, frozenset(expected if is_tracked else ()), is_as_left=True)
    if not subject and not is_tracked:
        inspection.expected = _said_about(checkout, Statement(key, {}, 0).subject, _content(tree, file, inspection))
    _inspect(checkout, tree, file, inspection)
    is_whole = inspection.lines == len(inspection.places)
    if not (subject or is_tracked or is_whole or os.path.lexists(tree.file(key))):
        message = "there is no source that this could be the sidecar of"
        inspection.flaws.append(Flaw("sidecar-stray", message, Severity.WARNING, path=inspection.path))
    return inspection


def _said_about(checkout: Checkout, subject: str, content: bytes) -> dict[EventId, bytes]:
    """The lines of the chronicles in which the record has what a file's lines say about `subject`."""
    events = checkout.index.events
    components: set[int] = set()
    for line in read_lines(content):
        if line.event is not None:
            identifier = event_id(line.event.fields)
            known, node = events.event(identifier), events.node(identifier)
            if known is not None and node is not None and known.subject == subject:
                components.update(map(events.component, node.lineages))
    return {identifier: line for component in components for _, identifier, line in events.lines(component)}


def _inspect(checkout: Checkout, tree: WorkTree, file: bytes, inspection: Inspection) -> None:
    if tree.stamp(file) is None:
        message = "the sidecar is not there"
        inspection.flaws.append(Flaw("sidecar-missing", message, path=inspection.path))
        return
    compare(checkout, inspection, read_lines(_content(tree, file, inspection)))


def compare(checkout: Checkout, inspection: Inspection, lines: Iterable[Line]) -> None:
    """Hold `lines` against the record, and note what is wrong, in the order of the file."""
    damaged: list[int] = []
    for line in lines:
        inspection.lines += 1
        if line.state is LineState.BLANK:
            inspection.blame(line, "line-blank", "the line is empty", Severity.WARNING)
        elif line.state is LineState.VALID:
            _judge(checkout, inspection, line)
        elif not _is_kept_so(inspection, line):
            damaged.append(line.number)
            inspection.strangers.append(line.raw)
            inspection.blame(line, CODES[line.state], line.reason)
    if not any(flaw.code == "sidecar-unreadable" for flaw in inspection.flaws):
        _name_missing(inspection, damaged)
    if not inspection.is_as_left:
        _name_order(inspection)
    inspection.flaws.sort(key=lambda flaw: flaw.line or 0)


def _content(tree: WorkTree, file: bytes, inspection: Inspection) -> bytes:
    try:
        return tree.read(file) or b""
    except SageError as problem:
        remedy = "give yourself the right to read it, or take it away: the record has what it showed"
        inspection.flaws = [Flaw("sidecar-unreadable", str(problem), remedy=remedy, path=inspection.path)]
        return b""


def _is_kept_so(inspection: Inspection, line: Line) -> bool:
    """True for a line without a true id that the record has exactly so, or with one (`compute_id=False`)."""
    if line.event is None or line.state is LineState.TORN:
        return False
    identifier = event_id(line.event.fields)
    if inspection.expected.get(identifier) == line.raw and identifier not in inspection.places:
        inspection.places[identifier] = line.number
    elif identifier not in inspection.expected or line.state is not LineState.NO_ID:
        return False
    if line.state is LineState.BAD_PAYLOAD:
        inspection.blame(line, "line-invalid", f"the record has this event, though it breaks the rules: {line.reason}")
    else:
        given = "no id" if line.state is LineState.NO_ID else "an id that is not its own"
        inspection.blame(line, "line-kept-without-id", f"whoever wrote this event gave it {given}", Severity.NOTE)
    return True


def _judge(checkout: Checkout, inspection: Inspection, line: Line) -> None:
    """A line that is true in itself."""
    assert line.event is not None
    assert line.event.event_id is not None
    event, identifier = line.event, line.event.event_id
    if identifier in inspection.places:
        inspection.blame(
            line, "line-doubled", f"the line stands here twice, first as line {inspection.places[identifier]}"
        )
    elif identifier in inspection.expected:
        inspection.places[identifier] = line.number
        if line.raw != inspection.expected[identifier]:
            severity = Severity.NOTE if is_statement(event) else Severity.WARNING
            inspection.blame(line, "line-respelled", "it says what the record says in another spelling", severity)
    elif identifier in checkout.index.events.redacted():
        inspection.blame(line, "line-redacted", "the body of this event was redacted, and is still here")
    elif checkout.index.events.node(identifier) is not None:
        inspection.blame(line, "line-misplaced", "the event belongs to another chronicle", Severity.WARNING)
    elif is_adoptable(event):
        inspection.unknown.append(event)
        message = f"a statement ({event.type}) that the record does not have; it is adopted when something is recorded"
        inspection.blame(line, "line-unknown", message, Severity.WARNING)
    else:
        inspection.strangers.append(line.raw)
        why = (
            "is true of no commit known here"
            if is_fact(event.type) or event.graph_commit
            else "can only come from here"
        )
        inspection.blame(line, "line-forged", f"{event.type} {why}")


def _name_missing(inspection: Inspection, damaged: list[int]) -> None:
    """Name what the chronicle has and the file has not, by what became of it or by where it belongs."""
    waiting = sorted(damaged)
    previous = 0
    for identifier in inspection.expected:
        if identifier in inspection.places:
            previous = inspection.places[identifier]
        elif identifier in inspection.required:
            place = next((number for number in waiting if number > previous), None)
            if place is not None and not any(previous < other < place for other in inspection.places.values()):
                waiting.remove(place)
                inspection.flaws = [_became(flaw, place, identifier) for flaw in inspection.flaws]
                previous = place
            else:
                kind = Event.trusted(identifier, inspection.expected[identifier]).type
                where = f"after line {previous}" if previous else "at the beginning"
                flaw = Flaw("line-missing", f"{kind} {identifier[:12]} is missing {where}", path=inspection.path)
                inspection.flaws.append(replace(flaw, line=previous, event_id=identifier))


def _became(flaw: Flaw, line: int, identifier: EventId) -> Flaw:
    if flaw.line != line:
        return flaw
    return replace(flaw, event_id=identifier, message=f"here stood {identifier[:12]}: {flaw.message}")


def _name_order(inspection: Inspection) -> None:
    """Somebody wrote this file: if lines stand before older ones, name the first."""
    highest = 0
    for identifier in inspection.expected:
        place = inspection.places.get(identifier, highest)
        if place < highest:
            message = "the line stands before one that arrived earlier"
            flaw = Flaw("line-out-of-order", message, Severity.WARNING, path=inspection.path)
            inspection.flaws.append(replace(flaw, line=place, event_id=identifier))
            return
        highest = place


def _unnoted(checkout: Checkout, tree: WorkTree, known: set[bytes]) -> list[bytes]:
    """The files that are named like sidecars, though we left none there; what git tracks is a source."""
    suffix = checkout.known_identity().suffix.encode()
    found = []
    for folder, folders, files in os.walk(tree.root):
        folders[:] = [
            each for each in folders if each != b".git" and not os.path.lexists(os.path.join(folder, each, b".git"))
        ]
        inside = os.path.relpath(folder, tree.root)
        names = [each if inside == b"." else os.path.join(inside, each) for each in files if each.endswith(suffix)]
        found += [name for name in names if name not in known]
    if not found:
        return []
    tracked = set(checkout.repository.git("ls-files", "-z", "--full-name").split(b"\0"))
    return sorted(name for name in found if name not in tracked)
