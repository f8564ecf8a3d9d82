"""Entering events into the index, with the chronicles they stand in, and catching up with what the log has.

Which lineages an event stands in follows from events alone, so that an index made anew from a log says the same. Not
here: appending to the log, which whoever has a new event does in the same transaction (`recording`, `statements`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id, lineage_name
from sage_git.chronicle.ndjson import true_id
from sage_git.chronicle.payloads import is_fact
from sage_git.errors import StorageError, ValidationError
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import CATCHING_UP, is_complete
from sage_git.operations.identity import Identity
from sage_git.operations.paths import path_text, raw_path
from sage_git.operations.sealing import sealed_bodies
from sage_git.operations.subjects import subject_lineage, subject_source
from sage_git.storage.index import Index
from sage_git.storage.index.commits import Known
from sage_git.storage.index.events import REDACTION

MOVES: Final = frozenset(("FILE_SPLIT", "FILE_MERGED"))
"""Facts that stand in the chronicle of every path they name, and join none."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where events come from: the observed commit of facts and verdicts, and its effective time."""

    commit: Known | None = None

    def time(self, event: Event) -> int:
        """The event's place in time, in ms; the commit's effective time if it has one."""
        return self.commit.effective * 1000 if self.commit else milliseconds(event.timestamp)


def enter(index: Index, identity: Identity, event: Event, occasion: Occasion, entry: int | None) -> bool:
    """Store `event` in the index unless it is there; True if it is new. Within a transaction."""
    assert event.event_id is not None
    if index.events.node(event.event_id) is None:
        enter_new(index, identity, event, occasion, entry)
        return True
    meet_again(index, event, occasion, entry)
    return False


def enter_new(index: Index, identity: Identity, event: Event, occasion: Occasion, entry: int | None) -> None:
    """Store `event`, which the index does not know. Within a transaction."""
    lineages = lineages_of(index, identity, event)
    kind = event.type
    if len(lineages) > 1 and kind not in MOVES:
        index.events.join(lineages)
    number = occasion.commit.number if occasion.commit else None
    index.events.add(event, lineages, commit_number=number, time=occasion.time(event), entry=entry)
    if kind == REDACTION:
        index.events.redact(event.fields["redactedEventId"])
    elif event.event_id in index.events.redacted():
        _withdraw(index, event, lineages)


def meet_again(index: Index, event: Event, occasion: Occasion, entry: int | None) -> None:
    """Note what is new about an event that the index knows. Within a transaction."""
    assert event.event_id is not None
    if b'"eventId":"%s"' % event.event_id.encode("ascii") in event.line:
        index.events.put_line(event.event_id, event.line)  # somebody may have kept it without its id before
    if entry is not None:
        index.events.set_entry(event.event_id, entry)
    if occasion.commit is not None:
        index.events.set_commit([event.event_id], occasion.commit.number, occasion.time(event))


def _withdraw(index: Index, event: Event, lineages: Sequence[int]) -> None:
    """Drop the body of an event that was redacted before it came here, as when an index is made anew from a log.

    What hangs on a fact came without knowing its lineage, and is brought together with it.
    """
    assert event.event_id is not None
    index.events.redact(event.event_id)
    if is_fact(event.type) and event.type not in MOVES:
        nodes = [index.events.node(child) for child in index.events.naming(event.event_id)]
        index.events.join([*lineages, *(node.lineages[0] for node in nodes if node and len(node.lineages) == 1)])


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that stands in this clone's log under a number."""

    number: int
    event: Event


def missing_entries(checkout: Checkout) -> dict[EventId, Entry]:
    """What the log has and the index has not (after a crash, or a deleted index). The caller holds the log's lock.

    They are entered only after what is new in git was observed: which chronicle a statement or fact stands in follows
    from its parents, and those may be facts of commits that no log of ours holds.
    """
    if is_complete(checkout):
        return {}
    have = checkout.index.events.entry_numbers()
    with checkout.index.transaction():
        checkout.index.keep(CATCHING_UP, "yes")
    missing = (
        Entry(number, _stored(checkout, number, line))
        for number, line in entries_from(checkout, 0)
        if line is not None and number not in have
    )
    return {entry.event.event_id: entry for entry in missing if entry.event.event_id is not None}


