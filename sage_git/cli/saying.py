"""What every command that makes a statement shares: who says it, when, and how it answers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sage_git.cli import render

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.cli.surroundings import Surroundings
    from sage_git.gitrepo.repository import Repository


def actor_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which tool speaks."""
    what = "the tool that speaks, as AGENT[/SESSION][ model=MODEL]; SAGE_ACTOR if it is set"
    parser.add_argument("--actor", metavar="ACTOR", help=what)


def answer_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how much is answered."""
    parser.add_argument("--json", action="store_true", help="print the whole event, not only its id")


def actor(repository: Repository, arguments: argparse.Namespace, surroundings: Surroundings) -> dict[str, str]:
    """Who speaks. Raises UsageError, NotHere."""
    from sage_git.operations.statements.speaker import speaker

    return speaker(repository, arguments.actor or surroundings.environment.get("SAGE_ACTOR", ""))


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
