"""`init`, `deinit`, `doctor` and `demo`: beginning and ending a record, whether it works, and what it looks like."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render
from sage_git.cli.text import Line, Span, Style, cut, span
from sage_git.errors import SageError, UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.doctor import Check
    from sage_git.operations.hook_managers import Lines
    from sage_git.operations.install import InitOutcome, RemoveOutcome

_SHORT: Final = 8
_LABEL: Final = 13


def register(commands: Any) -> None:
    """Add `init`, `deinit`, `doctor` and `demo`."""
    init = commands.add_parser(
        "init", description="keep a record in this repository from now on", usage="sage-git init [OPTIONS]"
    )
    init.add_argument("--no-commit", action="store_true", help="write the config, and leave committing it to you")
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
    from sage_git.operations.install import ConfigCommit, InitWish, ManagersLines, initialise

    wish = InitWish(
        surroundings.cwd,
        surroundings.environment,
        _interpreter(),
        surroundings.now,
        suffix=arguments.suffix,
        commit=ConfigCommit.LEAVE if arguments.no_commit else ConfigCommit.MAKE,
        lines=ManagersLines.WRITE if arguments.hook_manager else ManagersLines.TELL,
    )
    outcome = initialise(wish)
    with render.screen(arguments, surroundings) as out:
        out.lines(_begun(outcome))
    return 1 if outcome.missing or outcome.overruled else 0


def deinit_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Take out what `init` put in; 0."""
    from sage_git.operations.install import Keeping, remove

    if arguments.purge and not (arguments.yes or _is_confirmed(surroundings)):
        raise UsageError("nothing was deleted", remedy="sage-git deinit --purge --yes, or without --purge")
    if not arguments.purge:
        _record_the_last(surroundings)
    keeping = Keeping.NOTHING if arguments.purge else Keeping.RECORD
    outcome = remove(surroundings.cwd, surroundings.environment, keeping)
    with render.screen(arguments, surroundings) as out:
        out.lines(_ended(outcome))
    return 0


def doctor_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show what was looked at; 0, or 1 if something is at fault."""
    from sage_git.operations.doctor import State, examine

    found = State.FINE
    with render.screen(arguments, surroundings) as out:
        for check in examine(surroundings.cwd, surroundings.environment):
            found = State.FAULT if check.state is State.FAULT else found
            if arguments.json:
                fields = {"check": check.name, "state": check.state.value, "message": check.message}
                out.json(fields | ({"remedy": check.remedy} if check.remedy else {}))
            else:
                out.lines(_checked(check))
            out.flush()
    return 1 if found is State.FAULT else 0


def demo_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Make a repository and show its record; 0 if all of it went as told, else 1."""
    from dataclasses import replace

    from sage_git.cli.main import main
    from sage_git.operations import demo

    place = surroundings.cwd / arguments.directory_to_make
    status = 0
    with render.screen(arguments, surroundings) as out:
        for step in demo.play(place, surroundings.environment, surroundings.now):
            out.line(Span("# " + step.told, Style.FAINT))
            out.lines([Span("$ "), span(command, Style.STRONG)] for command in step.typed)
            inside = replace(surroundings, cwd=place, environment=step.environment)
            for words in step.arguments:
                out.line(Span("$ "), span(" ".join(("sage-git", *words)), Style.STRONG))
                out.flush()
                status |= main(["--no-pager", *words], inside)
            out.line()
        chronicle = demo.chronicle(place)
        out.line(Span("$ "), span(f"head -n 2 {demo.SHOWN}.sage", Style.STRONG))
        out.lines([span(cut(line, out.measure))] for line in chronicle[:2])
        out.line()
        out.line(f"All of this is in {place}; look around with sage-git log, show and status.")
    return 1 if status or not chronicle else 0


def _begun(outcome: InitOutcome) -> Iterator[Line]:
    from sage_git.operations.install import Beginning

    said = {
        Beginning.CREATED: "A record of this repository is kept from now on.",
        Beginning.JOINED: "This clone has joined the record that the repository keeps already.",
        Beginning.RENEWED: "This clone keeps the record already; hooks and excludes are in place again.",
    }
    yield [Span(said[outcome.beginning], Style.STRONG)]
    yield _row("config", _config_words(outcome))
    since = outcome.identity.since
    yield _row("begins", f"after {since[:_SHORT]}; git has what was before" if since else "with the first commit")
    if outcome.identity.backfill:
        count = len(outcome.identity.backfill)
        yield _row("", f"and with what {count} other branch{'es' if count > 1 else ''} had by then")
    yield from _hook_rows(outcome)
    if outcome.identity.place != "off":
        shown = (
            f"FILE{outcome.identity.suffix} {'beside FILE' if outcome.identity.place == 'beside' else 'in .sage/tree'}"
        )
        yield _row("chronicles", f"{shown}, ignored by git (info/exclude), never committed")
    yield from _warnings(outcome)
    yield []
    yield [span(_next_step(outcome))]


