"""`sync`: exchange logs with peers, once or as long as it runs; and `publish`, which the pre-push hook runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render
from sage_git.cli.text import Line, Span, Style, span
from sage_git.errors import SageError, UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.exchange.outcomes import Outcome

_STYLES: Final = {
    "current": Style.ANSWERED,
    "refused": Style.OPEN,
    "unreachable": Style.COMMIT,
    "behind": Style.COMMIT,
}
_UNREACHABLE_STATUS: Final = 4


def register(commands: Any) -> None:
    """Add `sync` and `publish`."""
    sync = commands.add_parser(
        "sync",
        description="exchange logs with peers: take what is new and true, give what may be seen",
        usage="sage-git sync [OPTIONS] [PEER…]",
    )
    sync.add_argument(
        "peers", nargs="*", metavar="PEER", help="a peer's or remote's name, a path or a URL; else all that are kept"
    )
    sync.add_argument("--bundle", metavar="FILE", help="take what the file has, then write all that is known into it")
    sync.add_argument("--fetch-only", action="store_true", help="take, and give nothing")
    sync.add_argument("--lan", action="store_true", help="meet those in the local network whose keys are allowed here")
    sync.add_argument("--watch", action="store_true", help="go on until interrupted")
    render.reading_options(sync)
    sync.set_defaults(run=sync_command)

    publish = commands.add_parser(
        "publish",
        description="publish this clone's log to the remote that is pushed to (for the pre-push hook)",
        usage="sage-git publish --hook REMOTE URL",
    )
    publish.add_argument("--hook", nargs=2, metavar=("REMOTE", "URL"), required=True, help="what git tells the hook")
    publish.set_defaults(run=publish_command)


def sync_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Exchange logs; 0 if all is well, 1 if something was refused or not taken, 4 if nobody could be reached."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.exchange.sync import Direction, Search, sync, targets_of

    if arguments.watch and arguments.bundle:
        raise UsageError("--watch and --bundle do not go together")
    bundles = _bundles(arguments, surroundings.cwd)
    names = [_placed(name, surroundings.cwd) for name in arguments.peers]
    direction = Direction.IN if arguments.fetch_only else Direction.BOTH
    with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
        if arguments.watch:
            return _watch(arguments, surroundings, checkout)
        where = Search.NEARBY if arguments.lan else Search.KEPT
        targets = targets_of(checkout, names, bundles, where)
        with render.Progress(surroundings, "recording commits") as progress:
            outcomes = sync(checkout, targets, direction, progress)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            for outcome in outcomes:
                out.json(outcome.as_json())
        else:
            out.lines(lines(outcomes) if outcomes else _nobody(arguments))
    return _status(outcomes)


def _bundles(arguments: argparse.Namespace, cwd: Path) -> dict[str, Path]:
    """The bundle file, by the name that the user gave it. Raises UsageError if it cannot be one."""
    name = arguments.bundle
    if name is None:
        return {}
    path = Path(os.path.normpath(cwd / name))
    if path.is_dir():
        raise UsageError(f"{name} is a folder", remedy="name a file in it, as project.bundle")
    if arguments.fetch_only and not path.exists():
        raise UsageError(f"there is no {name} to take from", remedy="without --fetch-only it is written")
    return {name: path}


def _placed(name: str, cwd: Path) -> str:
    """A path where the user stands, whatever is elsewhere; any other name as it is."""
    is_path = name.startswith(("/", "./", "../")) or ("/" in name and (cwd / name).exists()) or name in (".", "..")
    return os.path.normpath(cwd / name) if is_path else name


def _watch(arguments: argparse.Namespace, surroundings: Surroundings, checkout: Any) -> int:
    from sage_git.operations.exchange.sync import Direction, Search
    from sage_git.operations.exchange.watch import watch

    where = Search.NEARBY if arguments.lan else Search.KEPT
    direction = Direction.IN if arguments.fetch_only else Direction.BOTH
    names = [_placed(name, surroundings.cwd) for name in arguments.peers]
    with render.screen(arguments, surroundings, pager=None) as out:
        for event in watch(checkout, names, direction, where):
            if arguments.json:
                for outcome in event.outcomes:
                    out.json(outcome.as_json())
            else:
                out.lines(lines(event.outcomes) if event.outcomes else ())
                if event.is_caught_up:
                    out.line(Span("caught up with every peer", Style.ANSWERED))
            out.flush()
    return 0


def publish_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Publish to the remote; 0 in any case, since a push is never to fail over it. A fault is one line."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.exchange.publishing import publish_to

    remote, url = arguments.hook
    try:
        with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
            problem = publish_to(checkout, remote, url, surroundings.standard_input())
    except SageError as fault:
        problem = "; ".join(filter(None, (str(fault), fault.remedy)))
    if problem:
        render.complain(surroundings, f"the log is not published: {problem}".replace("\n", " "))
    return 0


def lines(outcomes: Iterable[Outcome]) -> Iterator[Line]:
    """One line a peer, and one for each thing that was refused."""
    listed = list(outcomes)
    longest = max((len(each.peer) for each in listed), default=0)
    for outcome in listed:
        yield [
            span(outcome.peer.ljust(longest), Style.STRONG),
            Span("  "),
            Span(outcome.state.value, _STYLES[outcome.state.value]),
            Span(f"  {_moved(outcome)}"),
        ]
        if outcome.reason:
            yield [Span("  "), span(outcome.reason)]
        if outcome.remedy:
            yield [Span("  → ", Style.FAINT), span(outcome.remedy, Style.FAINT)]
        for refusal in outcome.refused:
            yield [Span(f"  {refusal.code}", Style.OPEN), Span(f"  writer {refusal.writer[:12]}  ", Style.FAINT)]
            yield [Span("    "), span(refusal.reason)]


def _nobody(arguments: argparse.Namespace) -> Iterator[Line]:
    """Why nobody was met, and what to do."""
    if arguments.lan:
        yield [Span("nobody nearby serves this repository whose key is allowed here")]
        yield [Span("  → over there: sage-git serve --lan; here: sage-git peer allow KEY", Style.FAINT)]
    else:
        given = "" if arguments.fetch_only else "; others can take this clone's log from here"
        yield [Span(f"no peers to meet{given}")]
        yield [Span("  → sage-git peer add NAME URL keeps one", Style.FAINT)]


def _moved(outcome: Outcome) -> str:
    parts = [
        f"{outcome.received:,} {'entry' if outcome.received == 1 else 'entries'} came" if outcome.received else "",
        f"{outcome.sent:,} went" if outcome.sent else "",
    ]
    return ", ".join(filter(None, parts)) or ("nothing new" if outcome.state.value == "current" else "")


def _status(outcomes: Iterable[Outcome]) -> int:
    states = [each.state.value for each in outcomes]
    if states and all(state == "unreachable" for state in states):
        return _UNREACHABLE_STATUS
    return 0 if all(state == "current" for state in states) else 1
