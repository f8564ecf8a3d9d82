"""SSH public keys: their two forms, bytes and text, and whether one made a signature. Not here: who may use it."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sage_git.proof.algorithms import ALGORITHMS, SECURITY_KEY
from sage_git.proof.wire import BadProof, Wire

_LONGEST_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class Key:
    """A public key of a kind that we accept; `blob` is all of it on the wire, the kind's name included."""

    kind: str
    blob: bytes

    @classmethod
    def from_blob(cls, blob: bytes) -> Key:
        """The key that `blob` is. Raises BadProof."""
        if len(blob) > _LONGEST_BYTES:
            raise BadProof("has a key that is too long", field="key")
        wire = Wire(blob)
        kind = wire.name()
        if kind not in ALGORITHMS:
            raise BadProof(f"is of the kind {kind[:64]}, which is not accepted", field="key")
        ALGORITHMS[kind].check_key(wire)
        return cls(kind, blob)

    @classmethod
    def from_text(cls, text: str) -> Key:
        """The key that `text` states as a `.pub` file does: KIND BASE64, and perhaps a comment. Raises BadProof."""
        kind, _, rest = text.strip().partition(" ")
        key = cls.from_blob(from_base64(rest.split(" ", 1)[0].encode("ascii", "replace")))
        if key.kind != kind:
            raise BadProof(f"says {kind[:64]!r} of a key of the kind {key.kind}", field="key")
        return key

    @property
    def text(self) -> str:
        """KIND BASE64."""
        return f"{self.kind} {b64encode(self.blob).decode('ascii')}"

    @property
    def fingerprint(self) -> str:
        """What `ssh-keygen -l` shows: `SHA256:` and 43 characters."""
        return "SHA256:" + b64encode(sha256(self.blob).digest()).decode("ascii").rstrip("=")

    @property
    def is_hardware(self) -> bool:
        """True if the private half never leaves a security key, which wants a touch for each signature."""
        return self.kind.startswith(SECURITY_KEY)

    def check(self, signature: bytes, message: bytes) -> None:
        """Nothing, if this key made `signature`, as it is on the wire, over `message`. Raises BadProof."""
        from cryptography.exceptions import InvalidSignature

        key, made = Wire(self.blob), Wire(signature)
        key.name()
        try:
            ALGORITHMS[self.kind].verify(key, made.name(), made, message)
        except InvalidSignature:
            raise BadProof("was not made by this key over this text") from None


def from_base64(text: bytes) -> bytes:
    """What `text` is the Base64 of, if nothing else is written so. Raises BadProof."""
    try:
        content = b64decode(text, validate=True)
    except binascii.Error:
        content = b""
    if not content or b64encode(content) != text:
        raise BadProof("is not in Base64 as it should be")
    return content
