"""Code lenses: one above a file that says what its chronicle has, and one above each region nobody answered for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lsprotocol.types import CodeLens, Command, Position, Range

from lsp_server import wording
from lsp_server.documents import Document
from lsp_server.markdown import visible
from lsp_server.regions import Placed, open_regions
from lsp_server.workspaces import Known


def lenses(known: Known, document: Document, now: datetime) -> Iterator[CodeLens]:
    """The lenses of a source."""
    if known.story.events:
        yield CodeLens(_at(0), _history(known, document.uri, now))
    for placed in open_regions(known, document):
        yield CodeLens(_at(placed.first), _answer(known, document.uri, placed, now))


def _history(known: Known, uri: str, now: datetime) -> Command:
    story = known.story
    parts = [wording.many(story.events, "event")]
    if story.newest is not None:
        parts.append(f"{wording.actor(story.newest.actor)}, {wording.ago(story.newest.timestamp, now)}")
    if story.open_edits:
        parts.append(f"{len(story.open_edits):,} unplanned{'' if story.knows_all else ' in its lines'}")
    if story.halts:
        parts.append("halted")
    return Command(visible(" · ".join(parts)), "sage.history", arguments=[{"uri": uri}])


def _answer(known: Known, uri: str, placed: Placed, now: datetime) -> Command:
    origin = placed.origin
    agents = known.story.agents.get(origin.commit, ())
    said = f"unplanned · {wording.actor(origin.actor, agents)}, {wording.ago(origin.timestamp, now)} · answer for it"
    return Command(visible(said), "sage.reconcile", arguments=[{"uri": uri, "eventId": placed.answer_to}])


def _at(line: int) -> Range:
    return Range(Position(line, 0), Position(line, 0))
