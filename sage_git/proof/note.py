"""Signed notes, text with signature lines after it, as C2SP signed-note v1.0.0 and Go's `sumdb/note` write them.

What is read prints back to the same bytes. Only Ed25519 is verified; signatures of other keys are carried and ignored.
Not here: what the text says (checkpoint).
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

from sage_git.errors import ProofFailed
from sage_git.proof.base64 import decoded
from sage_git.proof.ed25519 import is_signed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100
"""Both limits are those of Go; the specification asks for 16 signatures at least."""

_ED25519: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, the first bytes of which key's hash, and what the key made."""

    name: str
    key_id: bytes
    made: bytes

    @property
    def line(self) -> str:
        """The line, newline included."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.made).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its last newline included, and its signatures, none of which is verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The note that `content` is. Raises ProofFailed unless it is in the one form that a note has."""
        if len(content) > MAX_BYTES:
            raise ProofFailed(f"the note is larger than {MAX_BYTES} bytes")
        try:
            whole = content.decode("utf-8")
        except UnicodeDecodeError:
            raise ProofFailed("the note is not UTF-8") from None
        if _CONTROL.search(whole):
            raise ProofFailed("the note has control characters")
        text, blank, below = whole.rpartition("\n\n")
        if not blank or not below.endswith("\n"):
            raise ProofFailed("the note has no signatures after an empty line")
        lines = below.split("\n")[:-1]
        if len(lines) > MAX_SIGNATURES:
            raise ProofFailed(f"the note has more than {MAX_SIGNATURES} signatures")
        return cls(f"{text}\n", tuple(map(_signature, lines)))

    @property
    def content(self) -> bytes:
        """The bytes of the note."""
        return f"{self.text}\n{''.join(each.line for each in self.signatures)}".encode()


def key_id(name: str, public_key: bytes) -> bytes:
    """What a signature line says of the Ed25519 key that signs as `name` (C2SP signed-note, "Signatures")."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def verifier_key(name: str, public_key: bytes) -> str:
    """The key as verifiers of notes are given it, NAME+HASH+KEY (Go's `note.NewVerifier`)."""
    return f"{name}+{key_id(name, public_key).hex()}+{b64encode(_ED25519 + public_key).decode('ascii')}"


def sign(text: str, name: str, private_key: Ed25519PrivateKey) -> bytes:
    """The note that says `text`, which ends in a newline, signed as `name`. Raises ProofFailed if it cannot be one."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public_key = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    made = private_key.sign(text.encode())
    note = Note(text, (Signature(name, key_id(name, public_key), made),))
    if Note.parse(note.content) != note:
        raise ProofFailed("this text cannot stand in a note")
    return note.content


def verify(content: bytes, name: str, public_key: bytes) -> str:
    """The text of a note that the key signed as `name`. Raises ProofFailed.

    Signatures by others are ignored; one that says to be by this key and is not spoils the whole note.
    """
    note = Note.parse(content)
    wanted = (name, key_id(name, public_key))
    ours = {each.made for each in note.signatures if (each.name, each.key_id) == wanted}
    if not ours:
        raise ProofFailed("the note is not signed by the key that should have signed it")
    if not all(is_signed(public_key, made, note.text.encode()) for made in ours):
        raise ProofFailed("the note's signature does not fit its text")
    return note.text


def is_name(text: str) -> bool:
    """True if a key may sign as `text`: not empty, no spaces of any kind, no plus."""
    return bool(text) and "+" not in text and not any(map(str.isspace, text))


def _signature(line: str) -> Signature:
    name, _, coded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not is_name(name):
        raise ProofFailed("the note has a line among its signatures that is none")
    content = decoded(coded, "a signature of the note")
    if len(content) <= _KEY_ID_BYTES:
        raise ProofFailed("the note has a signature that is too short")
    return Signature(name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])
