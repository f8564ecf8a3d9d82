"""Reading a sidecar in the editor: what a line says, where an event stands, what names it, links, outline and folding.

Each line is one event as JSON, and hostile. All of this looks at the buffer only, but for the change that a line is
about, which the record tells. Not here: whether lines are true (`chronicle_files`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from lsprotocol.types import (
    DocumentLink,
    DocumentSymbol,
    FoldingRange,
    FoldingRangeKind,
    Hover,
    Location,
    Position,
    Range,
    SymbolKind,
)

from lsp_server import wording
from lsp_server.documents import Document
from lsp_server.markdown import Page, visible
from lsp_server.positions import Encoding, Lines, whole_line
from lsp_server.waiting import Wanted
from lsp_server.workspaces import KnownChronicle, uri_of
from sage_git.errors import ValidationError

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event

_LONGEST_LINE: Final = 1024 * 1024
_MOST: Final = 20_000
_ID: Final = re.compile(r"[0-9a-f]{64}")
_OWN: Final = re.compile(r'"eventId":"([0-9a-f]{64})"')
_PATH: Final = re.compile(r'"(?:filePath|newPath|resultPath)":"([^"\\]{1,4096})"')
_COMMIT: Final = re.compile(r'"graphCommit":"([0-9a-f]{40,64})"')
_KINDS: Final = {
    "FILE_ADDED": SymbolKind.File,
    "FILE_EDITED": SymbolKind.Event,
    "FILE_REMOVED": SymbolKind.Event,
    "ROGUE_EDIT_DETECTED": SymbolKind.Operator,
    "HALT_AND_REPORT": SymbolKind.Operator,
}


def event_in(line: str) -> Event | None:
    """The event that a line is, true or not; None if it is none."""
    if not line or len(line) > _LONGEST_LINE:
        return None
    from sage_git.chronicle.event import Event

    try:
        return Event.from_line(line.encode("utf-8", "surrogatepass"))
    except (ValidationError, ValueError):
        return None


def hover(
    document: Document, line: int, diff: str | None, page: Page, now: datetime, encoding: Encoding
) -> Hover | None:
    """What a line says, in words; `diff` is the change that it is about, as git prints it."""
    event = event_in(_text(document.lines, line))
    if event is None:
        return None
    page.heading(f"{wording.label(event)} · {wording.actor(_mapping(event.actor))}")
    page.line(f"{wording.ago(event.timestamp, now)} · {event.timestamp}")
    if why := wording.why(event):
        page.line(why)
    if isinstance(plan := event.get("planId"), str):
        page.line(f"plan {plan}")
    commit = f" · commit {wording.short(event.graph_commit)}" if event.graph_commit else ""
    page.line(f"event {wording.short(event.event_id)}{commit}")
    if diff:
        page.rule()
        page.code(diff.split("\n")[:40], "diff")
    return Hover(page.content(), whole_line(document.lines, line, encoding))


def id_at(document: Document, at: Position, encoding: Encoding) -> str | None:
    """The event id at a position, or the one of the line itself."""
    text = _text(document.lines, at.line)
    column = encoding.index(text, at.character)
    under = next((found.group() for found in _ID.finditer(text) if found.start() <= column <= found.end()), None)
    own = _OWN.search(text)
    return under or (own[1] if own else None)


def standing_of(lines: Lines, event_id: str) -> int | None:
    """The line of an event; None if it is not here."""
    wanted = f'"eventId":"{event_id}"'
    return next((number for number, text in enumerate(lines.texts) if wanted in text), None)


def definition(document: Document, at: Position, encoding: Encoding) -> list[Location]:
    """Where the event that is named at a position stands in this chronicle."""
    name = id_at(document, at, encoding)
    line = standing_of(document.lines, name) if name else None
    return [] if line is None else [Location(document.uri, whole_line(document.lines, line, encoding))]


def references(document: Document, at: Position, encoding: Encoding, *, with_own: bool) -> list[Location]:
    """Every place in this chronicle that names the event at a position."""
    name = id_at(document, at, encoding)
    if name is None:
        return []
    found = []
    for number, text in enumerate(document.lines.texts):
        for place in re.finditer(name, text) if name in text else ():
            is_own = text[: place.start()].endswith('"eventId":"')
            if with_own or not is_own:
                found.append(Location(document.uri, _range(text, number, place.span(), encoding)))
    return found


def links(
    document: Document, known: KnownChronicle, wanted: Wanted, *, encoding: Encoding, has_tips: bool
) -> Iterator[DocumentLink]:
    """The sources that lines name, as links to them. A path that leads out of the work tree is none."""
    if known.record is None:
        return
    root = known.record.root
    for number, text in enumerate(wanted.rows(document.lines.texts[:_MOST])):
        for found in _PATH.finditer(text) if len(text) <= _LONGEST_LINE else ():
            path = found[1]
            if not os.path.isabs(path) and ".." not in path.split("/") and path.isprintable():
                where = _range(text, number, found.span(1), encoding)
                yield DocumentLink(where, uri_of(root / path), visible(path) if has_tips else None)


def outline(document: Document, _: KnownChronicle, wanted: Wanted, *, encoding: Encoding) -> Iterator[DocumentSymbol]:
    """One entry for each event."""
    for number, text in enumerate(wanted.rows(document.lines.texts[:_MOST])):
        event = _parsed(text)
        if event is not None:
            where = whole_line(document.lines, number, encoding)
            kind = _KINDS.get(event.type, SymbolKind.Event)
            name = visible(f"{wording.label(event)} · {wording.actor(_mapping(event.actor))}", 120)
            yield DocumentSymbol(name, kind, where, where, visible(event.timestamp, 40))


def folding(document: Document, _: KnownChronicle, wanted: Wanted) -> Iterator[FoldingRange]:
    """The lines in a row that one commit made."""
    texts = wanted.rows(document.lines.texts[:_MOST])
    commits = [found[1] if (found := _COMMIT.search(text)) else None for text in texts]
    for commit, together in groupby(enumerate(commits), key=lambda each: each[1]):
        numbers = [number for number, _ in together]
        if commit is not None and len(numbers) > 1:
            yield FoldingRange(numbers[0], numbers[-1], kind=FoldingRangeKind.Region)


def _parsed(text: str) -> Event | None:
    """An event without a look at its profile: an outline need not be right about what is wrong."""
    if not text or len(text) > _LONGEST_LINE:
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in ("type", "timestamp")):
        return None
    from sage_git.chronicle.event import Event

    return Event.from_fields(fields)


def _mapping(actor: object) -> dict[str, Any]:
    return dict(actor) if hasattr(actor, "keys") else {}  # type: ignore[call-overload]


def _text(lines: Lines, number: int) -> str:
    return lines.texts[number] if 0 <= number < len(lines) else ""


def _range(text: str, line: int, span: tuple[int, int], encoding: Encoding) -> Range:
    start, end = (encoding.width(text[:at]) for at in span)
    return Range(Position(line, start), Position(line, end))
