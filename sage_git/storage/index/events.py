"""All events known, in order of arrival, and the chronicles they stand in (`observation.lineage.Ancestry`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.storage.index.bodies import REDACTION, Bodies
from sage_git.storage.index.waiting import WaitingTable

_REMEMBERED: Final = 200_000

__all__ = ["REDACTION", "EventTable", "Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """An event's place in the graph and in the chronicles. `time` is in milliseconds since 1970."""

    number: int
    depth: int
    time: int
    parents: tuple[EventId, ...]
    lineages: tuple[int, ...]


class EventTable(Bodies):
    """The events of an index, and their chronicles."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._waiting = WaitingTable(connection)
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered beside the tables."""
        self._nodes: dict[EventId, Node] = {}
        self._lineages: dict[str, int] = {}
        self._next_lineage: int | None = None
        self._next: int | None = None
        self._knows_all = False  # while nobody else can write: every event that there is is remembered
        self._redacted: frozenset[EventId] | None = None
        self._new_events: list[tuple[object, ...]] = []  # added, not yet in the tables
        self._new_members: list[tuple[int, int]] = []
        self._risen: list[int] = []  # times before and after
        self._waiting.forget()

    def flush(self) -> None:
        """Put what was added into the tables: in one go, which takes half the time of one after the other."""
        if self._new_events:
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._new_events)
            self._connection.executemany("INSERT INTO membership VALUES (?, ?)", self._new_members)
            self._new_events, self._new_members = [], []
        self._waiting.flush()

    def node(self, event_id: EventId) -> Node | None:
        """Where the event stands; None if it is not known."""
        node = self._nodes.get(event_id)
        if node is None and not (self._knows_all and self._connection.in_transaction):
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

    def known(self, event_ids: Iterable[EventId]) -> set[EventId]:
        """Those of the events that are here."""
        return self._among("SELECT event_id FROM events WHERE event_id IN", event_ids)

    def add(
        self, event: Event, lineages: Sequence[int], *, commit_number: int | None, time: int, entry: int | None
    ) -> int:
        """Store an event that is not known yet under its id, and give it its number."""
        event_id = event.event_id
        assert event_id is not None
        number, kind = self.last_number() + 1, event.type
        depth, time, awaited = self._after_parents(event, time)
        row = (number, bytes.fromhex(event_id), kind, commit_number, time, depth, entry, event.line)
        self._new_events.append(row)
        self._new_members += [(lineage, number) for lineage in lineages]
        self._next = number + 1
        if kind == REDACTION:
            self._redacted = None
        if awaited:
            self._waiting.put(number, awaited)
        self._remember(event_id, Node(number, depth, time, event.parents, tuple(lineages)))
        return number

    def place_anew(self, event: Event, number: int, lineages: Sequence[int], time: int) -> bool:
        """Place an event as what is known of its parents now says; True if that differs from before.

        `time` is its own, without its parents'.
        """
        assert event.event_id is not None
        before = self.node(event.event_id)
        assert before is not None
        depth, time, awaited = self._after_parents(event, time)
        after = Node(number, depth, time, event.parents, tuple(lineages))
        was_waiting = self._waiting.has(number)
        self._waiting.put(number, awaited)
        if after == before:
            return was_waiting != bool(awaited)
        self._execute("UPDATE events SET depth = ?, time = ? WHERE number = ?", (depth, time, number))
        if before.lineages != after.lineages:
            self._execute("DELETE FROM membership WHERE number = ?", (number,))
            self._connection.executemany("INSERT INTO membership VALUES (?, ?)", [(each, number) for each in lineages])
            shown = "SELECT component FROM lineages WHERE id = ?"
            sql = f"UPDATE sidecars SET last = -1 WHERE component = ({shown})"  # noqa: S608 constant text
            self._connection.executemany(sql, [(each,) for each in lineages])
        self._remember(event.event_id, after)
        return True

    def is_awaited(self, event_id: EventId) -> bool:
        """True if an event that is here waits for this one."""
        return self._waiting.is_awaited(event_id)

    def waiting_for(self, event_id: EventId) -> Collection[int]:
        """The events that wait for this one."""
        return self._waiting.children(event_id)

    def by_number(self, number: int) -> Event | None:
        """The event with this number; None if there is none or its body was redacted."""
        row = self._execute("SELECT event_id, line FROM events WHERE number = ?", (number,)).fetchone()
        return None if row is None or row[1] is None else Event.trusted(EventId(row[0].hex()), row[1])

    def remove(self, event_ids: Iterable[EventId]) -> None:
        """Take events out as if they had never come; the sidecars that show them are to be looked at again."""
        self.flush()
        nodes = {each: node for each in event_ids if (node := self.node(each)) is not None}
        components = {(self.component(lineage),) for node in nodes.values() for lineage in node.lineages}
        self._connection.executemany("UPDATE sidecars SET last = -1 WHERE component = ?", components)
        taken = [(bytes.fromhex(each),) for each in nodes]
        self._connection.executemany("INSERT OR IGNORE INTO withdrawn VALUES (?)", taken)
        gone = [(node.number,) for node in nodes.values()]
        for table in ("events", "membership", "foretold", "evidence", "replays", "awaited"):
            self._connection.executemany(f"DELETE FROM {table} WHERE number = ?", gone)  # noqa: S608 constant text
        self.forget()

    def withdrawn(self) -> frozenset[EventId]:
        """The events that were taken out, and did not come again."""
        rows = self._execute("SELECT event_id FROM withdrawn").fetchall()
        return frozenset(each for (key,) in rows if self.node(each := EventId(key.hex())) is None)

    def children(self, event_ids: Iterable[EventId]) -> list[Event]:
        """The events that hang on these."""
        self.flush()
        return list(self._children({each: node for each in event_ids if (node := self.node(each)) is not None}))

    def _children(self, nodes: Mapping[EventId, Node]) -> Iterator[Event]:
        """They are in the same chronicles, or said of a subject."""
        near = {event.event_id: event for event in self._near(nodes.values())}
        return (event for event in near.values() if not nodes.keys().isdisjoint(event.parents))

    def _near(self, nodes: Iterable[Node]) -> Iterator[Event]:
        components = {self.component(lineage) for node in nodes for lineage in node.lineages}
        sql = (
            "SELECT DISTINCT event_id, line FROM lineages JOIN membership ON lineage = lineages.id"
            " JOIN events USING (number) WHERE line IS NOT NULL AND "
        )
        for component in components:
            for identifier, line in self._connection.execute(f"{sql} component = ?", (component,)):
                yield Event.trusted(EventId(identifier.hex()), line)
        for identifier, line in self._connection.execute(f"{sql} name >= 'subject:' AND name < 'subject;'"):
            yield Event.trusted(EventId(identifier.hex()), line)

    def _after_parents(self, event: Event, time: int) -> tuple[int, int, list[EventId]]:
        """Depth and time of an event at `time` by its parents, and those of them that it has to wait for."""
        depth, awaited = 0, []
        for parent in event.parents:
            node = self._nodes.get(parent) or self.node(parent)
            if node is None:
                awaited.append(parent)
                continue
            if node.depth >= depth:
                depth = node.depth + 1
            if node.time > time:  # noqa: PLR1730 a call of max() takes longer than all of this
                time = node.time
            if self._waiting.has(node.number):
                awaited.append(parent)
        return depth, time, awaited

    def event(self, event_id: EventId) -> Event | None:
        """The event; None if it is not known or its body was redacted."""
        row = self._execute("SELECT line FROM events WHERE event_id = ?", (bytes.fromhex(event_id),)).fetchone()
        return None if row is None or row[0] is None else Event.trusted(event_id, row[0])

    def place(self, number: int) -> tuple[int, int] | None:
        """Chain and position of an event's commit; None for a statement."""
        sql = "SELECT chain, position FROM events JOIN commits ON commits.id = commit_id WHERE number = ?"
        row = self._execute(sql, (number,)).fetchone()
        return None if row is None else (row[0], row[1])

    def effective(self, number: int) -> int | None:
        """The effective second of an event's commit; None if it has no commit that was observed."""
        sql = "SELECT effective FROM events JOIN commits ON commits.id = commit_id WHERE number = ?"
        row = self._execute(sql, (number,)).fetchone()
        return None if row is None else int(row[0])

    def only_lineage(self, event_id: EventId) -> int | None:
        """The lineage of an event that stands in one; None for any other, and if it is not here."""
        node = self._nodes.get(event_id) or self.node(event_id)
        return node.lineages[0] if node is not None and len(node.lineages) == 1 else None

    def depth(self, event: EventId) -> int:
        """See `Ancestry`."""
        return -1 if (node := self.node(event)) is None else node.depth

    def parents(self, event: EventId) -> Sequence[EventId]:
        """See `Ancestry`."""
        return () if (node := self.node(event)) is None else node.parents

    def last_number(self) -> int:
        """The number of the newest event; 0 if there is none."""
        if self._next is None:
            self._next = 1 + self._execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0]
            self._knows_all = self._next == 1 and self._connection.in_transaction
        return self._next - 1

    def entries(self) -> int:
        """How many entries of this clone's own log are here."""
        sql = "SELECT coalesce(max(entry) + 1, 0) FROM events WHERE entry IS NOT NULL"
        return int(self._execute(sql).fetchone()[0])

    def entry_numbers(self) -> set[int]:
        """The numbers of this clone's own log entries that are here."""
        return {row[0] for row in self._execute("SELECT entry FROM events WHERE entry IS NOT NULL")}

    def set_entry(self, event_id: EventId, entry: int) -> None:
        """Note that an event that was known already stands in this clone's own log."""
        self._execute("UPDATE events SET entry = ? WHERE event_id = ?", (entry, bytes.fromhex(event_id)))

    def set_commit(self, event_id: EventId, commit_number: int, time: int) -> None:
        """Note that the commit of an event that came from a log is observed now, and its own time with it."""
        self._execute(
            "UPDATE events SET commit_id = ? WHERE event_id = ? AND commit_id IS NULL",
            (commit_number, bytes.fromhex(event_id)),
        )
        node = self.node(event_id)
        if node is not None and node.time < time:
            self._raise(event_id, node, time)

    def settle_times(self) -> None:
        """Let no event be before its parents after some of those turned out to be later. Before a transaction ends."""
        if not self._risen:
            return
        bounds, self._risen = (min(self._risen), max(self._risen)), []
        sql = "SELECT event_id, line FROM events WHERE time BETWEEN ? AND ? AND line NOT NULL ORDER BY time, depth"
        for identifier, line in self._execute(sql, bounds).fetchall():
            event_id = EventId(identifier.hex())
            node = self.node(event_id)
            assert node is not None
            parents = map(self.node, Event.trusted(event_id, line).parents)
            time = max((parent.time for parent in parents if parent is not None), default=node.time)
            if node.time < time:
                self._raise(event_id, node, time)
        self._risen = []

    def _raise(self, event_id: EventId, node: Node, time: int) -> None:
        self._execute("UPDATE events SET time = ? WHERE number = ?", (time, node.number))
        self._remember(event_id, replace(node, time=time))
        self._risen += [node.time, time]

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
            self._execute("UPDATE foretold SET number = ? WHERE number = ?", (number, row[0]))
            self._waiting.renumber(row[0], number)
            self._next = number + 1
            self._forget_node(event_id)
        self._knows_all = False

    def _forget_node(self, event_id: EventId) -> None:
        self._nodes.pop(event_id, None)
        self._knows_all = False

    def _remember(self, event_id: EventId, node: Node) -> None:
        if len(self._nodes) > _REMEMBERED:
            self.flush()
            self._nodes.clear()
            self._knows_all = False
        self._nodes[event_id] = node
