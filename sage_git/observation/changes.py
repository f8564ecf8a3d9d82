"""What a commit did to its paths, as `git diff-tree --raw -z` tells it. Not here: what that means (facts)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sage_git.chronicle.ids import ObjectId

SUBMODULE_MODE: Final = "160000"
_NO_MODE: Final = "000000"


class ChangeKind(Enum):
    """How a path differs from the parent."""

    ADDED = "A"
    EDITED = "M"
    REMOVED = "D"
    RENAMED = "R"
    COPIED = "C"


_KINDS: Final = {kind.value.encode(): kind for kind in ChangeKind} | {b"T": ChangeKind.EDITED}


@dataclass(frozen=True, slots=True)
class Change:
    """One path's difference from one parent. A missing side has mode "000000" and the null id.

    `source` is the old path of a rename or copy; the old mode and id are then the source's.
    """

    kind: ChangeKind
    path: bytes
    source: bytes | None
    old_mode: str
    new_mode: str
    old_id: ObjectId
    new_id: ObjectId


@dataclass(frozen=True, slots=True)
class MergeChange:
    """One path that differs from every parent of a merge; `old` has each parent's (mode, id), "000000" where absent."""

    path: bytes
    old: tuple[tuple[str, ObjectId], ...]
    new_mode: str
    new_id: ObjectId

    @property
    def is_new_to_first(self) -> bool:
        """True if the first parent lacks the path and the merge has it."""
        return is_missing(self.old[0][0]) and not is_missing(self.new_mode)


def is_missing(mode: str) -> bool:
    """True if this side of a change does not exist."""
    return mode == _NO_MODE


def parse_changes(fields: Sequence[bytes]) -> list[Change]:
    """The changes in the NUL-separated `fields` of `diff-tree --raw -z` for one commit, in git's order."""
    changes = []
    upcoming = iter(fields)
    for entry in upcoming:
        old_mode, new_mode, old_id, new_id, status = entry[1:].split(b" ")
        kind = _KINDS[status[:1]]
        source = next(upcoming) if kind in (ChangeKind.RENAMED, ChangeKind.COPIED) else None
        changes.append(
            Change(
                kind,
                next(upcoming),
                source,
                old_mode.decode(),
                new_mode.decode(),
                ObjectId(old_id.decode()),
                ObjectId(new_id.decode()),
            )
        )
    return changes


def parse_merge_changes(fields: Sequence[bytes]) -> list[MergeChange]:
    """The paths in the fields of `diff-tree -c --raw -z` for one merge: those that differ from all of its parents."""
    changes = []
    upcoming = iter(fields)
    for entry in upcoming:
        path = next(upcoming)
        parents = len(entry) - len(entry.lstrip(b":"))
        words = entry[parents:].decode("ascii").split(" ")
        modes, ids = words[: parents + 1], words[parents + 1 : 2 * parents + 2]
        old = tuple(zip(modes[:-1], map(ObjectId, ids[:-1]), strict=True))
        changes.append(MergeChange(path, old, modes[-1], ObjectId(ids[-1])))
    return changes
