"""Proof files: one entry of a log, its inclusion proof and the checkpoint, as C2SP tlog-proof@v1 writes them.

Whoever has the file and the writer's key id can check it, offline. Not here: what the extra bytes are for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from sage_git.errors import ProofFailed
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof.base64 import decoded, encoded
from sage_git.proof.checkpoint import Checkpoint, decimal
from sage_git.proof.merkle import HASH_BYTES, check_inclusion

MEDIA_LINE: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63
"""No tree that a checkpoint can sign is higher."""
MAX_BYTES: Final = 2 << 20
"""An event's canonical line has 1 MiB at most, a third more in Base64."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry has number `index` in the log whose note is `checkpoint`; `extra` is not proved by it."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The proof that a file has. Raises ProofFailed unless it is in the one form that it may have."""
        if len(content) > MAX_BYTES:
            raise ProofFailed(f"the proof is larger than {MAX_BYTES} bytes")
        above, blank, note = content.partition(b"\n\n")
        try:
            first, *lines = above.decode("ascii").split("\n")
        except UnicodeDecodeError:
            first, lines = "", []
        if first != MEDIA_LINE or not blank:
            raise ProofFailed(f"this is no proof: it does not begin with {MEDIA_LINE}, or has no checkpoint")
        extra = decoded(lines.pop(0)[6:], "the extra line") if lines and lines[0].startswith("extra ") else b""
        if not lines or not lines[0].startswith("index "):
            raise ProofFailed("the proof does not say which entry of the log it is about")
        index, *coded = lines
        if len(coded) > MAX_HASHES:
            raise ProofFailed(f"the proof has more than {MAX_HASHES} hashes")
        hashes = tuple(decoded(each, "a hash of the proof") for each in coded)
        if any(len(each) != HASH_BYTES for each in hashes):
            raise ProofFailed(f"a hash of the proof has not {HASH_BYTES} bytes")
        return cls(decimal(index[6:], "the entry's number"), hashes, note, extra)

    @property
    def content(self) -> bytes:
        """The proof as a file."""
        extra = [f"extra {encoded(self.extra)}"] if self.extra else []
        lines = [MEDIA_LINE, *extra, f"index {self.index}", *map(encoded, self.hashes), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint

    def verify(self, leaf: bytes, repository: str, writer: str) -> Checkpoint:
        """The checkpoint of this writer's log, which has `leaf` under this number. Raises WrongOrigin, ProofFailed."""
        checkpoint = checkpoints.opened(self.checkpoint, repository, writer)
        check_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, self.hashes)
        return checkpoint
