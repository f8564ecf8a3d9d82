"""The ends of a subject's chronicle: its statements that no other names as a parent. What the next one hangs on.

They are kept in the index, so that a statement costs the same however long its chronicle is. Whoever floods a subject
with statements that hang on nothing makes many ends: the newest are closed by what is said next, older ones stay open.
Not here: sources, whose statements hang on facts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.storage.index import Index

MOST_PARENTS: Final = 64
_MOST_KEPT: Final = 1_024


@dataclass(slots=True)
class Ends:
    """The ends after event number `last`, in order of arrival, and the parents that were `named` before they came."""

    last: int = 0
    ids: dict[EventId, None] = field(default_factory=dict)
    named: dict[EventId, None] = field(default_factory=dict)

    @classmethod
    def kept(cls, index: Index, component: int) -> Self:
        """The ends of a chronicle when somebody last asked."""
        kept = index.value(_key(component))
        if kept is None:
            return cls()
        last, ids, named = json.loads(kept)
        return cls(last, dict.fromkeys(ids), dict.fromkeys(named))

    def take(self, number: int, event: Event) -> None:
        """Go on with an event of a higher number. One whose id is not true is nobody's parent."""
        self.last = number
        if not event.has_true_id() or event.event_id is None:
            return
        for parent in event.parents:
            if parent in self.ids:
                del self.ids[parent]
            else:
                self.named[parent] = None
        if event.event_id in self.named:
            del self.named[event.event_id]
        else:
            self.ids[event.event_id] = None

    def keep(self, index: Index, component: int) -> None:
        """Keep these for the next question; of very many, the newest. Within a transaction."""
        newest = [list(each)[-_MOST_KEPT:] for each in (self.ids, self.named)]
        index.keep(_key(component), json.dumps([self.last, *newest]))


def ends_of(index: Index, component: int) -> list[EventId]:
    """The ends of a chronicle that the next statement hangs on, sorted: all, or of very many the newest."""
    return sorted(list(_now(index, component).ids)[-MOST_PARENTS:])


def keep_ends(index: Index, component: int) -> None:
    """Keep the ends for the next question. Within a transaction."""
    _now(index, component).keep(index, component)


def _now(index: Index, component: int) -> Ends:
    """The ends as they are; only what came since they were kept is read."""
    ends = Ends.kept(index, component)
    for number, _, line in index.events.lines(component, ends.last):
        ends.take(number, Event.from_line(line))
    return ends


def _key(component: int) -> str:
    return f"ends:{component}"
