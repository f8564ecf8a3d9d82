"""`gate`: what the pre-commit hooks ask when sh cannot tell; hidden, since it answers git and not a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render
from sage_git.cli.text import cut, cut_path, escape
from sage_git.errors import SageError

if TYPE_CHECKING:
    from argparse import Namespace

    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.gating.gate import GateReport

REFUSED: Final = 10
"""Exit status of a refusal: no failure of the interpreter, or of ours, can be taken for one."""
_MOST_SHOWN: Final = 8
_COLUMNS: Final = 80
_WHY: Final[Mapping[str, str]] = {
    "OUT_OF_SCOPE": "does not cover them",
    "NOT_IN_FORCE": "is not in force",
    "NOT_APPROVED": "is not approved",
    "UNKNOWN_PLAN": "is not known here",
    "OWN_APPROVAL": "may not be approved by who uses it",
}


def register(commands: Any) -> None:
    """Add `gate`."""
    parser = commands.add_parser(
        "gate",
        description="say what stands against committing what is staged (for hooks)",
        usage="sage-git gate --hook HOOK",
    )
    parser.add_argument("--hook", required=True, choices=("pre-commit", "pre-merge-commit"), help="which hook git runs")
    parser.set_defaults(run=gate_command)


def gate_command(arguments: Namespace, surroundings: Surroundings) -> int:
    """As `gate`."""
    return gate(arguments.hook, surroundings)


def gate(hook: str, surroundings: Surroundings) -> int:
    """Judge what is staged: 0, or REFUSED. A fault of ours is one line, and stops nobody."""
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.completeness import is_complete
    from sage_git.operations.gating.gate import GateHook, GateWish, judge_staged

    environment = surroundings.environment
    index = environment.get("GIT_INDEX_FILE")  # relative to where git started the hook: the top of the work tree
    wish = GateWish(GateHook(hook), Path(surroundings.cwd, index) if index else None, environment.get("SAGE_PLAN"))
    try:
        with Checkout.open(surroundings.cwd, environment) as checkout:
            checkout.known_identity()
            if not is_complete(checkout):
                _catch_up(checkout)
            report = judge_staged(checkout, wish)
    except SageError as problem:
        said = "; ".join(filter(None, (str(problem), problem.remedy))).replace("\n", " ")
        render.complain(surroundings, f"{hook}: {said}")
        return 0
    for halt, paths in report.halted:
        what = "the repository" if halt.path is None else _shown(paths[:1])
        told = [f"commit refused: {what} is halted", _cut(str(halt.event.get("invariant", "")))]
        render.complain(surroundings, "\n".join(filter(None, told)), _after_halt(halt.event.event_id or ""))
    if report.uncovered:
        render.complain(surroundings, "\n".join(_uncovered(report)), "\n".join(_next_steps(report)))
    return REFUSED if report.refuses else 0


def _catch_up(checkout: Checkout) -> None:
    """Have the index know what the log knows, as after it was deleted."""
    from sage_git.operations.recording.record import bring_current  # which takes long to import

    bring_current(checkout)


def _uncovered(report: GateReport) -> Iterator[str]:
    """What no plan covers: a heading, then the changes."""
    count = len(report.uncovered)
    refused = "commit refused: " if report.refuses else ""
    yield f"{refused}no approved plan covers {count:,} staged change{'' if count == 1 else 's'}"
    for change in report.uncovered[:_MOST_SHOWN]:
        yield _shown(change.paths)
    if count > _MOST_SHOWN:
        yield f"… and {count - _MOST_SHOWN:,} more"


def _next_steps(report: GateReport) -> Iterator[str]:
    """What is wrong with the plan in use, and what to do."""
    flaw = next((change.flaw for change in report.uncovered if change.flaw is not None), None)
    if report.plan is not None and flaw is not None:
        yield f"plan {_cut(report.plan)}, which is in use, {_WHY[flaw]}"
    if report.would_cover:
        yield f"next: sage-git plan use {report.would_cover[0]}, which covers all of it"
    else:
        yield "next: sage-git plan draft; once it is approved, sage-git plan use PLANID"
    if not report.refuses:
        yield "      or commit all the same, and answer for it with sage-git reconcile"


def _after_halt(event_id: str) -> str:
    return f"next: sage-git show {event_id[:12]} tells why;\n      sage-git reconcile {event_id[:12]} -m WHY lifts it"


def _shown(paths: tuple[str, ...]) -> str:
    """The path, or old and new path, of a change within a line."""
    room = (_COLUMNS - 4) // len(paths) - 2
    return " → ".join(cut_path(escape(path), room) for path in paths)


def _cut(text: str) -> str:
    return cut(escape(text), _COLUMNS - 40)
