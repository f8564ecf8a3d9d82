"""What the process finds around it, read once: environment, streams, clock, terminal. Nobody else looks at them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Final

UNKNOWN_TERMINAL_COLUMNS: Final = 80


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a command runs. `columns` is None where text may be as wide as it likes (a pipe, a file)."""

    cwd: Path
    environment: Mapping[str, str]
    now: datetime
    """In the user's time zone."""
    input: IO[bytes]
    output: IO[bytes]
    errors: IO[bytes]
    output_is_terminal: bool
    errors_are_terminal: bool
    columns: int | None
    rows: int
    speaks_unicode: bool

    def local(self, instant: datetime) -> datetime:
        """`instant` in the user's time zone, as it was on that day."""
        return instant.astimezone()

    def moved(self, directories: Sequence[str]) -> Surroundings:
        """The same with each -C applied in turn, as git does. Raises NotHere."""
        cwd = self.cwd
        for directory in directories:
            cwd = cwd / directory
            if not cwd.is_dir():
                from sage_git.errors import NotHere

                raise NotHere(f"-C {directory}: there is no such directory")
        return replace(self, cwd=cwd)

    def standard_input(self) -> bytes:
        """All of standard input."""
        return self.input.read()


def of_this_process() -> Surroundings:
    """The surroundings of this process. Raises NotHere if its current directory is gone."""
    terminal = _is_terminal(1)
    columns, rows = _size(terminal=terminal)
    return Surroundings(
        cwd=_current_directory(),
        environment=dict(os.environ),
        now=datetime.now().astimezone(),
        input=sys.stdin.buffer if sys.stdin else open(os.devnull, "rb"),
        output=sys.stdout.buffer if sys.stdout else open(os.devnull, "wb"),
        errors=sys.stderr.buffer if sys.stderr else open(os.devnull, "wb"),
        output_is_terminal=terminal,
        errors_are_terminal=_is_terminal(2),
        columns=columns,
        rows=rows,
        speaks_unicode=sys.stdout is None or (sys.stdout.encoding or "").lower().replace("-", "") == "utf8",
    )


def _current_directory() -> Path:
    """The directory as the shell names it (a symbolic link stays one) if that is where we are."""
    try:
        physical = os.getcwd()
    except FileNotFoundError:
        from sage_git.errors import NotHere

        raise NotHere("the current directory is gone", remedy="go to another one") from None
    logical = os.environ.get("PWD", "")
    try:
        same = os.path.isabs(logical) and os.path.samefile(logical, physical)
    except OSError:
        same = False
    return Path(logical if same else physical)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _size(*, terminal: bool) -> tuple[int | None, int]:
    """Columns and rows: COLUMNS and LINES if they are set, else the terminal's, else no limit."""
    asked = os.environ.get("COLUMNS", "")
    columns = int(asked) if asked.isdecimal() and 0 < int(asked) <= 10_000 else None
    rows = 24
    if terminal:
        try:
            size = os.get_terminal_size(1)
            columns, rows = columns or size.columns or UNKNOWN_TERMINAL_COLUMNS, size.lines or rows
        except OSError:
            columns = columns or UNKNOWN_TERMINAL_COLUMNS
    return columns, rows
