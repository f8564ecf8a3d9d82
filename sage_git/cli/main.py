"""Where a process begins: finds the command, runs it, and turns every error into one sentence and an exit status.

Exit status (SPEC 8): 0 fine · 1 findings · 2 usage · 3 not possible here · 4 input/output or lock · 130 interrupted.
Not here: what commands do (their modules), and how text looks (`cli.render`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sage_git.cli import render
from sage_git.cli.surroundings import Surroundings, of_this_process
from sage_git.cli.text import Span, Style
from sage_git.errors import SageError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

# Which module has which command: only the module of the command that was asked for is imported.
COMMANDS: Final = {
    "init": "setup",
    "deinit": "setup",
    "doctor": "setup",
    "demo": "setup",
    "record": "recording",
    "gate": "gate",
    "log": "history",
    "show": "history",
    "blame": "blame",
    "status": "status",
    "report": "report",
    "plan": "plans",
    "reconcile": "reconcile",
    "append": "statements",
    "note": "statements",
    "redact": "statements",
    "fsck": "statements",
    "verify": "verify",
}
GROUPS: Final = (
    ("begin", ("init", "demo", "doctor", "deinit")),
    ("look", ("log", "show", "blame", "status", "report")),
    ("decide", ("plan", "reconcile")),
    ("write", ("record", "append", "note", "redact")),
    ("check", ("verify", "fsck")),
)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are UsageError: one sentence, and the nearest thing that exists."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError for argparse's `message`."""
        command = self.prog.removeprefix("sage-git").strip()
        raise UsageError(
            f"{command}: {message}" if command else message, remedy=f"try: sage-git {command} --help".replace("  ", " ")
        )

    def unknown(self, words: Sequence[str]) -> NoReturn:
        """Raise UsageError for `words` that nothing took."""
        command = self.prog.removeprefix("sage-git").strip()
        options = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        word = words[0].partition("=")[0]
        said = f"{command}: '{word}' is " if command else f"'{word}' is "
        if not word.startswith("-"):
            raise UsageError(f"{said}one argument too many", remedy=f"try: sage-git {command} --help")
        raise UsageError(f"{said}not an option{_nearest(word, options)}", remedy=f"try: sage-git {command} --help")


def main(argv: Sequence[str] | None = None, surroundings: Surroundings | None = None) -> int:
    """Run one command; gives its exit status."""
    try:
        around = surroundings or of_this_process()
    except SageError as problem:
        return _report_without_surroundings(problem)
    try:
        return _run(_arguments() if argv is None else list(argv), around)
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
    command, position = _command(argv)
    if command is None:
        return _without_command(argv, surroundings)
    parser, subparsers = frame()
    _register(COMMANDS[command], subparsers)
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        raise_unknown = subparsers.choices[command].unknown
        raise_unknown(rest) if argv.index(rest[0]) > position else parser.unknown(rest)
    status: int = arguments.run(arguments, _moved(surroundings, arguments.directory))
    return status


def frame() -> tuple[Parser, Any]:
    """The parser with the options that stand before a command, and the place where commands register."""
    parser = Parser(prog="sage-git", usage="sage-git [-C DIR] [--no-pager] [--color WHEN] COMMAND …", add_help=False)
    parser.add_argument(
        "-C", dest="directory", metavar="DIR", action="append", default=[], help="work as if started in DIR"
    )
    parser.add_argument("--no-pager", action="store_true", help="never start a pager")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", metavar="WHEN", help="auto, always or never"
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    parser.add_argument("-h", "--help", action="store_true", help="show what there is")
    return parser, parser.add_subparsers(dest="command", prog="sage-git", parser_class=Parser)


def every_command() -> dict[str, Parser]:
    """All commands with their parsers: for the help, and for the tests of the documentation."""
    _, subparsers = frame()
    for module in dict.fromkeys(COMMANDS.values()):
        _register(module, subparsers)
    choices: dict[str, Parser] = subparsers.choices
    return choices


def _register(module: str, subparsers: Any) -> None:
    import_module(f"sage_git.cli.{module}").register(subparsers)


def _command(argv: Sequence[str]) -> tuple[str | None, int]:
    """The command in `argv` and its position; None if there is only what stands before one. Raises UsageError."""
    position = 0
    while position < len(argv) and argv[position].startswith("-"):
        if argv[position] in ("--help", "-h", "--version", "--"):
            return None, position
        position += 2 if argv[position] in ("-C", "--color") else 1
    if position >= len(argv):
        return None, position
    word = argv[position]
    if word == "help":
        return None, position
    if word not in COMMANDS:
        raise UsageError(f"'{word}' is not a command{_nearest(word, COMMANDS)}", remedy="sage-git --help lists them")
    return word, position


def _without_command(argv: list[str], surroundings: Surroundings) -> int:
    if "help" in argv:
        named = argv[argv.index("help") + 1 :][:1]
        if named:
            return _run([*named, "--help"], surroundings)
        argv = ["--help"]
    parser, _ = frame()
    arguments, rest = parser.parse_known_args(argv)
    if rest and rest != ["--"]:
        parser.unknown(rest)
    with render.screen(arguments, surroundings) as out:
        if arguments.version:
            from importlib.metadata import version

            out.line(f"sage-git {version('sage-git')}")
            return 0
        out.lines(_help_lines())
    return 0 if arguments.help else 2


def _help_lines() -> list[list[Span]]:
    lines = [
        [Span("usage: "), Span("sage-git", Style.STRONG), Span(" [-C DIR] [--no-pager] [--color WHEN] COMMAND …")],
        [],
        [Span("The history of every source file: what happened to it, who or what did it, and under which plan.")],
    ]
    parsers = every_command()
    for group, names in GROUPS:
        lines += [[], [Span(group, Style.STRONG)]]
        lines += [
            [Span(f"  {name:<8}  {parsers[name].description or ''}".partition("\n")[0].rstrip())] for name in names
        ]
    return [*lines, [], [Span("sage-git COMMAND --help tells more of one; docs/cli.md tells all.")]]


def _moved(surroundings: Surroundings, directories: Sequence[str]) -> Surroundings:
    """`surroundings` with each -C applied in turn, as git does. Raises NotHere."""
    if not directories:
        return surroundings
    from dataclasses import replace
    from functools import reduce

    return replace(surroundings, cwd=reduce(_entered, directories, surroundings.cwd))


def _entered(current: Path, directory: str) -> Path:
    target = current / directory
    if not target.is_dir():
        from sage_git.errors import NotHere

        raise NotHere(f"-C {directory}: there is no such directory")
    return target


def _nearest(word: str, known: Any) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


def _arguments() -> list[str]:
    import sys

    return sys.argv[1:]


def _report_without_surroundings(problem: SageError) -> int:
    import sys

    sys.stderr.write(f"sage-git: {problem}\n  {problem.remedy}\n")
    return problem.exit_status
