"""Questions that readers ask the index, each one SQL statement with an answer in plain rows. Writes nothing.

Display order of a repository is (time, generation of the commit, depth, event id): an event never stands before its
parent, what one commit did stands together, and the newest can be had without reading the oldest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.storage.index.schema import NOT_A_FACT

_PORTION: Final = 400
_COLUMNS: Final = "e.number, e.event_id, e.type, e.time, e.line, c.oid, c.chain, c.position"
_JOINED: Final = "LEFT JOIN commits c ON c.id = e.commit_id"
_FROM: Final = f"FROM events e {_JOINED}"
_NOT_A_FACT: Final = f"e.{NOT_A_FACT}"
# A statement has no commit; at the same instant it comes after the facts that it may hang on.
_ORDER: Final = "ORDER BY e.time DESC, COALESCE(c.generation, 1 << 60) DESC, c.oid DESC, e.depth DESC, e.event_id DESC"


class HasPlaces(Protocol):
    """Which commits are in a history (storage.index)."""

    def has(self, chain: int, position: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the index. `line` is None if its body was redacted; `commit` None for a statement."""

    number: int
    event_id: EventId
    type: str
    time_ms: int
    line: bytes | None
    commit: ObjectId | None
    place: tuple[int, int] | None
    """Chain and position of its commit."""

    @classmethod
    def of(cls, columns: tuple[Any, ...]) -> Self:
        """The row of `_COLUMNS`."""
        number, identifier, kind, time_ms, line, oid, chain, position = columns
        commit, place = (ObjectId(oid.hex()), (chain, position)) if oid is not None else (None, None)
        return cls(number, EventId(identifier.hex()), kind, time_ms, line, commit, place)

    @property
    def event(self) -> Event:
        """The event; of a redacted one only its id, type and time are left, and `redacted`."""
        if self.line is None:
            moment = datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
            known = {"eventId": self.event_id, "type": self.type, "timestamp": moment.replace("+00:00", "Z")}
            return Event.trusted(self.event_id, b"", {**known, "redacted": True})
        return Event.trusted(self.event_id, self.line)

    @property
    def parents(self) -> tuple[EventId, ...]:
        """Those of the event."""
        return self.event.parents


def newest_first(connection: sqlite3.Connection, since_ms: int | None, until_ms: int | None) -> Iterator[Row]:
    """Every event, newest first, read as it is asked for; those of one commit one after another."""
    bounds = [("e.time >= ?", since_ms), ("e.time <= ?", until_ms)]
    given = [(condition, value) for condition, value in bounds if value is not None]
    where = " AND ".join(["1", *(condition for condition, _ in given)])
    sql = f"SELECT {_COLUMNS} FROM events e INDEXED BY events_in_order {_JOINED} WHERE {where} {_ORDER}"  # noqa: S608
    return map(Row.of, connection.execute(sql, [value for _, value in given]))


def of_components(connection: sqlite3.Connection, components: Iterable[int]) -> list[Row]:
    """The events of chronicles, each once, in the order that they arrived."""
    return list(each_of_components(connection, components))


def each_of_components(connection: sqlite3.Connection, components: Iterable[int]) -> Iterator[Row]:
    """The same, one after another: of a long chronicle, all lines at once are much."""
    wanted = list(components)
    standing = "SELECT m.number FROM membership m JOIN lineages l ON l.id = m.lineage WHERE l.component IN ({})"
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE e.number IN ({standing}) ORDER BY e.number"
    return map(Row.of, connection.execute(sql.format(", ".join("?" * len(wanted))), wanted))


def newest_of_components(connection: sqlite3.Connection, components: Iterable[int], limit: int) -> list[int]:
    """The numbers of the newest `limit` events of each of these chronicles, in the order that they arrived."""
    sql = "SELECT number FROM lineages JOIN membership ON lineage = id WHERE component = ? ORDER BY number DESC LIMIT ?"
    return sorted({number for each in components for (number,) in connection.execute(sql, (each, limit))})


