"""What is wrong with a buffer: open rogue edits on their lines, halts, gaps, and what no approved plan covers yet.

Every range is where the line stands in the buffer now; what was edited since is not told of. Not here: sidecars
(`chronicle_files`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lsprotocol.types import Diagnostic, DiagnosticSeverity, Position, Range

from lsp_server import wording
from lsp_server.documents import Document
from lsp_server.markdown import visible
from lsp_server.positions import Encoding, whole_line, whole_lines
from lsp_server.regions import open_regions
from lsp_server.settings import Settings, Weight
from lsp_server.workspaces import Known

SOURCE = "sage-git"


@dataclass(frozen=True, slots=True)
class Eye:
    """How somebody looks at a buffer: what they chose, and how positions count."""

    settings: Settings
    encoding: Encoding


def diagnostics(known: Known, document: Document, eye: Eye) -> list[Diagnostic]:
    """Everything that is wrong with a source."""
    found = [*_halts(known, document, eye)]
    if eye.settings.shows_gaps:
        found += _gaps(known, document, eye)
    if eye.settings.rogue is not Weight.OFF:
        found += _rogue(known, document, eye)
    if eye.settings.shows_uncovered:
        found += _uncovered(known, document, eye)
    return found


def _rogue(known: Known, document: Document, eye: Eye) -> Iterator[Diagnostic]:
    shown = set()
    severity = eye.settings.rogue.severity
    for placed in open_regions(known, document):
        shown.add(placed.answer_to)
        origin = placed.origin
        agents = known.story.agents.get(origin.commit, ())
        title = known.story.title(origin)
        said = f"unplanned edit by {wording.actor(origin.actor, agents)}{wording.day(origin.timestamp)}"
        where = whole_lines(document.lines, placed.first, placed.last, eye.encoding)
        yield _diagnostic(where, f"{said}: {title}" if title else said, severity, "open-rogue-edit", placed.answer_to)
    if document.lines.texts and not known.placement(document).changed:
        for edit in known.story.open_edits:  # those that only took lines away, or lines that are gone since
            if edit.event.event_id not in shown:
                said = f"unplanned edit by {wording.actor(edit.fact.actor)}{wording.day(edit.fact.timestamp)}"
                where = whole_line(document.lines, 0, eye.encoding)
                message = f"{said}; none of its lines are here"
                yield _diagnostic(where, message, severity, "open-rogue-edit", edit.event.event_id)


def _halts(known: Known, document: Document, eye: Eye) -> Iterator[Diagnostic]:
    for halt in known.story.halts:
        said = f"halted by {wording.actor(halt.actor)}{wording.day(halt.timestamp)}: {wording.why(halt)}"
        where = whole_line(document.lines, 0, eye.encoding)
        yield _diagnostic(where, said, DiagnosticSeverity.Error, "halted", halt.event_id)


def _gaps(known: Known, document: Document, eye: Eye) -> Iterator[Diagnostic]:
    for gap in known.story.gaps:
        where = whole_line(document.lines, 0, eye.encoding)
        yield _diagnostic(where, f"the record has a gap here: {gap.why}", DiagnosticSeverity.Information, "gap", None)


def _uncovered(known: Known, document: Document, eye: Eye) -> Iterator[Diagnostic]:
    if not known.cover.is_lacking:
        return
    severity = DiagnosticSeverity.Warning if known.cover.is_refused else DiagnosticSeverity.Information
    named = f"plan {known.cover.plan} does not cover this" if known.cover.plan else "no approved plan covers this"
    then = "a commit of it will be refused" if known.cover.is_refused else "a commit of it will be an unplanned edit"
    for first, end in known.placement(document).changed:
        where = _changed(document, first, end, eye.encoding)
        yield _diagnostic(where, f"{named}; {then}", severity, "uncovered", None)


def _changed(document: Document, first: int, end: int, encoding: Encoding) -> Range:
    """The lines of a change; where lines were only taken away, the one before them."""
    if end > first:
        return whole_lines(document.lines, first, end - 1, encoding)
    line = min(max(first - 1, 0), len(document.lines) - 1)
    return whole_line(document.lines, line, encoding)


def _diagnostic(where: Range, hostile: str, severity: DiagnosticSeverity, code: str, event: str | None) -> Diagnostic:
    """A diagnostic; its text is hostile, and is escaped here."""
    found = {} if event is None else {"eventId": event}
    return Diagnostic(where, visible(hostile), severity=severity, code=code, source=SOURCE, data=found)


NOWHERE = Range(Position(0, 0), Position(0, 0))
