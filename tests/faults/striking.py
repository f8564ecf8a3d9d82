"""Runs a Python program of this folder under `strike_at.py`, and tells the states of a disk apart that it leaves."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sage_git.errors import SageError
from tests.faults.injection import ROOT
from tests.faults.strike_at import Effect

_RANDOM = re.compile(r"(?<=[_-])\w{6}$")
_NANOSECONDS = re.compile(r"\b\d{16,}\b")


@dataclass(frozen=True, slots=True)
class Struck:
    """What became of a run: `calls` were counted, and it was struck at `call`, if it got there."""

    status: int
    output: str
    errors: str
    calls: int
    by_name: dict[str, int]
    call: str | None

    @property
    def was_killed(self) -> bool:
        return self.status == 137


def struck_run(program: str, folder: Path, effect: Effect, nth: int) -> Struck:
    """The run of a program of this folder on `folder`, struck at the nth call that does anything to the world."""
    report = folder.parent / "report.json"
    striking, struck = (str(Path(__file__).with_name(name)) for name in ("strike_at.py", program))
    command = [sys.executable, "-P", struck, str(folder)]
    done = subprocess.run(
        [sys.executable, "-P", striking, str(report), effect.value, str(nth), *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = json.loads(report.read_text())
    return Struck(done.returncode, done.stdout, done.stderr, said["calls"], said["by_name"], said["struck"])


@cache
def why_not() -> str:
    """Why no process can be struck here; empty if one can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "strike_at.py knows the system calls of Linux on x86-64 only"
    striking = str(Path(__file__).with_name("strike_at.py"))
    tried = subprocess.run(
        [sys.executable, "-P", striking, os.devnull, Effect.KILL_ONE.value, "0", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if tried.returncode == 0 else f"ptrace is not allowed: {tried.stderr.strip()[-200:]}"


needs_ptrace = pytest.mark.skipif(bool(why_not()), reason=why_not() or "ptrace works")


def struck_everywhere(strike: Callable[[Path, int], Struck], recover: Callable[[Path, Struck], None], tmp: Path) -> str:
    """Strike at the first call that does anything, the second, …, and have what is left recover; how many there were.

    `strike` makes the folder that it is given, and `recover` looks at what lies there, and repairs it; once for each
    state of the disk. Raises ExceptionGroup of what was wrong at all bad places.
    """
    problems: list[AssertionError | SageError] = []
    states: set[tuple[str, int]] = set()
    names: Counter[str] = Counter()
    for nth in range(1, 100_000):
        folder = tmp / "struck"
        outcome = strike(folder, nth)
        left = state_of(folder), outcome.status
        if left not in states:
            states.add(left)
            try:
                recover(folder, outcome)
            except (AssertionError, SageError) as problem:
                problem.add_note(f"struck at call {nth}: {outcome}")
                problems.append(problem)
        shutil.rmtree(folder)
        if outcome.call is None:
            break
        names[outcome.call] += 1
    if problems:
        raise ExceptionGroup(f"bad places to be struck at, of {names.total()}", problems)
    counts = ", ".join(f"{count} {name}" for name, count in names.most_common())
    return f"struck at {names.total()} calls of {len(names)} kinds ({counts}), which left {len(states)} states"


def state_of(folder: Path) -> str:
    """A digest of everything that lies there, but for names and times that are never the same twice."""
    digest = hashlib.sha256()
    for part in _parts(folder):
        digest.update(part.replace(os.fsencode(folder), b"HERE") + b"\0")
    return digest.hexdigest()


def _parts(folder: Path) -> Iterator[bytes]:
    listed: list[bytes] = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        name = "/".join(_RANDOM.sub("", part) if part.startswith(("tmp", "shallow")) else part for part in parts)
        if path.name == "index.sqlite":
            listed += _rows(path)
        elif not path.name.startswith("index.sqlite-"):
            is_file = path.is_file() and not path.name.endswith(".lock")
            listed.append(os.fsencode(name) + b" " + (path.read_bytes() if is_file else b""))
    return iter(sorted(listed))


def _rows(index: Path) -> Iterator[bytes]:
    """What a copy of the database says."""
    copied = index.with_name("copied.sqlite")
    for end in ("", "-wal", "-journal"):
        if Path(f"{index}{end}").exists():
            shutil.copyfile(f"{index}{end}", f"{copied}{end}")
    connection = sqlite3.connect(copied)
    try:
        yield from (_NANOSECONDS.sub("TIME", line).encode() for line in connection.iterdump())
    except sqlite3.DatabaseError as torn:
        yield f"{torn}".encode()
    finally:
        connection.close()
        for left in index.parent.glob("copied.sqlite*"):
            left.unlink()