def observed(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[Row]:
    """The facts and verdicts of observed commits among these events, in the order that they arrived."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE e.number IN ({{}}) AND e.commit_id NOT NULL"
    return sorted(map(Row.of, _portions(connection, sql, numbers)), key=lambda row: row.number)


def count_of_component(connection: sqlite3.Connection, component: int) -> int:
    """How many events a chronicle has."""
    sql = "SELECT COUNT(DISTINCT m.number) FROM lineages l JOIN membership m ON m.lineage = l.id WHERE l.component = ?"
    return int(connection.execute(sql, (component,)).fetchone()[0])


def events_beyond(connection: sqlite3.Connection, path: bytes, reach: HasPlaces, limit: int) -> list[EventId]:
    """What was newest at `path` at commits that a history does not have, for the last `limit` of them."""
    sql = (
        "SELECT chain, position, events FROM heads WHERE path = (SELECT id FROM paths WHERE path = ?)"
        " ORDER BY chain DESC, position DESC"
    )
    found: dict[EventId, None] = {}
    left = limit
    for chain, position, packed in connection.execute(sql, (path,)):
        if not reach.has(chain, position):
            found.update((EventId(packed[at : at + 32].hex()), None) for at in range(0, len(packed), 32))
            left -= 1
            if not left:
                break
    return list(found)


def components_of(connection: sqlite3.Connection, numbers: Iterable[int]) -> set[int]:
    """The chronicles that any of these events stand in."""
    sql = "SELECT DISTINCT l.component FROM membership m JOIN lineages l ON l.id = m.lineage WHERE m.number IN ({})"
    return {component for (component,) in _portions(connection, sql, numbers)}


def has_all(connection: sqlite3.Connection, names: Iterable[EventId]) -> bool:
    """True if every one of these events is known."""
    wanted = {bytes.fromhex(name) for name in names}
    return len(list(_portions(connection, "SELECT 1 FROM events WHERE event_id IN ({})", wanted))) == len(wanted)


def ids_of(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[EventId]:
    """The ids of these events, in the order that they arrived."""
    found = sorted(_portions(connection, "SELECT number, event_id FROM events WHERE number IN ({})", numbers))
    return [EventId(identifier.hex()) for _, identifier in found]


def ids_after(connection: sqlite3.Connection, number: int) -> list[EventId]:
    """The events that arrived after the one with this number, oldest first."""
    rows = connection.execute("SELECT event_id FROM events WHERE number > ? ORDER BY number", (number,))
    return [EventId(identifier.hex()) for (identifier,) in rows]


def by_event_prefix(connection: sqlite3.Connection, digits: str, limit: int) -> list[Row]:
    """The events whose id begins with these hex digits, at most `limit`."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE e.event_id BETWEEN ? AND ? ORDER BY e.event_id LIMIT ?"
    return [Row.of(columns) for columns in connection.execute(sql, (*_range(digits, 64), limit))]


def by_commit_prefix(connection: sqlite3.Connection, digits: str) -> list[Row]:
    """The events of every commit whose id begins with these hex digits, in display order."""
    sql = f"""SELECT {_COLUMNS} {_FROM} WHERE e.commit_id IN
        (SELECT id FROM commits WHERE oid BETWEEN ? AND ?) {_ORDER}"""  # noqa: S608
    return [Row.of(columns) for columns in connection.execute(sql, _range(digits, 64))]


def is_commit_prefix(connection: sqlite3.Connection, digits: str) -> bool:
    """True if the id of some commit that was observed begins with these hex digits."""
    found = connection.execute("SELECT 1 FROM commits WHERE oid BETWEEN ? AND ? LIMIT 1", _range(digits, 64))
    return found.fetchone() is not None


def by_ids(connection: sqlite3.Connection, ids: Iterable[EventId]) -> dict[EventId, Row]:
    """Those of these events that are known, by id."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE e.event_id IN ({{}})"
    rows = map(Row.of, _portions(connection, sql, map(bytes.fromhex, ids)))
    return {row.event_id: row for row in rows}


def of_types(connection: sqlite3.Connection, *types: str) -> list[Row]:
    """The events of these types, which are no facts, newest first."""
    marks = ", ".join("?" * len(types))
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {_NOT_A_FACT} AND e.type IN ({marks}) {_ORDER}"
    return [Row.of(columns) for columns in connection.execute(sql, types)]


def recorded_before(
    connection: sqlite3.Connection, number: int, since_s: int, until_s: int, types: Iterable[str]
) -> list[Row]:
    """The facts of these types with a lower number, of commits with an effective time from `since_s` to `until_s`."""
    last = "SELECT commit_id FROM events WHERE number < ? AND commit_id NOT NULL ORDER BY number DESC LIMIT 1"
    wanted = list(types)
    sql = f"""SELECT {_COLUMNS} FROM commits c CROSS JOIN events e ON e.commit_id = c.id
        WHERE c.id <= ({last}) AND c.effective >= ? AND c.effective < ? AND e.number < ?
        AND e.type IN ({", ".join("?" * len(wanted))})"""  # noqa: S608
    return [Row.of(columns) for columns in connection.execute(sql, (number, since_s, until_s, number, *wanted))]


def verdicts_on(connection: sqlite3.Connection, fact: EventId) -> list[Row]:
    """The verdicts that hang on a fact, in the order that they arrived."""
    together = "e.commit_id = (SELECT commit_id FROM events WHERE event_id = ?)"
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {together} AND {_NOT_A_FACT} ORDER BY e.number"
    rows = map(Row.of, connection.execute(sql, (bytes.fromhex(fact),)))
    return [row for row in rows if row.event.parents[:1] == (fact,)]


def commits_of(connection: sqlite3.Connection, events: Iterable[EventId]) -> set[ObjectId]:
    """The commits of these facts and verdicts."""
    sql = "SELECT oid FROM events JOIN commits ON commits.id = commit_id WHERE event_id IN ({})"
    return {ObjectId(oid.hex()) for (oid,) in _portions(connection, sql, map(bytes.fromhex, events))}


def of_commit(connection: sqlite3.Connection, commit: ObjectId) -> list[Row]:
    """The facts and verdicts of a commit, in the order that they arrived."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE c.oid = ? ORDER BY e.number"
    return [Row.of(columns) for columns in connection.execute(sql, (bytes.fromhex(commit),))]


def answers(connection: sqlite3.Connection) -> list[Row]:
    """The RECONCILIATION events that resolve something."""
    condition = "e.type = 'RECONCILIATION' AND instr(e.line, CAST('\"resolves\"' AS BLOB))"
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {_NOT_A_FACT} AND {condition}"
    return [Row.of(columns) for columns in connection.execute(sql)]


def claims_on(connection: sqlite3.Connection, plan_id: str) -> list[tuple[ObjectId, str]]:
    """The commits whose message claims something of this plan, with all that it claims as JSON, oldest first."""
    sql = "SELECT c.oid, body FROM claims JOIN commits c ON c.id = commit_id WHERE instr(body, ?) ORDER BY c.id"
    return [(ObjectId(oid.hex()), body) for oid, body in connection.execute(sql, (f'["{plan_id}", ',))]


def knows_path(connection: sqlite3.Connection, path: bytes) -> bool:
    """True if anything was ever recorded at `path`."""
    return connection.execute("SELECT 1 FROM paths WHERE path = ?", (path,)).fetchone() is not None


def events_at(connection: sqlite3.Connection, path: bytes) -> list[EventId]:
    """Every event that was ever the newest of `path`, in the order that they arrived."""
    rows = connection.execute("SELECT events FROM heads WHERE path = (SELECT id FROM paths WHERE path = ?)", (path,))
    ids = {packed[at : at + 32] for (packed,) in rows for at in range(0, len(packed), 32)}
    found = sorted(_portions(connection, "SELECT number, event_id FROM events WHERE event_id IN ({})", ids))
    return [EventId(identifier.hex()) for _, identifier in found]


def paths_under(connection: sqlite3.Connection, folder: bytes) -> bool:
    """True if anything was ever recorded at a path inside `folder`."""
    low, high = folder.rstrip(b"/") + b"/", folder.rstrip(b"/") + b"0"
    sql = "SELECT 1 FROM paths WHERE path >= ? AND path < ? LIMIT 1"
    return connection.execute(sql, (low, high)).fetchone() is not None


def paths_with_facts(connection: sqlite3.Connection) -> set[bytes]:
    """Every path that any fact was ever about."""
    sql = "SELECT DISTINCT paths.path FROM heads JOIN paths ON paths.id = heads.path"
    return {path for (path,) in connection.execute(sql)}


def unexplained_after(connection: sqlite3.Connection, number: int) -> list[bytes]:
    """Lines of the events after `number` that no observed commit explains and that are about sources."""
    sql = (
        "SELECT DISTINCT line FROM events JOIN membership ON membership.number = events.number"
        " JOIN lineages ON lineages.id = lineage WHERE events.commit_id IS NULL AND events.number > ?"
        " AND line NOT NULL AND NOT (name >= 'subject:' AND name < 'subject;')"
    )
    return [line for (line,) in connection.execute(sql, (number,))]


def path_ending_in(connection: sqlite3.Connection, name: bytes) -> bytes | None:
    """A recorded path whose last part is `name`."""
    tail = b"/" + name
    sql = "SELECT path FROM paths WHERE substr(path, -?) = ? LIMIT 1"
    row = connection.execute(sql, (len(tail), tail)).fetchone()
    return row[0] if row else None


def sidecar_paths(connection: sqlite3.Connection, worktree: str) -> dict[int, list[bytes]]:
    """For each chronicle that this work tree shows, the source paths that it is shown at."""
    shown: dict[int, list[bytes]] = {}
    sql = "SELECT s.component, p.path FROM sidecars s JOIN paths p ON p.id = s.path WHERE s.worktree = ?"
    for component, path in connection.execute(sql, (worktree,)):
        shown.setdefault(component, []).append(path)
    return shown


def components_by_event(connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, list[int]]:
    """For each of these events, the chronicles that it stands in."""
    found: dict[int, list[int]] = {}
    sql = "SELECT m.number, l.component FROM membership m JOIN lineages l ON l.id = m.lineage WHERE m.number IN ({})"
    for number, component in _portions(connection, sql, numbers):
        found.setdefault(number, []).append(component)
    return found


def _portions(connection: sqlite3.Connection, sql: str, values: Iterable[object]) -> Iterator[tuple[Any, ...]]:
    """The rows of `sql` for all `values`, asked in portions that SQLite accepts."""
    wanted = list(values)
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        yield from connection.execute(sql.format(", ".join("?" * len(portion))), portion)


def _range(digits: str, length: int) -> tuple[bytes, bytes]:
    """The least and greatest blobs whose hex begins with `digits`."""
    return bytes.fromhex(digits + "0" * (len(digits) % 2)), bytes.fromhex(digits.ljust(length, "f"))
