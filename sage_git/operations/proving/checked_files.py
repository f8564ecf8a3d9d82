"""A file that somebody handed over, whichever kind of proof it is: of one event, of a source, of two logs.

Not here: what each proves (`checking`, `unbundling`, `proof.equivocation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from sage_git.chronicle.ids import RepositoryId
from sage_git.errors import ProofFailed
from sage_git.operations.proving.archive import MAX_BYTES
from sage_git.operations.proving.checking import Given, Proved, check_proof
from sage_git.operations.proving.unbundling import CheckedBundle, check_bundle
from sage_git.proof import equivocation
from sage_git.proof.checkpoint import Origin
from sage_git.proof.tlog_proof import MEDIA_LINE
from sage_git.storage.durable import told_as


@dataclass(frozen=True, slots=True)
class Equivocated:
    """That a writer signed two logs, in a sentence."""

    origin: Origin
    sentence: str


Checked: TypeAlias = Proved | CheckedBundle | Equivocated
_ARCHIVE: Final = b"PK"
_JSON: Final = b"{"


def check_file(path: Path, given: Given, at: int) -> Checked:
    """What the file proves; `at` is now, in seconds since 1970. Raises StorageError, ProofFailed, WrongOrigin."""
    with told_as(path, "read"), path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if content.startswith(MEDIA_LINE.encode("ascii")):
        proved = check_proof(content)
        given.check_repository(proved.origin.repository)
        given.check_writer(proved.origin.writer)
        return proved
    if content.startswith(_ARCHIVE):
        checked = check_bundle(content, at)
        given.check_repository(checked.about.repository)
        return checked
    if content.startswith(_JSON):
        return _equivocated(content, given)
    remedy = "`sage-git prove` and `sage-git bundle` make files that can be checked"
    raise ProofFailed("the file is no proof, no bundle and no evidence", remedy=remedy)


def _equivocated(content: bytes, given: Given) -> Equivocated:
    evidence = equivocation.Evidence.parse(content)
    given.check_repository(evidence.repository)
    given.check_writer(evidence.writer)
    sentence = equivocation.check(evidence, evidence.repository, evidence.writer)
    return Equivocated(Origin(RepositoryId(evidence.repository), evidence.writer), sentence)
