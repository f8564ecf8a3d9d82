"""Lines in a sidecar that we did not write: what of them is a statement is adopted into the log, the rest is named.

Facts and verdicts cannot be adopted: they follow from commits, and an unknown one is not true of any that we know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.chronicle.ndjson import Line, LineState, check_line
from sage_git.chronicle.payloads import VERDICT_TYPES, is_fact
from sage_git.operations.checkout import Checkout
from sage_git.operations.findings import Finding
from sage_git.operations.ledger import Occasion, enter
from sage_git.storage.index.events import REDACTION
from sage_git.storage.keys import ensure_writer


@dataclass(frozen=True, slots=True)
class Reading:
    """A sidecar as it was found: the ids of its whole lines, and the statements among them that nobody knew.

    `gone` are those that must not be there any more; `strangers` are the lines that are neither ours nor to be
    adopted; `torn` is what follows `whole_size` bytes.
    """

    present: frozenset[EventId]
    gone: frozenset[EventId]
    unknown: tuple[Event, ...]
    strangers: tuple[bytes, ...]
    torn: bytes
    whole_size: int
    findings: tuple[Finding, ...]


def read_sidecar(checkout: Checkout, relative: bytes, content: bytes, expected: Mapping[bytes, EventId]) -> Reading:
    """What stands in a sidecar that somebody else may have written to.

    `expected` are the lines that belong there, which need no look; whatever else stands there is judged.
    """
    gone = checkout.index.events.redacted() | checkout.index.events.withdrawn()
    whole, newline, torn = content.rpartition(b"\n")
    present: set[EventId] = set()
    unknown: dict[EventId, Event] = {}
    findings: list[Finding] = []
    strangers: list[bytes] = []
    offset = 0
    for number, raw in enumerate(whole.split(b"\n") if newline else [], 1):
        identifier = expected.get(raw) or _known_line(checkout, line := check_line(raw, number, offset), gone)
        offset += len(raw) + 1
        if identifier is not None:
            present.add(identifier)
        elif line.state is LineState.VALID and line.event is not None and is_adoptable(line.event):
            assert line.event.event_id is not None
            present.add(line.event.event_id)
            unknown[line.event.event_id] = line.event
        elif line.state is not LineState.BLANK:
            strangers.append(raw)
            findings.append(_finding(relative, line))
    return Reading(
        frozenset(present),
        gone & present,
        tuple(unknown.values()),
        tuple(strangers),
        torn,
        len(content) - len(torn),
        tuple(findings),
    )


def _known_line(checkout: Checkout, line: Line, gone: frozenset[EventId]) -> EventId | None:
    """The id under which the record has the event of a line, or had it, whatever id the line carries; else None."""
    if line.event is None:
        return None
    identifier = line.event.event_id if line.state is LineState.VALID else event_id(line.event.fields)
    if identifier is None or identifier in gone:
        return identifier
    return identifier if is_known(checkout, identifier) else None


def is_known(checkout: Checkout, identifier: EventId) -> bool:
    """True if the record has the event, or had it until it was redacted."""
    events = checkout.index.events
    return events.node(identifier) is not None or identifier in events.redacted()


def is_statement(event: Event) -> bool:
    """True if `event` is something that a person, agent or tool says, not what follows from a commit."""
    is_verdict = event.type in VERDICT_TYPES and (event.type != "RECONCILIATION" or event.graph_commit is not None)
    return not (is_fact(event.type) or is_verdict)


def is_adoptable(event: Event) -> bool:
    """True for statements, but for a redaction: nobody takes a body from the record by writing into a sidecar."""
    return is_statement(event) and event.type != REDACTION


def adopt(checkout: Checkout, events: Iterable[Event]) -> int:
    """Enter statements that came by a sidecar, into log and index; how many were new. Holds the log's lock."""
    identity, index = checkout.known_identity(), checkout.index
    new = [event for event in events if event.event_id and not is_known(checkout, event.event_id)]
    if not new:
        return 0
    with index.transaction():
        ensure_writer(checkout.sage, identity.repository)
        first = checkout.log.length()
        for number, event in enumerate(new, first):
            enter(index, identity, event, Occasion(), number)
        checkout.log.append([event.line for event in new])
    return len(new)


def _finding(relative: bytes, line: Line) -> Finding:
    reason = line.reason or line.state.value
    if line.state is LineState.VALID and line.event is not None:
        reason = f"{line.event.type} is not true of any commit known here"
    where = relative.decode("utf-8", "surrogateescape")
    return Finding("sidecar-line", f"{where}:{line.number}: {reason}; see `sage-git fsck`")
