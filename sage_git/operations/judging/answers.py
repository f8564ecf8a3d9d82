"""Which rogue edits people have answered for: RECONCILIATION statements with `resolves`, closed over replays.

Answering an edit answers every replay of it, and answering a replay what it replays: they have the same roots. Not
here: taking an edit back, which answers it only in the histories that have the commit that did (`judgement.standing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, is_hex
from sage_git.chronicle.kinds import milliseconds
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.judgement.standing import Rules
from sage_git.operations.judging.about import facts_of_verdict
from sage_git.operations.judging.docket import Docket
from sage_git.storage import queries
from sage_git.storage.index import Index


class Answers:
    """The answers that are known. What an answer names may come into the index later."""

    def __init__(self, docket: Docket, rules: Rules, index: Index, extra: Iterable[Event]) -> None:
        self._docket, self._rules, self._index = docket, rules, index
        self._extra = {event.event_id: event for event in extra}
        kept = (row.event for row in queries.answers(index.connection))
        self._statements = [event for event in (*kept, *self._extra.values()) if _is_answer(event)]
        self._as_of = 0
        self._named: dict[EventId, int] = {}
        self._closure: dict[EventId, list[tuple[Event, EventId]]] = {}
        self._not_closed: list[tuple[Event, EventId]] = []
        self._awaited: dict[EventId, list[tuple[Event, EventId]]] = {}
        """By the event that must be in the index first: the answers, with the name that they give it."""
        for event in self._statements:
            for name in _names(event):
                verdict = self._extra.get(name)
                hangs_on = verdict.parents[:1] if verdict is not None and verdict.type in VERDICT_TYPES else ()
                self._awaited.setdefault(hangs_on[0] if hangs_on else name, []).append((event, name))

    @property
    def exist(self) -> bool:
        """True if anybody ever answered for anything."""
        return bool(self._statements)

    def has(self, fact: EventId, under: ObjectId) -> bool:
        """True if somebody answered for `fact`, or what has the same root, and that counts for the commit `under`.

        What is done again is answered for by the policy where it is, not by that of a branch it came from.
        """
        found = self._closed().get(fact, ()) if self._statements else ()
        return any(self._may_answer(answer, answered, under) for answer, answered in found)

    def since(self, fact: EventId) -> int | None:
        """The second of the first answer that names `fact` itself, or its verdict."""
        return self._direct().get(fact) if self._statements else None

    def _closed(self) -> Mapping[EventId, list[tuple[Event, EventId]]]:
        """The facts that are answered for, each with the answers and what these name."""
        self._refresh()
        while self._not_closed:
            answer, fact = self._not_closed.pop()
            for root in {fact, *self._rules.roots(fact)}:
                self._closure.setdefault(root, []).append((answer, fact))
        return self._closure

    def _may_answer(self, answer: Event, answered: EventId, under: ObjectId) -> bool:
        fact = self._docket.fact(answered)
        return fact is not None and self._docket.may_answer(answer, fact, under)

    def _direct(self) -> Mapping[EventId, int]:
        """The facts that answers name, with the second of the first that did."""
        self._refresh()
        return self._named

    def _refresh(self) -> None:
        """Look at what came into the index since, and was waited for."""
        last = self._index.events.last_number()
        if self._as_of == last or not self._awaited:
            return
        self._index.events.flush()
        waited_for = [each for each in queries.ids_after(self._index.connection, self._as_of) if each in self._awaited]
        self._as_of = last
        for identifier in waited_for:
            self._awaited[identifier] = [
                (answer, name) for answer, name in self._awaited[identifier] if not self._takes(answer, name)
            ]

    def _takes(self, answer: Event, name: EventId) -> bool:
        """True if what the answer calls `name` is known now; it is answered for, if that may be."""
        is_known = False
        for identifier in self._facts_behind(name):
            fact = self._docket.fact(identifier)
            if fact is None:
                continue
            is_known = True
            if self._docket.may_answer(answer, fact):
                second = milliseconds(answer.timestamp) // 1000
                self._named[identifier] = min(second, self._named.get(identifier, second))
                self._not_closed.append((answer, identifier))
        return is_known

    def _facts_behind(self, name: EventId) -> Iterable[EventId]:
        """The fact of this name, or that the verdict of this name hangs on."""
        verdict = self._extra.get(name)
        if verdict is not None and verdict.type in VERDICT_TYPES:
            return verdict.parents[:1]
        for row in queries.by_event_prefix(self._index.connection, name, 1):
            return facts_of_verdict(self._index.connection, row) if row.type in VERDICT_TYPES else [name]
        return ()


def _names(answer: Event) -> Iterable[EventId]:
    """What an answer answers for."""
    names = answer["resolves"]
    named = names if isinstance(names, list) else []
    return (EventId(name) for name in named if isinstance(name, str) and is_hex(name, 64))


def _is_answer(event: Event) -> bool:
    return event.type == "RECONCILIATION" and event.graph_commit is None and "resolves" in event
