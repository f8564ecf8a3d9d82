"""`blame`: each line of a source with the edit that brought it in, as text and as JSON."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render, wording
from sage_git.cli.dates import DateStyle, date_option, parse_timestamp, show_date
from sage_git.cli.text import Line, Span, Style, cut, escape, pad, width
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.reading.blame import Blamed, BlamedLine, Origin, Range

_RANGE: Final = re.compile(r"(\d*)(?:,(\+|-)?(\d*))?")
_MOST_WHO: Final = 22
_MOST_AGENT: Final = 14
_MOST_STANDING: Final = 16


def register(commands: Any) -> None:
    """Add `blame`."""
    blame = commands.add_parser(
        "blame",
        description="who or what brought in each line of a source, and under which plan",
        usage="sage-git blame [OPTIONS] PATH [REV]",
    )
    blame.add_argument("path", metavar="PATH", help="a file, or its sidecar")
    blame.add_argument("revision", nargs="?", default="", metavar="REV", help="as it was in this commit; HEAD")
    blame.add_argument(
        "-L",
        dest="ranges",
        action="append",
        default=[],
        metavar="N,M",
        help="only lines N to M; N,+COUNT and N alone (to the end) as well; may be given again",
    )
    date_option(blame, DateStyle.SHORT)
    render.reading_options(blame)
    blame.set_defaults(run=blame_command)


def blame_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show where lines come from; 0."""
    from sage_git.operations.reading.blame import blame
    from sage_git.operations.reading.opening import Reading

    ranges = [parse_range(words) for words in arguments.ranges]
    with (
        render.Progress(surroundings, "recording commits") as progress,
        Reading.open(surroundings.cwd, surroundings.environment, progress) as reading,
    ):
        progress.clear()
        found = blame(reading, surroundings.cwd, arguments.path, arguments.revision, ranges)
        with render.screen(arguments, surroundings, reading.configured_pager) as out:
            if arguments.json:
                for line in found.lines:
                    out.json(as_json(line, found.agents.get(line.origin.commit, ())))
            else:
                out.lines(lines(found, DateStyle(arguments.date), surroundings.now))
            if not arguments.json and reading.outcome.deferred:
                out.line(Span("incomplete: some commits had to wait; sage-git status says why", Style.OPEN))
    return 0


def parse_range(words: str) -> Range:
    """The lines that `-L` means: `3,7`, `3,+5`, `3` (to the end), `,7`. Raises UsageError."""
    found = _RANGE.fullmatch(words)
    if found is None or not (found[1] or found[3]):
        raise UsageError(f"-L {words}: this is no range of lines", remedy="write -L 3,7 or -L 3,+5, counted from 1")
    first, last = int(found[1] or 1), int(found[3]) if found[3] else None
    if last is not None and found[2]:
        first, last = (first, first + last - 1) if found[2] == "+" else (max(first - last + 1, 1), first)
    if not first or last == 0:
        raise UsageError(f"-L {words}: lines are counted from 1", remedy="write -L 3,7 or -L 3,+5")
    return (last, first) if last is not None and last < first else (first, last)


def as_json(line: BlamedLine, agents: Sequence[str]) -> dict[str, Any]:
    """The object of SPEC 8.1."""
    origin, stands = line.origin, line.origin.stands
    known: dict[str, Any] = {"line": line.number, **_text(line.text)}
    if origin.fact is not None:
        known |= {"eventId": origin.fact.event_id, "type": origin.fact.type}
    known |= {"actor": dict(origin.actor), "timestamp": origin.timestamp, "commit": origin.commit}
    if agents:
        known["agents"] = list(agents)
    if stands.plan is not None:
        known |= {"planHash": stands.plan.plan_hash, "planId": stands.plan.plan_id}
    return known | {"rogue": stands.is_uncovered, "open": stands.is_uncovered and stands.is_open}


def _text(line: bytes) -> dict[str, str]:
    """A line as JSON can have it: what is not UTF-8 is percent-encoded, as in paths."""
    try:
        return {"text": line.decode("utf-8")}
    except UnicodeDecodeError:
        from sage_git.observation.commit import percent_encoded

        return {"text": percent_encoded(line), "textEncoding": "percent"}


def lines(blamed: Blamed, dates: DateStyle, now: datetime) -> Iterator[Line]:
    """For people: id, who, when, how it stands, number, text. The text is never cut."""
    origins = {id(line.origin): line.origin for line in blamed.lines}
    columns = {
        key: _columns(origin, blamed.agents.get(origin.commit, ()), dates, now) for key, origin in origins.items()
    }
    widths = [max((piece.width for piece in pieces), default=0) for pieces in zip(*columns.values(), strict=True)]
    padded = {key: _aligned(pieces, widths) for key, pieces in columns.items()}
    digits = len(str(blamed.lines[-1].number)) if blamed.lines else 1
    for line in blamed.lines:
        number = Span(f"{line.number:>{digits}}  ", Style.FAINT)
        yield [*padded[id(line.origin)], number, Span(_shown(line.text))]


def _columns(origin: Origin, agents: Sequence[str], dates: DateStyle, now: datetime) -> list[Span]:
    """What stands before a line's number."""
    fact = origin.fact
    identifier = (
        Span(wording.short(fact.event_id), Style.COMMIT)
        if fact is not None
        else Span(f"^{wording.short(origin.commit)[:-1]}", Style.FAINT)
    )
    actor = {**origin.actor, "agent": agents[0]} if agents else origin.actor
    who = Span(_who(actor), Style.MOVED)
    when = Span(show_date(parse_timestamp(origin.timestamp), dates, now), Style.FAINT)
    return [identifier, who, when, _standing(origin)]


def _who(actor: Mapping[str, Any]) -> str:
    """The person and the agent; the name gives way first."""
    whole = escape(wording.actor(actor))
    if width(whole) <= _MOST_WHO or ", " not in whole:
        return cut(whole, _MOST_WHO)
    name, _, agent = whole.rpartition(", ")
    agent = cut(agent, _MOST_AGENT)
    return f"{cut(name, _MOST_WHO - 2 - width(agent))}, {agent}"


def _standing(origin: Origin) -> Span:
    stands = origin.stands
    if stands.is_uncovered:
        return Span("unplanned", Style.OPEN) if stands.is_open else Span("answered", Style.ANSWERED)
    return Span(cut(escape(stands.plan.plan_id if stands.plan else ""), _MOST_STANDING))


def _aligned(pieces: Sequence[Span], widths: Sequence[int]) -> list[Span]:
    return [
        Span(pad(piece.text, columns + 2 if columns else 0), piece.style)
        for piece, columns in zip(pieces, widths, strict=True)
    ]


def _shown(text: bytes) -> str:
    """A line of a file, escaped, tabs as blanks, so that columns are what they seem."""
    return escape(text.decode("utf-8", "backslashreplace").removesuffix("\r").expandtabs(8))
