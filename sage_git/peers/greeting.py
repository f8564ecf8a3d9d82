r"""What two peers say before git does, as bytes, and whether it is true. No socket, no clock, no randomness.

    server → client   hello     "sage-peer 1 <nonce>\n"                       nonce: 32 bytes as hex
    client → server   call      "<client key> <signature> <share>\n"          share: "store" or "private"
    server → client   answer    "accepted\n" or "refused <why>\n"

Each is one frame. The signature (Ed25519, hex) is the client's over the lines of `signed_text`: it counts for this
server, this repository, this connection and this share only. The repository's id is signed and never sent: who does not
know it learns nothing, and a key that is allowed in one repository opens no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from sage_git.peers.address import Share
from sage_git.peers.frames import Cut
from sage_git.proof import ed25519

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NONCE_BYTES: Final = 32
LONGEST_BYTES: Final = 512
"""No frame of a greeting is longer."""

_VERSION: Final = "1"
_HELLO: Final = re.compile(rb"sage-peer ([0-9]{1,4}) ([0-9a-f]{64})\n")
_CALL: Final = re.compile(rb"([0-9a-f]{64}) ([0-9a-f]{128}) (store|private)\n")
_ANSWER: Final = re.compile(rb"accepted\n|refused ([a-z]{1,16})\n")


class Refusal(Enum):
    """Why a server says no."""

    UNKNOWN = "unknown"
    """The key is not allowed, or the signature is not this key's for this repository: nobody is told which."""
    TRUSTED_ONLY = "trusted"
    """The key is allowed, and not to read what is withheld."""
    UNREADY = "unready"
    """The server cannot start git, or has no store."""
    OTHER = "other"
    """A word of a newer server's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who speaks, of which repository."""

    private_key: Ed25519PrivateKey
    repository: str

    @property
    def key(self) -> str:
        """The public key, 64 hex digits."""
        return public_key_of(self.private_key).hex()


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asks, not checked yet."""

    key: str
    signature: bytes
    share: Share


def public_key_of(private_key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def hello(nonce: bytes) -> bytes:
    """What the server says first."""
    return f"sage-peer {_VERSION} {nonce.hex()}\n".encode()


def nonce_of(frame: bytes) -> bytes:
    """The nonce in a hello. Raises Cut."""
    found = _HELLO.fullmatch(frame)
    if not found:
        raise Cut("it does not greet as sage-git does")
    if found[1].decode() != _VERSION:
        raise Cut(f"it speaks version {found[1].decode()} of our protocol, and we version {_VERSION}")
    return bytes.fromhex(found[2].decode())


def call(credentials: Credentials, server_key: str, nonce: bytes, share: Share) -> bytes:
    """What the client answers a hello with."""
    signature = credentials.private_key.sign(signed_text(server_key, credentials.repository, nonce, share))
    return f"{credentials.key} {signature.hex()} {share.value}\n".encode()


def call_of(frame: bytes) -> Call:
    """The call in a frame. Raises Cut."""
    found = _CALL.fullmatch(frame)
    if not found:
        raise Cut("it does not answer a greeting")
    return Call(found[1].decode(), bytes.fromhex(found[2].decode()), Share(found[3].decode()))


def is_signed(asked: Call, server_key: str, repository: str, nonce: bytes) -> bool:
    """True if whoever calls has the private half of the key that it names, and means us, here and now."""
    text = signed_text(server_key, repository, nonce, asked.share)
    return ed25519.is_signed(bytes.fromhex(asked.key), asked.signature, text)


def signed_text(server_key: str, repository: str, nonce: bytes, share: Share) -> bytes:
    """What a client signs. The repository stands last: nothing in it can be taken for another line."""
    lines = ("sage-peer@v1", f"server {server_key}", f"nonce {nonce.hex()}", f"share {share.value}")
    return "\n".join((*lines, f"repository {repository}", "")).encode()


def answer(refusal: Refusal | None) -> bytes:
    """What the server decided."""
    return b"accepted\n" if refusal is None else f"refused {refusal.value}\n".encode()


def refusal_of(frame: bytes) -> Refusal | None:
    """Why we were refused; None if we were accepted. Raises Cut."""
    found = _ANSWER.fullmatch(frame)
    if not found:
        raise Cut("it does not answer a call")
    if found[1] is None:
        return None
    known = {each.value: each for each in Refusal}
    return known.get(found[1].decode(), Refusal.OTHER)
