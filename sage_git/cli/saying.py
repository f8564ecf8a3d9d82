"""What every command that makes a statement shares: who says it, when, and how it answers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sage_git.cli import render
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.cli.surroundings import Surroundings
    from sage_git.gitrepo.repository import Repository
    from sage_git.operations.statements.speaker import Voice


def actor_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which tool speaks."""
    what = "the tool that speaks, as AGENT[/SESSION][ model=MODEL]; SAGE_ACTOR if it is set"
    parser.add_argument("--actor", metavar="ACTOR", help=what)


def answer_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how much is answered."""
    parser.add_argument("--json", action="store_true", help="print the whole event, not only its id")


def decision_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that decides something takes beside its reason."""
    from sage_git.cli.signing import signing_options

    parser.add_argument(
        "--reviewer", metavar="ID", help="who decides, as 'Name <mail>'; else the person that git knows"
    )
    actor_option(parser)
    signing_options(parser)


def actor(repository: Repository, arguments: argparse.Namespace, surroundings: Surroundings) -> dict[str, str]:
    """Who speaks. Raises UsageError, NotHere."""
    from sage_git.operations.statements.speaker import speaker

    return speaker(repository, arguments.actor or surroundings.environment.get("SAGE_ACTOR", ""))


def voice(repository: Repository, arguments: argparse.Namespace, surroundings: Surroundings) -> Voice:
    """Who decides something: the person in `--reviewer`, else the one that git knows. Raises UsageError, NotHere."""
    from sage_git.cli.signing import wish
    from sage_git.operations.statements.speaker import Voice

    who = actor(repository, arguments, surroundings)
    reviewer = (getattr(arguments, "reviewer", None) or who["id"]).strip()
    if not reviewer:
        raise UsageError("--reviewer names nobody", remedy="write it as 'Name <mail>', or leave it out")
    return Voice(who, reviewer, clock_ms(surroundings), wish(arguments, surroundings))


def clock_ms(surroundings: Surroundings) -> int:
    """The time of the command in ms since 1970."""
    return int(surroundings.now.timestamp() * 1000)


def answer(event: Event, arguments: argparse.Namespace, surroundings: Surroundings) -> None:
    """Show the id of what was said, or all of it."""
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            out.raw_json(event.line)
        else:
            out.line(event.event_id or "appended without an id")
