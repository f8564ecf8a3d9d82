"""Where a process begins: starts the command, and turns every error into one sentence and an exit status.

Exit status (SPEC 8): 0 fine · 1 findings · 2 usage · 3 not possible here · 4 input/output or lock · 130 interrupted.
Not here: which commands there are (`cli.commands`), what they do, and how text looks (`cli.render`).
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Final

from sage_git.cli import render
from sage_git.cli.surroundings import Surroundings, of_this_process
from sage_git.errors import SageError

_FEW_COLLECTIONS: Final = 50_000
"""New objects between two searches for cycles: those of a short command are soon gone, cycles and all."""


def main(argv: Sequence[str] | None = None, surroundings: Surroundings | None = None) -> int:
    """Run one command; gives its exit status."""
    if surroundings is None:
        gc.set_threshold(_FEW_COLLECTIONS)
    try:
        around = surroundings or of_this_process()
    except SageError as problem:
        return _report_without_surroundings(problem)
    status = _status(_arguments() if argv is None else list(argv), around)
    if surroundings is None:
        gc.freeze()  # the process ends: its memory goes as a whole, and is not worth a last look for cycles
    return status


def _status(argv: list[str], around: Surroundings) -> int:
    try:
        return _run(argv, around)
    except SageError as problem:
        render.complain(around, str(problem), problem.remedy)
        return problem.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as fault:
        if around.environment.get("SAGE_DEBUG"):
            raise
        render.complain(around, *_explained(fault))
        return 4


def _explained(fault: Exception) -> tuple[str, str]:
    """What to say of an exception that nobody expected, and what to do."""
    if type(fault).__module__ == "sqlite3":  # not imported here: many commands never open the index
        remedy = "run `sage-git fsck --repair`, or delete .git/sage/index.sqlite*; it is made anew from log and git"
        return f"the index is damaged: {fault}", remedy
    said = f"{type(fault).__name__}: {fault}".rstrip(": ").splitlines()[0]
    return f"{said}; this is a fault of sage-git", "SAGE_DEBUG=1 shows where it happened"


def _run(argv: list[str], surroundings: Surroundings) -> int:
    match argv:  # what hooks ask comes first: git waits, and reading arguments takes longer than what is asked
        case ["-C", directory, "gate", "--hook", "pre-commit" | "pre-merge-commit" as hook]:
            from sage_git.cli.gate import gate

            return gate(hook, surroundings.moved([directory]))
        case ["-C", directory, "record", "--hook"]:
            from sage_git.cli.recording import record_for_hooks

            return record_for_hooks(surroundings.moved([directory]))
    from sage_git.cli import commands

    return commands.run(argv, surroundings)


def _arguments() -> list[str]:
    import sys

    return sys.argv[1:]


def _report_without_surroundings(problem: SageError) -> int:
    import sys

    sys.stderr.write(f"sage-git: {problem}\n  {problem.remedy}\n")
    return problem.exit_status