def redacted_by(missing: Mapping[EventId, Entry]) -> frozenset[EventId]:
    """The events whose bodies are dropped by redactions that are still to be entered."""
    redactions = (entry.event for entry in missing.values() if entry.event.type == REDACTION)
    return frozenset(event.fields["redactedEventId"] for event in redactions)


def enter_missing(checkout: Checkout, missing: Mapping[EventId, Entry]) -> int:
    """Enter what no observation brought: how many. The caller holds the log's lock."""
    if checkout.index.value(CATCHING_UP) is None:
        return 0
    with checkout.index.transaction():
        entered = sum(
            enter(checkout.index, checkout.known_identity(), entry.event, Occasion(), entry.number)
            for entry in sorted(missing.values(), key=lambda entry: entry.number)
        )
        checkout.index.forget_value(CATCHING_UP)
    return entered


def entries_from(checkout: Checkout, first: int) -> Iterator[tuple[int, bytes | None]]:
    """Number and event of the log's entries from `first` on; None for a body that was redacted."""
    sealed = checkout.log.sealed()
    if first < sealed:
        for number, body in sealed_bodies(checkout, first):
            if number < sealed:
                yield number, body
    for entry in checkout.log.read_tail():
        if entry.number >= first:
            yield entry.number, entry.body or None


def lineages_of(index: Index, identity: Identity, event: Event) -> tuple[int, ...]:
    """The numbers of the lineages that `event` stands in."""
    fields = event.fields
    parents = event.parents
    kind = event.type
    if kind in MOVES:
        found = [lineage for parent in parents for lineage in _standing(index, parent)]
    elif "graphCommit" in fields and isinstance(named := fields.get("oldPath") or fields.get("filePath"), str):
        path = raw_path(fields, named)
        found = lineages_along(index, parents, path)
        if not found:
            birth = fields["graphCommit"] if kind == "FILE_ADDED" else identity.since
            found = [index.events.lineage(lineage_name(identity.repository, path_text(path), birth))]
    else:
        subject = event.subject or ""
        name = subject_lineage(subject)
        if name is not None:
            found = [index.events.lineage(name)]
        else:
            path = raw_path(fields, subject_source(subject))
            found = lineages_along(index, parents, path)
            if not found:
                found = [index.events.lineage(lineage_name(identity.repository, path_text(path), identity.since))]
    return tuple(dict.fromkeys(found))


def lineages_along(index: Index, facts: Iterable[EventId], path: bytes) -> list[int]:
    """The lineages of a path whose newest facts these are."""
    return list(dict.fromkeys(lineage for fact in facts for lineage in _along(index, fact, path)))


def _standing(index: Index, event_id: EventId) -> Sequence[int]:
    node = index.events.node(event_id)
    return () if node is None else node.lineages


def _along(index: Index, event_id: EventId, path: bytes) -> Sequence[int]:
    """The lineages in which `event_id` is about `path`: for a split or merge, those of its parent on that path."""
    node = index.events.node(event_id)
    if node is None or len(node.lineages) < 2:
        return () if node is None else node.lineages
    event = index.events.event(event_id)
    if event is None or event.type not in MOVES:
        return node.lineages
    for parent in node.parents:
        fact = index.events.event(parent)
        if fact is not None and path in _paths_of(fact):
            return _along(index, parent, path)
    return node.lineages


def _paths_of(fact: Event) -> Iterator[bytes]:
    for field in ("newPath", "filePath", "oldPath"):
        if field in fact.fields:
            yield raw_path(fact.fields, fact.fields[field])


def milliseconds(timestamp: str) -> int:
    """A timestamp of an event as ms since 1970; 0 if it is none."""
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except ValueError:
        return 0


def _stored(checkout: Checkout, number: int, line: bytes) -> Event:
    """The event of a line of the log, under the id that its content has by right, whatever it says of itself."""
    if (identifier := true_id(line)) is not None:
        return Event.trusted(identifier, line)
    try:
        fields = Event.from_line(line).fields
        return Event.trusted(event_id(fields), line, fields)
    except ValidationError as problem:
        remedy = "run `sage-git fsck --repair`"
        raise StorageError(str(checkout.log.path), "read", f"entry {number}: {problem}", remedy=remedy) from None
