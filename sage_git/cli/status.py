"""`status`: the state of the record on one screen, or as one JSON object."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render, wording
from sage_git.cli.dates import DateStyle, parse_timestamp, show_date
from sage_git.cli.text import Line, Span, Style, cut, cut_path, escape, line_width, pad, span, width

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.exchange.relations import KnownPeer, Relations
    from sage_git.operations.reading.open_lines import OpenEdit
    from sage_git.operations.reading.status import Status

_FILES_SHOWN: Final = 10
_SHOWN: Final = 5


def register(commands: Any) -> None:
    """Add `status`."""
    status = commands.add_parser(
        "status",
        description="what is unplanned, halted or not recorded yet, and what to do next",
        usage="sage-git status [OPTIONS]",
    )
    render.reading_options(status)
    status.set_defaults(run=status_command)


def status_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show the state of the record; 0."""
    from sage_git.operations.exchange.relations import relations
    from sage_git.operations.reading.status import Detail, as_json, state_of

    detail = Detail.LINES if arguments.json else Detail.EDITS
    with render.Progress(surroundings, "recording commits") as progress:
        state = state_of(surroundings.cwd, surroundings.environment, detail, progress)
    known = relations(surroundings.cwd, surroundings.environment)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            out.json(as_json(state) | known.as_json())
        else:
            out.lines(lines(state, known, out.limit or out.measure, surroundings.now))
    return 0


def lines(state: Status, known: Relations, columns: int, now: datetime) -> Iterator[Line]:
    """One screen."""
    yield _recording(state)
    if state.repository:
        writer = f" · writer {state.writer[:16]}" if state.writer else ""
        yield [Span(f"repository {escape(state.repository[:16])}{writer}", Style.FAINT)]
    yield from _equivocations(known, columns)
    yield from _deferred(state, columns)
    yield from _halts(state, columns)
    yield from _plans(state, columns)
    yield from _peers(known, columns, now)
    yield from _unplanned(state, columns, now)
    if state.remedy:
        yield []
        yield [span(state.remedy)]


def _recording(state: Status) -> Line:
    at = f"at {wording.short(state.head)}" if state.head else "with no commit yet"
    on = f"on {state.branch} {at}" if state.branch else f"HEAD {at}"
    match state.recording.value:
        case "current":
            return [span(f"{on} · "), Span("everything is recorded", Style.ANSWERED)]
        case "behind":
            return [span(f"{on} · "), Span("not everything is recorded yet", Style.OPEN)]
        case _:
            return [span(f"{on} · "), Span("commits are not recorded as they are made", Style.OPEN)]


def _deferred(state: Status, columns: int) -> Iterator[Line]:
    """The commits that had to wait or could not be read, and what else was found wrong."""
    for heading, listed in (
        ("not recorded", [each for each in state.deferred if each.commit]),
        ("found", [each for each in state.deferred if not each.commit]),
    ):
        if not listed:
            continue
        yield []
        yield [Span(heading, Style.STRONG)]
        for each in listed[:_SHOWN]:
            lead = [Span(f"  {wording.short(each.commit)}", Style.COMMIT)] if each.commit else []
            yield [*lead, Span(cut(f"  {escape(each.message)}", columns - line_width(lead)))]
        yield from _more(len(listed) - _SHOWN, "sage-git status --json")


def _halts(state: Status, columns: int) -> Iterator[Line]:
    if not state.halts:
        return
    yield []
    yield [Span("halted", Style.OPEN)]
    for halt in state.halts[:_SHOWN]:
        said = f"{wording.statement(halt)}  {halt.subject or 'the repository'}"
        yield [
            Span("  "),
            span(wording.short(halt.event_id), Style.COMMIT),
            Span("  "),
            Span(cut(escape(said), columns - 12)),
        ]
    yield from _more(len(state.halts) - _SHOWN, "sage-git log --type HALT_AND_REPORT")


def _equivocations(known: Relations, columns: int) -> Iterator[Line]:
    """The writers who signed two logs: nothing else matters as much."""
    if not known.equivocations:
        return
    yield []
    yield [Span("signed two logs", Style.OPEN)]
    for writer, _ in known.equivocations[:_SHOWN]:
        lead = [Span("  "), span(writer[:16], Style.COMMIT)]
        said = "  what it signed since is not believed; .git/sage/equivocations has the proof"
        yield [*lead, Span(cut(said, columns - line_width(lead)))]
    yield from _more(len(known.equivocations) - _SHOWN, "sage-git status --json")


