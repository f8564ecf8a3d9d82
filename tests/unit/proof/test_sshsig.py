"""SSH signatures: fixed ones of every kind, both ways with ssh-keygen, and nothing that was touched is accepted."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.proof.publickey import Key
from sage_git.proof.sshsig import Signature, signed_text, verify
from sage_git.proof.wire import BadProof, string
from tests.signing import (
    KINDS,
    NAMESPACE,
    TOUCHED,
    VERIFIED,
    Authenticator,
    keygen,
    make_key,
    needs_ssh_keygen,
    public_of,
    says_yes,
    sign,
)

VECTORS = json.loads(Path(__file__).with_name("signatures.json").read_text(encoding="ascii"))
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
MESSAGE = b"let it be so"


def verified(text: str, message: bytes = MESSAGE) -> Key:
    return verify(text, message, NAMESPACE)


def body(text: str) -> bytes:
    return b"".join(line.encode() for line in text.splitlines()[1:-1])


def armored(content: bytes) -> str:
    coded = b64encode(content).decode()
    lines = "".join(f"{coded[at : at + 70]}\n" for at in range(0, len(coded), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}-----END SSH SIGNATURE-----\n"


@each_vector
def test_a_signature_is_by_its_key_and_prints_back_to_the_same_text(vector):
    key = verify(vector["signature"], vector["message"].encode(), NAMESPACE)
    assert key.text == vector["key"]
    assert key.is_hardware == vector["name"].startswith("sk-")
    assert Signature.parse(vector["signature"]).text == vector["signature"]


@each_vector
@given(st.data())
def test_no_bit_of_a_signature_can_be_flipped(vector, data):
    text = bytearray(vector["signature"].encode())
    text[data.draw(st.integers(0, len(text) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadProof):
        verify(text.decode("latin-1"), vector["message"].encode(), NAMESPACE)


@each_vector
@given(st.data())
def test_no_bit_of_what_is_armored_can_be_flipped(vector, data):
    content = bytearray(b64decode(body(vector["signature"])))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadProof):
        verify(armored(bytes(content)), vector["message"].encode(), NAMESPACE)


@each_vector
@given(st.data())
def test_no_bit_of_the_message_can_be_flipped(vector, data):
    message = bytearray(vector["message"].encode())
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadProof, match="not made by this key"):
        verify(vector["signature"], bytes(message), NAMESPACE)


@each_vector
def test_a_signature_is_for_one_namespace_only(vector):
    with pytest.raises(BadProof, match="is for sage-event@v1, not for git"):
        verify(vector["signature"], vector["message"].encode(), "git")


@given(st.one_of(st.text(), st.binary().map(armored), st.binary().map(lambda b: armored(b"SSHSIG\0\0\0\1" + b))))
def test_whatever_is_no_signature_is_refused_and_never_a_crash(text):
    with pytest.raises(BadProof):
        verified(text)


@each_vector
@given(st.data())
def test_a_signature_of_other_parts_is_refused_and_never_a_crash(vector, data):
    """Right on the outside, anything within: what a fuzzer would have to find first."""
    known = Key.from_text(vector["key"])
    parts = st.lists(st.one_of(st.binary(max_size=40).map(string), st.binary(max_size=8)), max_size=5).map(b"".join)
    blob = data.draw(st.one_of(st.just(known.blob), parts.map(lambda rest: string(known.kind.encode()) + rest)))
    made = data.draw(parts.map(lambda rest: string(known.kind.encode()) + rest))
    whole = b"SSHSIG\0\0\0\1" + string(blob) + string(NAMESPACE.encode()) + string(b"")
    with pytest.raises(BadProof):
        verified(armored(whole + string(b"sha512") + string(made)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.removesuffix("\n"),
        lambda text: text + "\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: " " + text,
        lambda text: text.replace("\n", "", 2).replace("-----", "-----\n", 2),
        lambda text: text.replace("SSH SIGNATURE", "PGP SIGNATURE"),
        lambda text: text.upper(),
        lambda text: text * 2,
        lambda text: text[:0],
        lambda text: text.replace("\n", "\n" + "A" * 40_000, 1),
    ],
)
def test_only_the_text_that_ssh_keygen_prints_is_taken(spoil):
    with pytest.raises(BadProof):
        verify(spoil(VECTORS[0]["signature"]), VECTORS[0]["message"].encode(), NAMESPACE)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
class TestASecurityKey:
    def test_is_told_from_a_key_in_a_file(self, kind):
        authenticator = Authenticator(kind)
        assert verified(authenticator.sign(MESSAGE)).is_hardware
        assert verified(authenticator.sign(MESSAGE, flags=TOUCHED | VERIFIED)) == authenticator.key

    @pytest.mark.parametrize("flags", [0, VERIFIED, 0xFE])
    def test_must_have_been_touched(self, kind, flags):
        with pytest.raises(BadProof, match="nobody touched"):
            verified(Authenticator(kind).sign(MESSAGE, flags=flags))

    def test_signs_for_one_application(self, kind):
        made = Signature.parse(Authenticator(kind).sign(MESSAGE))
        other = Key.from_blob(made.key.blob.replace(b"\0\0\0\4ssh:", b"\0\0\0\4web:"))
        with pytest.raises(BadProof):
            verified(Signature(other, NAMESPACE, "sha512", made.made).text)

    @pytest.mark.parametrize("rest", [b"", b"\1", b"\1\0\0\0", b"\1\0\0\0\7\0"])
    def test_says_its_flags_and_counter_and_nothing_else(self, kind, rest):
        made = Signature.parse(Authenticator(kind).sign(MESSAGE))
        with pytest.raises(BadProof):
            verified(Signature(made.key, NAMESPACE, "sha512", made.made[:-5] + rest).text)

    @needs_ssh_keygen
    def test_signs_as_openssh_expects_it(self, kind, tmp_path):
        authenticator = Authenticator(kind)
        signers = tmp_path / "signers"
        signers.write_text(f"ada {authenticator.key.text}\n")
        assert says_yes(authenticator.sign(MESSAGE), MESSAGE, signers, "ada")


def test_rsa_with_sha_1_is_refused():
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA1

    private = rsa.generate_private_key(65537, 2048)
    made = private.sign(signed_text(MESSAGE, NAMESPACE, "sha512"), padding.PKCS1v15(), SHA1())
    text = Signature(_rsa(private), NAMESPACE, "sha512", string(b"ssh-rsa") + string(made)).text
    with pytest.raises(BadProof, match="made with ssh-rsa"):
        verified(text)


def _rsa(private) -> Key:
    numbers = private.public_key().public_numbers()
    parts = (value.to_bytes(value.bit_length() // 8 + 1) for value in (numbers.e, numbers.n))
    return Key.from_blob(string(b"ssh-rsa") + b"".join(map(string, parts)))


@pytest.mark.parametrize(
    "numbers, why",
    [
        ((65537, (1 << 1023) + 1), "1024 bits"),
        ((65537, (1 << 16384) + 1), "16385 bits"),
        ((65537, 1 << 2047), "nobody makes"),
        ((2, (1 << 2047) + 1), "nobody makes"),
        (((1 << 64) + 1, (1 << 2047) + 1), "nobody makes"),
    ],
)
def test_an_rsa_key_that_is_weak_or_slow_is_refused(numbers, why):
    parts = b"".join(string(value.to_bytes(value.bit_length() // 8 + 1)) for value in numbers)
    with pytest.raises(BadProof, match=why):
        Key.from_blob(string(b"ssh-rsa") + parts)


@pytest.mark.parametrize(
    "blob",
    [
        string(b"ssh-dss") + string(b"\1"),
        string(b"ssh-ed25519-cert-v01@openssh.com"),
        string(b"ssh-ed25519") + string(bytes(31)),
        string(b"ssh-ed25519") + string(bytes(32)) + b"\0",
        string(b"ecdsa-sha2-nistp256") + string(b"nistp384") + string(b"\4" + bytes(64)),
        string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\4" + bytes(64)),
        string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(b"\2" + bytes(31) + b"\1"),
        string(b"ssh-rsa") + string(b"\0\1\0\1") + string(b"\1"),
        bytes(10_000),
        b"",
    ],
)
def test_what_is_no_key_of_a_kind_that_we_take_is_refused(blob):
    with pytest.raises(BadProof):
        Key.from_blob(blob)


@needs_ssh_keygen
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_signs_is_verified_and_what_it_refuses_is_not(tmp_path, kind, digest):
    key = make_key(tmp_path, kind)
    text = sign(key, MESSAGE, "-O", f"hashalg={digest}")
    assert verified(text).text == public_of(key)
    assert Signature.parse(text).text == text
    shown = keygen("-l", "-f", f"{key}.pub").stdout.decode()
    assert verified(text).fingerprint == shown.split()[1]
    signers = tmp_path / "signers"
    signers.write_text(f"ada {public_of(key)}\n")
    assert says_yes(Signature.parse(text).text, MESSAGE, signers, "ada")
    assert not says_yes(text, MESSAGE + b".", signers, "ada")
    with pytest.raises(BadProof):
        verified(text, MESSAGE + b".")
