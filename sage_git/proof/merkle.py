"""The Merkle tree over a log's leaves: its root, and proofs that a leaf is in it and that it only grew (RFC 6962).

A tree keeps the roots of its full segments of 256 leaves (level 8) and asks for a segment's leaf hashes only when a
proof goes through it, so that a proof from a million leaves costs one segment. Not here: what a leaf says, and who
signs a root (checkpoint).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, Self

from sage_git.errors import ProofFailed

HASH_BYTES: Final = 32
SEGMENT_LEVEL: Final = 8
SEGMENT_LEAVES: Final = 1 << SEGMENT_LEVEL
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

_SEGMENTS_KEPT: Final = 4  # a consistency proof goes through two

Range = tuple[int, int]
"""Leaves from the first number on, up to the second and without it."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, section 2.1)."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node over two others (RFC 6962, section 2.1)."""
    return sha256(b"\1" + left + right).digest()


def segment_root(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over 256 leaves, as `Tree` wants it of every full segment."""
    return _levels([leaf_hash(leaf) for leaf in leaves], SEGMENT_LEVEL)[SEGMENT_LEVEL][0]


class Tree:
    """The tree over the first `size` leaves of a log, and over fewer of them where a method says so."""

    def __init__(self, size: int, roots_of_256: Sequence[bytes], leaf_hashes: Callable[[int], Sequence[bytes]]) -> None:
        """`roots_of_256` has the root of every full segment, `leaf_hashes(n)` gives all leaf hashes of segment `n`."""
        assert len(roots_of_256) == size >> SEGMENT_LEVEL, "one root for every full segment"
        self.size = size
        self._roots = roots_of_256
        self._leaf_hashes = leaf_hashes
        self._upper: list[list[bytes]] = []
        self._segments: dict[int, list[list[bytes]]] = {}

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Self:
        """The tree over `leaves`, all of whose hashes it keeps."""
        hashes = [leaf_hash(leaf) for leaf in leaves]
        parts = [hashes[at : at + SEGMENT_LEAVES] for at in range(0, len(hashes), SEGMENT_LEAVES)]
        full = [_levels(part, SEGMENT_LEVEL)[-1][0] for part in parts if len(part) == SEGMENT_LEAVES]
        return cls(len(hashes), full, parts.__getitem__)

    def root(self) -> bytes:
        """The root over all leaves."""
        return self.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        self._check(size)
        return self._root_of((0, size)) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that leaf `index` is among the first `size`: its sibling first (RFC 6962, section 2.1.1)."""
        size = self.size if size is None else size
        self._check(size)
        assert 0 <= index < size, "a leaf of the tree"
        return [self._root_of(part) for part in _path(index, size)]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """The proof that the first `old` leaves are the beginning of the first `size` (RFC 6962, section 2.1.2).

        Empty where there is nothing to prove: `old` is 0 or `size`.
        """
        size = self.size if size is None else size
        self._check(size)
        assert 0 <= old <= size, "an earlier size of the tree"
        return [self._root_of(part) for part in _growth(old, size)] if 0 < old < size else []

    def _check(self, size: int) -> None:
        assert 0 <= size <= self.size, "no more leaves than the tree has"

    def _root_of(self, part: Range) -> bytes:
        """The root over a range that begins where a perfect subtree of its size could."""
        perfect = [self._node(level, index) for level, index in _perfect(*part)]
        root = perfect.pop()
        while perfect:
            root = node_hash(perfect.pop(), root)
        return root

    def _node(self, level: int, index: int) -> bytes:
        """The root of the perfect subtree over the 2^level leaves from number index * 2^level on."""
        if level >= SEGMENT_LEVEL:
            if not self._upper:
                self._upper = _levels(self._roots, (self.size >> SEGMENT_LEVEL).bit_length() - 1)
            return self._upper[level - SEGMENT_LEVEL][index]
        within = SEGMENT_LEVEL - level
        return self._segment(index >> within)[level][index & ((1 << within) - 1)]

    def _segment(self, number: int) -> list[list[bytes]]:
        """The perfect subtrees of a segment by level."""
        if number not in self._segments:
            if len(self._segments) == _SEGMENTS_KEPT:
                del self._segments[next(iter(self._segments))]
            self._segments[number] = _levels(self._leaf_hashes(number), SEGMENT_LEVEL - 1)
        return self._segments[number]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that a tree of `size` leaves has if `proof` shows the leaf with this hash to be number `index`.

    Raises ProofFailed unless the proof is as long as it must be.
    """
    if not 0 <= index < size:
        raise ProofFailed(f"entry {index} cannot be in a log of {size} entries")
    _check_hashes(leaf, *proof)
    inner, border = _shape(index, size)
    if len(proof) != inner + border:
        raise ProofFailed("the inclusion proof is not as long as its tree is high")
    return _risen(leaf, index, inner, proof)


