"""The Merkle tree over this clone's own log, its unsealed end included.

The roots of whole segments never change, so the index keeps those that were computed. Not here: checkpoints
(`publishing`), proofs (`operations.proving`), and the logs of others (`vetting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sage_git.gitrepo.log_tree import SEGMENT_ENTRIES, segment_path
from sage_git.gitrepo.store import Store
from sage_git.operations.checkout import Checkout
from sage_git.operations.sealing import store_of
from sage_git.proof import merkle
from sage_git.storage.keys import writer_id

_ROOTS: Final = "roots of own segments"
_DIGEST_DIGITS: Final = 2 * merkle.HASH_BYTES


def own_tree(checkout: Checkout) -> merkle.Tree:
    """The tree over every entry of this clone's log. Raises GitFailed, StorageError."""
    store, writer, log = store_of(checkout), writer_id(checkout.sage), checkout.log
    tail = [entry.leaf for entry in log.read_tail()]
    whole = log.sealed() // SEGMENT_ENTRIES
    files = store.tree(writer) if writer is not None and whole else {}

    def hashes(number: int) -> Sequence[bytes]:
        leaves = tail if number == whole else _leaves(store, files, [number])[0]
        return [merkle.leaf_hash(each) for each in leaves]

    return merkle.Tree(whole * SEGMENT_ENTRIES + len(tail), _roots(checkout, store, files, whole), hashes)


def _roots(checkout: Checkout, store: Store, files: Mapping[str, str], whole: int) -> list[bytes]:
    """The roots of the sealed segments: kept ones, and those that were sealed since."""
    kept = checkout.index.value(_ROOTS) or ""
    writer, _, digits = kept.partition(" ")
    known = [digits[at : at + _DIGEST_DIGITS] for at in range(0, len(digits), _DIGEST_DIGITS)]
    if writer != writer_id(checkout.sage) or len(known) > whole:
        known = []
    if len(known) < whole:
        new = _leaves(store, files, range(len(known), whole))
        known += [merkle.segment_root(leaves).hex() for leaves in new]
        with checkout.index.transaction():
            checkout.index.keep(_ROOTS, f"{writer_id(checkout.sage)} {''.join(known)}")
    return [bytes.fromhex(each) for each in known]


def _leaves(store: Store, files: Mapping[str, str], numbers: Sequence[int]) -> list[list[bytes]]:
    return list(store.segments(files, [segment_path("leaves", number) for number in numbers]))
