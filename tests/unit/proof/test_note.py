"""Signed notes: the public ones, the forms that are none, and nothing that was touched is accepted."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sage_git.errors import ProofFailed
from sage_git.proof.note import MAX_BYTES, Note, key_id, sign, verifier_key, verify

# From the documentation and tests of golang.org/x/mod/sumdb/note (BSD 3-clause, The Go Authors).
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_KEY = b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
ENOCH_KEY = b64decode("ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")[1:]
PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
# The example of C2SP signed-note (CC BY 4.0 / BSD 1-clause, the C2SP authors).
QUASIMODO = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKON"
    "rMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def note(*signatures: str, text: str = TEXT) -> bytes:
    return f"{text}\n{''.join(signatures)}".encode()


def peter(content: bytes) -> str:
    return verify(content, "PeterNeumann", PETER_KEY)


def test_a_public_note_is_signed_to_the_same_bytes():
    assert sign(TEXT, "PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED)) == note(PETER)


def test_a_public_note_is_verified_with_either_key():
    for content in (note(PETER, ENOCH), note(ENOCH, PETER), note(PETER, PETER, ENOCH, ENOCH)):
        assert peter(content) == TEXT
        assert verify(content, "EnochRoot", ENOCH_KEY) == TEXT


def test_keys_are_told_as_go_tells_them():
    assert verifier_key("PeterNeumann", PETER_KEY) == (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    assert key_id("EnochRoot", ENOCH_KEY).hex() == "af0cfe78"


def test_the_text_of_a_note_may_have_empty_lines():
    parsed = Note.parse(QUASIMODO.encode())
    assert parsed.text.endswith("sole:\n\ned è subito sera.\n")
    assert [each.name for each in parsed.signatures] == ["quasimodo.example/salvatore"]
    assert parsed.content == QUASIMODO.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        TEXT.encode(),
        note(),
        note(PETER)[:-1],
        note("\x01", PETER),
        note(PETER, text="\x01" + TEXT),
        note(PETER, text="\t" + TEXT),
        note(PETER, text=TEXT.replace("\n", "\r\n")),
        b"\xff" + note(PETER),
        note(PETER.replace("PeterNeumann", "Bad Name")),
        note(PETER.replace("PeterNeumann", "Bad+Name")),
        note(PETER.replace("PeterNeumann", "Bad\u2003Name")),
        note(PETER.replace("PeterNeumann", "Bad\u0085Name")),
        note(PETER.replace("PeterNeumann", "")),
        note(PETER, "Unexpected line.\n"),
        note(PETER, "\n", PETER + "x"),
        note(PETER.replace("—", "-")),
        note(PETER.replace("— ", "—")),
        note(PETER.replace("nAM=", "nAM")),
        note(PETER.replace("nAM=", "nAN=")),
        note(PETER.replace("nAM=", "n AM=")),
        note(PETER.replace("nAM=", "nAM= ")),
        note(PETER.replace("nAM=", "nÄM=")),
        note("— PeterNeumann \n"),
        note("— PeterNeumann x08gow==\n"),
        note(*[PETER] * 101),
        note(PETER, text="x" * MAX_BYTES + "\n"),
    ],
    ids=lambda content: repr(content[-40:]),
)
def test_what_is_not_in_the_form_of_a_note_is_refused(content):
    with pytest.raises(ProofFailed):
        Note.parse(content)
    with pytest.raises(ProofFailed):
        peter(content)


def test_a_hundred_signatures_are_not_too_many():
    assert peter(note(*[ENOCH] * 99, PETER)) == TEXT


def test_a_note_without_the_key_that_should_have_signed_is_refused():
    for content in (note(ENOCH), note(PETER.replace("PeterNeumann", "EnochRoot")), note(PETER.replace("x08g", "xxxx"))):
        with pytest.raises(ProofFailed, match="not signed by the key"):
            peter(content)


def test_a_signature_that_says_to_be_ours_and_is_not_spoils_the_note():
    forged = PETER[:60] + "ABCD" + PETER[60:]
    for content in (note(forged), note(PETER, forged), note(forged, PETER)):
        with pytest.raises(ProofFailed, match="does not fit"):
            peter(content)


def test_a_key_with_the_same_short_id_is_another_key():
    impostor = Ed25519PrivateKey.generate()
    made = impostor.sign(TEXT.encode())
    line = f"— PeterNeumann {b64encode(key_id('PeterNeumann', PETER_KEY) + made).decode()}\n"
    with pytest.raises(ProofFailed, match="does not fit"):
        peter(note(line))


def test_no_bit_of_a_note_can_be_flipped():
    content = note(PETER)
    for at in range(8 * len(content)):
        touched = bytearray(content)
        touched[at // 8] ^= 1 << at % 8
        with pytest.raises(ProofFailed):
            peter(bytes(touched))


@given(st.data())
def test_what_is_read_prints_back_to_the_same_bytes(data):
    """Whatever is put for, or beside, some bytes of a note: it is refused, or it prints back."""
    content = bytearray(note(PETER, ENOCH))
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, min(len(content), begin + 8)))
    content[begin:end] = data.draw(st.one_of(st.binary(max_size=8), st.text(max_size=4).map(str.encode)))
    try:
        parsed = Note.parse(bytes(content))
    except ProofFailed:
        return
    assert parsed.content == bytes(content)


@pytest.mark.parametrize("text", ["", "no newline", "a\x00b\n", "a\n\x1b[31m\n"])
def test_what_cannot_stand_in_a_note_is_not_signed(text):
    with pytest.raises(ProofFailed):
        sign(text, "PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
    with pytest.raises(ProofFailed):
        sign(TEXT, "bad name", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
