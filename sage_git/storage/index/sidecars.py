"""The sidecar files of each work tree as we left them: whoever changed one since is found by its size and time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells that a file is as we left it: size in bytes, time of change in nanoseconds."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Left:
    """A sidecar as we left it: of which source, with which chronicle, up to which event."""

    path: bytes
    component: int
    stamp: Stamp
    last: int


class SidecarTable:
    """The sidecars of an index. `worktree` names a work tree within the repository; "" is the main one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def all(self, worktree: str) -> Iterator[Left]:
        """Every sidecar that we keep in a work tree."""
        return map(_left, self._execute(f"{_SELECT} WHERE worktree = ?", (worktree,)).fetchall())

    def of_chronicles(self, worktree: str, components: Iterable[int]) -> Iterator[Left]:
        """The sidecars that show these chronicles."""
        for component in components:
            found = self._execute(f"{_SELECT} WHERE worktree = ? AND component = ?", (worktree, component)).fetchall()
            yield from map(_left, found)

    def incomplete(self, worktree: str) -> Iterator[Left]:
        """The sidecars whose chronicle was joined with another since."""
        return map(_left, self._execute(f"{_SELECT} WHERE worktree = ? AND last < 0", (worktree,)).fetchall())

    def get(self, worktree: str, path: bytes) -> Left | None:
        """The sidecar of one source."""
        row = self._execute(f"{_SELECT} WHERE worktree = ? AND paths.path = ?", (worktree, path)).fetchone()
        return None if row is None else _left(row)

    def put(self, worktree: str, path_number: int, component: int, stamp: Stamp, last: int) -> None:
        """Note how a sidecar was left."""
        self._execute(
            "INSERT OR REPLACE INTO sidecars VALUES (?, ?, ?, ?, ?, ?)",
            (worktree, path_number, component, stamp.size, stamp.mtime_ns, last),
        )

    def look_again(self, component: int) -> None:
        """Have every work tree look whether the sidecars of a chronicle show what they should."""
        self._execute("UPDATE sidecars SET last = -1 WHERE component = ?", (component,))

    def remove(self, worktree: str, path_number: int) -> None:
        """Note that a sidecar was taken away."""
        self._execute("DELETE FROM sidecars WHERE worktree = ? AND path = ?", (worktree, path_number))


_SELECT = "SELECT paths.path, component, size, mtime_ns, last FROM sidecars JOIN paths ON paths.id = sidecars.path"


def _left(row: tuple[bytes, int, int, int, int]) -> Left:
    path, component, size, mtime_ns, last = row
    return Left(path, component, Stamp(size, mtime_ns), last)
