"""Entries of other writers' logs on their way into the index, a portion at a time, parents first.

Not here: where they come from (`foreign`), and what is true (`told`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.kinds import milliseconds
from sage_git.chronicle.payloads import PLAN_TYPES, VERDICT_TYPES, is_fact
from sage_git.gitrepo.store import SealedEntry
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import SAID_SINCE
from sage_git.operations.findings import Finding
from sage_git.operations.ledger.entering import Occasion, add, settle, withdraw
from sage_git.operations.ledger.told import Scales, VerdictKey, refusal_of, verdict_key
from sage_git.storage import log_queries
from sage_git.storage.index.commits import Known
from sage_git.storage.index.writers import Refusal, Segment
from sage_git.storage.writerlog import leaf_id

_PORTION: Final = 16_384
_OF_PLANS_AND_ANSWERS: Final = PLAN_TYPES | {"RECONCILIATION"}


@dataclass(frozen=True, slots=True)
class _Body:
    """An event's line, and where it stands."""

    line: bytes
    writer: str
    number: int


@dataclass(slots=True)
class Arrivals:
    """Takes entries, and enters them now and then, so that any number of them fits into memory.

    `to_drop` are the redacted events whose bodies still lie in some log.
    """

    checkout: Checkout
    scales: Scales
    entered: int = 0
    findings: list[Finding] = field(default_factory=list)
    to_drop: set[EventId] = field(default_factory=set)
    _entries: dict[str, list[tuple[EventId, int]]] = field(default_factory=dict)
    _segments: dict[str, dict[int, Segment]] = field(default_factory=dict)
    _bodies: dict[EventId, _Body] = field(default_factory=dict)

    def take(self, writer: str, entry: SealedEntry, number: int, segment: Segment) -> None:
        """Take the next entry of a log, which stands in its segment `number`."""
        segments = self._segments.setdefault(writer, {})
        if number not in segments:
            if len(self._bodies) >= _PORTION:
                self.enter()
                segments = self._segments.setdefault(writer, {})
            segments[number] = segment
        identifier = leaf_id(entry.leaf)
        self._entries.setdefault(writer, []).append((identifier, entry.number))
        if entry.body and identifier not in self._bodies:
            self._bodies[identifier] = _Body(entry.body, writer, entry.number)

    def enter(self) -> None:
        """Enter what was taken."""
        index = self.checkout.index
        with index.transaction():
            before = index.events.redacted()
            for writer, entries in self._entries.items():
                index.writers.put_entries(writer, entries)
                index.writers.put_segments(writer, self._segments[writer])
            index.events.redactions_changed()
            gone, known = index.events.redacted(), index.events.known(self._bodies)
            for identifier in index.events.without_body(known - gone):
                index.events.restore(identifier, self._bodies[identifier].line)
            portion = _Portion(self.checkout, self.scales, self._bodies)
            portion.enter([each for each in self._bodies if each not in known and each not in gone])
            index.writers.refuse(portion.refused)
            self._note_said(portion.said_ms)
            _give_way(self.checkout, portion.brought)
            self._redact(before)
        self.entered += portion.entered
        self.findings += [Finding(each.code, each.message, each.commit) for each in portion.refused]
        for taken in (self._entries, self._segments, self._bodies):
            taken.clear()

    def _note_said(self, said_ms: int | None) -> None:
        """Have the commits since then judged again that nobody's log says anything of (`recording.rejudging`)."""
        index = self.checkout.index
        known = index.value(SAID_SINCE)
        if said_ms is not None and (known is None or said_ms < int(known)):
            index.keep(SAID_SINCE, str(said_ms))

    def _redact(self, before: frozenset[EventId]) -> None:
        """Drop the bodies that are to be nowhere, as logs say now."""
        events = self.checkout.index.events
        now = events.redacted()
        for identifier in now - before:
            events.redact(identifier)
        self.to_drop.update(now - before, now & self._bodies.keys())


