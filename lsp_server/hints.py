"""Inlay hints at the end of a region's first line with text, where there is something to say: unplanned, or recent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lsprotocol.types import InlayHint, Position

from lsp_server import wording
from lsp_server.documents import Document
from lsp_server.markdown import visible
from lsp_server.positions import Encoding
from lsp_server.regions import Placed, regions
from lsp_server.workspaces import Known

if TYPE_CHECKING:
    from sage_git.operations.reading.blame import Origin

_MOST: Final = 43
"""Characters: VS Code shows no more of a hint, unless it was told to."""


def hints(
    known: Known, document: Document, within: tuple[int, int], days: int, now: datetime, encoding: Encoding
) -> Iterator[InlayHint]:
    """The hints of regions that begin in the lines `within`, both inclusive."""
    for placed in regions(known, document):
        line = _first_with_text(document, placed)
        if line is not None and within[0] <= line <= within[1] and (said := _said(placed, days, now)):
            end = encoding.width(document.lines.texts[line])
            yield InlayHint(Position(line, end), visible(said), padding_left=True)


def _first_with_text(document: Document, placed: Placed) -> int | None:
    lines = range(placed.first, placed.last + 1)
    return next((line for line in lines if document.lines.texts[line].strip()), None)


def _said(placed: Placed, days: int, now: datetime) -> str:
    origin = placed.origin
    if origin.fact is None:  # from before the record, of which nothing else is known
        return ""
    match wording.standing(origin):
        case "unplanned" if placed.answer_to is not None:
            lead = "unplanned"
        case "planned" if origin.stands.plan is not None and _is_recent(origin.timestamp, days, now):
            lead = origin.stands.plan.plan_id
        case _ if _is_recent(origin.timestamp, days, now):
            lead = ""
        case _:
            return ""
    when = wording.ago(origin.timestamp, now)
    said = [f"{lead} · {who}, {when}" if lead else f"{who}, {when}" for who in _names(origin)]
    return next((each for each in said if len(each) <= _MOST), said[-1])


def _names(origin: Origin) -> tuple[str, str]:
    """Who did it: with their tool, and alone."""
    return wording.actor(origin.actor), wording.actor({**origin.actor, "agent": "git"})


def _is_recent(timestamp: str, days: int, now: datetime) -> bool:
    then = wording.instant(timestamp)
    return days > 0 and then is not None and timedelta(0) <= now - then <= timedelta(days=days)
