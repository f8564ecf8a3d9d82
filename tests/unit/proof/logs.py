"""A writer with a log of its own making, for whoever tests what writers sign.

WRITER, KEY               a writer key id and its private key, always the same
note(LEAVES[:5])          the checkpoint over these leaves, signed by KEY
flipped(content)          `content` with one bit changed, for every bit
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sage_git.chronicle.ids import EventId, RepositoryId, leaf
from sage_git.proof.checkpoint import Checkpoint, issue, origin_of
from sage_git.proof.merkle import Tree

REPOSITORY = RepositoryId("0123456789abcdef" * 4)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WRITER = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER = OTHER_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
LEAVES = [leaf(EventId(f"{number:064x}")) for number in range(40)]


def checkpoint(leaves: Sequence[bytes], repository: str = REPOSITORY, writer: str = WRITER) -> Checkpoint:
    return Checkpoint(origin_of(repository, writer), len(leaves), Tree.of(leaves).root())


def note(leaves: Sequence[bytes]) -> bytes:
    return issue(checkpoint(leaves), KEY)


def flipped(content: bytes) -> Iterator[bytes]:
    for at in range(8 * len(content)):
        touched = bytearray(content)
        touched[at // 8] ^= 1 << at % 8
        yield bytes(touched)
