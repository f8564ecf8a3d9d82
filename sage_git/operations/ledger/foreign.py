"""Bringing the index in line with the logs of other writers, as far as they lie in the stores of this clone.

What lies there was vetted when it was adopted: every body is the event that its leaf names. What comes in which order
changes nothing: parents that are missing are waited for, and what is told of commits is checked once they are observed.
Not here: adopting logs, and dropping redacted bodies from them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from sage_git.chronicle.ids import EventId
from sage_git.errors import ProofFailed
from sage_git.gitrepo.log_tree import SEGMENT_ENTRIES, Half, segment_count, segment_path
from sage_git.gitrepo.store import Store
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import LOGS_SEEN, logs_seen
from sage_git.operations.findings import Finding
from sage_git.operations.ledger.arrivals import Arrivals
from sage_git.operations.ledger.told import Scales
from sage_git.operations.sealing import store_of
from sage_git.storage.index.writers import Segment
from sage_git.storage.keys import writer_id


@dataclass(frozen=True, slots=True)
class Entered:
    """What came in: how many events, what was not believed, and whose bodies are to be dropped where they still lie."""

    events: int = 0
    findings: tuple[Finding, ...] = ()
    redacted: frozenset[EventId] = frozenset()


def enter_logs(checkout: Checkout) -> Entered:
    """Enter what is new in the logs of others. The caller holds the log's lock. Safe to do again.

    Raises GitFailed, StorageError.
    """
    index, store = checkout.index, store_of(checkout)
    index.commits.forget()
    index.events.forget()  # somebody else may have entered something since we held the lock
    seen = logs_seen(checkout)
    tips = _tips(store)
    tips.pop(writer_id(checkout.sage) or "", None)
    known = index.writers.tips()
    changed = [writer for writer in sorted(tips) if known.get(writer) != tips[writer]]
    with closing(Scales(checkout)) as scales:
        arrivals = Arrivals(checkout, scales)
        sizes = {writer: _read(checkout, store, writer, arrivals) for writer in changed}
        arrivals.enter()
    with index.transaction():
        for writer, size in sizes.items():
            index.writers.put(writer, size, tips[writer], _predecessor(checkout, store, writer))
        index.events.redactions_changed()
        if seen is not None:
            index.keep(LOGS_SEEN, seen)
    return Entered(arrivals.entered, tuple(arrivals.findings), frozenset(arrivals.to_drop))


def _tips(store: Store) -> dict[str, str]:
    """Of every writer, the commits that its log is read from."""
    public, private = store.writers(Half.PUBLIC), store.writers(Half.PRIVATE)
    return {writer: f"{public.get(writer, '-')} {private.get(writer, '-')}" for writer in {**public, **private}}


def _read(checkout: Checkout, store: Store, writer: str, arrivals: Arrivals) -> int:
    """Have the entries of a log's segments that changed since they were entered arrive; how many it has in all."""
    leaves, withheld = store.tree(writer), store.withheld(writer)
    there = {}
    for number in range(segment_count(leaves)):
        events = segment_path("events", number)
        bodies = f"{leaves.get(events, '-')} {withheld.get(events, '-')}"
        there[number] = Segment(leaves[segment_path("leaves", number)], bodies)
    known = checkout.index.writers.segments(writer)
    size = checkout.index.writers.size(writer)
    for first, last in _runs(number for number, segment in there.items() if known.get(number) != segment):
        for entry in store.entries(writer, first * SEGMENT_ENTRIES, (last + 1) * SEGMENT_ENTRIES):
            number = entry.number // SEGMENT_ENTRIES
            arrivals.take(writer, entry, number, there[number])
            size = max(size, entry.number + 1)
    return size


def _predecessor(checkout: Checkout, store: Store, writer: str) -> str | None:
    """Whose log a writer goes on from, and may redact in: as it says itself, if the same person certifies both."""
    said = store.introduction(writer)
    if b'"supersedes"' not in said:
        return None
    from sage_git.operations.signing import signers_now  # few writers ever go on from another
    from sage_git.proof.introduction import Introduction, certified_by

    signers, now = signers_now(checkout), int(time.time())
    try:
        before = Introduction.parse(said).supersedes
        if signers is None or before is None:
            return None
        about = ((store.introduction(each), store.certificate(each)) for each in (writer, before))
        people = {certified_by(content, certificate, signers, now) for content, certificate in about}
    except ProofFailed:
        return None
    return before if len(people) == 1 else None


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    first = last = None
    for number in numbers:
        if first is None or last is None or number != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
