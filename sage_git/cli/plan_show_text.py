"""One plan whole: what it says, its life, and what it covered. Not here: working that out (`operations.planning`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.cli import wording
from sage_git.cli.dates import DateStyle, parse_timestamp, show_date
from sage_git.cli.plans_text import STATE_STYLES, content, steps
from sage_git.cli.text import Line, Span, Style, cut, cut_path, escape, pad, span, width

if TYPE_CHECKING:
    from datetime import datetime

    from sage_git.chronicle.event import Event
    from sage_git.judgement.plan import Plan
    from sage_git.operations.planning.covered import Covered, Touched
    from sage_git.operations.planning.known import KnownPlans

_FILES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """What `plan show` tells of a plan."""

    known: KnownPlans
    plan: Plan
    covered: Covered
    chosen: str | None
    now: datetime


def whole(shown: Shown, columns: int) -> Iterator[Line]:
    """Everything about one plan."""
    plan, state = shown.plan, shown.known.state(shown.plan).value
    use = ", in use here" if plan.plan_id == shown.chosen else ""
    yield [Span("plan "), span(plan.plan_id, Style.STRONG), Span("  "), Span(state, STATE_STYLES[state]), Span(use)]
    yield from content(plan)
    yield from steps(plan)
    yield [Span(f"  hash     {plan.plan_hash}", Style.FAINT)]
    yield []
    yield [Span("life", Style.STRONG)]
    dates = [show_date(parse_timestamp(each.timestamp), DateStyle.RELATIVE, shown.now) for each in plan.events]
    room = max(map(len, dates))
    in_vain: set[str | None] = {life.approval for life in plan.lives if not life.counts}
    in_vain |= {each.event_id for each in plan.events if each.type == "PLAN_DENIED" and each not in plan.closings}
    for event, date in zip(plan.events, dates, strict=True):
        said = ("not counted: " if event.event_id in in_vain else "") + _life(event)
        words = cut(escape(said), max(columns - room - 14, 12))
        yield [
            Span(f"  {pad(date, room)}  ", Style.FAINT),
            span(wording.short(event.event_id), Style.COMMIT),
            Span(f"  {words}"),
        ]
    yield []
    yield from _covered(shown.covered, columns)


def _covered(covered: Covered, columns: int) -> Iterator[Line]:
    if not covered.commits:
        yield [Span("no commit in HEAD's history is under it")]
    else:
        yield [Span(f"{_many(covered.commits, 'commit')} in HEAD's history", Style.STRONG)]
    if covered.touched:
        yield [Span("  declared and touched", Style.ANSWERED)]
        yield from _files(covered.touched, columns)
    if covered.undeclared:
        yield [Span("  touched and undeclared", Style.OPEN)]
        yield from _files(covered.undeclared, columns)
    if covered.untouched:
        yield [Span("  declared and untouched", Style.FAINT)]
        for path in covered.untouched[:_FILES_SHOWN]:
            yield [Span(f"    {cut_path(escape(path), columns - 4)}")]
        yield from _more(len(covered.untouched) - _FILES_SHOWN)


def _files(files: Sequence[Touched], columns: int) -> Iterator[Line]:
    told = files[:_FILES_SHOWN]
    room = min(max(width(escape(each.path)) for each in told), max(columns - 28, 12))
    for each in told:
        path = pad(cut_path(escape(each.path), room), room)
        left_open = "" if not each.open else "  unplanned" if each.open == each.edits else f"  {each.open:,} unplanned"
        yield [Span(f"    {path}  {_many(each.edits, 'change')}"), Span(left_open, Style.OPEN)]
    yield from _more(len(files) - _FILES_SHOWN)


def _more(count: int) -> Iterator[Line]:
    if count > 0:
        yield [Span(f"    and {count:,} more: --json has them all", Style.FAINT)]


def _life(event: Event) -> str:
    """What somebody did to a plan, in words; not escaped."""
    who = _name(str(event.get("reviewerId") or event.get("forcedBy") or event.actor.get("id", "somebody")))
    why = event.get("justification") or event.get("reason") or ""
    match event.type:
        case "PLAN_DRAFTED":
            said = f"drafted by {wording.actor(event.actor)}"
        case "PLAN_UNSAFE":
            said = f"forced by {who} past: {'; '.join(map(str, event['overriddenWarnings'])) or 'nothing'}"
        case "PLAN_APPROVED":
            said = f"approved by {who}"
        case "PLAN_DENIED":
            said = f"denied by {who}"
        case _:
            said = f"done, says {who}"
    return f"{said}: {why}" if why else said


def _name(identity: str) -> str:
    return identity.partition(" <")[0].strip() or identity


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