def _config_words(outcome: InitOutcome) -> str:
    config = outcome.config
    if config.commit:
        commit = config.commit[:_SHORT]
        return f"committed as {commit}; to undo: sage-git deinit, git revert {commit}"
    if not config.is_committed:
        return ".sage/config.toml and .sage/allowed_signers, written and not committed"
    return f".sage/config.toml of {config.source.removeprefix('refs/heads/').removeprefix('refs/remotes/')}"


def _hook_rows(outcome: InitOutcome) -> Iterator[Line]:
    if outcome.shims.hooks:
        yield _row("hooks", f"{len(outcome.shims.hooks)} in {_short(outcome.hooks.folder, outcome)}")
    if outcome.shims.foreign:
        yield _row("", f"{', '.join(outcome.shims.foreign)} of yours go on, and run first")
    for path in outcome.shims.leftover:
        yield _row("", f"{_short(path, outcome)} was displaced by another tool and does not run", Style.OPEN)
    for path in outcome.written:
        yield _row("", f"{_short(path, outcome)} calls sage-git now")
    if outcome.missing:
        yield from _missing_rows(outcome, outcome.missing)


def _missing_rows(outcome: InitOutcome, missing: tuple[Lines, ...]) -> Iterator[Line]:
    yield _row("", f"{outcome.hooks.manager.value} runs the hooks; its files need these lines", Style.OPEN)
    yield _row("", "(sage-git init --hook-manager writes what it can):", Style.OPEN)
    for lines in missing:
        where = "as the first line" if lines.first else "as the last line"
        yield []
        yield [span(f"    {_short(lines.path, outcome)}{'' if lines.text.count(chr(10)) > 1 else f', {where}'}:")]
        for line in lines.text.splitlines():
            yield [span(f"        {line}", Style.STRONG)]


def _warnings(outcome: InitOutcome) -> Iterator[Line]:
    beaten, suffix = outcome.overruled, outcome.identity.suffix
    if beaten is not None:
        yield _row(
            "but", f"`{beaten.pattern}` in {beaten.source} line {beaten.line} shows {beaten.sidecar}", Style.OPEN
        )
        yield _row("", f"to git: add `*{suffix}` as the last line of {beaten.source}")
    for tool in outcome.packagers:
        yield _row("but", f"{tool} reads only .gitignore: add `*{suffix}` there, or it packs chronicles", Style.OPEN)


def _next_step(outcome: InitOutcome) -> str:
    if not outcome.config.is_committed:
        return "Nothing is recorded before you commit them: git add .sage && git commit"
    if outcome.missing:
        return "Next: put the lines in place, then `sage-git doctor` proves that commits are recorded."
    return "Next: commit something, then `sage-git log`. `sage-git doctor` proves that commits are recorded."


def _ended(outcome: RemoveOutcome) -> Iterator[Line]:
    yield [Span("This clone keeps no record any more.", Style.STRONG)]
    yield _row("hooks", f"{len(outcome.shims.hooks)} taken out")
    if outcome.shims.foreign:
        yield _row("", f"{', '.join(outcome.shims.foreign)} put back")
    for path in outcome.shims.leftover:
        yield _row("", f"left: {path}, which another tool had displaced")
    for path in outcome.changed:
        yield _row("", f"{path} does not call sage-git any more")
    yield _row("chronicles", f"{outcome.sidecars:,} taken away")
    if outcome.record is not None:
        yield _row("record", f"kept in {outcome.record}; `sage-git init` goes on with it,")
        yield _row("", "`sage-git deinit --purge` deletes it")
    yield _row("config", ".sage/ stays committed, as others may use it")


def _checked(check: Check) -> Iterator[Line]:
    from sage_git.operations.doctor import State

    style = {State.FINE: Style.ADDED, State.FAULT: Style.OPEN, State.WARNING: Style.COMMIT, State.SKIPPED: Style.FAINT}
    yield [Span(f"{check.state.value:<8} ", style[check.state]), *_row(check.name, check.message)]
    if check.remedy:
        yield [Span(" " * 9), *_row("", check.remedy)]


def _row(label: str, words: str, style: Style = Style.PLAIN) -> Line:
    return [Span(f"  {label:<{_LABEL}}", Style.FAINT), span(words, style)]


def _short(path: Path, outcome: InitOutcome) -> str:
    top = outcome.repository.work_tree
    return str(path.relative_to(top)) if top and path.is_relative_to(top) else str(path)


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
    from sage_git.operations.record import bring_current

    try:
        with Checkout.open(surroundings.cwd, surroundings.environment) as checkout:
            if checkout.identity is not None:
                bring_current(checkout)
    except SageError as problem:
        render.complain(surroundings, f"the newest commits may not be recorded: {problem}", problem.remedy)


def _interpreter() -> str:
    import sys

    return sys.executable
