"""What the logs of others tell of commits, held against the commits: once those are observed, nothing false stays.

Not here: what is true (`truth`), and reading the logs (`foreign`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import VERDICT_TYPES, is_fact
from sage_git.errors import GitFailed, SageError
from sage_git.gitrepo.trees import Trees
from sage_git.operations.checkout import Checkout
from sage_git.operations.findings import Finding
from sage_git.operations.ledger.entering import Occasion, withdraw
from sage_git.operations.ledger.lineages import join_anew
from sage_git.operations.ledger.truth import Drops, Told, untrue_verdict
from sage_git.storage.index.commits import Known
from sage_git.storage.index.writers import Refusal

FORGED: Final = "forged-fact"

VerdictKey = tuple[tuple[EventId, ...], str]
"""What tells the verdicts of one commit apart: the fact that each hangs on, and the path."""


def verdict_key(verdict: Event) -> VerdictKey:
    """What the verdict is on, among those of its commit."""
    return verdict.parents[:1], str(verdict.get("filePath"))


def is_verdict(event: Event) -> bool:
    """True for what was seen of a commit's facts on the spot; not for what people answered."""
    return event.type in VERDICT_TYPES and event.graph_commit is not None


class Scales:
    """Holds single facts and verdicts against commits that are observed; a few look-ups each. To be closed."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._trees = Trees(checkout.scratch)
        self._drops: dict[ObjectId, Drops] = {}

    def untruth(self, event: Event, commit: ObjectId) -> str | None:
        """What is not true of an event that nobody derived here, as a sentence; None if it may be."""
        events = self._checkout.index.events
        try:
            if is_fact(event.type):
                return Told(self._checkout, self._trees, event, commit).untruth()
            fact = events.event(event.parents[0]) if event.parents else None
            if event.get("reason") == "merge" and (fact is None or fact.graph_commit != commit):
                return self._drops_of(commit).untruth(event)
            if fact is None and event.parents and events.node(event.parents[0]) is not None:
                return None  # its fact was redacted: nothing can be said of it
            return untrue_verdict(event, fact if fact is not None and is_fact(fact.type) else None)
        except GitFailed as failure:
            return f"git cannot tell: {failure}"
        except (SageError, TypeError, ValueError, LookupError):
            return "it breaks the rules of its type"

    def _drops_of(self, commit: ObjectId) -> Drops:
        if commit not in self._drops:
            self._drops[commit] = Drops.of(self._checkout, commit)
        return self._drops[commit]

    def close(self) -> None:
        """End the process that was asked, if there is one."""
        self._trees.close()


class Foretold:
    """What was told of one commit before it was observed."""

    def __init__(self, checkout: Checkout, oid: ObjectId) -> None:
        self._checkout, self._oid = checkout, oid
        self._events = checkout.index.foretold.of(oid)

    @cached_property
    def verdicts(self) -> Collection[VerdictKey]:
        """What the verdicts among it are on."""
        return {verdict_key(event) for event in self._events if is_verdict(event)}

    def settle(self, known: Known, derived: Collection[EventId], scales: Scales) -> Iterator[Finding]:
        """Keep what is true of the commit, which is observed now, and take out the rest; what was wrong with that."""
        if not self._events:
            return
        index = self._checkout.index
        forged = []
        for event in sorted(self._events, key=lambda event: not is_fact(event.type)):
            assert event.event_id is not None
            if index.events.node(event.event_id) is None:
                continue
            why = None if event.event_id in derived else scales.untruth(event, self._oid)
            if why is None:
                index.events.set_commit(event.event_id, known.number, Occasion(known).time(event))
                continue
            forged.append(event.event_id)
            for writer, number in index.writers.holders(event.event_id):
                refusal = refusal_of(event, writer, number, why)
                index.writers.refuse([refusal])
                yield Finding(refusal.code, refusal.message, self._oid)
        index.foretold.came_true(self._oid)
        if forged:
            withdraw(index, self._checkout.known_identity(), forged)
            join_anew(index)


def refusal_of(event: Event, writer: str, number: int, why: str) -> Refusal:
    """Why an entry of a log is not believed."""
    message = f"writer {writer[:12]}, entry {number}: {event.type} is not true of its commit: {why}"
    return Refusal(writer, number, event.graph_commit, FORGED, message)