class _Portion:
    """Some events that the index does not know. Lives within one transaction."""

    def __init__(self, checkout: Checkout, scales: Scales, bodies: Mapping[EventId, _Body]) -> None:
        self._index = checkout.index
        self._identity = checkout.known_identity()
        self._bodies = bodies
        self._scales = scales
        self._commits: dict[ObjectId | None, Known | None] = {}
        self._foretold: list[tuple[ObjectId, int]] = []
        self.entered = 0
        self.refused: list[Refusal] = []
        self.said_ms: int | None = None
        """When the earliest of the statements that came was said, by which edits stand otherwise than alone."""
        self.brought: dict[int, set[VerdictKey]] = {}
        """By observed commit: what the verdicts that came are on."""

    def enter(self, unknown: Sequence[EventId]) -> None:
        """Enter the events that are not known yet, and place anew what waited for them."""
        arrived = []
        is_awaited = self._index.events.is_awaited
        for event in self._parents_first(unknown):
            assert event.event_id is not None
            is_in = self._enter_told(event) if _is_told(event) else self._enter_said(event)
            if is_in and is_awaited(event.event_id):
                arrived.append(event.event_id)
        self._index.events.flush()
        self._index.foretold.put(self._foretold)
        settle(self._index, self._identity, arrived)

    def _parents_first(self, unknown: Sequence[EventId]) -> Iterator[Event]:
        waiting = {each: Event.trusted(each, (line := self._bodies[each].line), orjson.loads(line)) for each in unknown}
        for identifier in unknown:
            stack = [identifier]
            while stack:
                event = waiting.get(stack[-1])
                if event is None:
                    stack.pop()
                elif ahead := [parent for parent in event.parents if parent in waiting]:
                    stack += ahead
                else:
                    del waiting[stack.pop()]
                    yield event

    def _add(self, event: Event, occasion: Occasion) -> bool:
        add(self._index, self._identity, event, occasion, None)
        self.entered += 1
        return True

    def _enter_said(self, event: Event) -> bool:
        if event.type in _OF_PLANS_AND_ANSWERS:
            said_ms = milliseconds(event.timestamp)
            self.said_ms = said_ms if self.said_ms is None else min(self.said_ms, said_ms)
        return self._add(event, Occasion())

    def _enter_told(self, event: Event) -> bool:
        """Enter a fact or verdict unless it is not true of its commit; True if it is entered."""
        commit = event.graph_commit
        known = self._observed(commit)
        if commit is not None and known is None:
            self._add(event, Occasion())
            self._foretold.append((commit, self._index.events.last_number()))
            return True
        why = "it names no commit" if commit is None else self._scales.untruth(event, commit)
        assert event.event_id is not None
        if why is not None or known is None:
            body = self._bodies[event.event_id]
            self.refused.append(refusal_of(event, body.writer, body.number, why or ""))
            return False
        if not is_fact(event.type):
            self.brought.setdefault(known.number, set()).add(verdict_key(event))
        return self._add(event, Occasion(known))

    def _observed(self, commit: ObjectId | None) -> Known | None:
        if commit not in self._commits:
            self._commits[commit] = None if commit is None else self._index.commits.known(commit)
        return self._commits[commit]


def _is_told(event: Event) -> bool:
    """True for what says what a commit did or is worth; an answer that names no commit is what somebody says."""
    kind = event.type
    return is_fact(kind) or (kind in VERDICT_TYPES and (kind != "RECONCILIATION" or event.graph_commit is not None))


def _give_way(checkout: Checkout, brought: Mapping[int, set[VerdictKey]]) -> None:
    """Take out the verdicts that no log holds where logs brought verdicts on the same, unless an answer names them."""
    index = checkout.index
    index.events.flush()
    provisional = [
        verdict.event_id
        for commit, keys in brought.items()
        for verdict in log_queries.verdicts_in_no_log(index.connection, commit)
        if verdict_key(verdict) in keys and verdict.event_id is not None
    ]
    if provisional:
        named = log_queries.answered(index.connection)
        withdraw(index, checkout.known_identity(), [each for each in provisional if each not in named])
