"""`reconcile`: answering for unplanned edits and halts, and saying what is still open."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render, wording
from sage_git.cli.dates import DateStyle, parse_timestamp, show_date
from sage_git.cli.saying import decision_options, voice
from sage_git.cli.text import Line, Span, Style, cut_path, escape, pad, span, width
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.reading.open_lines import OpenEdit
    from sage_git.operations.statements.reconciling import Answer, Questions

_SHOWN: Final = 20


def register(commands: Any) -> None:
    """Add `reconcile`."""
    reconcile = commands.add_parser(
        "reconcile",
        description="answer for unplanned edits: somebody has looked at them, and says why they may stay",
        usage="sage-git reconcile [OPTIONS] [PATH|EVENT …] -m WHY",
    )
    what = "a source, a folder, or the first digits of an event, a commit or a halt; without any, all open edits"
    reconcile.add_argument("words", nargs="*", metavar="PATH|EVENT", help=what)
    reconcile.add_argument(
        "-m", "--message", required=True, metavar="WHY", help="why they may stay; it is a statement that stays"
    )
    reconcile.add_argument("--all", "--yes", action="store_true", help="answer for all open edits without asking")
    decision_options(reconcile)
    render.reading_options(reconcile)
    reconcile.set_defaults(run=reconcile_command)


def reconcile_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Answer for what is open; 0, or 1 if what was answered for is open all the same."""
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.reading.status import open_edits
    from sage_git.operations.statements import reconciling

    why = arguments.message.strip()
    if not why:
        raise UsageError(
            "reconcile: -m says nothing", remedy="say why the edits may stay; it is a statement that stays"
        )
    if arguments.words and arguments.all:
        raise UsageError("reconcile: --all and a PATH or EVENT contradict each other", remedy="give one of them")
    with (
        render.Progress(surroundings, "recording commits") as progress,
        Reading.open(surroundings.cwd, surroundings.environment, progress) as reading,
    ):
        if arguments.words:
            questions = reconciling.named(reading, surroundings.cwd, arguments.words)
        else:
            questions = reconciling.everything(reading)
            if questions.edits and not arguments.all:
                _confirm(questions.edits, arguments, surroundings)
        answers = reconciling.reconcile(reading, questions, why, voice(reading.repository, arguments, surroundings))
        left = open_edits(Reading(reading.checkout, reading.outcome).readings)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            for answer in answers:
                out.raw_json(answer.event.line)
        else:
            out.lines(_answered(answers, questions, left, out.limit or out.measure))
    in_vain = {edit.fact.event_id for edit in left} & {edit.fact.event_id for edit in questions.edits}
    return 1 if in_vain else 0


def _confirm(edits: Sequence[OpenEdit], arguments: argparse.Namespace, surroundings: Surroundings) -> None:
    """Show what would be answered for and ask. Raises UsageError if the answer is not yes, or nobody could give one."""
    name = f"{len(edits):,} open edit{'' if len(edits) == 1 else 's'}"
    if arguments.json or not (surroundings.output_is_terminal and surroundings.errors_are_terminal):
        remedy = "name a PATH or EVENT, or answer for all of them with --all; sage-git status shows them"
        raise UsageError(f"reconcile: nobody is here to confirm answering for {name}", remedy=remedy)
    with render.screen(arguments, surroundings) as out:
        out.lines(_rows(edits, surroundings.now, out.measure))
    surroundings.errors.write(f"Answer for {name}? [y/N] ".encode())
    surroundings.errors.flush()
    if surroundings.input.readline().strip().lower() not in (b"y", b"yes"):
        raise UsageError("nothing was answered for", remedy="name a PATH or EVENT to answer for some of them")


def _rows(edits: Sequence[OpenEdit], now: datetime, columns: int) -> Iterator[Line]:
    """A line for each open edit: its id, its source, whose it is, and when."""
    told = edits[:_SHOWN]
    ends = [
        f"{wording.actor(edit.fact.actor)}, {show_date(parse_timestamp(edit.fact.timestamp), DateStyle.RELATIVE, now)}"
        for edit in told
    ]
    room = max(12, min(max(width(escape(edit.path)) for edit in told), columns - 14 - max(map(width, ends))))
    for edit, end in zip(told, ends, strict=True):
        path = pad(cut_path(escape(edit.path), room), room)
        yield [
            Span("  "),
            span(wording.short(edit.event.event_id), Style.COMMIT),
            Span(f"  {path}  "),
            span(end, Style.FAINT),
        ]
    if len(edits) > _SHOWN:
        yield [Span(f"  and {len(edits) - _SHOWN:,} more", Style.FAINT)]


def _answered(
    answers: Sequence[Answer], questions: Questions, left: Sequence[OpenEdit], columns: int
) -> Iterator[Line]:
    """What was answered for, and what is open still."""
    if questions.are_none and left:
        yield [Span("nothing of that is open, so there is nothing to answer for")]
    open_still = {edit.fact.event_id for edit in left}
    for answer in answers:
        path = cut_path(escape(answer.path), max(columns - 40, 12))
        in_vain = any(edit.fact.event_id in open_still for edit in answer.edits)
        if answer.edits:
            said = Span("not counted for " if in_vain else "answered for ", Style.OPEN if in_vain else Style.ANSWERED)
            what = f"{_many(len(answer.edits), 'edit')} of {path}"
        else:
            said, what = Span("lifted ", Style.ANSWERED), f"the halt of {path}"
        yield [said, Span(f"{what}  "), span(wording.short(answer.event.event_id), Style.FAINT)]
        if in_vain:
            yield [Span("  the policy wants it signed by a key in .sage/allowed_signers: --sign")]
    if answers or left:
        yield []
    if not left:
        yield [Span("nothing is unplanned", Style.ANSWERED)]
        return
    files = len({edit.path for edit in left})
    yield [Span(f"unplanned still: {_many(len(left), 'edit')} in {_many(files, 'file')}", Style.OPEN)]
    yield [Span("sage-git status shows them")]


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
