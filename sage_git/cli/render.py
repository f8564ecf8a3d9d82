"""What people see: the one place that writes to standard output and standard error.

A `Screen` takes lines of spans (see `cli.text`), colours them, and goes through a pager as git's output does. JSON goes
through `Screen.json`. Messages to standard error go through `complain` and `Progress`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, Self

from sage_git.cli.text import Line, Span, Style, escape_json, span
from sage_git.errors import StorageError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from sage_git.cli.pager import Pager
    from sage_git.cli.surroundings import Surroundings

_OUTPUT: Final = "standard output"
NARROW: Final = 80
READABLE: Final = 120
_ASCII: Final = str.maketrans({"…": "...", "→": "->", "·": "-", "●": "*", "—": "-", "│": "|", "−": "-", "×": "x"})


class Screen:
    """Standard output. `limit` is the columns that a line may have (None: as many as it needs)."""

    def __init__(self, output: IO[bytes], *, colour: bool, limit: int | None, speaks_unicode: bool) -> None:
        self._output = output
        self._colour = colour
        self._encoding = "utf-8" if speaks_unicode else "ascii"
        self.limit = limit

    @property
    def measure(self) -> int:
        """The columns that text is aligned to: not so wide that the eye loses its line."""
        return NARROW if self.limit is None else min(self.limit, READABLE)

    def line(self, *pieces: Span | str) -> None:
        """Write one line; a plain `str` is escaped like any text."""
        self._write(
            "".join(self._painted(piece if isinstance(piece, Span) else span(piece)) for piece in pieces).rstrip(" ")
        )

    def lines(self, lines: Iterable[Line]) -> None:
        """Write line after line, as they come."""
        for line in lines:
            self.line(*line)

    def json(self, value: Any) -> None:
        """Write `value` as one line of JSON that is safe to show on a terminal."""
        import orjson

        self.raw_json(orjson.dumps(value))

    def raw_json(self, document: bytes) -> None:
        """Write one JSON text, which has no newline, as a line."""
        self._emit(escape_json(document) + b"\n")

    def flush(self) -> None:
        """Let everything be seen. Raises StorageError, BrokenPipeError."""
        with _told_of_output():
            self._output.flush()

    def _painted(self, piece: Span) -> str:
        if not self._colour or piece.style is Style.PLAIN or not piece.text.strip():
            return piece.text
        return f"\x1b[{piece.style.value}m{piece.text}\x1b[m"

    def _write(self, text: str) -> None:
        if self._encoding == "ascii":
            text = text.translate(_ASCII)
        self._emit(text.encode(self._encoding, "backslashreplace") + b"\n")

    def _emit(self, line: bytes) -> None:
        with _told_of_output():
            self._output.write(line)


@contextmanager
def screen(arguments: Any, surroundings: Surroundings, pager: Callable[[], str] | None = None) -> Iterator[Screen]:
    """Standard output as `arguments` (color, no_pager, json) and `surroundings` want it, until the block ends.

    `pager` tells the repository's `core.pager`; without it nothing is paged. The reader of a pipe or pager may go away
    early, which ends the block quietly.
    """
    running = _pager(arguments, surroundings, pager)
    output = running.input if running else surroundings.output
    try:
        shown = Screen(
            output,
            colour=wants_colour(getattr(arguments, "color", "auto"), surroundings),
            limit=surroundings.columns,
            speaks_unicode=surroundings.speaks_unicode,
        )
        yield shown
        shown.flush()
    except BrokenPipeError:
        _forget(surroundings)
    except StorageError as problem:
        if problem.path == _OUTPUT:
            _forget(surroundings)
        raise
    finally:
        if running:
            running.close()


def reading_options(parser: ArgumentParser) -> None:
    """Add what every reading command takes: --json, and --color and --no-pager behind the command as well."""
    from argparse import SUPPRESS  # who only complains reads no arguments

    parser.add_argument("--json", action="store_true", help="the same as JSON, as docs/cli.md tells")
    parser.add_argument("--no-pager", action="store_true", default=SUPPRESS, help="never start a pager")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default=SUPPRESS, metavar="WHEN", help="auto, always or never"
    )


def wants_colour(choice: str, surroundings: Surroundings) -> bool:
    """True if text is to be coloured: always, never, or on a terminal that can unless NO_COLOR is set."""
    if choice != "auto":
        return choice == "always"
    environment = surroundings.environment
    return (
        surroundings.output_is_terminal
        and not environment.get("NO_COLOR")
        and environment.get("TERM", "dumb") != "dumb"
    )


def complain(surroundings: Surroundings, message: str, remedy: str = "") -> None:
    """Write `sage-git: MESSAGE` and, indented below, what to do next, to standard error."""
    colour = surroundings.errors_are_terminal and not surroundings.environment.get("NO_COLOR")
    shown = Screen(surroundings.errors, colour=colour, limit=None, speaks_unicode=surroundings.speaks_unicode)
    try:
        for position, sentence in enumerate(message.split("\n")):
            shown.line(Span("sage-git: " if not position else "  ", Style.OPEN), sentence)
        for sentence in filter(None, remedy.split("\n")):
            shown.line("  ", sentence)
        shown.flush()
    except (BrokenPipeError, ValueError):
        pass  # nobody listens


class Progress:
    """One line on standard error that says how far something is, once it takes more than a second, on a terminal."""

    def __init__(self, surroundings: Surroundings, doing: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._errors = surroundings.errors if surroundings.errors_are_terminal else None
        self._doing, self._clock = doing, clock
        self._next = clock() + 1.0
        self._shown = False

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that `done` (of `total`) are done, ten times a second at most."""
        if self._errors is None or self._clock() < self._next:
            return
        self._next, self._shown = self._clock() + 0.1, True
        share = f" {done * 100 // total:3}% ({done:,}/{total:,})" if total else f" {done:,}"
        self._errors.write(f"\r{self._doing}:{share}\x1b[K".encode())
        self._errors.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown and self._errors is not None:
            self._errors.write(b"\r\x1b[K")
            self._errors.flush()
            self._shown = False


def _pager(arguments: Any, surroundings: Surroundings, ask: Callable[[], str] | None) -> Pager | None:
    if ask is None or not surroundings.output_is_terminal or getattr(arguments, "no_pager", False):
        return None
    from sage_git.cli.pager import Pager, pager_command

    command = pager_command(surroundings.environment, ask)
    return Pager.start(command, surroundings.environment) if command else None


@contextmanager
def _told_of_output() -> Iterator[None]:
    """A refusal to write becomes a StorageError, but for a reader that went away."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise StorageError.from_os(problem, _OUTPUT, "write to") from problem


def _forget(surroundings: Surroundings) -> None:
    """Let the interpreter not try again, at its exit, to write what nobody reads."""
    import os

    try:
        descriptor = surroundings.output.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
