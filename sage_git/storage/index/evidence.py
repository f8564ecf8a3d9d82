"""What git objects say of commits and facts beyond the facts, kept so that it is found out once. JSON in, JSON out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


class EvidenceTable:
    """The evidence of an index. Facts and commits are named by their numbers there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, fact: int, body: str, replayed: Iterable[int] = (), undone: Iterable[int] = ()) -> None:
        """Keep `body` of a fact, which does the facts `replayed` again, or takes back the facts `undone`."""
        self._connection.execute("INSERT OR REPLACE INTO evidence VALUES (?, ?)", (fact, body))
        rows = [(original, fact) for original in replayed]
        self._connection.executemany("INSERT OR IGNORE INTO replays VALUES (?, ?)", rows)
        rows = [(original, fact) for original in undone]
        self._connection.executemany("INSERT OR IGNORE INTO undoings VALUES (?, ?)", rows)

    def of(self, fact: int) -> str | None:
        """What is kept of a fact; None if there is nothing to say."""
        row = self._connection.execute("SELECT body FROM evidence WHERE number = ?", (fact,)).fetchone()
        return None if row is None else str(row[0])

    def replays_of(self, fact: int) -> list[int]:
        """The facts that do this one again."""
        return [row[0] for row in self._connection.execute("SELECT number FROM replays WHERE original = ?", (fact,))]

    def originals_of(self, fact: int) -> list[int]:
        """The facts that this one does again."""
        return [row[0] for row in self._connection.execute("SELECT original FROM replays WHERE number = ?", (fact,))]

    def undone_by(self, fact: int) -> list[int]:
        """The facts that take this one back."""
        return [row[0] for row in self._connection.execute("SELECT number FROM undoings WHERE original = ?", (fact,))]

    def put_claims(self, commit: int, body: str) -> None:
        """Keep what the message of a commit claims."""
        self._connection.execute("INSERT OR REPLACE INTO claims VALUES (?, ?)", (commit, body))

    def claims(self, commit: int) -> str | None:
        """What the message of a commit claims; None if it claims nothing."""
        row = self._connection.execute("SELECT body FROM claims WHERE commit_id = ?", (commit,)).fetchone()
        return None if row is None else str(row[0])
