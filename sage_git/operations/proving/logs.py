"""The logs that are known here, asked for proofs: this clone's own, and those that other writers signed.

A proof needs a checkpoint over the whole log. For the own log one is signed on the spot, over what is there now;
nothing is published by that, since a proof has one leaf and hashes. Not here: what goes into a proof file beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.errors import ProofFailed
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.fsck_log import check_log, compare_with_index
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.certifying import certificate
from sage_git.operations.exchange.trees import own_tree, segment_roots, tree_over
from sage_git.operations.sealing import seal_full_segments, store_of
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof.checkpoint import Checkpoint, origin_of
from sage_git.proof.merkle import Tree
from sage_git.proof.tlog_proof import Proof
from sage_git.storage.keys import introduction, load_key, writer_id
from sage_git.storage.lock import held

_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Signed:
    """A log as its writer signed it."""

    writer: str
    note: bytes
    tree: Tree
    introduction: bytes
    certificate: bytes

    def prove(self, number: int, extra: bytes) -> Proof:
        """That entry `number` is in this log; `extra` goes into the file as it is."""
        return Proof(number, tuple(self.tree.inclusion(number)), self.note, extra)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands: in whose log, under which number."""

    writer: str
    number: int


class Logs:
    """All logs that are known to a clone. Each is looked at once: all proofs of a writer have one checkpoint."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._repository = checkout.known_identity().repository
        self._own = writer_id(checkout.sage)
        self._signed: dict[str, Signed] = {}

    def places(self, events: Sequence[EventId]) -> dict[EventId, Place]:
        """Where each of these events can be proved to stand, in the own log if it is there; the others are left out."""
        found = {event: place for event in events if (place := self._place(event)) is not None}
        return dict(sorted(found.items(), key=lambda each: (each[1].writer, each[1].number)))

    def signed(self, writer: str) -> Signed:
        """The log of `writer` and its checkpoint. Raises GitFailed, StorageError; ProofFailed if it is not sound."""
        if writer not in self._signed:
            self._signed[writer] = self._sign_own(writer) if writer == self._own else self._published(writer)
        return self._signed[writer]

    def _place(self, event: EventId) -> Place | None:
        own = self._checkout.index.events.entry(event)
        if own is not None and self._own is not None:
            return Place(self._own, own)
        holders = (Place(*each) for each in self._checkout.index.writers.holders(event) if each[0] != self._own)
        return next(filter(self._is_signed, holders), None)

    def _is_signed(self, place: Place) -> bool:
        """True if a checkpoint that is here has the entry; a log that is not sound proves nothing."""
        try:
            return place.number < self.signed(place.writer).tree.size
        except ProofFailed:
            return False

    def _sign_own(self, writer: str) -> Signed:
        checkout = self._checkout
        key = load_key(checkout.sage)
        with held(checkout.sage / "log.lock", _TIMEOUT_MS):
            seal_full_segments(checkout)
            tree = own_tree(checkout)
        checkpoint = Checkpoint(origin_of(self._repository, writer), tree.size, tree.root())
        note = checkpoints.issue(checkpoint, key)
        return Signed(writer, note, tree, introduction(checkout.sage), certificate(checkout.sage) or b"")

    def _published(self, writer: str) -> Signed:
        store = store_of(self._checkout)
        note, files = store.checkpoint(writer), store.published(writer)
        checkpoint = checkpoints.opened(note, self._repository, writer)
        roots = segment_roots(self._checkout.index, store, files, checkpoint.size)
        tree = tree_over(store, files, checkpoint.size, roots)
        if tree.root() != checkpoint.root:
            remedy = "run `sage-git fsck`; then sync with a peer that has this log"
            raise ProofFailed(f"the log of the writer {writer} is not what its checkpoint signs", remedy=remedy)
        return Signed(writer, note, tree, store.introduction(writer), store.certificate(writer))


def check_own_log(checkout: Checkout) -> None:
    """Nothing, if the own log is sound, and goes on from what this clone signed of it last and published.

    Raises ProofFailed naming the first fault, LockTimeout, GitFailed, StorageError.
    """
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        found = check_log(checkout)
        flaws = [*found.flaws, *compare_with_index(checkout, found)]
        fault = next((flaw for flaw in flaws if flaw.severity is Severity.ERROR), None)
        if fault is not None:
            raise ProofFailed(f"{fault.code}: {fault.message}", remedy="run `sage-git fsck`")
        writer = writer_id(checkout.sage)
        note = store_of(checkout).checkpoint(writer) if writer is not None else b""
        if writer is None or not note:
            return
        signed = checkpoints.opened(note, checkout.known_identity().repository, writer)
        seal_full_segments(checkout)
        tree = own_tree(checkout)
    if tree.size < signed.size or tree.root_at(signed.size) != signed.root:
        remedy = "run `sage-git fsck`; perhaps this clone was restored from a backup: then `sage-git sync` mends it"
        raise ProofFailed(f"the log is not what was signed when it had {signed.size} entries", remedy=remedy)
