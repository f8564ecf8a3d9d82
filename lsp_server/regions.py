"""Regions of a buffer: lines in a row that came in together, where they stand now. Pure.

An edit inside a region leaves its untouched lines as regions of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server.documents import Document
from lsp_server.workspaces import Known

if TYPE_CHECKING:
    from sage_git.operations.reading.blame import Origin


@dataclass(frozen=True, slots=True)
class Placed:
    """Lines of a buffer, from 0, both ends inclusive. `answer_to`: the event that an answer names, if it is open."""

    first: int
    last: int
    origin: Origin
    answer_to: str | None = None


def regions(known: Known, document: Document) -> Iterator[Placed]:
    """Every region, from the top."""
    story = known.story
    first, current = 0, None
    at = known.placement(document).at
    for number, line in enumerate((*at, None)):
        origin = story.lines[line - 1].origin if line is not None and line <= len(story.lines) else None
        if origin is not current:
            if current is not None:
                edit = story.open_edit(current)
                yield Placed(first, number - 1, current, edit.event.event_id if edit else None)
            first, current = number, origin


def open_regions(known: Known, document: Document) -> Iterator[Placed]:
    """Those that nobody answered for."""
    return (placed for placed in regions(known, document) if placed.answer_to is not None)
