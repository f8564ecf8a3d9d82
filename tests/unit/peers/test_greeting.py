"""What peers say before git does: a signature counts for one server, repository, connection and share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sage_git.peers import greeting
from sage_git.peers.address import Share
from sage_git.peers.frames import Cut
from sage_git.peers.greeting import Credentials, Refusal

CLIENT = Credentials(Ed25519PrivateKey.from_private_bytes(b"c" * 32), "repo" * 16)
SERVER = "5e" * 32
NONCE = b"n" * 32


def called(credentials=CLIENT, server_key=SERVER, nonce=NONCE):
    return greeting.call_of(greeting.call(credentials, server_key, nonce, Share.STORE))


def test_a_call_is_signed_by_the_key_that_it_names():
    call = called()
    assert (call.key, call.share) == (CLIENT.key, Share.STORE)
    assert greeting.is_signed(call, SERVER, CLIENT.repository, NONCE)


@pytest.mark.parametrize(
    "differing",
    [
        {"server_key": "5f" * 32},
        {"nonce": b"m" * 32},
        {"credentials": replace(CLIENT, repository="other")},
        {"credentials": replace(CLIENT, repository=CLIENT.repository + "\n")},
    ],
    ids=["another server", "another connection", "another repository", "a longer repository"],
)
def test_a_signature_for_something_else_does_not_count(differing):
    assert not greeting.is_signed(called(**differing), SERVER, CLIENT.repository, NONCE)


def test_a_signature_for_one_share_does_not_open_the_other():
    assert not greeting.is_signed(replace(called(), share=Share.PRIVATE), SERVER, CLIENT.repository, NONCE)


def test_a_signature_under_another_key_does_not_count():
    other = Credentials(Ed25519PrivateKey.from_private_bytes(b"d" * 32), CLIENT.repository)
    assert not greeting.is_signed(replace(called(), key=other.key), SERVER, CLIENT.repository, NONCE)


@given(bit=st.integers(0, 64 * 8 - 1))
def test_no_bit_of_a_signature_may_change(bit):
    call = called()
    number = int.from_bytes(call.signature) ^ 1 << bit
    assert not greeting.is_signed(replace(call, signature=number.to_bytes(64)), SERVER, CLIENT.repository, NONCE)


@given(key=st.binary(min_size=32, max_size=32))
def test_a_key_that_is_none_signs_nothing(key):
    assert not greeting.is_signed(replace(called(), key=key.hex()), SERVER, CLIENT.repository, NONCE)


@given(frame=st.binary(max_size=600).filter(lambda frame: not frame.startswith((b"accepted", b"refused"))))
def test_what_is_no_greeting_is_a_cut_and_no_other_error(frame):
    for read in (greeting.nonce_of, greeting.call_of, greeting.refusal_of):
        with pytest.raises(Cut):
            read(frame)


@pytest.mark.parametrize("refusal", [None, Refusal.UNKNOWN, Refusal.TRUSTED_ONLY, Refusal.UNREADY])
def test_an_answer_says_what_was_decided(refusal):
    assert greeting.refusal_of(greeting.answer(refusal)) is refusal


def test_a_word_of_a_newer_server_is_a_refusal():
    assert greeting.refusal_of(b"refused elsewhere\n") is Refusal.OTHER


def test_another_version_is_told_from_no_greeting():
    with pytest.raises(Cut, match="speaks version 2"):
        greeting.nonce_of(greeting.hello(NONCE).replace(b"sage-peer 1", b"sage-peer 2"))


def test_all_that_is_said_fits_the_longest_frame():
    said = (
        greeting.hello(NONCE),
        greeting.call(CLIENT, SERVER, NONCE, Share.PRIVATE),
        greeting.answer(Refusal.UNKNOWN),
    )
    assert max(map(len, said)) <= greeting.LONGEST_BYTES


def test_the_repository_is_never_said():
    said = (greeting.hello(NONCE), greeting.call(CLIENT, SERVER, NONCE, Share.STORE))
    assert not any(CLIENT.repository.encode() in each for each in said)
