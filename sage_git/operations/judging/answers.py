"""Which rogue edits people have answered for: RECONCILIATION statements with `resolves`, closed over replays.

Answering an edit answers every replay of it, and answering a replay what it replays: they have the same roots. Not
here: taking an edit back, which answers it only in the histories that have the commit that did (`judgement.standing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, is_hex
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.judgement.standing import Rules
from sage_git.operations.judging.about import facts_of_verdict
from sage_git.operations.judging.docket import Docket
from sage_git.operations.ledger import milliseconds
from sage_git.storage import queries
from sage_git.storage.index import Index


class Answers:
    """The answers that are known. What an answer names may come into the index later."""

    def __init__(self, docket: Docket, rules: Rules, index: Index, extra: Iterable[Event]) -> None:
        self._docket, self._rules, self._index = docket, rules, index
        self._extra = {event.event_id: event for event in extra}
        kept = (row.event for row in queries.answers(index.connection))
        self._statements = [event for event in (*kept, *self._extra.values()) if _is_answer(event)]
        self._as_of = -1
        self._named: dict[EventId, int] | None = None
        self._closure: frozenset[EventId] | None = None

    @property
    def exist(self) -> bool:
        """True if anybody ever answered for anything."""
        return bool(self._statements)

    def has(self, fact: EventId) -> bool:
        """True if somebody answered for `fact`, or for something with the same root."""
        return bool(self._statements) and fact in self._closed()

    def since(self, fact: EventId) -> int | None:
        """The second of the first answer that names `fact` itself, or its verdict."""
        return self._direct().get(fact) if self._statements else None

    def _closed(self) -> frozenset[EventId]:
        self._refresh()
        if self._closure is None:
            self._closure = frozenset(root for fact in self._direct() for root in (fact, *self._rules.roots(fact)))
        return self._closure

    def _direct(self) -> Mapping[EventId, int]:
        """The facts that answers name, with the second of the first that did."""
        self._refresh()
        if self._named is None:
            named: dict[EventId, int] = {}
            for event in self._statements:
                second = milliseconds(event.timestamp) // 1000
                for fact in self._facts_named(event):
                    named[fact] = min(second, named.get(fact, second))
            self._named = named
        return self._named

    def _refresh(self) -> None:
        """Begin anew if the index has grown since."""
        if self._as_of != self._index.events.last_number():
            self._as_of = self._index.events.last_number()
            self._named = self._closure = None

    def _facts_named(self, answer: Event) -> Iterable[EventId]:
        names = answer["resolves"]
        for name in names if isinstance(names, list) else []:
            for identifier in self._facts_behind(EventId(name)) if isinstance(name, str) and is_hex(name, 64) else ():
                fact = self._docket.fact(identifier)
                if fact is not None and self._docket.may_answer(answer, fact):
                    yield identifier

    def _facts_behind(self, name: EventId) -> Iterable[EventId]:
        """The fact of this name, or that the verdict of this name hangs on."""
        verdict = self._extra.get(name)
        if verdict is not None and verdict.type in VERDICT_TYPES:
            return verdict.parents[:1]
        for row in queries.by_event_prefix(self._index.connection, name, 1):
            return facts_of_verdict(self._index.connection, row) if row.type in VERDICT_TYPES else [name]
        return ()


def _is_answer(event: Event) -> bool:
    return event.type == "RECONCILIATION" and event.graph_commit is None and "resolves" in event
