"""`writer.json`, in which a writer says who it is, and `writer.sig`, in which a person says whose it is.

A writer key belongs to a clone, not to a person. Whoever has an SSH key in `.sage/allowed_signers` may certify a writer
by a signature over its introduction. Not here: the keys themselves (storage.keys), and what a certificate is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from sage_git.chronicle.canonical import canonical_json, parse_canonical
from sage_git.chronicle.ids import RepositoryId, is_hex
from sage_git.errors import ProofFailed, ValidationError
from sage_git.proof import sshsig
from sage_git.proof.allowed_signers import AllowedSigners
from sage_git.proof.checkpoint import is_writer
from sage_git.proof.ed25519 import is_of_small_order

NAMESPACE: Final = "sage-writer@v1"
"""What certificates are signed for, so that a signature made for anything else is none."""
MAX_BYTES: Final = 1_024


@dataclass(frozen=True, slots=True)
class Introduction:
    """A writer key id, the repository it writes about, and the writer key id whose log it goes on from, if any."""

    key: str
    repository: RepositoryId
    supersedes: str | None = None

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """What a `writer.json` says. Raises ProofFailed unless it is exactly how it is written."""
        value = parse_canonical(content[:-1]) if len(content) <= MAX_BYTES and content.endswith(b"\n") else None
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise ProofFailed("the writer does not introduce itself in canonical JSON")
        if not {"key", "repository"} <= value.keys() <= {"key", "repository", "supersedes"}:
            raise ProofFailed("the writer must say key and repository, and may say whom it supersedes")
        introduction = cls(value["key"], RepositoryId(value["repository"]), value.get("supersedes"))
        introduction._check()
        return introduction

    @property
    def content(self) -> bytes:
        """The content of `writer.json`."""
        said = {"key": self.key, "repository": self.repository}
        return canonical_json(said if self.supersedes is None else said | {"supersedes": self.supersedes}) + b"\n"

    def _check(self) -> None:
        if (
            not is_writer(self.key)
            or is_of_small_order(bytes.fromhex(self.key))
            or not is_hex(self.repository, *range(8, 65))
        ):
            raise ProofFailed("the writer introduces itself with what is no key, or no repository")
        if self.supersedes is not None and (not is_writer(self.supersedes) or self.supersedes == self.key):
            raise ProofFailed("the writer supersedes what is no other writer")


def introduced(content: bytes, repository: str, writer: str) -> Introduction:
    """The introduction of this writer to this repository. Raises ProofFailed if it is of another."""
    introduction = Introduction.parse(content)
    if (introduction.key, introduction.repository) != (writer, repository):
        raise ProofFailed("the introduction is of another writer, or to another repository")
    return introduction


def certified_by(content: bytes, certificate: bytes, signers: AllowedSigners, at: int) -> str:
    """Who certifies the writer that introduces itself with `content`: the principals of a line of `allowed_signers`.

    `at` is the time, in seconds since 1970, at which the line must hold. Raises ProofFailed if nobody who may does.
    """
    try:
        key = sshsig.verify(certificate.decode("ascii"), content, NAMESPACE)
    except (UnicodeDecodeError, ValidationError) as problem:
        raise ProofFailed(f"the writer's certificate is not sound: {problem}") from None
    principals = signers.principals_of(key, NAMESPACE, at)
    if principals is None:
        raise ProofFailed(f"nobody may certify writers with the key {key.fingerprint}")
    return principals
