"""`log` and `show`: what they may be asked, and their answers as JSON or text."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sage_git.cli import render
from sage_git.cli.dates import DateStyle, date_option, parse_date
from sage_git.cli.text import Span, Style
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from sage_git.chronicle.ids import ObjectId
    from sage_git.cli.log_text import Layout
    from sage_git.cli.render import Screen
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.reading.before import PlainCommit
    from sage_git.operations.reading.history import Entry, Selection
    from sage_git.operations.reading.opening import Reading


def register(commands: Any) -> None:
    """Add `log` and `show`."""
    _register_log(commands)
    _register_show(commands)


def _register_log(commands: Any) -> None:
    log = commands.add_parser(
        "log",
        description="what happened to a source, or in the repository, newest first",
        usage="sage-git log [OPTIONS] [PATH]",
    )
    log.add_argument(
        "path", nargs="?", metavar="PATH", help="a source that is or was, a folder, a sidecar or a subject"
    )
    log.add_argument("-n", "--max-count", type=_count, metavar="N", help="at most N events, verdicts not counted")
    log.add_argument("--oneline", action="store_true", help="one line for each event")
    log.add_argument("--graph", action="store_true", help="draw how the events of PATH hang together")
    log.add_argument("--reverse", action="store_true", help="oldest first")
    log.add_argument("--unplanned", action="store_true", help="only edits that no plan covers and nobody answered for")
    log.add_argument(
        "--type", action="append", default=[], metavar="TYPE", help="only this type, as FILE_RENAMED or renamed"
    )
    log.add_argument("--actor", metavar="WORDS", help="only by whom or what these words name")
    log.add_argument("--plan", metavar="PLAN", help="only under this plan: its id, or the first digits of its hash")
    log.add_argument(
        "--since", "--after", metavar="DATE", help="only from then on: 2026-01-31, yesterday, '3 days ago'"
    )
    log.add_argument("--until", "--before", metavar="DATE", help="only up to then")
    log.add_argument("--all", action="store_true", help="also what happened outside HEAD's history")
    follow = log.add_mutually_exclusive_group()
    follow.add_argument(
        "--follow", action="store_true", default=True, help="through renames, splits and merges (the default)"
    )
    follow.add_argument("--no-follow", dest="follow", action="store_false", help="only what names PATH itself")
    date_option(log, DateStyle.RELATIVE)
    render.reading_options(log)
    log.set_defaults(run=log_command)


def _register_show(commands: Any) -> None:
    show = commands.add_parser(
        "show",
        description="one event, its verdicts, its place in the chain and its diff",
        usage="sage-git show [OPTIONS] EVENT…",
    )
    show.add_argument("events", nargs="+", metavar="EVENT", help="the first digits of an event's or commit's id")
    date_option(show, DateStyle.RELATIVE)
    render.reading_options(show)
    show.set_defaults(run=show_command)


def log_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show a history; 0."""
    from sage_git.operations.reading.history import limited
    from sage_git.operations.reading.opening import Follow

    _check_combination(arguments)
    selection = _selection(arguments, surroundings)
    with _reading(surroundings) as reading:
        source = reading.locate(surroundings.cwd, arguments.path) if arguments.path else None
        follow = Follow.RENAMES if arguments.follow else Follow.NAME
        entries, is_incomplete = reading.entries(selection, source, follow)
        entries = limited(entries, arguments.max_count)
        if arguments.reverse:
            entries = reversed(list(entries))
        with render.screen(arguments, surroundings, reading.configured_pager) as out:
            if arguments.json:
                _write_json(out, reading, entries, is_incomplete=is_incomplete)
                return 0
            from sage_git.cli.log_page import Page

            page = Page(reading, source, selection, layout(arguments, surroundings, out))
            out.lines(page.lines(entries, arguments))
            if is_incomplete:
                out.line(Span("incomplete: events are named as parents that are not here", Style.OPEN))
            if reading.is_stale:
                out.line(Span("incomplete: you may not write here, so this is what was recorded before", Style.OPEN))
            if reading.outcome.deferred:
                out.line(Span("incomplete: some commits had to wait; sage-git status says why", Style.OPEN))
    return 0


