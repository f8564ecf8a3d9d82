"""Catching up with this clone's own log: what it has and the index has not, after a crash or with a deleted index.

Not here: the logs of other writers (`foreign`), and appending, which whoever has a new event does in the same
transaction (`recording`, `statements`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.chronicle.ndjson import true_id
from sage_git.errors import StorageError, ValidationError
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import CATCHING_UP, has_own_log
from sage_git.operations.ledger.entering import Occasion, enter
from sage_git.operations.sealing import sealed_bodies, sealed_entries
from sage_git.storage.index.events import REDACTION
from sage_git.storage.writerlog import leaf_id


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that stands in this clone's log under a number."""

    number: int
    event: Event


def missing_entries(checkout: Checkout) -> dict[EventId, Entry]:
    """What the log has and the index has not (after a crash, or a deleted index). The caller holds the log's lock.

    They are entered only after what is new in git was observed, so that what a commit brings need not wait for it.
    """
    if has_own_log(checkout):
        return {}
    have = checkout.index.events.entry_numbers()
    with checkout.index.transaction():
        checkout.index.keep(CATCHING_UP, "yes")
    missing = (entry for entry in _logged(checkout) if entry.number not in have)
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


def _logged(checkout: Checkout) -> Iterator[Entry]:
    """The entries whose bodies are there. Of a sealed one the leaf says which event it is; `fsck` looks whether."""
    sealed = checkout.log.sealed()
    for entry in sealed_entries(checkout) if sealed else ():
        if entry.body and entry.number < sealed:
            yield Entry(entry.number, Event.trusted(leaf_id(entry.leaf), entry.body))
    for line in checkout.log.read_tail():
        if line.body:
            yield Entry(line.number, _stored(checkout, line.number, line.body))


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
