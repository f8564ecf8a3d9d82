"""sage-git: an append-only, hash-chained history of every source file.

    event = sage_git.append_event("notes.sage", {"type": "AGENT_ACTION", "actor": {…}, "action": "lint"})
    sage_git.tail_chronicle("notes.sage", 5)

The library works on any chronicle file, inside a recorded repository or anywhere else, for any number of threads and
processes. Every error that it raises is a `SageError` with a `code` and its facts as attributes. This module is an
edge: it takes time and environment, and finds out whose file a path is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.errors import (
    ConfigError,
    Detail,
    GitFailed,
    Halted,
    LockTimeout,
    NotHere,
    PermissionRefused,
    ProofFailed,
    SageError,
    StorageError,
    UsageError,
    ValidationError,
    WrongOrigin,
)

if TYPE_CHECKING:
    from sage_git.chronicle.canonical import canonical_json
    from sage_git.chronicle.event import Event
    from sage_git.chronicle.ids import event_id
    from sage_git.operations.open_log import Log

__version__ = "0.1.0"
__all__ = [
    "ConfigError",
    "Detail",
    "Event",
    "GitFailed",
    "Halted",
    "LockTimeout",
    "NotHere",
    "PermissionRefused",
    "ProofFailed",
    "SageError",
    "StorageError",
    "UsageError",
    "ValidationError",
    "WrongOrigin",
    "__version__",
    "append_event",
    "canonical_json",
    "event_id",
    "open_log",
    "read_chronicle",
    "tail_chronicle",
]
_WHEN_ASKED: Final = {
    "Event": "sage_git.chronicle.event",
    "canonical_json": "sage_git.chronicle.canonical",
    "event_id": "sage_git.chronicle.ids",
}


def append_event(
    path: str | os.PathLike[str],
    event: Mapping[str, Any],
    *,
    compute_id: bool = True,
    lock_timeout_ms: int = 2000,
) -> Event:
    """The event as it now stands in the chronicle `path`, durable, with its parent and id; the same one for a retry.

    An event without `timestamp` gets the time of the call and is never taken for a retry. `compute_id=False` leaves its
    `eventId`, or the lack of one, as it is. Raises ValidationError, LockTimeout, StorageError, PermissionRefused,
    Halted.
    """
    clock_ms = time.time_ns() // 1_000_000
    if _is_recorded(os.fspath(path)):
        from sage_git.operations.statements import appending as statements

        return statements.append(
            Path(path).absolute(),
            event,
            environment=_surroundings(),
            clock_ms=clock_ms,
            compute_id=compute_id,
            lock_timeout_ms=lock_timeout_ms,
        )
    from sage_git.storage import sidecar

    return sidecar.append(path, event, clock_ms=clock_ms, compute_id=compute_id, lock_timeout_ms=lock_timeout_ms)


def read_chronicle(path: str | os.PathLike[str]) -> list[Event]:
    """The events in the chronicle `path` in file order. Raises ValidationError, StorageError, PermissionRefused."""
    from sage_git.storage import sidecar

    return sidecar.read(path)


def tail_chronicle(path: str | os.PathLike[str], n: int = 10) -> list[Event]:
    """The last `n` events in the chronicle `path` in file order, read from its end. Raises like `read_chronicle`."""
    from sage_git.storage import sidecar

    return sidecar.tail(path, n)


def open_log(repository: str | os.PathLike[str]) -> Log:
    """This clone's own log in the repository around `repository`: append, length, read, iterate, proof, verify.

    Raises NotHere where no record is kept, StorageError.
    """
    from sage_git.operations.open_log import Log

    return Log(Path(repository).absolute(), _surroundings(), lambda: time.time_ns() // 1_000_000)


def __getattr__(name: str) -> object:
    """What is imported when first asked for: `import sage_git` costs the errors only."""
    if name not in _WHEN_ASKED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_WHEN_ASKED[name]), name)
    globals()[name] = found
    return found


def _surroundings() -> dict[str, str]:
    """The environment, less what would make git look elsewhere than where the path lies (as inside a hook)."""
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE")
    return {name: value for name, value in os.environ.items() if name not in elsewhere}  # noqa: TID251  an edge, too


def _is_recorded(path: str) -> bool:
    """True if the file lies in the work tree of a repository that `sage-git init` was run in."""
    folder = os.path.dirname(os.path.abspath(path))
    while True:
        git_dir = _git_dir(os.path.join(folder, ".git"))
        if git_dir:
            return os.path.exists(os.path.join(_common_dir(git_dir), "sage", "clone.json"))
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _git_dir(dot_git: str) -> str:
    """The git directory that a `.git` directory or file means; empty if it means none."""
    if os.path.isdir(dot_git):
        return dot_git
    said = _first_line(dot_git)
    return os.path.join(os.path.dirname(dot_git), said[8:]) if said.startswith("gitdir: ") else ""


def _common_dir(git_dir: str) -> str:
    """The git directory that a linked worktree shares; `git_dir` itself for any other."""
    return os.path.join(git_dir, _first_line(os.path.join(git_dir, "commondir")))


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            return lines.readline().rstrip("\n")
    except OSError:
        return ""
