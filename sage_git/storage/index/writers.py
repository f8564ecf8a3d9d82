"""The logs of other writers as far as they were entered: whose, up to where, and which events stand in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sage_git.chronicle.ids import EventId, ObjectId


@dataclass(frozen=True, slots=True)
class Segment:
    """The blobs of a segment that was entered: its leaves, and its published and withheld bodies."""

    leaves: str
    events: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that stands nowhere but in its log, and why."""

    writer: str
    number: int
    commit: ObjectId | None
    code: str
    message: str


class WriterTable:
    """The writers of an index, by key id."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tips(self) -> dict[str, str]:
        """Of every writer whose log was entered, what it was read from."""
        return dict(self._connection.execute("SELECT key, tip FROM writers WHERE tip != ''"))

    def size(self, writer: str) -> int:
        """How many entries of a log were entered."""
        row = self._connection.execute("SELECT size FROM writers WHERE key = ?", (writer,)).fetchone()
        return 0 if row is None else int(row[0])

    def put(self, writer: str, size: int, tip: str, supersedes: str | None = None) -> None:
        """Note that a log of `size` entries was entered as it was at `tip`."""
        self._connection.execute(
            "INSERT INTO writers (key, size, tip, supersedes) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
            " SET size = excluded.size, tip = excluded.tip, supersedes = excluded.supersedes",
            (writer, size, tip, supersedes),
        )

    def segments(self, writer: str) -> dict[int, Segment]:
        """The segments of a log that were entered, by number."""
        sql = "SELECT number, leaves, events FROM segments WHERE writer = ?"
        return {row[0]: Segment(row[1], row[2]) for row in self._connection.execute(sql, (self._number(writer),))}

    def put_segments(self, writer: str, segments: Mapping[int, Segment]) -> None:
        """Note that segments were entered."""
        number = self._number(writer)
        rows = [(number, each, segment.leaves, segment.events) for each, segment in segments.items()]
        sql = "INSERT OR REPLACE INTO segments (writer, number, leaves, events) VALUES (?, ?, ?, ?)"
        self._connection.executemany(sql, rows)

    def put_entries(self, writer: str, entries: Iterable[tuple[EventId, int]]) -> None:
        """Note which events stand in a log, and where; also those whose bodies are not here."""
        writer_number = self._number(writer)
        rows = sorted((bytes.fromhex(event_id), writer_number, number) for event_id, number in entries)
        self._connection.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)", rows)

    def holders(self, event_id: EventId) -> list[tuple[str, int]]:
        """The logs, and the numbers in them, where an event stands."""
        sql = (
            "SELECT key, entries.number FROM entries JOIN writers ON writers.id = writer WHERE event_id = ?"
            " ORDER BY key, entries.number"
        )
        return self._connection.execute(sql, (bytes.fromhex(event_id),)).fetchall()

    def with_predecessors(self, writer: str) -> list[str]:
        """A writer, whom it supersedes, whom that one does, and so on."""
        found = {writer: None}
        last: str | None = writer
        while last is not None:
            row = self._connection.execute("SELECT supersedes FROM writers WHERE key = ?", (last,)).fetchone()
            last = row[0] if row is not None and row[0] not in found else None
            if last is not None:
                found[last] = None
        return list(found)

    def may_redact(self, statements: Iterable[bytes], event_id: EventId) -> bool:
        """True if every log that has the event, and there is one, also has one of the statements, by raw id.

        A log that goes on from another speaks for that too. Nobody gets a right by copying what others said.
        """
        sql = "SELECT DISTINCT key FROM entries JOIN writers ON writers.id = writer WHERE event_id = ?"
        sayers = {key for each in statements for (key,) in self._connection.execute(sql, (each,))}
        spoken_for = {writer for sayer in sayers for writer in self.with_predecessors(sayer)}
        holders = {writer for writer, _ in self.holders(event_id)}
        return bool(holders) and holders <= spoken_for

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        """Keep why entries stand nowhere but in their logs."""
        rows = [
            (self._number(each.writer), each.number, bytes.fromhex(each.commit or "") or None, each.code, each.message)
            for each in refusals
        ]
        self._connection.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)", rows)

    def refused(self) -> list[Refusal]:
        """The entries that stand nowhere but in their logs."""
        sql = (
            "SELECT key, refused.number, oid, code, message FROM refused JOIN writers ON writers.id = writer"
            " ORDER BY key, refused.number"
        )
        return [
            Refusal(key, number, ObjectId(oid.hex()) if oid else None, code, message)
            for key, number, oid, code, message in self._connection.execute(sql)
        ]

    def forget(self, writers: Sequence[str]) -> None:
        """Forget how far logs were entered, so that they are entered again; the events stay."""
        for writer in writers:
            self._connection.execute("UPDATE writers SET tip = '', size = 0 WHERE key = ?", (writer,))
            self._connection.execute("DELETE FROM segments WHERE writer = ?", (self._number(writer),))

    def _number(self, writer: str) -> int:
        """The number of a writer, given to it now if it has none."""
        row = self._connection.execute("SELECT id FROM writers WHERE key = ?", (writer,)).fetchone()
        if row is not None:
            return int(row[0])
        sql = "INSERT INTO writers (key, size, tip) VALUES (?, 0, '')"
        return self._connection.execute(sql, (writer,)).lastrowid or 0
