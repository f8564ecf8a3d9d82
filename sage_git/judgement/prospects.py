"""Whether it is worth asking git if a change does a chain again: told by counting lines alone.

A merge costs a millisecond and a count a hundredth of that, and nearly always the answer is no. Everything here is
necessary for a replay, nothing is sufficient. Not here: whether it is one (`replay`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.judgement.versions import Edit, Version
from sage_git.judgement.workshop import Workshop

_MAX_ABSENT: Final = 16
_TELLING: Final = re.compile(rb"\w")
Counts = Mapping[bytes, int]


def telling(lines: Iterable[bytes]) -> set[bytes]:
    """The lines that say something: not blank, and more than brackets."""
    return {line for line in lines if _TELLING.search(line)}


class Prospects:
    """What may come of merging chains, from a `start` to an `end`, into one change."""

    def __init__(self, change: Edit, workshop: Workshop) -> None:
        self._workshop = workshop
        self._change = change
        self._before, self._after = self._counts(change.before.blob), self._counts(change.after.blob)
        before, after = self._before or {}, self._after or {}
        self._gained = _gained(before, after)
        self._lost = _gained(after, before)
        self._absent: list[bytes] = []  # lines that the change ends without; most chains fail by the same few

    def has_any(self, start: Version, end: Version) -> bool:
        """True if the change may do something that the chain does."""
        change = self._change
        has_place = end.path in (start.path, change.after.path) and end.mode in (start.mode, change.after.mode)
        if start == end or not has_place:
            return False
        if start.blob == end.blob or self._is_same(start, end):
            return True
        old, new = self._counts(start.blob), self._counts(end.blob)
        if old is None or new is None or self._before is None or self._after is None:
            return False
        return not (self._gained or self._lost) or any(True for _ in self._shared(old, new))

    def is_whole(self, start: Version, end: Version) -> bool:
        """True if the chain may be all that the change does; of one that `has_any`."""
        if start.blob == end.blob:
            return self._change.before.blob == self._change.after.blob
        old, new = self._counts(start.blob), self._counts(end.blob)
        if old is None or new is None:
            return True
        return _has_counts(old, new, self._gained) and _has_counts(new, old, self._lost)

    def has_all(self, start: Version, end: Version) -> bool:
        """True if the change ends with every line that the chain adds on balance; of one that `has_any`."""
        if start.blob == end.blob or self._is_same(start, end):
            return True
        old, new, after = self._counts(start.blob), self._counts(end.blob), self._after
        if old is None or new is None or after is None or any(each in new and each not in old for each in self._absent):
            return False
        for line, count in new.items() - old.items():
            if after.get(line, 0) < count - old.get(line, 0):
                if line not in after and line not in old and len(self._absent) < _MAX_ABSENT:
                    self._absent.append(line)
                return False
        return True

    def may_undo(self, edits: Iterable[Edit]) -> bool:
        """True if each line that the change adds on balance one of these edits removed, and the other way round."""
        left = {*self._gained, *self._lost}
        for edit in edits:
            old, new = self._counts(edit.after.blob), self._counts(edit.before.blob)
            if old is None or new is None or self._before is None or self._after is None:
                return True
            left.difference_update(self._shared(old, new))
        return not left

    def shared_text(self, start: Version, end: Version) -> int:
        """How many of the lines that the chain adds, and that say something, the change adds as well.

        Of a chain that adds none: how many both remove. To replace what was replaced otherwise elsewhere is no replay.
        """
        old, new = self._counts(start.blob), self._counts(end.blob)
        if old is None or new is None:
            return 0
        shared = telling(self._shared(old, new))
        added = shared & self._gained.keys()
        return len(added or (() if telling(_gained(old, new)) else shared)) if shared else 0

    def _is_same(self, start: Version, end: Version) -> bool:
        """True if no text needs to be merged for the chain to be the change."""
        return self._change.before.blob in (start.blob, end.blob) and self._change.after.blob == end.blob

    def _shared(self, old: Counts, new: Counts) -> Iterator[bytes]:
        """The lines that change and chain both add on balance, or both remove."""
        yield from (line for line in self._gained if new.get(line, 0) > old.get(line, 0))
        yield from (line for line in self._lost if new.get(line, 0) < old.get(line, 0))

    def _counts(self, blob: ObjectId | None) -> Counts | None:
        return {} if blob is None else self._workshop.counts(blob)


def _has_counts(old: Counts, new: Counts, wanted: dict[bytes, int]) -> bool:
    """True if `new` has as many more of each line than `old` as are wanted. What was missing is tried first next."""
    for line, count in reversed(wanted.items()):
        if new.get(line, 0) - old.get(line, 0) < count:
            wanted[line] = wanted.pop(line)
            return False
    return True


def _gained(before: Counts, after: Counts) -> dict[bytes, int]:
    changed = ((line, count - before.get(line, 0)) for line, count in after.items() - before.items())
    return {line: count for line, count in changed if count > 0}
