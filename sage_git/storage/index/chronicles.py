"""Lineages, and chronicles as components of lineages: which events stand in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId


class Chronicles:
    """The chronicles of an index; what the table of events (`EventTable`) knows beyond single events."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lineages: dict[str, int] = {}
        self._next_lineage: int | None = None

    def flush(self) -> None:
        """Put what was added into the tables, so that it can be asked for."""
        raise NotImplementedError

    def _execute(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        self.flush()
        return self._connection.execute(sql, values)

    def lineage(self, name: str) -> int:
        """The number of a lineage, given to it now if it is new."""
        number = self._lineages.get(name)
        if number is None:
            execute = self._connection.execute
            row = execute("SELECT id FROM lineages WHERE name = ?", (name,)).fetchone()
            if row is None:
                if self._next_lineage is None:
                    self._next_lineage = execute("SELECT coalesce(max(id), 0) + 1 FROM lineages").fetchone()[0]
                number = self._next_lineage
                self._next_lineage = number + 1
                execute("INSERT INTO lineages VALUES (?, ?, ?)", (number, name, number))
            else:
                number = int(row[0])
            self._lineages[name] = number
        return number

    def known_lineage(self, name: str) -> int | None:
        """The number of a lineage; None if no event stands in it."""
        row = self._execute("SELECT id FROM lineages WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def component(self, lineage: int) -> int:
        """The component that a lineage belongs to: its chronicle."""
        sql = "SELECT component FROM lineages WHERE id = ?"
        return int(self._connection.execute(sql, (lineage,)).fetchone()[0])

    def join(self, lineages: Iterable[int]) -> None:
        """Make one chronicle of these lineages."""
        components = {self.component(lineage) for lineage in lineages}
        if len(components) < 2:
            return
        into = min(components)
        for other in components - {into}:
            self._execute("UPDATE lineages SET component = ? WHERE component = ?", (into, other))
            # These files lack the other half, however old its events are: -1 makes them whole again.
            self._execute("UPDATE sidecars SET component = ?, last = -1 WHERE component = ?", (into, other))
        self._execute("UPDATE sidecars SET last = -1 WHERE component = ?", (into,))

    def separate(self) -> None:
        """Make a chronicle of each lineage, and have every sidecar looked for anew."""
        self._execute("UPDATE lineages SET component = id")
        self._execute("UPDATE sidecars SET last = -1")
        self._execute("DELETE FROM meta WHERE key LIKE 'seen:%'")

    def joining(self, apart: Collection[str]) -> list[list[int]]:
        """The lineages of each event that stands in several, but for events of the types `apart`."""
        marks = ", ".join("?" * len(apart))
        sql = (
            "SELECT group_concat(lineage) FROM membership JOIN events USING (number)"  # noqa: S608 marks alone
            f" WHERE type NOT IN ({marks}) GROUP BY number HAVING count(*) > 1"
        )
        return [[int(each) for each in row[0].split(",")] for row in self._execute(sql, tuple(apart))]

    def components_after(self, number: int) -> set[int]:
        """The chronicles that have an event with a higher number."""
        rows = self._execute(
            "SELECT DISTINCT component FROM membership JOIN lineages ON lineages.id = lineage WHERE number > ?",
            (number,),
        )
        return {row[0] for row in rows}

    def subjects_after(self, number: int) -> list[tuple[str, int]]:
        """Lineage and chronicle of each subject that has an event with a higher number, less redacted ones."""
        sql = (
            "SELECT name, component FROM lineages WHERE name >= 'subject:' AND name < 'subject;' AND EXISTS (SELECT 1"
            " FROM membership JOIN events USING (number) WHERE lineage = id AND number > ? AND line NOT NULL)"
        )
        return self._execute(sql, (number,)).fetchall()

    def lines(self, component: int, after: int = -1) -> Iterator[tuple[int, EventId, bytes]]:
        """Number, id and line of a chronicle's events with a higher number than `after`, less redacted ones."""
        rows = self._execute(
            "SELECT DISTINCT events.number, event_id, line FROM lineages JOIN membership ON lineage = lineages.id"
            " JOIN events ON events.number = membership.number"
            " WHERE component = ? AND membership.number > ? AND line IS NOT NULL ORDER BY events.number",
            (component, after),
        )
        return ((number, EventId(event_id.hex()), line) for number, event_id, line in rows)

    def recent(self, component: int, count: int, parts: Sequence[bytes]) -> list[bytes]:
        """Those among the last `count` lines of a chronicle that have every one of `parts` in them, newest first."""
        lineages = [row[0] for row in self._execute("SELECT id FROM lineages WHERE component = ?", (component,))]
        newest = "SELECT number FROM membership WHERE lineage = ? ORDER BY number DESC LIMIT ?"
        numbers = {row[0] for lineage in lineages for row in self._execute(newest, (lineage, count))}
        oldest = min(sorted(numbers)[-count:], default=0)
        conditions = "".join(" AND instr(line, ?)" for _ in parts)
        sql = (
            "SELECT events.number, line FROM membership JOIN events ON events.number = membership.number"  # noqa: S608
            f" WHERE lineage = ? AND membership.number >= ?{conditions}"
        )
        found = {row[0]: row[1] for lineage in lineages for row in self._execute(sql, (lineage, oldest, *parts))}
        return [found[number] for number in sorted(found, reverse=True)]

    def has_fact(self, lineage: int) -> bool:
        """True if some event of a lineage is a commit's."""
        rows = self._execute(
            "SELECT 1 FROM membership JOIN events ON events.number = membership.number"
            " WHERE lineage = ? AND commit_id IS NOT NULL LIMIT 1",
            (lineage,),
        )
        return rows.fetchone() is not None

    def has_loose_statement(self, lineage: int) -> bool:
        """True if some event of a lineage that is no commit's names no parent."""
        rows = self._execute(
            "SELECT line FROM membership JOIN events ON events.number = membership.number"
            " WHERE lineage = ? AND commit_id IS NULL AND line IS NOT NULL",
            (lineage,),
        )
        return any(b'"subject":' in line and not Event.trusted(None, line).parents for (line,) in rows)
