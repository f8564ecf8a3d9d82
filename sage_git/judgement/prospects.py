"""Whether it is worth asking git if a change does a chain again: told by counting lines alone.

A merge costs a millisecond and a count a hundredth of that, and nearly always the answer is no. Everything here is
necessary for a replay, nothing is sufficient. Not here: whether it is one (`replay`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.judgement.versions import Edit, Version
from sage_git.judgement.workshop import Workshop

_MAX_ABSENT: Final = 16
_TELLING: Final = re.compile(rb"\w")
Counts = Mapping[bytes, int]


class Prospect(IntEnum):
    """What may come of merging a chain into a change, best first."""

    FIT = 0
    """All that the chain adds is there."""
    CONFLICT = 1
    """Some of it is: only a conflict can have kept out the rest."""
    NONE = 2


def telling(lines: Iterable[bytes]) -> set[bytes]:
    """The lines that say something: not blank, and more than brackets."""
    return {line for line in lines if _TELLING.search(line)}


class Prospects:
    """The prospects of chains in one change."""

    def __init__(self, change: Edit, workshop: Workshop) -> None:
        self._workshop = workshop
        self._change = change
        self._before, self._after = self._counts(change.before.blob), self._counts(change.after.blob)
        before, after = self._before or {}, self._after or {}
        self._gained = _gained(before, after)
        self._lost = _gained(after, before)
        self._absent: list[bytes] = []  # lines that the change ends without; most chains fail by the same few

    def of(self, start: Version, end: Version) -> Prospect:
        """The prospect of a chain from `start` to `end`."""
        change = self._change
        has_place = end.path in (start.path, change.after.path) and end.mode in (start.mode, change.after.mode)
        if start == end or not has_place:
            return Prospect.NONE
        is_known = change.before.blob in (start.blob, end.blob) and change.after.blob == end.blob
        if start.blob == end.blob or is_known:
            return Prospect.FIT
        return self._of_texts(start, end)

    def _of_texts(self, start: Version, end: Version) -> Prospect:
        old, new = self._counts(start.blob), self._counts(end.blob)
        if old is None or new is None or self._before is None or self._after is None:
            return Prospect.NONE
        shared = self._shared(old, new)
        if not shared and (self._gained or self._lost):
            return Prospect.NONE
        if self._has_all(old, new):
            return Prospect.FIT
        return Prospect.CONFLICT if telling(shared) else Prospect.NONE

    def shares_text(self, start: Version, end: Version) -> bool:
        """True if the change adds or removes a telling line that the chain does."""
        old, new = self._counts(start.blob), self._counts(end.blob)
        return old is not None and new is not None and bool(telling(self._shared(old, new)))

    def _shared(self, old: Counts, new: Counts) -> list[bytes]:
        """The lines that change and chain both add on balance, or both remove."""
        gained = [line for line in self._gained if new.get(line, 0) > old.get(line, 0)]
        return gained + [line for line in self._lost if new.get(line, 0) < old.get(line, 0)]

    def _has_all(self, old: Counts, new: Counts) -> bool:
        """True if the change ends with every line that the chain adds on balance."""
        assert self._after is not None
        if any(line in new and line not in old for line in self._absent):
            return False
        for line, count in new.items() - old.items():
            if self._after.get(line, 0) < count - old.get(line, 0):
                if line not in self._after and line not in old and len(self._absent) < _MAX_ABSENT:
                    self._absent.append(line)
                return False
        return True

    def _counts(self, blob: ObjectId | None) -> Counts | None:
        return {} if blob is None else self._workshop.counts(blob)


def _gained(before: Counts, after: Counts) -> list[bytes]:
    return [line for line, count in after.items() - before.items() if count > before.get(line, 0)]
