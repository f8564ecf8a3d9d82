"""All events known, in order of arrival, and the chronicles they stand in (`observation.lineage.Ancestry`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.storage.index.schema import NOT_A_FACT

REDACTION: Final = "EVENT_REDACTED"
_REMEMBERED: Final = 200_000


@dataclass(frozen=True, slots=True)
class Node:
    """An event's place in the graph and in the chronicles. `time` is in milliseconds since 1970."""

    number: int
    depth: int
    time: int
    parents: tuple[EventId, ...]
    lineages: tuple[int, ...]


class EventTable:
    """The events of an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered beside the tables."""
        self._nodes: dict[EventId, Node] = {}
        self._lineages: dict[str, int] = {}
        self._next: int | None = None
        self._redacted: frozenset[EventId] | None = None
        self._new_events: list[tuple[object, ...]] = []  # added, not yet in the tables
        self._new_members: list[tuple[int, int]] = []

    def flush(self) -> None:
        """Put what was added into the tables: in one go, which takes half the time of one after the other."""
        if self._new_events:
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._new_events)
            self._connection.executemany("INSERT INTO membership VALUES (?, ?)", self._new_members)
            self._new_events, self._new_members = [], []

    def _execute(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        self.flush()
        return self._connection.execute(sql, values)

    def node(self, event_id: EventId) -> Node | None:
        """Where the event stands; None if it is not known."""
        node = self._nodes.get(event_id)
        if node is None:
            # What was added is remembered until it is in the tables, so this need not wait for it.
            row = self._connection.execute(
                "SELECT number, depth, time, line FROM events WHERE event_id = ?", (bytes.fromhex(event_id),)
            ).fetchone()
            if row is None:
                return None
            number, depth, time, line = row
            parents = Event.trusted(event_id, line).parents if line is not None else ()
            lineages = self._execute("SELECT lineage FROM membership WHERE number = ?", (number,)).fetchall()
            node = Node(number, depth, time, parents, tuple(row[0] for row in lineages))
            self._remember(event_id, node)
        return node

    def add(
        self, event: Event, lineages: Sequence[int], *, commit_number: int | None, time: int, entry: int | None
    ) -> int:
        """Store an event that is not known yet under its id, and give it its number."""
        event_id = event.event_id
        assert event_id is not None
        number = self.last_number() + 1
        parents = event.parents
        nodes = [node for parent in parents if (node := self.node(parent)) is not None]
        depth = 1 + max((node.depth for node in nodes), default=-1)
        time = max([time, *(node.time for node in nodes)])
        row = (number, bytes.fromhex(event_id), event.type, commit_number, time, depth, entry, event.line)
        self._new_events.append(row)
        self._new_members.extend((lineage, number) for lineage in lineages)
        self._next = number + 1
        if event.type == REDACTION:
            self._redacted = None
        self._remember(event_id, Node(number, depth, time, parents, tuple(lineages)))
        return number

    def event(self, event_id: EventId) -> Event | None:
        """The event; None if it is not known or its body was redacted."""
        row = self._execute("SELECT line FROM events WHERE event_id = ?", (bytes.fromhex(event_id),)).fetchone()
        return None if row is None or row[0] is None else Event.trusted(event_id, row[0])

    def place(self, number: int) -> tuple[int, int] | None:
        """Chain and position of an event's commit; None for a statement."""
        sql = "SELECT chain, position FROM events JOIN commits ON commits.id = commit_id WHERE number = ?"
        row = self._execute(sql, (number,)).fetchone()
        return None if row is None else (row[0], row[1])

    def depth(self, event: EventId) -> int:
        """See `Ancestry`."""
        node = self.node(event)
        return -1 if node is None else node.depth

    def parents(self, event: EventId) -> Sequence[EventId]:
        """See `Ancestry`."""
        node = self.node(event)
        return () if node is None else node.parents

    def lineage(self, name: str) -> int:
        """The number of a lineage, given to it now if it is new."""
        number = self._lineages.get(name)
        if number is None:
            execute = self._connection.execute
            row = execute("SELECT id FROM lineages WHERE name = ?", (name,)).fetchone()
            if row is None:
                number = execute("INSERT INTO lineages (name, component) VALUES (?, 0)", (name,)).lastrowid or 0
                execute("UPDATE lineages SET component = id WHERE id = ?", (number,))
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

    def join(self, lineages: Sequence[int]) -> None:
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

    def components_after(self, number: int) -> set[int]:
        """The chronicles that have an event with a higher number."""
        rows = self._execute(
            "SELECT DISTINCT component FROM membership JOIN lineages ON lineages.id = lineage WHERE number > ?",
            (number,),
        )
        return {row[0] for row in rows}

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

    def has_loose_statement(self, lineage: int) -> bool:
        """True if some event of a lineage that is no commit's names no parent."""
        rows = self._execute(
            "SELECT line FROM membership JOIN events ON events.number = membership.number"
            " WHERE lineage = ? AND commit_id IS NULL AND line IS NOT NULL",
            (lineage,),
        )
        return any(b'"subject":' in line and not Event.trusted(None, line).parents for (line,) in rows)

    def last_number(self) -> int:
        """The number of the newest event; 0 if there is none."""
        if self._next is None:
            self._next = 1 + self._execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0]
        return self._next - 1

    def entries(self) -> int:
        """How many entries of this clone's own log are here."""
        row = self._execute("SELECT coalesce(max(entry) + 1, 0) FROM events WHERE entry IS NOT NULL").fetchone()
        return int(row[0])

    def entry(self, event_id: EventId) -> int | None:
        """The number of an event in this clone's own log; None if it is not there."""
        row = self._execute("SELECT entry FROM events WHERE event_id = ?", (bytes.fromhex(event_id),)).fetchone()
        return None if row is None else row[0]

    def entry_numbers(self) -> set[int]:
        """The numbers of this clone's own log entries that are here."""
        return {row[0] for row in self._execute("SELECT entry FROM events WHERE entry IS NOT NULL")}

    def set_entry(self, event_id: EventId, entry: int) -> None:
        """Note that an event that was known already stands in this clone's own log."""
        self._execute("UPDATE events SET entry = ? WHERE event_id = ?", (entry, bytes.fromhex(event_id)))

    def set_commit(self, event_ids: Iterable[EventId], commit_number: int, time: int) -> None:
        """Note that the commit of events that came from a log is observed now."""
        self.flush()
        self._connection.executemany(
            "UPDATE events SET commit_id = ?, time = ? WHERE event_id = ? AND commit_id IS NULL",
            [(commit_number, time, bytes.fromhex(event_id)) for event_id in event_ids],
        )

    def redacted(self) -> frozenset[EventId]:
        """The events whose bodies are to be nowhere, as EVENT_REDACTED statements say."""
        if self._redacted is None:
            sql = f"SELECT line FROM events WHERE {NOT_A_FACT} AND type = ? AND line IS NOT NULL"  # noqa: S608 constant
            rows = self._execute(sql, (REDACTION,))
            named = (Event.trusted(None, row[0]).get("redactedEventId") for row in rows)
            self._redacted = frozenset(EventId(name) for name in named if isinstance(name, str))
        return self._redacted

    def naming(self, event_id: EventId) -> list[EventId]:
        """The events with this id somewhere in their lines. Looks through all of them."""
        rows = self._execute("SELECT event_id FROM events WHERE instr(line, ?)", (event_id.encode("ascii"),))
        return [found for row in rows if (found := EventId(row[0].hex())) != event_id]

    def put_line(self, event_id: EventId, line: bytes) -> None:
        """Give an event that somebody kept without its id the line with it; it counts as arriving now."""
        row = self._execute(
            "SELECT number FROM events WHERE event_id = ? AND line IS NOT NULL AND NOT instr(line, ?)",
            (bytes.fromhex(event_id), b'"eventId":"%s"' % event_id.encode("ascii")),
        ).fetchone()
        if row is not None:
            number = self.last_number() + 1
            self._execute("UPDATE events SET number = ?, line = ? WHERE number = ?", (number, line, row[0]))
            self._execute("UPDATE membership SET number = ? WHERE number = ?", (number, row[0]))
            self._next = number + 1
            self._nodes.pop(event_id, None)

    def redact(self, event_id: EventId) -> None:
        """Drop the body of an event for good."""
        self._execute("UPDATE events SET line = NULL WHERE event_id = ?", (bytes.fromhex(event_id),))
        self._nodes.pop(event_id, None)

    def _remember(self, event_id: EventId, node: Node) -> None:
        if len(self._nodes) > _REMEMBERED:
            self.flush()
            self._nodes.clear()
        self._nodes[event_id] = node
