"""The ends of a subject's chronicle: its statements that no other names as a parent. What the next one hangs on.

They are kept in the index, so that a statement costs the same however long its chronicle is. Not here: sources, whose
statements hang on facts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.storage.index import Index


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends after event number `last`, and the parents that were `named` before they came."""

    last: int = 0
    ids: frozenset[EventId] = frozenset()
    named: frozenset[EventId] = frozenset()

    @classmethod
    def kept(cls, index: Index, component: int) -> Self:
        """The ends of a chronicle when somebody last asked."""
        kept = index.value(_key(component))
        if kept is None:
            return cls()
        last, ids, named = json.loads(kept)
        return cls(last, frozenset(ids), frozenset(named))

    def after(self, number: int, event: Event) -> Ends:
        """The ends once an event with this number is there. One whose id is not true is nobody's parent."""
        if not event.has_true_id() or event.event_id is None:
            return Ends(number, self.ids, self.named)
        parents = frozenset(event.parents)
        own = frozenset((event.event_id,)) - self.named
        return Ends(number, (self.ids | own) - parents, (self.named - {event.event_id}) | (parents - self.ids))


def ends_of(index: Index, component: int) -> list[EventId]:
    """The ends of a chronicle, sorted."""
    return sorted(_now(index, component).ids)


def keep_ends(index: Index, component: int) -> None:
    """Keep the ends for the next question. Within a transaction."""
    ends = _now(index, component)
    index.keep(_key(component), json.dumps([ends.last, sorted(ends.ids), sorted(ends.named)]))


def _now(index: Index, component: int) -> Ends:
    """The ends as they are; only what came since they were kept is read."""
    ends = Ends.kept(index, component)
    for number, _, line in index.events.lines(component, ends.last):
        ends = ends.after(number, Event.from_line(line))
    return ends


def _key(component: int) -> str:
    return f"ends:{component}"
