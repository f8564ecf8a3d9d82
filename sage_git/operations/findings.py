"""What a recording could not do: a stable code, a sentence with what, where and what to do, and the commit if any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sage_git.chronicle.ids import ObjectId
from sage_git.storage.index import Index


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that went wrong while the rest was recorded. Codes are listed in docs/errors.md."""

    code: str
    message: str
    commit: ObjectId | None = None


def keep(index: Index, findings: Iterable[Finding]) -> None:
    """Make these the findings of the last recording, which `status` shows. Within a transaction."""
    index.connection.execute("DELETE FROM findings")
    rows = [(bytes.fromhex(each.commit) if each.commit else None, each.code, each.message) for each in findings]
    index.connection.executemany("INSERT INTO findings VALUES (?, ?, ?)", rows)
