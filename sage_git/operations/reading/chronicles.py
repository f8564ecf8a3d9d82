"""The history of chronicles, newest first, in the order that their links give them: as much is read as is asked for.

A chronicle may have ten thousand events. What their order needs to know of them is held, a tenth of what they say;
the events themselves are read again, a portion at a time. Not here: what an entry is (`history`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, Self

from sage_git.chronicle.dag import missing_parents, order
from sage_git.chronicle.ids import EventId
from sage_git.chronicle.payloads import FACT_TYPES, VERDICT_TYPES
from sage_git.operations.reading.history import Entry, Readings, Selection, by_fact, entry_of, is_within
from sage_git.storage import queries
from sage_git.storage.queries import Row

_PORTION: Final = 50


@dataclass(frozen=True, slots=True)
class _Link:
    """What order and folding need to know of a row of a chronicle; the row itself is ten times as big."""

    event_id: EventId
    timestamp: str
    parents: tuple[EventId, ...]
    is_fact: bool
    is_verdict: bool
    is_wanted: bool

    @classmethod
    def of(cls, row: Row, *, is_wanted: bool) -> Self:
        """The link of a row."""
        event = row.event
        is_verdict = row.type in VERDICT_TYPES and bool(event.graph_commit)
        return cls(row.event_id, event.timestamp, event.parents, row.type in FACT_TYPES, is_verdict, is_wanted)


def of_chronicle(readings: Readings, selection: Selection, components: Iterable[int]) -> tuple[Iterator[Entry], bool]:
    """The wanted entries of chronicles, newest first, and whether any event names a parent that nobody here has.

    Entries are read and judged as they are asked for.
    """
    rows = queries.each_of_components(readings.connection, components)
    ordered = order(_Link.of(row, is_wanted=_is_wanted(readings, selection, row)) for row in rows)
    incomplete = not queries.has_all(readings.connection, missing_parents(ordered))
    return _read(readings, selection, [link for link in reversed(ordered) if link.is_wanted]), incomplete


def _is_wanted(readings: Readings, selection: Selection, row: Row) -> bool:
    return is_within(row, selection) and (selection.everywhere or readings.in_head(row))


def _read(readings: Readings, selection: Selection, links: Sequence[_Link]) -> Iterator[Entry]:
    """Entries of the rows of links, read in portions."""
    verdicts = by_fact({link.event_id for link in links if link.is_fact}, (each for each in links if each.is_verdict))
    hanging = {link.event_id for several in verdicts.values() for link in several}
    leads = (link.event_id for link in links if link.event_id not in hanging)
    while portion := list(islice(leads, _PORTION)):
        together = [(lead, *(link.event_id for link in verdicts.get(lead, ()))) for lead in portion]
        rows = queries.by_ids(readings.connection, chain.from_iterable(together))
        for lead, *hung in together:
            if lead not in rows:  # a log that came meanwhile has a verdict of its own in the place of ours
                continue
            entry = entry_of(readings, selection, rows[lead], [rows[each] for each in hung if each in rows])
            if entry.matched:
                yield entry