def _peers(known: Relations, columns: int, now: datetime) -> Iterator[Line]:
    """Whom logs are exchanged with, and when that last went well or why it did not."""
    if not known.peers:
        return
    yield []
    logs = f", {_many(known.others, 'log')} of others" if known.others else ""
    yield [Span("peers", Style.STRONG), Span(logs, Style.FAINT)]
    shown = known.peers[:_SHOWN]
    room = min(max(width(escape(peer.name)) for peer in shown), max(columns // 3, 12))
    for peer in shown:
        lead = [Span(f"  {pad(cut(escape(peer.name), room), room)}", Style.COMMIT)]
        is_well = peer.meeting is not None and peer.meeting.state == "current"
        words, style = _met(peer, now), Style.ANSWERED if is_well else Style.OPEN if peer.meeting else Style.FAINT
        yield [*lead, Span(cut(f"  {words}", columns - line_width(lead)), style)]
    yield from _more(len(known.peers) - _SHOWN, "sage-git peer list")


def _met(peer: KnownPeer, now: datetime) -> str:
    """How the last meeting went, in a few words."""
    meeting = peer.meeting
    if meeting is None:
        return "not met yet: sage-git sync"
    moment = datetime.fromtimestamp((meeting.reached_ms or meeting.at_ms) / 1000, UTC)
    when = show_date(moment, DateStyle.RELATIVE, now)
    new = f", {_many(peer.unsent, 'entry').replace('entrys', 'entries')} not sent" if peer.unsent else ""
    match meeting.state:
        case "current":
            return f"in step {when}{new}"
        case "refused":
            return f"{when}, some of it refused: {', '.join(meeting.refused) or escape(meeting.reason)}"
        case _:
            last = f" (last met {when})" if meeting.reached_ms is not None else ""
            return f"{meeting.state}{last}: {escape(meeting.reason)}"


def _plans(state: Status, columns: int) -> Iterator[Line]:
    """The plans that commits may name, the one in use first."""
    if not state.plans:
        return
    yield []
    yield [Span("plans in force", Style.STRONG)]
    plans = sorted(state.plans, key=lambda plan: not plan.is_in_use)
    remarks = ["unsafe" if plan.state == "unsafe" else "in use" if plan.is_in_use else "" for plan in plans[:_SHOWN]]
    room, beside = max(width(escape(plan.plan_id)) for plan in plans[:_SHOWN]), max(map(len, remarks))
    for plan, remark in zip(plans, remarks, strict=False):
        style = Style.OPEN if remark == "unsafe" else Style.ANSWERED
        lead = [Span(f"  {pad(escape(plan.plan_id), room)}", Style.COMMIT)]
        lead += [Span(f"  {pad(remark, beside)}", style)] if beside else []
        yield [*lead, Span(cut(f"  {escape(plan.summary)}", columns - line_width(lead)))]
    yield from _more(len(plans) - _SHOWN, "sage-git plan list")


def _unplanned(state: Status, columns: int, now: datetime) -> Iterator[Line]:
    from sage_git.operations.reading.open_lines import by_path

    yield []
    if not state.open_edits:
        yield [Span("nothing is unplanned", Style.ANSWERED)]
        return
    files = by_path(state.open_edits)
    yield [Span(f"unplanned: {_many(len(state.open_edits), 'edit')} in {_many(len(files), 'file')}", Style.OPEN)]
    rows = [_row(path, edits, now) for path, edits in files[:_FILES_SHOWN]]
    digits = max(width(count) for _, count, _ in rows)
    last = min(max(width(words) for _, _, words in rows), max(columns // 2, 20))
    room = min(max(width(path) for path, _, _ in rows), max(columns - digits - last - 6, 12))
    for path, count, words in rows:
        yield [
            Span(f"  {pad(cut_path(path, room), room)}  "),
            Span(f"{count:>{digits}}", Style.OPEN),
            Span(f"  {cut(words, last)}", Style.FAINT),
        ]
    yield from _more(len(files) - _FILES_SHOWN, "sage-git log --unplanned")


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _row(path: str, edits: list[OpenEdit], now: datetime) -> tuple[str, str, str]:
    """The path, how many edits, and when and by whom the last one was."""
    newest = edits[0].event
    when = show_date(parse_timestamp(newest.timestamp), DateStyle.RELATIVE, now)
    return escape(path), str(len(edits)), f"{when}, {escape(wording.actor(newest.actor))}"


def _more(count: int, command: str) -> Iterator[Line]:
    if count > 0:
        yield [Span(f"  and {count:,} more: {command}", Style.FAINT)]
