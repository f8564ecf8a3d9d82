"""Proof files: in the form of C2SP tlog-proof@v1, and nothing that was touched is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.errors import ProofFailed, WrongOrigin
from sage_git.proof.merkle import Tree
from sage_git.proof.tlog_proof import MAX_BYTES, Proof
from tests.unit.proof.logs import LEAVES, OTHER, REPOSITORY, WRITER, checkpoint, flipped, note

HASH = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="


def proof(index: int, extra: bytes = b"") -> Proof:
    return Proof(index, tuple(Tree.of(LEAVES).inclusion(index)), note(LEAVES), extra)


def test_a_proof_shows_its_leaf_and_prints_back_to_the_same_bytes():
    for index in range(len(LEAVES)):
        made = proof(index, b"extra" * index)
        assert Proof.parse(made.content) == made
        assert Proof.parse(made.content).verify(LEAVES[index], REPOSITORY, WRITER) == checkpoint(LEAVES)


def test_a_proof_of_the_only_entry_has_no_hashes():
    alone = Proof(0, (), note(LEAVES[:1]))
    assert alone.content.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nsage/")
    assert Proof.parse(alone.content).verify(LEAVES[0], REPOSITORY, WRITER).size == 1


def test_a_proof_shows_no_other_leaf_and_no_other_log():
    made = proof(7)
    with pytest.raises(ProofFailed, match="entry 7"):
        made.verify(LEAVES[8], REPOSITORY, WRITER)
    with pytest.raises(WrongOrigin):
        made.verify(LEAVES[7], "a" * 64, WRITER)
    with pytest.raises(WrongOrigin):
        made.verify(LEAVES[7], REPOSITORY, OTHER)


@pytest.mark.parametrize("index", [0, 7, 39])
def test_no_bit_of_a_proof_can_be_flipped(index):
    for touched in flipped(proof(index).content):
        with pytest.raises(ProofFailed):
            Proof.parse(touched).verify(LEAVES[index], REPOSITORY, WRITER)


@pytest.mark.parametrize(
    "content",
    [
        # The refusals that github.com/transparency-dev/merkle, proof/tlog_proof_test.go, asks for (Apache License 2.0).
        "wrong-header\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{'A' * 86}==\n\ncheckpoint\n",
        # And ours.
        "",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0 \n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex ٠\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 0\n{HASH}\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH} \n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH.replace('PlQ=', 'PlR=')}\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{HASH}\n" * 64 + "\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra " + "A" * MAX_BYTES + "\nindex 0\n\ncheckpoint\n",
    ],
    ids=lambda content: repr(content[23:60]),
)
def test_what_is_not_in_the_form_of_a_proof_is_refused(content):
    with pytest.raises(ProofFailed):
        Proof.parse(content.encode())


@given(st.binary(max_size=300))
def test_whatever_is_given_for_a_proof_is_read_or_refused(content):
    for each in (content, b"c2sp.org/tlog-proof@v1\n" + content):
        try:
            assert Proof.parse(each).content == each
        except ProofFailed:
            continue
