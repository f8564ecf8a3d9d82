"""Entering events into the index, with the chronicles they stand in. Within a transaction, under the log's lock.

What is known of an event follows from the events and observed commits that are here, whatever order they came in: one
that came before its parents is placed anew with each of them. Not here: appending to the log, which whoever has a new
event does in the same transaction (`recording`, `statements`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.chronicle.kinds import milliseconds
from sage_git.operations.identity import Identity
from sage_git.operations.ledger.lineages import MOVES, lineages_of
from sage_git.storage.index import Index
from sage_git.storage.index.commits import Known
from sage_git.storage.index.events import REDACTION


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where events come from: the observed commit of facts and verdicts, and its effective time."""

    commit: Known | None = None

    def time(self, event: Event) -> int:
        """The event's place in time, in ms; the commit's effective time if it has one."""
        return self.commit.effective * 1000 if self.commit else milliseconds(event.timestamp)


def enter(index: Index, identity: Identity, event: Event, occasion: Occasion, entry: int | None) -> bool:
    """Store `event` in the index unless it is there; True if it is new."""
    assert event.event_id is not None
    if index.events.node(event.event_id) is None:
        enter_new(index, identity, event, occasion, entry)
        return True
    meet_again(index, event, occasion, entry)
    return False


def enter_new(index: Index, identity: Identity, event: Event, occasion: Occasion, entry: int | None) -> None:
    """Store `event`, which the index does not know, and place anew what waited for it."""
    add(index, identity, event, occasion, entry)
    assert event.event_id is not None
    if index.events.is_awaited(event.event_id):
        settle(index, identity, [event.event_id])
    if event.type == REDACTION and entry is not None:  # those of others count only by their own logs (`foreign`)
        index.events.redact(event.fields["redactedEventId"])
    elif event.event_id in index.events.redacted():
        index.events.redactions_changed()  # if our own log has it, nobody else's word is enough
        if event.event_id in index.events.redacted():
            index.events.redact(event.event_id)


def add(index: Index, identity: Identity, event: Event, occasion: Occasion, entry: int | None) -> None:
    """Store `event`, which the index does not know. What waited for it goes on waiting until `settle`."""
    lineages = lineages_of(index, identity, event)
    if len(lineages) > 1 and event.type not in MOVES:
        index.events.join(lineages)
    number = occasion.commit.number if occasion.commit else None
    index.events.add(event, lineages, commit_number=number, time=occasion.time(event), entry=entry)


def meet_again(index: Index, event: Event, occasion: Occasion, entry: int | None) -> None:
    """Note what is new about an event that the index knows."""
    assert event.event_id is not None
    if b'"eventId":"%s"' % event.event_id.encode("ascii") in event.line:
        index.events.put_line(event.event_id, event.line)  # somebody may have kept it without its id before
    if entry is not None:
        index.events.set_entry(event.event_id, entry)
    if occasion.commit is not None:
        index.events.set_commit(event.event_id, occasion.commit.number, occasion.time(event))


def settle(index: Index, identity: Identity, arrived: Iterable[EventId]) -> None:
    """Place anew what waited for events that `arrived`, and what waited for that, as if those had come before it."""
    waiting = list(arrived)
    while waiting:
        for number in index.events.waiting_for(waiting.pop()):
            child = index.events.by_number(number)
            if child is not None and child.event_id is not None and _place_anew(index, identity, child):
                waiting.append(child.event_id)


def withdraw(index: Index, identity: Identity, event_ids: Iterable[EventId]) -> None:
    """Take events out as if they had never come; what hangs on them waits for them from here on."""
    events, gone = index.events, frozenset(event_ids)
    hanging: dict[EventId, Event] = {}
    parents: Iterable[EventId] = gone
    while parents:
        children = {each.event_id: each for each in events.children(parents) if each.event_id is not None}
        parents = children.keys() - hanging.keys() - gone
        hanging |= {each: children[each] for each in parents}
    below = sorted(hanging.values(), key=lambda event: events.depth(event.event_id or EventId("")))
    events.remove(gone)
    for event in below:
        _place_anew(index, identity, event)


def _place_anew(index: Index, identity: Identity, event: Event) -> bool:
    """True if the event stands otherwise now, by what is known of its parents."""
    events = index.events
    assert event.event_id is not None
    node = events.node(event.event_id)
    assert node is not None
    lineages = lineages_of(index, identity, event)
    if len(lineages) > 1 and event.type not in MOVES:
        events.join(lineages)
    effective = events.effective(node.number)
    time = milliseconds(event.timestamp) if effective is None else effective * 1000
    return events.place_anew(event, node.number, lineages, time)
