"""`record`: what hooks start, and what a person may run to have everything recorded now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage_git.cli import render
from sage_git.cli.text import Span, Style
from sage_git.errors import SageError

if TYPE_CHECKING:
    from argparse import Namespace

    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.checkout import Checkout


def register(commands: Any) -> None:
    """Add `record`."""
    record = commands.add_parser(
        "record",
        description="record now what is not recorded yet",
        usage="sage-git record [OPTIONS]",
    )
    record.add_argument(
        "--complete", action="store_true", help="also adopt what was made elsewhere and no known log holds"
    )
    record.add_argument("--hook", action="store_true", help="say nothing unless something goes wrong (for hooks)")
    record.set_defaults(run=record_command)


def record_command(arguments: Namespace, surroundings: Surroundings) -> int:
    """Record; 0 if everything is recorded now, 1 if something had to wait."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.recording.record import RecordState, record

    if arguments.hook:
        return record_for_hooks(surroundings)
    with (
        Checkout.open(surroundings.cwd, surroundings.environment) as checkout,
        render.Progress(surroundings, "recording commits") as progress,
    ):
        checkout.known_identity()
        outcome = record(checkout, progress)
        adopted = _adopted(checkout) if arguments.complete else 0
    with render.screen(arguments, surroundings) as out:
        if outcome.state is RecordState.DISABLED:
            out.line("nothing is recorded until .sage/config.toml is committed")
            return 0
        out.line(_done(outcome.commits, outcome.events))
        if adopted:
            out.line(f"took {_many(adopted, 'event')} made elsewhere into this clone's log")
        for finding in outcome.findings:
            out.line(Span(f"  {finding.code}  ", Style.OPEN), finding.message)
        if outcome.deferred:
            count = len(outcome.deferred)
            out.line(Span(_many(count, "commit") + " had to wait", Style.OPEN), "; sage-git status says why")
    return 1 if outcome.deferred or outcome.findings else 0


def record_for_hooks(surroundings: Surroundings) -> int:
    """Record as long as hooks want it; says nothing, or in one line what went wrong."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.recording.recorder import record_while_wanted

    try:
        with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
            checkout.known_identity()
            record_while_wanted(checkout)
    except SageError as problem:
        render.complain(surroundings, "; ".join(filter(None, (str(problem), problem.remedy))).replace("\n", " "))
        return problem.exit_status
    return 0


def _adopted(checkout: Checkout) -> int:
    from sage_git.operations.recording.completing import adopt_everything

    return adopt_everything(checkout)


def _done(commits: int, events: int) -> str:
    if not commits and not events:
        return "everything was recorded already"
    return f"recorded {_many(commits, 'commit')}: {_many(events, 'event')}"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
