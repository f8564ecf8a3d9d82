"""What lies between two commits: the commits, and the net change of each file. Not here: what was recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.scratch import Scratch

_DEFAULT_BRANCHES: Final = ("refs/remotes/origin/HEAD", "@{upstream}", "refs/heads/main", "refs/heads/master")
_DIFFERENCE: Final = ("diff-tree", "-r", "-z", "--raw", "--numstat", "--no-abbrev", "-M50%", "-l2000")


class NetChange(Enum):
    """What became of a file, all in all."""

    ADDED = "added"
    EDITED = "edited"
    REMOVED = "removed"
    RENAMED = "renamed"
    UNDONE = "undone"
    """It is as it was, though it was changed in between."""


_LETTERS: Final = {"A": NetChange.ADDED, "D": NetChange.REMOVED, "R": NetChange.RENAMED}


@dataclass(frozen=True, slots=True)
class FileChange:
    """The net change of one file. Lines are None where they cannot be counted (binary files)."""

    path: bytes
    change: NetChange
    old_path: bytes | None = None
    lines_added: int | None = 0
    lines_removed: int | None = 0


def fork_point(repository: Repository, head: ObjectId) -> tuple[str, ObjectId] | None:
    """The branch that `head` came from, and where it left it: the first of the usual ones that `head` is ahead of.

    None if it is ahead of none.
    """
    for name in _DEFAULT_BRANCHES:
        tip = repository.commit_named(name)
        base = None if tip is None else merge_base(repository, tip, head)
        if base is not None and base != head:
            return name.removeprefix("refs/remotes/").removeprefix("refs/heads/"), base
    return None


def merge_base(repository: Repository, one: ObjectId, other: ObjectId) -> ObjectId | None:
    """The newest commit that both have in their history; None if there is none."""
    try:
        return ObjectId(repository.git("merge-base", one, other).decode("ascii").split("\n")[0])
    except GitFailed:
        return None


def commits_between(repository: Repository, excluded: Iterable[ObjectId], end: ObjectId) -> list[ObjectId]:
    """What `end` reaches and none of `excluded` does, as far as they are here; parents first. Raises GitFailed."""
    asked = "".join(f"{commit}\n" for commit in (end, *(f"^{each}" for each in excluded)))
    shown = repository.git(
        "rev-list", "--topo-order", "--reverse", "--ignore-missing", "--stdin", input=asked.encode("ascii")
    )
    return [ObjectId(line) for line in shown.decode("ascii").split()]


def net_changes(scratch: Scratch, base: ObjectId | None, end: ObjectId) -> list[FileChange]:
    """How the tree of `end` differs from that of `base` (None: from nothing), by path. Raises GitFailed."""
    start = base or scratch.run("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()
    fields = iter(scratch.run(*_DIFFERENCE, start, end).split(b"\0"))
    changes: dict[bytes, tuple[NetChange, bytes | None]] = {}
    counts: dict[bytes, tuple[int | None, int | None]] = {}
    for field in fields:
        if field.startswith(b":"):
            path, change, old = _raw(field, fields)
            changes[path] = change, old
        elif field:
            added, removed, path = field.split(b"\t", 2)
            if not path:  # of a renaming both names follow
                _, path = next(fields), next(fields)
            counts[path] = _count(added), _count(removed)
    return [FileChange(path, change, old, *counts.get(path, (0, 0))) for path, (change, old) in sorted(changes.items())]


def _raw(field: bytes, fields: Iterator[bytes]) -> tuple[bytes, NetChange, bytes | None]:
    letter = field.rsplit(b" ", 1)[1][:1].decode("ascii")
    first = next(fields)
    change = _LETTERS.get(letter, NetChange.EDITED)
    return (next(fields), change, first) if letter in "RC" else (first, change, None)


def _count(field: bytes) -> int | None:
    return int(field) if field.isdigit() else None
