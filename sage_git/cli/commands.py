"""Which commands there are, how their arguments are read, and what `--help` lists.

Not here: what commands do (their modules), and how a process begins and ends (`cli.main`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sage_git.cli import render
from sage_git.cli.text import Span, Style
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings

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
    "sync": "sync",
    "publish": "sync",
    "peer": "peer",
    "serve": "serve",
    "prove": "prove",
    "bundle": "prove",
    "check-proof": "prove",
    "lsp": "lsp",
}
GROUPS: Final = (
    ("begin", ("init", "demo", "doctor", "deinit")),
    ("look", ("log", "show", "blame", "status", "report")),
    ("decide", ("plan", "reconcile")),
    ("write", ("record", "append", "note", "redact")),
    ("check", ("verify", "fsck", "check-proof")),
    ("share", ("sync", "peer", "serve", "prove", "bundle")),
    ("show", ("lsp",)),
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

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raise UsageError for a word that is none of the `action`'s: argparse would list Python's spelling of all."""
        if action.choices is None or value in action.choices:
            return
        words = [str(each) for each in action.choices]
        option = f"{action.option_strings[-1]}: " if action.option_strings else ""
        self.error(f"{option}'{value}' is none of {', '.join(words)}{_nearest(str(value), words)}")

    def unknown(self, words: Sequence[str]) -> NoReturn:
        """Raise UsageError for `words` that nothing took."""
        command = self.prog.removeprefix("sage-git").strip()
        options = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        word = words[0].partition("=")[0]
        said = f"{command}: '{word}' is " if command else f"'{word}' is "
        if not word.startswith("-"):
            raise UsageError(f"{said}one argument too many", remedy=f"try: sage-git {command} --help")
        raise UsageError(f"{said}not an option{_nearest(word, options)}", remedy=f"try: sage-git {command} --help")


def run(argv: list[str], surroundings: Surroundings) -> int:
    """Run the command that `argv` names; gives its exit status. Raises UsageError and what the command raises."""
    command, position = _command(argv)
    if command is None:
        return _without_command(argv, surroundings)
    parser, subparsers = frame()
    _register(COMMANDS[command], subparsers)
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        raise_unknown = subparsers.choices[command].unknown
        raise_unknown(rest) if argv.index(rest[0]) > position else parser.unknown(rest)
    status: int = arguments.run(arguments, surroundings.moved(arguments.directory))
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
            return run([*named, "--help"], surroundings)
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
            [Span(f"  {name:<11}  {parsers[name].description or ''}".partition("\n")[0].rstrip())] for name in names
        ]
    return [*lines, [], [Span("sage-git COMMAND --help tells more of one; docs/cli.md tells all.")]]


def _nearest(word: str, known: Any) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""
