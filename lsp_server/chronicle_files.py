"""Sidecars in the editor: every line held against the record, each finding on its line. The looking runs in a lane.

Not here: what the findings mean (docs/errors.md), and reading a chronicle (`chronicle_reading`).
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from lsprotocol.types import (
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    Location,
    Position,
    Range,
)

from lsp_server import wording
from lsp_server.diagnostics import SOURCE
from lsp_server.documents import Document
from lsp_server.markdown import visible
from lsp_server.positions import Encoding, whole_line
from lsp_server.workspaces import KnownChronicle, uri_of
from sage_git.errors import SageError

if TYPE_CHECKING:
    from sage_git.operations.checking.flaws import Flaw
    from sage_git.operations.reading.opening import Reading

_MOST_TOLD: Final = 250
_SEVERITIES: Final = {
    "error": DiagnosticSeverity.Error,
    "warning": DiagnosticSeverity.Warning,
    "note": DiagnosticSeverity.Hint,
}
_START: Final = Range(Position(0, 0), Position(0, 0))


async def examine(known: KnownChronicle, document: Document) -> None:
    """Find out what is wrong with the buffer as it is now. A text is looked at once."""
    if known.examined == document.generation:
        return
    generation, content, is_as_on_disk = document.generation, document.text, document.is_as_on_disk
    record = known.record
    if record is not None:
        try:
            found = await record.lines.ask(lambda reading: _by_record(reading, known, content, is_as_on_disk))
        except SageError:
            found = None
        if found is not None:
            known.flaws, known.examined = found, generation
            return
    loop = asyncio.get_running_loop()
    known.flaws, known.examined = await loop.run_in_executor(None, _by_itself, known, content), generation


def diagnostics(
    known: KnownChronicle, document: Document, encoding: Encoding, *, has_related: bool
) -> list[Diagnostic]:
    """The findings, each on its line."""
    return [_diagnostic(known, document, encoding, flaw, has_related) for flaw in known.flaws[:_MOST_TOLD]]


def _by_record(reading: Reading, known: KnownChronicle, content: str, is_as_on_disk: bool) -> list[Flaw] | None:  # noqa: FBT001
    from sage_git.chronicle.event import Event
    from sage_git.operations.checking.buffers import RecordedLines, examine, expected_of

    checkout = reading.checkout
    with checkout.index.snapshot():
        expected = known.expected = expected_of(checkout, os.fsencode(known.path), known.expected)
        if expected is None:
            return None
        if is_as_on_disk or known.seen is None:
            known.seen = known.seen if known.seen is not None else expected.last
        flaws = examine(checkout, expected, _encoded(content), known.seen)
        recorded = RecordedLines(checkout, expected)
        named = {flaw.event_id for flaw in flaws[:_MOST_TOLD] if flaw.event_id in recorded}
        known.recorded = {each: Event.trusted(each, recorded[each]) for each in named if each is not None}
    return flaws


def _by_itself(known: KnownChronicle, content: str) -> list[Flaw]:
    from sage_git.operations.checking.buffers import examine_alone

    return examine_alone(os.fsencode(known.path), _encoded(content))


def _encoded(content: str) -> bytes:
    return content.encode("utf-8", "surrogatepass")


def _diagnostic(
    known: KnownChronicle,
    document: Document,
    encoding: Encoding,
    flaw: Flaw,
    has_related: bool,  # noqa: FBT001
) -> Diagnostic:
    line = _line_of(document, max((flaw.line or 1) - 1, 0))
    remedy = "" if flaw.severity.value == "note" else "; it can be restored from the record" if known.expected else ""
    return Diagnostic(
        whole_line(document.lines, line, encoding),
        visible(flaw.message + remedy, 600),
        severity=_SEVERITIES[flaw.severity.value],
        code=flaw.code,
        source=SOURCE,
        related_information=_related(known, document, flaw, line, encoding) if has_related else None,
        data={"eventId": flaw.event_id} if flaw.event_id else {},
    )


def _line_of(document: Document, number: int) -> int:
    """The client's line that git's line `number`, from 0, begins with."""
    of_git = document.lines.of_git
    if isinstance(of_git, range):
        return min(number, len(document.lines) - 1)
    return next((at for at, each in enumerate(of_git) if each == number), len(document.lines) - 1)


def _related(
    known: KnownChronicle, document: Document, flaw: Flaw, line: int, encoding: Encoding
) -> list[DiagnosticRelatedInformation] | None:
    """What the record has in this place, and the source that the chronicle is of."""
    if known.record is None or known.expected is None:
        return None
    found = []
    event = known.recorded.get(flaw.event_id) if flaw.event_id else None
    if event is not None:
        said = f"the record has here: {wording.label(event)}, {wording.actor(event.actor)}, {event.timestamp}"
        place = Location(document.uri, whole_line(document.lines, line, encoding))
        found.append(DiagnosticRelatedInformation(place, visible(said)))
    source = os.path.join(known.record.root, known.path.removesuffix(".sage"))
    found.append(DiagnosticRelatedInformation(Location(uri_of(source), _START), "the source of this chronicle"))
    return found
