"""Checkpoints: what a writer signs of its log, size and Merkle root (C2SP tlog-checkpoint over signed-note).

The origin names repository and writer, so that a checkpoint proves nothing of any other log; the key that signs is the
writer itself. Ours have no extension lines, and none are accepted. Not here: whether a log grew (merkle).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from sage_git.chronicle.canonical import MAX_INTEGER
from sage_git.chronicle.ids import RepositoryId, is_hex
from sage_git.errors import ProofFailed, WrongOrigin
from sage_git.proof import note
from sage_git.proof.base64 import decoded, encoded
from sage_git.proof.merkle import EMPTY_ROOT, HASH_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_BYTES: Final = 1 << 16
"""Of a checkpoint with all its signatures; ours have 330."""

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_ORIGIN: Final = re.compile(r"sage/(?P<repository>[0-9a-f]{8,64})/(?P<writer>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's origin, how many entries it has, and the Merkle root over their leaves."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint that a note's text is. Raises ProofFailed unless it is exactly how it is written."""
        lines = text.split("\n")
        if len(lines) != 4 or not lines[0] or lines[3]:
            raise ProofFailed("the checkpoint is not three lines: origin, size, root")
        size, root = decimal(lines[1], "the checkpoint's size"), decoded(lines[2], "the checkpoint's root")
        if len(root) != HASH_BYTES or (size == 0 and root != EMPTY_ROOT):
            raise ProofFailed("the checkpoint's root is not one that a log of its size can have")
        return cls(lines[0], size, root)

    @property
    def text(self) -> str:
        """What is signed, the last newline included."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which repository's log, and which writer's."""

    repository: RepositoryId
    writer: str


def origin_of(repository: str, writer: str) -> str:
    """The origin of this writer's log: `sage/REPOSITORY/WRITER`. Raises ProofFailed if one of them is no such id."""
    origin = f"sage/{repository}/{writer}"
    if not _ORIGIN.fullmatch(origin):
        raise ProofFailed("a checkpoint must name a repository and a writer by their ids")
    return origin


def issue(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """The note in which the writer signs `checkpoint`."""
    return note.sign(checkpoint.text, checkpoint.origin, key)


def opened(content: bytes, repository: str, writer: str) -> Checkpoint:
    """The checkpoint of this writer's log, its signature verified. Raises WrongOrigin, ProofFailed."""
    expected = origin_of(repository, writer)
    checkpoint = claimed(content)
    if checkpoint.origin != expected:
        raise WrongOrigin(f"the checkpoint is of the log {checkpoint.origin[:160]}, not of {expected}")
    note.verify(content, expected, bytes.fromhex(writer))
    return checkpoint


def claimed(content: bytes) -> Checkpoint:
    """What a note says, its signature not verified. Raises ProofFailed if it is no checkpoint."""
    if len(content) > MAX_BYTES:
        raise ProofFailed(f"the checkpoint is larger than {MAX_BYTES} bytes")
    return Checkpoint.parse(note.Note.parse(content).text)


def named(checkpoint: Checkpoint) -> Origin:
    """Whose log a checkpoint says to be of. Raises ProofFailed if that is no log of ours."""
    found = _ORIGIN.fullmatch(checkpoint.origin)
    if found is None:
        raise ProofFailed("the checkpoint is not of a log that sage-git writes")
    return Origin(RepositoryId(found["repository"]), found["writer"])


def is_writer(text: str) -> bool:
    """True if `text` may be a writer key id."""
    return is_hex(text, 2 * HASH_BYTES)


def decimal(text: str, what: str) -> int:
    """A number in its one decimal form, 2^53 - 1 at most. Raises ProofFailed, which names `what`."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_INTEGER:
        raise ProofFailed(f"{what} is not a decimal number in its shortest form")
    return int(text)
