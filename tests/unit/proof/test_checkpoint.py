"""Checkpoints: of one log and no other, in one form, and nothing that was touched is accepted."""

from __future__ import annotations

import pytest

from sage_git.errors import ProofFailed, WrongOrigin
from sage_git.proof.checkpoint import MAX_BYTES, Checkpoint, claimed, issue, named, opened, origin_of
from sage_git.proof.merkle import EMPTY_ROOT
from sage_git.proof.note import Note, Signature, key_id, sign
from tests.unit.proof.logs import KEY, LEAVES, OTHER, OTHER_KEY, REPOSITORY, WRITER, checkpoint, flipped, note

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
# The example of C2SP tlog-checkpoint (CC BY 4.0 / BSD 1-clause, the C2SP authors).
BEHIND_THE_SOFA = f"""\
example.com/behind-the-sofa
20852163
{ROOT}

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""  # noqa: E501


def test_a_checkpoint_is_opened_to_what_was_signed():
    for size in (0, 1, 40):
        assert opened(note(LEAVES[:size]), REPOSITORY, WRITER) == checkpoint(LEAVES[:size])


def test_a_checkpoint_looks_like_this():
    lines = note(LEAVES[:3]).decode().split("\n")
    assert lines[:4] == [f"sage/{REPOSITORY}/{WRITER}", "3", lines[2], ""]
    assert lines[4].startswith(f"— sage/{REPOSITORY}/{WRITER} ")
    assert lines[5:] == [""]


def test_the_public_example_is_read_and_prints_back():
    found = claimed(BEHIND_THE_SOFA.encode())
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert BEHIND_THE_SOFA.startswith(found.text)
    with pytest.raises(ProofFailed, match="not of a log that sage-git writes"):
        named(found)


def test_a_checkpoint_says_whose_log_it_is_of():
    origin = named(claimed(note(LEAVES)))
    assert (origin.repository, origin.writer) == (REPOSITORY, WRITER)


def test_the_same_log_is_signed_to_the_same_bytes():
    assert note(LEAVES) == note(list(LEAVES))


def test_a_checkpoint_of_another_repository_is_refused():
    with pytest.raises(WrongOrigin):
        opened(issue(checkpoint(LEAVES, repository="a" * 64), KEY), REPOSITORY, WRITER)


def test_a_checkpoint_of_another_writer_is_refused():
    theirs = issue(checkpoint(LEAVES, writer=OTHER), OTHER_KEY)
    with pytest.raises(WrongOrigin):
        opened(theirs, REPOSITORY, WRITER)
    with pytest.raises(ProofFailed, match="not signed by the key"):
        opened(issue(checkpoint(LEAVES), OTHER_KEY), REPOSITORY, WRITER)


def test_a_checkpoint_that_somebody_else_signed_as_well_is_accepted():
    theirs = sign(checkpoint(LEAVES).text, "witness.example", OTHER_KEY).decode().rpartition("\n\n")[2]
    assert opened(note(LEAVES) + theirs.encode(), REPOSITORY, WRITER) == checkpoint(LEAVES)


def test_a_writer_key_under_which_anybody_can_sign_signs_nothing():
    """Some of these signatures of zeros are what libraries accept for the key of zeros."""
    zeros = "00" * 32
    for size in range(64):
        origin = origin_of(REPOSITORY, zeros)
        text = Checkpoint(origin, size + 1, bytes(32)).text
        forged = Note(text, (Signature(origin, key_id(origin, bytes(32)), bytes(64)),)).content
        with pytest.raises(ProofFailed, match="does not fit"):
            opened(forged, REPOSITORY, zeros)


def test_no_bit_of_a_checkpoint_can_be_flipped():
    for touched in flipped(note(LEAVES)):
        with pytest.raises(ProofFailed):
            opened(touched, REPOSITORY, WRITER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n+1\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n1 \n{ROOT}\n",
        f"origin\n1e3\n{ROOT}\n",
        f"origin\n٣\n{ROOT}\n",
        f"origin\n\n{ROOT}\n",
        f"origin\n9007199254740992\n{ROOT}\n",
        f"origin\n{'9' * 5_000}\n{ROOT}\n",
        f"origin\n0\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-1]}\n",
        f"origin\n1\n{ROOT.replace('q2I=', 'q2J=')}\n",
        "origin\n1\nAAAA\n",
        "origin\n1\n\n",
        f"origin\n1\n{ROOT}\nan extension\n",
        f"origin\n1\n{ROOT}\n\n",
    ],
)
def test_what_is_not_in_the_form_of_a_checkpoint_is_refused(text):
    with pytest.raises(ProofFailed):
        Checkpoint.parse(text)


def test_an_empty_log_has_one_root():
    assert Checkpoint.parse(checkpoint([]).text).root == EMPTY_ROOT


@pytest.mark.parametrize(
    "ids",
    [("", WRITER), (REPOSITORY, ""), (REPOSITORY, WRITER.upper()), (f"{REPOSITORY}\n", WRITER), ("../..", WRITER)],
)
def test_a_log_has_no_origin_without_a_repository_and_a_writer(ids):
    with pytest.raises(ProofFailed):
        origin_of(*ids)


def test_a_checkpoint_that_is_too_large_is_not_even_read():
    line = note(LEAVES).decode().rpartition("\n\n")[2]
    with pytest.raises(ProofFailed, match="larger"):
        opened(note(LEAVES) + (f"{line[:-2]}AAAA" * (MAX_BYTES // len(line))).encode(), REPOSITORY, WRITER)
