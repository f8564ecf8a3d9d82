"""What an edit is worth to somebody who reads: planned, answered for, or open. Not here: the rules (`judgement`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.operations.reading.history import ROGUE
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.chronicle.ids import EventId
    from sage_git.operations.reading.opening import Reading


@dataclass(frozen=True, slots=True)
class Stands:
    """How one fact stands. `ruling` is the strategy that answers for it, "rogue", or empty if it is not judged."""

    ruling: str = ""
    is_rogue: bool = False
    """True if it was itself covered by nothing: it is not one that only does such an edit again."""
    is_open: bool = False
    plan_id: str | None = None
    plan_hash: str | None = None


NOT_JUDGED: Final = Stands()


class Standings:
    """How facts stand at HEAD; each is looked up once."""

    def __init__(self, reading: Reading) -> None:
        self._readings = reading.readings
        self._known: dict[EventId, Stands] = {}

    def of(self, fact: Event) -> Stands:
        """How `fact` stands."""
        identifier = fact.event_id
        if identifier is None:
            return NOT_JUDGED
        if identifier not in self._known:
            self._known[identifier] = self._from_verdict(fact)
        return self._known[identifier]

    def _from_verdict(self, fact: Event) -> Stands:
        if fact.graph_commit is None:
            return NOT_JUDGED
        for row in queries.by_commit_prefix(self._readings.connection, fact.graph_commit):
            if row.type in VERDICT_TYPES and fact.event_id in row.event.parents[:1]:
                event, is_rogue = row.event, row.type == ROGUE
                ruling = "rogue" if is_rogue else str(event.get("reconciliationStrategy", ""))
                is_open = is_rogue and self._readings.is_open(row)
                return Stands(ruling, is_rogue, is_open, event.get("planId"), event.get("planHash"))
        return NOT_JUDGED