def show_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show events; 0."""
    from sage_git.cli import show_text
    from sage_git.operations.reading import explain

    with _reading(surroundings) as reading:
        found = [entry for name in arguments.events for entry in explain.find(reading.readings, name)]
        with render.screen(arguments, surroundings, reading.configured_pager) as out:
            titles = reading.titles(found) if not arguments.json else {}
            for position, entry in enumerate(found):
                explained = explain.explain(reading.readings, entry, reading.checkout)
                diff = explain.diff(reading.repository, entry.event)
                sidecar = reading.sidecars([entry])[entry.number]
                if arguments.json:
                    out.json(show_text.as_json(explained, sidecar, diff))
                    continue
                if position:
                    out.line("")
                out.lines(show_text.lines(explained, sidecar, diff, layout(arguments, surroundings, out, titles)))
    return 0


@contextmanager
def _reading(surroundings: Surroundings) -> Iterator[Reading]:
    """The record around the current directory; how far it is recorded is told if that takes long."""
    from sage_git.operations.reading.opening import Reading

    with (
        render.Progress(surroundings, "recording commits") as progress,
        Reading.open(surroundings.cwd, surroundings.environment, progress) as reading,
    ):
        progress.clear()
        yield reading


def layout(
    arguments: argparse.Namespace,
    surroundings: Surroundings,
    out: Screen,
    titles: Mapping[ObjectId, PlainCommit] | None = None,
) -> Layout:
    """The layout that fits the screen and the dates that were asked for."""
    from sage_git.cli.log_text import Layout

    return Layout(out.measure, out.limit, surroundings.now, DateStyle(arguments.date), titles or {})


def _write_json(out: Screen, reading: Reading, entries: Iterable[Entry], *, is_incomplete: bool) -> None:
    """The matched events of `entries`, one a line. One whose body was redacted is told of by what says why."""
    from sage_git.cli.log_page import portions

    more = {"incomplete": True} if is_incomplete else {}
    for portion in portions(entries):
        sidecars = reading.sidecars(portion)
        for entry in portion:
            for event in entry.events:
                if event.event_id in entry.matched and "redacted" not in event:
                    known = {
                        "chronicle": sidecars[entry.number],
                        "inHead": entry.in_head,
                        "open": event.event_id in entry.open_ids,
                    }
                    out.json({**event.fields, **known, **more})


def _selection(arguments: argparse.Namespace, surroundings: Surroundings) -> Selection:
    from sage_git.operations.reading.history import Selection

    since, until = (
        parse_date(words, surroundings.now) if words else None for words in (arguments.since, arguments.until)
    )
    return Selection(
        types=frozenset(name for word in arguments.type for name in _type_names(word)),
        actor=arguments.actor,
        plan=arguments.plan,
        since_ms=int(since.timestamp() * 1000) if since else None,
        until_ms=int(until.timestamp() * 1000) if until else None,
        only_open=arguments.unplanned,
        everywhere=arguments.all,
    )


def _type_names(word: str) -> list[str]:
    """The types that a person means: FILE_EDITED, file-edited, edited, edited,added."""
    names = [part.strip().upper().replace("-", "_") for part in word.split(",") if part.strip()]
    facts = ("ADDED", "EDITED", "REMOVED", "RENAMED", "SPLIT", "MERGED")
    return [f"FILE_{name}" if name in facts else name for name in names]


def _check_combination(arguments: argparse.Namespace) -> None:
    if arguments.graph and not arguments.path:
        raise UsageError("--graph draws the history of one source", remedy="sage-git log --graph PATH")
    if arguments.graph and (arguments.reverse or arguments.json):
        raise UsageError("--graph goes with neither --reverse nor --json")


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"'{word}' is not a number of events")
    return int(word)
