"""Earlier edits of a source that a new one may do again, take back, or settle a conflict between: from the index.

Bounded: only the newest facts of a chronicle are looked at. Not here: which of them fit (`judgement.replay`), and what
they say they did (`selection`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.operations.judging.selection import Selection, Told
from sage_git.storage import queries
from sage_git.storage.index import Index, Reach

_NEWEST: Final = 1_024
_ROGUE: Final = "ROGUE_EDIT_DETECTED"


class Chronicle:
    """The newest facts and verdicts of everything that ever stood at some paths, in the order that they arrived."""

    def __init__(self, told: Sequence[Told]) -> None:
        self._told = told

    def edits(self, wanted: Callable[[Told], bool]) -> Selection:
        """The edits of `wanted` facts."""
        return Selection(filter(wanted, self._told))

    def rogue(self, wanted: Callable[[Told], bool]) -> list[EventId]:
        """The facts whose kept verdict is that they are rogue, in the order of the verdicts."""
        verdicts = (each for each in self._told if each.type == _ROGUE and each.parents and wanted(each))
        return [each.parents[0] for each in verdicts]


class Candidates:
    """The chronicles of an index, of which every event is read once. Remembers until it is told to `forget`."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._read: dict[int, Told] = {}

    def beside(self, fact: Event, paths: Iterable[bytes], reach: Reach) -> Chronicle:
        """What ever stood at `paths`, or in the fact's own chronicles, but for what its commit did."""
        index, commit = self._index, fact.graph_commit
        node = index.events.node(fact.event_id) if fact.event_id else None
        lineages = set(node.lineages if node else ())
        for path in paths:
            for event in queries.events_beyond(index.connection, path, reach, _NEWEST):
                found = index.events.node(event)
                # What came later may link other chronicles, as a split does; what is done again is not told by that.
                if found is not None and (node is None or found.number < node.number):
                    lineages.update(found.lineages)
        told = self._newest_of({index.events.component(lineage) for lineage in lineages})
        return Chronicle([each for each in told if each.commit != commit])

    def forget(self) -> None:
        """Drop what was read: others may write to the index."""
        self._read.clear()

    def _newest_of(self, components: Iterable[int]) -> list[Told]:
        """The newest facts and verdicts of these chronicles, but for those that are redacted."""
        connection = self._index.connection
        numbers = queries.newest_of_components(connection, components, _NEWEST)
        for row in queries.observed(connection, [number for number in numbers if number not in self._read]):
            if row.line is not None:
                self._read[row.number] = Told.of(row)
        return [self._read[number] for number in numbers if number in self._read]
