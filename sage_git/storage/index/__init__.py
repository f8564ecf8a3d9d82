"""The index: everything known, in one SQLite file that can be thrown away (log and git make it again).

    commits   observed commits, their places in chains, and H (`observation.lineage`)
    events    every event in order of arrival, its lineages, and chronicles as components of lineages
    evidence  what git objects say of facts beyond the facts, for `judgement`
    foretold  what logs say of commits that are not observed
    writers   whose logs were entered, how far, and which entries they have
    roots     the Merkle roots of whole segments of logs
    sidecars  the sidecar files of each work tree as we left them

Responsible for keeping and finding. Not here: what is a fact (`observation`), what a sidecar holds (`operations`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sage_git.errors import StorageError
from sage_git.storage.durable import told_as
from sage_git.storage.index.commits import CommitTable, Reach
from sage_git.storage.index.events import EventTable
from sage_git.storage.index.evidence import EvidenceTable
from sage_git.storage.index.foretold import ForetoldTable
from sage_git.storage.index.roots import RootTable
from sage_git.storage.index.schema import SCHEMA, VERSION
from sage_git.storage.index.sidecars import SidecarTable, Stamp
from sage_git.storage.index.writers import WriterTable

_PATIENCE_SECONDS: Final = 10.0

__all__ = ["CommitTable", "EventTable", "EvidenceTable", "Index", "Reach", "SidecarTable", "Stamp", "WriterTable"]


class IndexDamaged(StorageError):
    """The file is no sound database any more: `discard` it, and have it made anew."""


@contextmanager
def damage_told() -> Iterator[None]:
    """Raises IndexDamaged where sqlite finds the file damaged, and StorageError where it cannot read or write it."""
    try:
        yield
    except sqlite3.Error as problem:
        kind = IndexDamaged if type(problem) is sqlite3.DatabaseError else StorageError
        raise kind("index.sqlite", "use", str(problem), remedy="run `sage-git fsck --repair`") from problem


class Index:
    """An open index. Reads need no lock; changes happen in `transaction()`, while the caller holds the log's lock."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        self._version: int | None = None
        self.commits = CommitTable(connection)
        self.events = EventTable(connection)
        self.evidence = EvidenceTable(connection)
        self.foretold = ForetoldTable(connection)
        self.roots = RootTable(connection)
        self.sidecars = SidecarTable(connection)
        self.writers = WriterTable(connection)

    @classmethod
    def open(cls, path: Path) -> Index:
        """The index at `path`; an empty one if the file is missing, of another version or not a database."""
        try:
            return cls(path, _connect(path))
        except sqlite3.OperationalError as problem:  # locked, read-only, no such folder: nothing is wrong with the file
            connection = _connect_to_read(path)
            if connection is None:
                raise _refusal(path, problem) from None
            return cls(path, connection)
        except sqlite3.DatabaseError:
            discard(path)
            try:
                return cls(path, _connect(path))
            except sqlite3.Error as again:
                raise _refusal(path, again) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes within, or none of them. Raises StorageError."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self._forget_if_others_wrote()
                self.events.last_number()
                yield
                self.events.settle_times()
                self.events.flush()
            except BaseException:
                if self.connection.in_transaction:  # a full disk has ended it by itself
                    self.connection.execute("ROLLBACK")
                self._forget()
                raise
            self.connection.execute("COMMIT")
        except sqlite3.Error as problem:
            self._forget()
            kind = IndexDamaged if type(problem) is sqlite3.DatabaseError else StorageError
            raise kind(str(self.path), "write", str(problem)) from problem

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read within is of one moment, whatever others write meanwhile."""
        self._forget()
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def value(self, key: str) -> str | None:
        """What was last kept under `key`."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def keep(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def scrub(self) -> None:
        """Leave nothing of deleted content in the file. Raises StorageError."""
        try:
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as problem:
            raise StorageError(str(self.path), "rewrite", str(problem)) from problem

    def forget_value(self, key: str) -> None:
        """Keep nothing under `key`."""
        self.connection.execute("DELETE FROM meta WHERE key = ?", (key,))

    def rest(self) -> None:
        """Give back the memory that what was read is kept in."""
        self._forget()
        self.connection.execute("PRAGMA shrink_memory").fetchall()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _forget_if_others_wrote(self) -> None:
        version = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._forget()

    def _forget(self) -> None:
        """Drop what was remembered of rows that may not be there."""
        self.commits.forget()
        self.events.forget()


def discard(path: Path) -> None:
    """Take the index at `path` away, to be made anew. Raises StorageError."""
    with told_as(path, "remove"):
        for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            leftover.unlink(missing_ok=True)


def _refusal(path: Path, problem: sqlite3.Error) -> StorageError:
    remedy = "make sure that you may write there, and that it is no folder; the file itself may be deleted at any time"
    return StorageError(str(path), "open", str(problem), remedy=remedy)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    try:
        # WAL without a sync per transaction: a power cut may lose the last ones, never the file; the log has them all.
        connection.executescript("PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            _begin(connection)
    except BaseException:
        connection.close()
        raise
    if version not in (0, VERSION):
        connection.close()
        raise sqlite3.DatabaseError(f"index of version {version}")
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection | None:
    """The index of a repository in which we may not write, as its last writer left it; None if that is not the case."""
    if os.access(path.parent, os.W_OK) or not os.access(path, os.R_OK):
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        connection.close()
        return None
    return connection


def _begin(connection: sqlite3.Connection) -> None:
    """Make the tables. Another process may be at it too, and a change to WAL does not wait for its lock by itself."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={VERSION}; COMMIT;")
