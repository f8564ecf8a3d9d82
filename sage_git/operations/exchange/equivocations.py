"""Writers who signed two logs: the evidence kept, the halt said, the log frozen where the two part.

`sage/equivocations/WRITER.json` is the evidence (`proof.equivocation`), which anybody can check with the writer's key
alone; the HALT_AND_REPORT carries it to every peer. What is here of the log stays, and nothing more is taken. Not here:
finding it out (`vetting`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sage_git.errors import ProofFailed, StorageError
from sage_git.operations.checkout import Checkout
from sage_git.operations.sidecars.placing import subject_key
from sage_git.operations.statements.appending import Statement, append_statement
from sage_git.operations.subjects import WRITERS
from sage_git.proof.equivocation import Evidence, check
from sage_git.storage.durable import make_directory, replace_file

FOLDER: Final = "equivocations"
_INVARIANT: Final = "a writer has one log"
_EXPECTED: Final = "every checkpoint of a writer is of one log, which only grows"


def report(checkout: Checkout, found: Iterable[Evidence], clock_ms: int) -> None:
    """Keep each evidence, and say HALT_AND_REPORT once for each. Raises StorageError."""
    for evidence in found:
        path = checkout.sage / FOLDER / f"{evidence.writer}.json"
        if not path.exists():
            make_directory(path.parent)
            replace_file(path, evidence.content)
        _say(checkout, evidence, clock_ms)


def known(directory: Path, repository: str) -> dict[str, Evidence]:
    """The evidence that the clone with this `sage/` directory keeps, by writer; what shows nothing counts for nothing.

    Raises StorageError.
    """
    folder = directory / FOLDER
    found: dict[str, Evidence] = {}
    try:
        paths = sorted(folder.glob("*.json"))
        for path in paths:
            try:
                evidence = Evidence.parse(path.read_bytes())
                check(evidence, repository, path.stem)
                found[path.stem] = evidence
            except ProofFailed:
                continue
    except OSError as problem:
        raise StorageError.from_os(problem, str(folder), "read") from problem
    return found


def _say(checkout: Checkout, evidence: Evidence, clock_ms: int) -> None:
    """Say it once: whoever was killed between evidence and halt says it now."""
    key = f"said of {evidence.writer}"
    if checkout.index.value(key) is not None:
        return
    given = {
        "type": "HALT_AND_REPORT",
        "actor": {"agent": "sage-git", "id": "sync"},
        "invariant": _INVARIANT,
        "expected": _EXPECTED,
        "actual": check(evidence, evidence.repository, evidence.writer),
        "context": {"equivocation": evidence.json},
    }
    if not _was_said(checkout, evidence.writer):
        append_statement(checkout, Statement(subject_key(WRITERS), given, clock_ms))
    with checkout.index.transaction():
        checkout.index.keep(key, "yes")


def _was_said(checkout: Checkout, writer: str) -> bool:
    from sage_git.storage import queries

    for row in queries.of_types(checkout.index.connection, "HALT_AND_REPORT"):
        context = row.event.get("context")
        said = context.get("equivocation") if isinstance(context, dict) else None
        if isinstance(said, dict) and said.get("writer") == writer and row.line is not None:
            entry = checkout.index.events.entry(row.event_id)
            if entry is not None:
                return True
    return False
