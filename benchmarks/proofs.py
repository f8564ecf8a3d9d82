"""What a proof costs in a log of a million entries: to make, to check, to carry."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache, partial
from hashlib import sha256
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.measure import Row, at_most, ms, timed
from sage_git.chronicle.ids import EventId, leaf
from sage_git.proof.checkpoint import Checkpoint, issue, origin_of
from sage_git.proof.merkle import HASH_BYTES, SEGMENT_LEAVES, Tree, check_inclusion, leaf_hash, segment_root
from sage_git.proof.tlog_proof import Proof

LEAVES = 1_000_000
PROOFS = 500
REPOSITORY = "0123456789abcdef"


def rows() -> Iterator[Row]:
    """The rows on proofs: random entries, the roots of segments known, as every clone keeps them."""
    roots = [segment_root(segment(number)) for number in range(LEAVES // SEGMENT_LEAVES)]
    first = timed(lambda: tree_over(roots).inclusion(0))
    tree = tree_over(roots)
    root = tree.root()
    indexes = random.Random(5).sample(range(LEAVES), PROOFS)
    made = [timed(partial(tree.inclusion, at)) for at in indexes]
    yield Row(f"proof of one of {LEAVES:,} entries", ms(made), "ms", f"the first {1000 * first:.1f} ms", at_most(1))
    proofs = {at: tree.inclusion(at) for at in indexes}
    checked = [timed(partial(check_inclusion, entry(at), at, LEAVES, root, proof)) for at, proof in proofs.items()]
    whole = ms(with_signature(root, proofs))
    yield Row("… checked", ms(checked), "ms", f"{whole:.2f} ms with its file and signature", at_most(0.1))
    longest = max(map(len, proofs.values())) * HASH_BYTES / 1024
    usual = median(map(len, proofs.values()))
    yield Row("… hashes in it", longest, "KiB", f"{usual:.0f} hashes as a rule", at_most(1))


def with_signature(root: bytes, proofs: dict[int, list[bytes]]) -> Iterator[float]:
    """Seconds that each proof file takes to be read and checked, the checkpoint's signature included."""
    key = Ed25519PrivateKey.generate()
    writer = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    note = issue(Checkpoint(origin_of(REPOSITORY, writer), LEAVES, root), key)
    for at, hashes in proofs.items():
        file = Proof(at, tuple(hashes), note).content
        yield timed(partial(read_and_verify, file, entry(at), writer))


def read_and_verify(file: bytes, its_leaf: bytes, writer: str) -> None:
    """All that whoever is given a proof does with it."""
    Proof.parse(file).verify(its_leaf, REPOSITORY, writer)


def tree_over(roots: Sequence[bytes]) -> Tree:
    """The tree of all entries; leaf hashes are at hand, as reading a file of 256 lines is another cost."""
    return Tree(LEAVES, roots, leaf_hashes)


@cache
def leaf_hashes(number: int) -> list[bytes]:
    """The hashes of a segment's leaves."""
    return [leaf_hash(each) for each in segment(number)]


def segment(number: int) -> list[bytes]:
    """A segment's leaves; the last one is not full."""
    return [entry(at) for at in range(number * SEGMENT_LEAVES, min(LEAVES, (number + 1) * SEGMENT_LEAVES))]


def entry(number: int) -> bytes:
    """The leaf of some event."""
    return leaf(EventId(sha256(number.to_bytes(8)).hexdigest()))
