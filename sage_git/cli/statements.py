"""`append`, `note`, `redact` and `fsck`: what a person says, takes back, and looks after."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render
from sage_git.cli.saying import actor, actor_option, answer, answer_option, clock_ms
from sage_git.cli.signing import signing_options, wish
from sage_git.cli.text import Span, Style, span
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sage_git.cli.render import Screen
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.checking.flaws import Flaw, Report
    from sage_git.operations.checkout import Checkout

_SHOWN: Final = 200


def register(commands: Any) -> None:
    """Add `append`, `note`, `redact` and `fsck`."""
    from sage_git.cli import notes

    append = commands.add_parser(
        "append",
        description="append a statement, given as JSON, to a chronicle",
        usage="sage-git append [OPTIONS] CHRONICLE",
    )
    append.add_argument("chronicle", metavar="CHRONICLE", help="a sidecar, as src/foo.py.sage or .sage/builds.sage")
    append.add_argument("--event", metavar="JSON", help="the event; without it, standard input is read")
    append.add_argument("--no-id", action="store_true", help="keep its eventId, or the lack of one, as it is")
    append.add_argument("--private", action="store_true", help="never let it leave this clone")
    signing_options(append)
    answer_option(append)
    append.set_defaults(run=append_command)

    notes.register(commands)

    redact = commands.add_parser(
        "redact",
        description="drop the body of an event for good; its id and the reason stay",
        usage="sage-git redact [OPTIONS] EVENT -m WHY",
    )
    redact.add_argument("event", metavar="EVENT", help="an event's id, or its first digits")
    redact.add_argument("-m", "--message", required=True, metavar="WHY", help="why; it is a statement that stays")
    actor_option(redact)
    answer_option(redact)
    redact.set_defaults(run=redact_command)

    fsck = commands.add_parser(
        "fsck",
        description="compare log, store, index and sidecars with one another, and mend them",
        usage="sage-git fsck [OPTIONS]",
    )
    fsck.add_argument("--repair", action="store_true", help="mend what can be mended; nothing that was said is lost")
    fsck.add_argument("--json", action="store_true", help="the same as JSON, as docs/cli.md tells")
    fsck.set_defaults(run=fsck_command)


def append_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Append what JSON says; 0."""
    if arguments.no_id and (arguments.sign or arguments.key):
        raise UsageError("--no-id keeps an event as it is, and a signature would change it")
    from sage_git.chronicle.canonical import parse_json
    from sage_git.errors import ValidationError
    from sage_git.operations.statements.appending import append

    text = arguments.event.encode("utf-8", "surrogateescape") if arguments.event else surroundings.standard_input()
    try:
        given = parse_json(text.strip())
    except ValidationError as problem:
        raise ValidationError(*problem.details, remedy="give one event as a JSON object") from None
    if not isinstance(given, dict):
        raise UsageError(
            "the event is no JSON object", remedy='as in {"type": "AGENT_ACTION", "actor": …, "action": …}'
        )
    event = append(
        surroundings.cwd / arguments.chronicle,
        given,
        environment=surroundings.environment,
        clock_ms=clock_ms(surroundings),
        compute_id=not arguments.no_id,
        wish=None if arguments.no_id else wish(arguments, surroundings),
        private=arguments.private,
    )
    answer(event, arguments, surroundings)
    return 0


def redact_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Drop a body; 0."""
    from sage_git.chronicle.ids import is_hex
    from sage_git.operations.reading import explain
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.statements.redaction import redact

    with Reading.open(surroundings.cwd, surroundings.environment) as reading:
        found = explain.find(reading.readings, arguments.event)
        identifier = found[0].event.event_id
        if len(found) > 1 or identifier is None or not identifier.startswith(arguments.event.strip().lower()):
            remedy = f"sage-git show {arguments.event} lists its events"
            raise UsageError(f"'{arguments.event}' is a commit, not an event", remedy=remedy)
        assert is_hex(identifier, 64)
        who = actor(reading.repository, arguments, surroundings)
        index = reading.checkout.index
        others = [] if index.events.entry(identifier) is not None else index.writers.holders(identifier)
        said = redact(reading.checkout, identifier, arguments.message, who, clock_ms(surroundings))
    answer(said, arguments, surroundings)
    if others:
        what = f"the body is gone here only: it is in the log of writer {others[0][0][:16]}"
        render.complain(surroundings, what, "for it to go everywhere, redact it in that clone")
    return 0


def fsck_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Look at everything, mend it if asked to; 1 if something is not as it should be."""
    from sage_git.operations.checkout import Checkout

    with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
        report, mended = _inspected(checkout, repairs=arguments.repair)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            out.json(report.as_json())
        else:
            _show(out, report, mended)
    return 0 if report.is_clean else 1


def _inspected(checkout: Checkout, *, repairs: bool) -> tuple[Report, Iterable[Flaw]]:
    """What is wrong now, and what was and is not any more."""
    from sage_git.operations.checking.fsck import inspect

    before = inspect(checkout)
    if not repairs or before.is_clean:
        return before, ()
    from sage_git.operations.checking.repair import repair

    after = repair(checkout)
    left = {(flaw.code, flaw.path, flaw.event_id) for flaw in after.flaws}
    return after, [flaw for flaw in before.flaws if (flaw.code, flaw.path, flaw.event_id) not in left]


def _show(out: Screen, report: Report, mended: Iterable[Flaw]) -> None:
    fixed = list(mended)
    for flaw in fixed[:_SHOWN]:
        out.lines(_lines(flaw, Span("mended   ", Style.ANSWERED)))
    for flaw in report.flaws[:_SHOWN]:
        out.lines(_lines(flaw, Span(f"{flaw.severity.value:<9}", _STYLES[flaw.severity.value])))
    more = max(0, len(report.flaws) - _SHOWN) + max(0, len(fixed) - _SHOWN)
    if more:
        out.line(f"… and {more:,} more; --json lists all of them")
    if report.is_clean:
        out.line(Span("everything agrees: ", Style.ANSWERED), _counts(report.checked))
        return
    remedies = dict.fromkeys(flaw.remedy for flaw in report.flaws if flaw.severity.value != "note")
    out.line("")
    for remedy in remedies:
        out.line(remedy)


_STYLES: Final = {"error": Style.OPEN, "warning": Style.COMMIT, "note": Style.FAINT}


def _lines(flaw: Flaw, word: Span) -> Iterable[list[Span]]:
    """Where, then what, so that both are whole at 80 columns."""
    import textwrap

    place = f"{flaw.path}:{flaw.line}" if flaw.path and flaw.line is not None else flaw.path or ""
    yield [word, span(place, Style.STRONG), Span("  " if place else ""), Span(flaw.code, Style.FAINT)]
    for part in textwrap.wrap(flaw.message, 70) or [""]:
        yield [Span(" " * 9), span(part)]


def _counts(checked: Mapping[str, int]) -> str:
    words = (f"{count:,} {name if count != 1 else name.removesuffix('s')}" for name, count in checked.items())
    return ", ".join(words)
