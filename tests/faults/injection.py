"""Runs a Python program of this folder under strace, which makes one system call of it fail or kills it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILL = "signal=KILL"
FULL = "error=ENOSPC"
BROKEN = "error=EIO"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the `nth` call of `call` that concerns one of the files watched.

    strace counts the calls of each process for itself; `strike_at.py` those of all together.
    """

    call: str
    effect: str
    nth: int

    def __str__(self) -> str:
        return f"{self.call}-{self.nth}-{self.effect.partition('=')[2]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    output: str
    errors: str
    struck: bool

    @property
    def was_killed(self) -> bool:
        return self.status in (-9, 137)


@cache
def why_not() -> str:
    """Why strace cannot be used here; empty if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"ptrace is not allowed: {tried.stderr.strip()[-200:]}"


needs_strace = pytest.mark.skipif(bool(why_not()), reason=why_not() or "strace works")


def run(program: str, *arguments: str | Path, fault: Fault | None = None, watched: Sequence[Path] = ()) -> Outcome:
    """The outcome of `program` (a file of this folder); with no `watched` files, every call of every process counts."""
    command = [sys.executable, "-P", str(Path(__file__).with_name(program)), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    trace: list[str] = []
    if fault is not None:
        injection = f"inject={fault.call}:{fault.effect}:when={fault.nth}"
        places = [part for path in watched for part in ("-P", str(path))]
        trace = ["strace", "-f", "-qq", "-o", "/dev/stderr", "-e", f"trace={fault.call}", "-e", injection, *places]
    done = subprocess.run([*trace, *command], capture_output=True, text=True, env=environment, check=False)
    struck = "(INJECTED)" in done.stderr or "killed by SIGKILL" in done.stderr
    return Outcome(done.returncode, done.stdout, done.stderr, struck)


def nth_faults(call: str, effect: str) -> Iterator[Fault]:
    """The fault at the first such call, the second, …; whoever iterates stops when one strikes nothing."""
    for nth in range(1, 1000):
        yield Fault(call, effect, nth)
