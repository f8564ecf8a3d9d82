"""What the record does not know of a source: commits that are not recorded, and events that nobody here has.

What is in nobody's log though it is known here, `verify` tells.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.errors import GitFailed
from sage_git.operations.reading.status import waiting
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.chronicle.ids import ObjectId
    from sage_git.operations.reading.opening import Reading
    from sage_git.storage.queries import Row

_MOST: Final = 32
"""Commits that git is asked about: where more wait, nobody looks for one of them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the record does not know of a source. `commit` is None where it is not one commit's."""

    why: str
    commit: ObjectId | None = None


def gaps_of(reading: Reading, path: str, commits: Collection[ObjectId], recent: Iterable[Row]) -> Iterator[Gap]:
    """The gaps of a source whose lines came in with `commits`, and whose newest events are `recent`."""
    if reading.is_stale:
        yield Gap("what was committed since is not recorded: nobody may write the record here")
    missing = {each.commit: each.message for each in waiting(reading) if each.commit is not None}
    touching = missing.keys() & set(commits)
    asked = [commit for commit in missing if commit not in touching][:_MOST]
    for commit in (*touching, *(each for each in asked if _may_touch(reading, each, path))):
        yield Gap(f"commit {commit[:12]} is not recorded: {missing[commit]}", commit)
    if not queries.has_all(reading.readings.connection, (name for row in recent for name in row.parents)):
        yield Gap("its chronicle goes on from events that nobody here has; `sage-git sync` may bring them")


def _may_touch(reading: Reading, commit: ObjectId, path: str) -> bool:
    """True if a commit changed a path, or if git cannot tell."""
    literal = b":(literal,top)" + os.fsencode(path)
    try:
        return bool(reading.repository.git("diff-tree", "--root", "-m", "-r", "--name-only", commit, "--", literal))
    except GitFailed:
        return True
