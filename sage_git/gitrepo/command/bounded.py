"""git where somebody else decides how much there is: bounded in time, output, memory, and the size of files it writes.

What it starts (ssh, helpers, index-pack) is bounded with it and ends with it. Not here: what a failure means.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from threading import Thread
from typing import IO, Final

from sage_git.errors import NotHere

_ULIMIT: Final = 'ulimit -c 0; ulimit -f "$1" 2>&-; ulimit -d "$2" 2>&-; shift 2; exec "$@"'
_BLOCK_BYTES: Final = 512
_MOST_SAID_BYTES: Final = 1 << 16
_LAST_WORDS_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a run may take, how much it may print and write into one file, and how much memory a process may use."""

    seconds: float
    output_bytes: int
    file_bytes: int
    memory_bytes: int


class Over(Enum):
    """The limit that ended a run. A file that became too large only fails it, and git does not say why."""

    TIME = "time"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended: its status, what it printed, and what it said on standard error."""

    status: int
    output: bytes
    said: str
    over: Over | None


def run_bounded(
    arguments: Sequence[str],
    *,
    git_dir: Path,
    environment: Mapping[str, str],
    limits: Limits,
    input: bytes = b"",
) -> Finished:
    """How git's run with `arguments` in `git_dir`, in exactly this environment, ended. Raises NotHere (no git)."""
    git = ["git", f"--git-dir={git_dir}", *arguments]
    blocks, kibibytes = limits.file_bytes // _BLOCK_BYTES, limits.memory_bytes >> 10
    command = ["sh", "-c", _ULIMIT, "sh", str(blocks), str(kibibytes), *git] if os.name == "posix" else git
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, bufsize=0, start_new_session=True
        )
    except FileNotFoundError:
        raise NotHere("git is not on PATH", remedy="install git 2.38 or newer") from None
    with process:
        return _watched(process, limits, input)


@dataclass(slots=True)
class _Collected:
    """What a pipe gave, up to `most` bytes and one chunk."""

    pipe: IO[bytes]
    most: int
    content: bytearray = field(default_factory=bytearray)

    def is_full(self) -> bool:
        return len(self.content) > self.most

    def collect(self) -> None:
        """Read until the end, or until there is too much."""
        with suppress(OSError, ValueError):  # closed meanwhile, since nobody waits any more
            while not self.is_full() and (more := self.pipe.read(1 << 18)):
                self.content += more

    def drain(self) -> None:
        """Read until the end; what is too much is dropped."""
        with suppress(OSError, ValueError):
            while more := self.pipe.read(1 << 16):
                self.content += more
                del self.content[: -self.most]


def _watched(process: subprocess.Popen[bytes], limits: Limits, given: bytes) -> Finished:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    until = time.monotonic() + limits.seconds
    output, words = _Collected(process.stdout, limits.output_bytes), _Collected(process.stderr, _MOST_SAID_BYTES)
    feeding, reading, hearing = (
        Thread(target=target, args=arguments, daemon=True)
        for target, arguments in ((_feed, (process.stdin, given)), (output.collect, ()), (words.drain, ()))
    )
    try:
        for thread in (feeding, reading, hearing):
            thread.start()
        reading.join(limits.seconds)
        over = Over.TIME if reading.is_alive() else Over.OUTPUT if output.is_full() else None
        if over is None:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                over = Over.TIME
    finally:
        if process.returncode is None:
            _end(process)
    # Whom an ssh left behind for the next connection keeps the pipe open: nobody waits for that one's last words.
    hearing.join(_LAST_WORDS_S)
    said = bytes(words.content).decode("utf-8", "replace")
    return Finished(process.returncode, bytes(output.content), said, over)


def _feed(pipe: IO[bytes], given: bytes) -> None:
    with suppress(OSError, ValueError), pipe:  # who does not want it says why; the pipe may be closed by then
        pipe.write(given)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