def roots_from_consistency(old: int, size: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """The roots at the sizes `old` and `size` that `proof` gives; it shows growth if both are the roots expected.

    `old_root` stands in for the first hash of the proof where `old` is a power of 2, which leaves it out. Raises
    ProofFailed unless the proof is as long as it must be.
    """
    if not 0 < old <= size:
        raise ProofFailed(f"nothing shows that a log of {old} entries grew to one of {size}")
    _check_hashes(old_root, *proof)
    if old == size and not proof:
        return old_root, old_root
    inner, border = _shape(old - 1, size)
    # The proof starts at the last perfect subtree of the old tree; only its own root says what that is, if it is all.
    level = (old & -old).bit_length() - 1
    known = [old_root] if old == 1 << level else []
    if old == size or len(known) + len(proof) != 1 + inner - level + border:
        raise ProofFailed("the consistency proof is not as long as its trees are high")
    start, *above = [*known, *proof]
    path, inner = (old - 1) >> level, inner - level
    before = start
    for height, sibling in enumerate(above):
        if height >= inner or path >> height & 1:
            before = node_hash(sibling, before)
    return before, _risen(start, path, inner, above)


def check_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Nothing, if `proof` shows that `leaf` (not its hash) is number `index` below `root`. Raises ProofFailed."""
    if root_from_inclusion(leaf_hash(leaf), index, size, proof) != root:
        raise ProofFailed(f"the proof does not show that this is entry {index} of the log")


def check_growth(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Nothing, if `proof` shows that the log with `old_root` only grew to the one with `root`. Raises ProofFailed."""
    if old == 0:
        _check_hashes(old_root, root)
        if proof or old_root != EMPTY_ROOT or (size == 0 and root != EMPTY_ROOT):
            raise ProofFailed("an empty log has one root, and needs no proof that it grew")
    elif roots_from_consistency(old, size, proof, old_root) != (old_root, root):
        raise ProofFailed(f"the log of {size} entries does not begin with the log of {old} entries")


def _shape(index: int, size: int) -> tuple[int, int]:
    """How many siblings lie below where the paths of leaf `index` and of the last leaf meet, and how many above.

    Those above are all to the left: the tree's right border is what is left over of it.
    """
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _risen(start: bytes, path: int, inner: int, siblings: Sequence[bytes]) -> bytes:
    """The root over `start` and its siblings; the bits of `path` say which are to the left."""
    root = start
    for height, sibling in enumerate(siblings):
        is_left = height >= inner or path >> height & 1
        root = node_hash(sibling, root) if is_left else node_hash(root, sibling)
    return root


def _check_hashes(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofFailed(f"a hash in a proof has {HASH_BYTES} bytes")


def _levels(lowest: Sequence[bytes], highest: int) -> list[list[bytes]]:
    """Perfect subtrees by level: `lowest`, and as many more levels; a node without a sibling stays below."""
    levels = [list(lowest)]
    for _ in range(highest):
        below = levels[-1]
        levels.append([node_hash(*pair) for pair in zip(below[::2], below[1::2], strict=False)])
    return levels


def _perfect(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees (level, index) that a range is made of, the largest first."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin >> level
        begin += 1 << level


def _path(index: int, size: int) -> list[Range]:
    """What a leaf's inclusion proof has the roots of: PATH of RFC 6962, section 2.1.1."""
    begin, end = 0, size
    parts: list[Range] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((begin, middle))
            begin = middle
    return parts[::-1]


def _growth(old: int, size: int) -> list[Range]:
    """What a consistency proof has the roots of: SUBPROOF of RFC 6962, section 2.1.2."""
    begin, end = 0, size
    parts: list[Range] = []
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((begin, middle))
            begin = middle
    return ([(begin, end)] if begin else []) + parts[::-1]


def _split(size: int) -> int:
    """The largest power of 2 below `size`."""
    return 1 << (size - 1).bit_length() - 1
