"""`git-remote-sage`: what git starts for a `sage://` address (gitremote-helpers(7)); it can `connect` and nothing else.

git's commands are read byte by byte: what follows the last of them is for the server. git's wish for a version of its
protocol is not passed on, since servers speak version 0 (gitrepo.command.service says why).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sage_git.cli import render
from sage_git.cli.surroundings import Surroundings, of_this_process
from sage_git.errors import SageError, UsageError

if TYPE_CHECKING:
    from typing import IO

_LONGEST_COMMAND: Final = 1_024
_FAILED: Final = 128
"""What git exits with, too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve one run of git; gives the exit status."""
    import sys

    arguments = list(sys.argv[1:] if argv is None else argv)
    around = of_this_process()
    try:
        _converse(arguments, around)
    except SageError as problem:
        render.complain(around, str(problem), problem.remedy)
        return _FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # git has gone
        return _FAILED
    return 0


def _converse(arguments: Sequence[str], around: Surroundings) -> None:
    """Answer git's commands until it ends, or is connected. Raises UsageError and what calling raises."""
    if len(arguments) != 2:
        raise UsageError("git-remote-sage is started by git", remedy="try: sage-git sync sage://KEY@HOST:PORT/")
    with os.fdopen(os.dup(0), "rb", buffering=0) as commands, os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        while command := _command(commands):
            match command.split(" "):
                case ["capabilities"]:
                    answers.write(b"connect\n\n")
                case ["connect", "git-upload-pack"]:
                    _connect(arguments[1], around, commands, answers)
                    return
                case ["connect", service]:
                    raise UsageError(f"a direct peer takes nothing ({service}): it fetches from us, as we from it")
                case _:
                    raise UsageError(f"git asks for something unknown: {command}")


def _connect(url: str, around: Surroundings, commands: IO[bytes], answers: IO[bytes]) -> None:
    from sage_git.operations.calling import call

    with call(url, _sage_directory(around)) as server:
        answers.write(b"\n")
        server.relay(commands, answers)


def _sage_directory(around: Surroundings) -> Path:
    """Whose key we use: that of the clone which started git, else of the one that we are in. Raises NotHere."""
    named = around.environment.get("SAGE_DIRECTORY")
    if named:
        return Path(named)
    from sage_git.gitrepo.repository import Repository

    return Repository.discover(around.cwd, around.environment).common_dir / "sage"


def _command(commands: IO[bytes]) -> str:
    """The next line without its end; "" if there is none, or an empty one. Raises UsageError for an endless one."""
    line = bytearray()
    while (byte := commands.read(1)) and byte != b"\n":
        line += byte
        if len(line) > _LONGEST_COMMAND:
            raise UsageError("git asks for something too long")
    return line.decode("utf-8", "backslashreplace")
