"""`init`, `deinit`, `doctor` and `demo`: beginning and ending a record, whether it works, and what it looks like."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage_git.cli import render, setup_text
from sage_git.cli.text import Span, Style, span
from sage_git.errors import NotHere, SageError, UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings


def register(commands: Any) -> None:
    """Add `init`, `deinit`, `doctor` and `demo`."""
    init = commands.add_parser(
        "init", description="keep a record in this repository from now on", usage="sage-git init [OPTIONS]"
    )
    init.add_argument("--no-commit", action="store_true", help="write the config, and leave committing it to you")
    init.add_argument(
        "--mode", choices=("record", "warn", "block"), metavar="MODE",
        help="what a commit meets that no plan covers: record, warn (the default) or block",
    )  # fmt: skip
    init.add_argument("--suffix", metavar="SUFFIX", help="how chronicles end, where .sage is taken: .chronicle.sage")
    init.add_argument(
        "--hook-manager", action="store_true", help="write the lines that husky, lefthook or the like need"
    )
    init.set_defaults(run=init_command)
    deinit = commands.add_parser(
        "deinit", description="take hooks and chronicles out of this clone", usage="sage-git deinit [OPTIONS]"
    )
    deinit.add_argument("--purge", action="store_true", help="delete this clone's record as well, for good")
    deinit.add_argument("--yes", action="store_true", help="do not ask before --purge")
    deinit.set_defaults(run=deinit_command)
    doctor = commands.add_parser(
        "doctor", description="whether recording works here, proven by a commit", usage="sage-git doctor [OPTIONS]"
    )
    render.reading_options(doctor)
    doctor.set_defaults(run=doctor_command)
    demo = commands.add_parser(
        "demo", description="a small repository that shows all of it", usage="sage-git demo [DIR]"
    )
    demo.add_argument("directory_to_make", nargs="?", default="sage-demo", metavar="DIR", help="made new; ./sage-demo")
    demo.set_defaults(run=demo_command)


def init_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Begin or join a record; 0, or 1 if something is left to do before all of it works."""
    from sage_git.judgement.policy import Mode
    from sage_git.operations.setup.install import ConfigCommit, InitWish, ManagersLines, initialise

    wish = InitWish(
        surroundings.cwd,
        surroundings.environment,
        _interpreter(),
        surroundings.now,
        suffix=arguments.suffix,
        mode=Mode(arguments.mode) if arguments.mode else None,
        commit=ConfigCommit.LEAVE if arguments.no_commit else ConfigCommit.MAKE,
        lines=ManagersLines.WRITE if arguments.hook_manager else ManagersLines.TELL,
    )
    outcome = initialise(wish)
    with render.screen(arguments, surroundings) as out:
        out.lines(setup_text.begun(outcome))
    return 1 if outcome.missing or outcome.absent or outcome.overruled else 0


def deinit_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Take out what `init` put in; 0."""
    from sage_git.operations.setup.removal import Keeping, remove

    if arguments.purge and not (arguments.yes or _is_confirmed(surroundings)):
        raise UsageError("nothing was deleted", remedy="sage-git deinit --purge --yes, or without --purge")
    if not arguments.purge:
        _record_the_last(surroundings)
    keeping = Keeping.NOTHING if arguments.purge else Keeping.RECORD
    outcome = remove(surroundings.cwd, surroundings.environment, keeping)
    with render.screen(arguments, surroundings) as out:
        out.lines(setup_text.ended(outcome))
    return 0


def doctor_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show what was looked at; 0, or 1 if something is at fault."""
    from sage_git.operations.setup.doctor import State, examine

    found = State.FINE
    with render.screen(arguments, surroundings) as out:
        for check in examine(surroundings.cwd, surroundings.environment):
            found = State.FAULT if check.state is State.FAULT else found
            if arguments.json:
                fields = {"check": check.name, "state": check.state.value, "message": check.message}
                out.json(fields | ({"remedy": check.remedy} if check.remedy else {}))
            else:
                out.lines(setup_text.checked(check))
            out.flush()
    return 1 if found is State.FAULT else 0


def demo_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Make a repository and show its record; 0 if all of it went as told, findings of `verify` too, else 1."""
    import json
    from dataclasses import replace

    from sage_git.cli.main import main
    from sage_git.operations.setup import demo

    place = surroundings.cwd / arguments.directory_to_make
    worst = 0
    with render.screen(arguments, surroundings) as out:
        for step in demo.play(place, surroundings.environment, surroundings.now):
            out.line(Span("# " + step.told, Style.FAINT))
            out.lines([Span("$ "), span(command, Style.STRONG)] for command in step.typed)
            out.lines([span(line)] for line in step.answered.splitlines())
            inside = replace(surroundings, cwd=place, environment=step.environment, now=step.moment)
            for words in step.arguments:
                out.line(Span("$ "), span(shlex.join(("sage-git", *words)), Style.STRONG))
                out.flush()
                worst = max(worst, main(["--no-pager", *words], inside))
            out.line()
        chronicle = demo.chronicle(place)
        out.line(Span("$ "), span(f"tail -n 1 {demo.SHOWN}.sage | python3 -m json.tool", Style.STRONG))
        for line in chronicle[-1:]:
            out.lines([span(shown)] for shown in json.dumps(json.loads(line), indent=4).splitlines())
        out.line()
        out.line(f"All of this is in {place} (and Bob's clone beside it); look around there:")
        out.line(f"cd {shlex.quote(str(place))} && {_program(surroundings)} log")
    return 1 if worst > 1 or not chronicle else 0  # 1 is that of findings, which there are to be


def _is_confirmed(surroundings: Surroundings) -> bool:
    """Whether a person says yes; nobody is asked where nobody could answer."""
    if not surroundings.errors_are_terminal:
        return False
    surroundings.errors.write(b"This deletes the record that this clone keeps, with what was never shared. Type yes: ")
    surroundings.errors.flush()
    return surroundings.input.readline().strip().lower() == b"yes"


def _record_the_last(surroundings: Surroundings) -> None:
    """Take into the record what only a sidecar or a commit has; a record that cannot take it does not stop `deinit`."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.recording.record import bring_current

    try:
        with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
            if checkout.identity is not None:
                bring_current(checkout)
    except NotHere:
        return
    except SageError as problem:
        render.complain(surroundings, f"the newest commits may not be recorded: {problem}", problem.remedy)


def _program(surroundings: Surroundings) -> str:
    """What to type for sage-git in another folder: its name if that is found, else where it is."""
    import shutil
    import sys

    if shutil.which("sage-git", path=surroundings.environment.get("PATH")):
        return "sage-git"
    return shlex.quote(str(Path(sys.argv[0]).absolute()))


def _interpreter() -> str:
    import sys

    return sys.executable
