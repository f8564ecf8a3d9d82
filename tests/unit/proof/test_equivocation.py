"""Evidence of two logs by one writer: made where there are two, never where there is one, and anyone can check it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.errors import ProofFailed, WrongOrigin
from sage_git.proof.checkpoint import issue
from sage_git.proof.equivocation import MAX_BYTES, Evidence, check, prove
from sage_git.proof.merkle import Tree
from tests.unit.proof.logs import LEAVES, OTHER, OTHER_KEY, REPOSITORY, WRITER, checkpoint, flipped, note

FORKED = [*LEAVES[:5], b'{"eventId":"other"}', *LEAVES[6:]]


def evidence(old: int, size: int) -> Evidence:
    """That the writer signed `old` entries of one log and `size` of another."""
    found = prove(note(LEAVES[:old]), note(FORKED[:size]), Tree.of(FORKED), REPOSITORY, WRITER)
    assert found is not None
    return found


def test_two_logs_of_one_size_are_evidence():
    said = check(evidence(9, 9), REPOSITORY, WRITER)
    assert said == f"the writer {WRITER} signed two logs of 9 entries, which differ"


@pytest.mark.parametrize("old", [6, 7, 8, 9, 16, 39])
def test_a_log_that_did_not_grow_out_of_the_older_one_is_evidence(old):
    said = check(evidence(old, 40), REPOSITORY, WRITER)
    assert said.endswith(f"signed a log of {old} entries, and one of 40 entries whose first {old} are others")


def test_the_order_in_which_the_notes_are_given_plays_no_part():
    one = prove(note(LEAVES[:9]), note(FORKED), Tree.of(FORKED), REPOSITORY, WRITER)
    assert one == prove(note(FORKED), note(LEAVES[:9]), Tree.of(FORKED), REPOSITORY, WRITER)


@given(st.integers(0, 40), st.integers(0, 40))
def test_an_honest_writer_is_never_found_guilty(old, size):
    assert prove(note(LEAVES[:old]), note(LEAVES[:size]), Tree.of(LEAVES), REPOSITORY, WRITER) is None


@given(st.integers(1, 40), st.integers(1, 40), st.lists(st.binary(min_size=32, max_size=32), max_size=8), st.data())
def test_nothing_makes_evidence_against_an_honest_writer(old, size, proof, data):
    true = [Tree.of(LEAVES).root_at(min(old, size)), Tree.of(LEAVES).root_at(size)]
    instead = data.draw(st.sampled_from(true) | st.binary(min_size=32, max_size=32))
    honest = [*Tree.of(LEAVES).consistency(min(old, size), size)]
    for hashes in (proof, honest, [*honest, *proof]):
        with pytest.raises(ProofFailed):
            check(Evidence(REPOSITORY, WRITER, note(LEAVES[:old]), note(LEAVES[:size]), instead, tuple(hashes)),
                  REPOSITORY, WRITER)  # fmt: skip


def test_a_tree_that_nobody_signed_makes_no_evidence():
    assert prove(note(LEAVES[:9]), note(LEAVES), Tree.of(FORKED), REPOSITORY, WRITER) is None
    assert prove(note(LEAVES[:9]), note(LEAVES), Tree.of(FORKED[:20]), REPOSITORY, WRITER) is None


def test_what_another_signed_is_no_evidence_against_a_writer():
    theirs = issue(checkpoint(FORKED, writer=OTHER), OTHER_KEY)
    with pytest.raises(WrongOrigin):
        prove(note(LEAVES), theirs, Tree.of(FORKED), REPOSITORY, WRITER)
    forged = issue(checkpoint(FORKED), OTHER_KEY)
    with pytest.raises(ProofFailed):
        prove(note(LEAVES), forged, Tree.of(FORKED), REPOSITORY, WRITER)


def test_evidence_prints_back_to_the_same_json():
    found = evidence(7, 40)
    assert Evidence.parse(found.content) == found == Evidence.from_json(found.json)
    assert Evidence.parse(found.content).content == found.content


def test_no_bit_of_evidence_can_be_flipped():
    for touched in flipped(evidence(7, 11).content):
        with pytest.raises(ProofFailed):
            check(Evidence.parse(touched), REPOSITORY, WRITER)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"writer": OTHER},
        {"repository": "a" * 64},
        {"writer": None},
        {"proof": "AAAA"},
        {"proof": [1]},
        {"proof": ["AAAA"] * 500},
        {"instead": ""},
        {"instead": "AAAA"},
        {"newer": "no note"},
        {"more": ""},
    ],
)
def test_what_is_not_in_the_form_of_evidence_is_refused(change):
    with pytest.raises(ProofFailed):
        check(Evidence.from_json(evidence(7, 11).json | change), REPOSITORY, WRITER)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"{", b" " * (MAX_BYTES + 1), b'{"format":1}'])
def test_what_is_no_evidence_at_all_is_refused(content):
    with pytest.raises(ProofFailed):
        Evidence.parse(content)
