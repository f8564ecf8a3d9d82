"""Laws of the Merkle tree, held against the literal definitions of RFC 6962 for every size up to 70 leaves."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.errors import ProofFailed
from sage_git.proof.merkle import (
    EMPTY_ROOT,
    Tree,
    check_growth,
    check_inclusion,
    leaf_hash,
    root_from_inclusion,
    roots_from_consistency,
    segment_root,
)

MOST = 70
LEAVES = [f"leaf {number}".encode() for number in range(MOST)]
LARGE = [f"{number}".encode() for number in range(1_500)]


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH, as section 2.1 defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH, as section 2.1.1 defines it."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), tree_hash(leaves[k:])]
    return [*path(m - k, leaves[k:]), tree_hash(leaves[:k])]


def subproof(m: int, leaves: list[bytes], is_whole: bool) -> list[bytes]:
    """SUBPROOF, as section 2.1.2 defines it; PROOF is that of the whole tree."""
    if m == len(leaves):
        return [] if is_whole else [tree_hash(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], is_whole), tree_hash(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), tree_hash(leaves[:k])]


def largest_power_below(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def flipped(content: bytes) -> Iterator[bytes]:
    """`content` with one bit changed, for every bit."""
    for at in range(8 * len(content)):
        changed = bytearray(content)
        changed[at // 8] ^= 1 << at % 8
        yield bytes(changed)


each_size = pytest.mark.parametrize("size", range(MOST + 1))


@each_size
def test_the_root_is_the_hash_that_the_definition_gives(size):
    assert Tree.of(LEAVES[:size]).root() == Tree.of(LEAVES).root_at(size) == tree_hash(LEAVES[:size])


@each_size
def test_every_leaf_has_the_path_of_the_definition_and_is_shown_by_it(size):
    tree = Tree.of(LEAVES[:size])
    for index in range(size):
        proof = tree.inclusion(index)
        assert proof == Tree.of(LEAVES).inclusion(index, size) == path(index, LEAVES[:size])
        check_inclusion(LEAVES[index], index, size, tree.root(), proof)


@each_size
def test_every_earlier_size_has_the_proof_of_the_definition_and_is_shown_by_it(size):
    tree = Tree.of(LEAVES[:size])
    assert tree.consistency(0) == []
    check_growth(0, EMPTY_ROOT, size, tree.root(), [])
    for old in range(1, size + 1):
        proof = tree.consistency(old)
        assert proof == Tree.of(LEAVES).consistency(old, size) == subproof(old, LEAVES[:size], True)
        check_growth(old, tree.root_at(old), size, tree.root(), proof)


@each_size
def test_no_proof_shows_a_leaf_under_another_number_or_in_a_tree_of_another_size(size):
    roots = [Tree.of(LEAVES).root_at(other) for other in range(MOST + 1)]
    for index in range(0, size, 7):
        proof = Tree.of(LEAVES[:size]).inclusion(index)
        for other in range(size):
            if other != index:
                with pytest.raises(ProofFailed):
                    check_inclusion(LEAVES[index], other, size, roots[size], proof)
        for other in range(MOST + 1):
            if other != size:
                with pytest.raises(ProofFailed):
                    check_inclusion(LEAVES[index], index, other, roots[other], proof)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 11])
def test_no_bit_of_an_inclusion_proof_or_of_its_leaf_can_be_flipped(size):
    tree = Tree.of(LEAVES[:size])
    for index in range(size):
        proof = tree.inclusion(index)
        for touched in flipped(LEAVES[index]):
            with pytest.raises(ProofFailed):
                check_inclusion(touched, index, size, tree.root(), proof)
        for at, sibling in enumerate(proof):
            for touched in flipped(sibling):
                with pytest.raises(ProofFailed):
                    check_inclusion(LEAVES[index], index, size, tree.root(), [*proof[:at], touched, *proof[at + 1 :]])


@pytest.mark.parametrize("size", [2, 3, 7, 8, 11])
def test_no_bit_of_a_consistency_proof_or_of_its_roots_can_be_flipped(size):
    tree = Tree.of(LEAVES[:size])
    for old in range(1, size):
        before, proof = tree.root_at(old), tree.consistency(old)
        for at, sibling in enumerate(proof):
            for touched in flipped(sibling):
                with pytest.raises(ProofFailed):
                    check_growth(old, before, size, tree.root(), [*proof[:at], touched, *proof[at + 1 :]])
        for touched in flipped(before):
            with pytest.raises(ProofFailed):
                check_growth(old, touched, size, tree.root(), proof)
        for touched in flipped(tree.root()):
            with pytest.raises(ProofFailed):
                check_growth(old, before, size, touched, proof)


@given(st.integers(1, len(LARGE)).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_a_tree_that_keeps_roots_of_segments_proves_as_one_that_keeps_every_leaf(case):
    size, index = case
    tree = kept_by_segments(size)
    assert tree.root() == Tree.of(LARGE[:size]).root()
    check_inclusion(LARGE[index], index, size, tree.root(), tree.inclusion(index))
    check_growth(index, tree.root_at(index), size, tree.root(), tree.consistency(index))


@given(st.data())
def test_no_two_trees_with_different_beginnings_are_shown_to_be_one(data):
    old = data.draw(st.integers(1, 60))
    size = data.draw(st.integers(old, MOST))
    other = [*LEAVES[: old - 1], b"another", *LEAVES[old:size]]
    tree = Tree.of(LEAVES[:size])
    with pytest.raises(ProofFailed):
        check_growth(old, Tree.of(other).root_at(old), size, tree.root(), tree.consistency(old))


@given(st.binary(min_size=32, max_size=32), st.integers(), st.integers(), st.lists(st.binary(max_size=33), max_size=70))
def test_whatever_is_given_for_a_proof_is_a_root_or_a_refusal(root, index, size, proof):
    for ask in (
        lambda: root_from_inclusion(root, index, size, proof),
        lambda: roots_from_consistency(index, size, proof, root),
    ):
        try:
            ask()
        except ProofFailed:
            continue


def kept_by_segments(size: int) -> Tree:
    """A tree that is given leaf hashes only when it asks."""
    parts = [LARGE[at : min(at + 256, size)] for at in range(0, size, 256)]
    roots = [segment_root(part) for part in parts if len(part) == 256]
    return Tree(size, roots, lambda number: [leaf_hash(leaf) for leaf in parts[number]])
