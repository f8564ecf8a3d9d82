"""`prove`, `bundle` and `check-proof`: files that show a stranger what is in the record, and what such files show."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage_git.cli import render
from sage_git.cli.text import Span, Style, span

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings


def register(commands: Any) -> None:
    """Add `prove`, `bundle` and `check-proof`."""
    prove = commands.add_parser(
        "prove",
        description="write a file with which anybody can check that an event is in a log",
        usage="sage-git prove [OPTIONS] EVENT",
    )
    prove.add_argument("event", metavar="EVENT", help="an event's id, or its first digits")
    prove.add_argument("-o", "--output", metavar="FILE", help="the file; EVENT.tlog-proof without it")
    render.reading_options(prove)
    prove.set_defaults(run=prove_command)

    bundle = commands.add_parser(
        "bundle",
        description="write all that is known of a source, with the proofs, into one file",
        usage="sage-git bundle [OPTIONS] PATH",
    )
    bundle.add_argument("path", metavar="PATH", help="a source, or the chronicle of a subject")
    bundle.add_argument("-o", "--output", metavar="FILE", help="the file; NAME.evidence.zip without it")
    render.reading_options(bundle)
    bundle.set_defaults(run=bundle_command)

    check = commands.add_parser(
        "check-proof",
        description="check what `prove` or `bundle` wrote, or evidence against a writer; needs no repository",
        usage="sage-git check-proof [OPTIONS] FILE",
    )
    check.add_argument("file", metavar="FILE", help="the file that somebody gave you")
    check.add_argument(
        "--key", metavar="KEY", action="append", default=[], help="a writer whom you trust; may be given again"
    )
    check.add_argument("--repository", metavar="ID", help="the repository that it must be about")
    render.reading_options(check)
    check.set_defaults(run=check_command)


def prove_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Write a proof; 0."""
    from sage_git.cli.prove_text import as_json, check_it, said_of
    from sage_git.operations.proving.proving import prove
    from sage_git.operations.reading.opening import Reading
    from sage_git.storage.durable import replace_file

    with Reading.open(surroundings.cwd, surroundings.environment) as reading:
        made = prove(reading, arguments.event)
    proved = made.proved
    name = arguments.output or f"{proved.event_id[:12]}.tlog-proof"
    replace_file(surroundings.cwd / name, made.content)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            out.json({"file": name, **as_json(proved)})
            return 0
        out.line(Span("wrote  ", Style.ANSWERED), span(name, Style.STRONG))
        out.line("       ", said_of(proved))
        out.lines(check_it(name, proved.origin.writer, proved.origin.repository))
    return 0


def bundle_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Write a bundle; 0."""
    from sage_git.operations.proving.bundling import bundle
    from sage_git.operations.reading.opening import Reading
    from sage_git.storage.durable import replace_file

    with Reading.open(surroundings.cwd, surroundings.environment) as reading:
        source = reading.locate(surroundings.cwd, arguments.path)
        made = bundle(reading, source)
    name = arguments.output or f"{Path(source.path).name}.evidence.zip"
    replace_file(surroundings.cwd / name, made.content)
    unproved = len(made.about.unproved)
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            said = {"path": made.about.path, "events": made.events, "proofs": made.proofs, "unproved": unproved}
            out.json({"file": name, "repository": made.about.repository, **said})
            return 0
        out.line(Span("wrote  ", Style.ANSWERED), span(name, Style.STRONG))
        out.line("       events on ", span(made.about.path), f" and what they name: {made.events:,}")
        out.line(f"       in logs, with a proof: {made.proofs:,}")
        if unproved:
            out.line(f"       in no log that is known here: {unproved:,}; `sage-git sync` may bring it")
    return 0


def check_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Check a file; 0 if it proves what it says, 1 if not."""
    from sage_git.cli import prove_text
    from sage_git.operations.proving.checked_files import check_file
    from sage_git.operations.proving.checking import Given
    from sage_git.operations.proving.unbundling import CheckedBundle

    given = Given.of(arguments.key, arguments.repository)
    checked = check_file(surroundings.cwd / arguments.file, given, int(surroundings.now.timestamp()))
    with render.screen(arguments, surroundings) as out:
        if arguments.json:
            out.json(prove_text.checked_as_json(checked, given))
        else:
            out.lines(prove_text.lines(checked, given))
    return 1 if isinstance(checked, CheckedBundle) and checked.flaws else 0
