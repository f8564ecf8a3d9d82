"""What is behind a line of a source: who, when, under which plan, why, and what else to know. Pure.

Not here: lines of sidecars (`chronicle_reading`).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lsprotocol.types import Hover

from lsp_server import wording
from lsp_server.documents import Document
from lsp_server.markdown import Page
from lsp_server.positions import Encoding, whole_line
from lsp_server.workspaces import Known

if TYPE_CHECKING:
    from sage_git.operations.reading.blame import Origin


def origin_at(known: Known, document: Document, line: int) -> Origin | None:
    """The edit that a line of the buffer came in with; None for a line that HEAD has not so."""
    at = known.placement(document).at
    number = at[line] if 0 <= line < len(at) else None
    return known.story.lines[number - 1].origin if number is not None and number <= len(known.story.lines) else None


def hover(known: Known, document: Document, line: int, page: Page, now: datetime, encoding: Encoding) -> Hover | None:
    """What to show at a line; None where there is nothing true to say."""
    origin = origin_at(known, document, line)
    if origin is None:
        return None
    agents = known.story.agents.get(origin.commit, ())
    title = known.story.title(origin)
    page.heading(title or wording.short(origin.commit))
    page.line(
        f"{wording.actor(origin.actor, agents)} · {wording.ago(origin.timestamp, now)} · {_day(origin.timestamp)}"
    )
    page.line(_standing(origin))
    page.line(_event(origin))
    if known.story.halts:
        page.line(f"halted: {wording.why(known.story.halts[0])}")
    return Hover(page.content(), whole_line(document.lines, line, encoding))


def summary(known: Known, origin: Origin, now: datetime) -> str:
    """The same in one line, not escaped."""
    agents = known.story.agents.get(origin.commit, ())
    parts = [wording.actor(origin.actor, agents), wording.ago(origin.timestamp, now), known.story.title(origin)]
    return " · ".join(filter(None, parts))


def _standing(origin: Origin) -> str:
    plan = origin.stands.plan
    match wording.standing(origin):
        case "unplanned":
            return "unplanned: no approved plan covers it, and nobody has answered for it"
        case "answered":
            return "unplanned, and answered for"
        case "planned" if plan is not None:
            return f"plan {plan.plan_id}: {plan.summary}" if plan.summary else f"plan {plan.plan_id}"
    return "from before the record" if origin.fact is None else "needs no plan"


def _event(origin: Origin) -> str:
    commit = f"commit {wording.short(origin.commit)}"
    if origin.fact is None:
        return commit
    return f"{wording.label(origin.fact)} · event {wording.short(origin.fact.event_id)} · {commit}"


def _day(timestamp: str) -> str:
    found = wording.instant(timestamp)
    return found.strftime("%Y-%m-%d %H:%M %Z").strip() if found else ""
