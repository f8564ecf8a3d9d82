"""Evidence that a writer signed two logs: two checkpoints that cannot both be true.

Anyone can check it who has the writer's key id, which is the key, and nothing else. That a proof of growth is missing
is no evidence; that the newer log grew out of another root than the older checkpoint signs is. Not here: what is done
about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from sage_git.chronicle.canonical import canonical_json, parse_canonical
from sage_git.errors import ProofFailed, WrongOrigin
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof.base64 import decoded, encoded
from sage_git.proof.merkle import Tree, roots_from_consistency
from sage_git.proof.tlog_proof import MAX_HASHES

MAX_BYTES: Final = 4 * checkpoints.MAX_BYTES
_FIELDS: Final = frozenset(("format", "repository", "writer", "older", "newer", "instead", "proof"))
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two notes of one writer, the older one of a size that is not larger.

    `proof` shows that the newer log grew from the root `instead`, at the older one's size, which signs another root.
    """

    repository: str
    writer: str
    older: bytes
    newer: bytes
    instead: bytes
    proof: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The evidence that a file has, not checked yet. Raises ProofFailed unless it is exactly how it is written."""
        if len(content) > MAX_BYTES:
            raise ProofFailed(f"the evidence is larger than {MAX_BYTES} bytes")
        value = parse_canonical(content[:-1])
        if value is None:
            raise ProofFailed("the evidence is not canonical JSON")
        found = cls.from_json(value)
        if found.content != content:
            raise ProofFailed("the evidence is not written as it should be")
        return found

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The evidence that a parsed value is, not checked yet. Raises ProofFailed."""
        if not isinstance(value, dict) or value.keys() != _FIELDS or value["format"] != _FORMAT:
            raise ProofFailed(f"the evidence is not in format {_FORMAT}")
        texts = [value[name] for name in ("repository", "writer", "older", "newer", "instead")]
        proof = value["proof"]
        if not isinstance(proof, list) or not all(isinstance(each, str) for each in [*texts, *proof]):
            raise ProofFailed("the evidence has a field that is no text")
        if len(proof) > 2 * MAX_HASHES:
            raise ProofFailed("the evidence has more hashes than any proof")
        repository, writer, older, newer, instead = texts
        hashes = tuple(decoded(each, "a hash of the evidence") for each in proof)
        return cls(repository, writer, older.encode(), newer.encode(), decoded(instead, "the other root"), hashes)

    @property
    def json(self) -> dict[str, Any]:
        """The evidence as a value of JSON."""
        return {
            "format": _FORMAT,
            "repository": self.repository,
            "writer": self.writer,
            "older": self.older.decode(),
            "newer": self.newer.decode(),
            "instead": encoded(self.instead),
            "proof": [encoded(each) for each in self.proof],
        }

    @property
    def content(self) -> bytes:
        """The evidence as canonical JSON, a newline after it."""
        return canonical_json(self.json) + b"\n"


def prove(older: bytes, newer: bytes, tree: Tree, repository: str, writer: str) -> Evidence | None:
    """The evidence that both notes cannot be true; None if they can, or if `tree` is not what one of them signs.

    `tree` is that of the larger log, or of either if they are of one size. Raises ProofFailed if one is not signed.
    """
    before, after = (checkpoints.opened(note, repository, writer) for note in (older, newer))
    if before.size > after.size:
        older, newer, before, after = newer, older, after, before
    if before.size == after.size:
        found = Evidence(repository, writer, older, newer, after.root)
    elif after.size <= tree.size:
        proof = tuple(tree.consistency(before.size, after.size))
        found = Evidence(repository, writer, older, newer, tree.root_at(before.size), proof)
    else:
        return None
    try:
        check(found, repository, writer)
    except ProofFailed:
        return None
    return found


def check(evidence: Evidence, repository: str, writer: str) -> str:
    """What cannot both be true, in a sentence. Raises WrongOrigin, ProofFailed if it shows nothing of this writer."""
    if (evidence.repository, evidence.writer) != (repository, writer):
        raise WrongOrigin(f"the evidence is of the writer {evidence.writer[:64]}, or of another repository")
    older = checkpoints.opened(evidence.older, repository, writer)
    newer = checkpoints.opened(evidence.newer, repository, writer)
    shown = roots_from_consistency(older.size, newer.size, evidence.proof, evidence.instead)
    if shown != (evidence.instead, newer.root) or evidence.instead == older.root:
        raise ProofFailed("both checkpoints can be true: one log can have grown into the other")
    if older.size == newer.size:
        return f"the writer {writer} signed two logs of {older.size} entries, which differ"
    return (
        f"the writer {writer} signed a log of {older.size} entries, and one of {newer.size} entries "
        f"whose first {older.size} are others"
    )
