"""Observed commits: their places in chains, who reaches whom, and the rows of H (`observation.lineage.Rows`)."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.observation.lineage import Facts, Place

_ID_BYTES: Final = 32
_REMEMBERED: Final = 200_000
_CHAINS_REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class Known:
    """An observed commit. `effective` is in seconds, the latest among it and its ancestors."""

    number: int
    place: Place
    generation: int
    effective: int


class Reach:
    """Which commits one commit's history holds: per chain, up to which position."""

    def __init__(self, upto: dict[int, int]) -> None:
        self._upto = upto

    def has(self, chain: int, position: int) -> bool:
        """True if the commit at this place is in the history."""
        return self._upto.get(chain, -1) >= position


class CommitTable:
    """The commits of an index. Implements `observation.lineage.Rows`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered beside the tables."""
        self._known: dict[ObjectId, Known] = {}
        self._paths: dict[bytes, int] = {}
        self._chains: dict[int, tuple[int, Place | None]] = {}
        self._newest: dict[tuple[int, int], tuple[int, Facts]] = {}
        self._begun: set[int] = set()  # chains whose every row went through `_newest`
        self._links: dict[int, list[tuple[int, int, int]]] | None = None
        self._reached: dict[int, tuple[int, dict[int, int]]] = {}  # by chain: a position, and what it reaches

    def known(self, oid: ObjectId) -> Known | None:
        """The commit if it is observed."""
        found = self._known.get(oid)
        if found is None:
            row = self._execute(
                "SELECT id, chain, position, generation, effective FROM commits WHERE oid = ?", (bytes.fromhex(oid),)
            ).fetchone()
            if row is None:
                return None
            found = Known(row[0], Place(row[1], row[2]), row[3], row[4])
            self._remember(oid, found)
        return found

    def place(self, oid: ObjectId | None) -> Place | None:
        """Where an observed commit lies; None for any other."""
        known = None if oid is None else self.known(oid)
        return None if known is None else known.place

    def add(self, oid: ObjectId, parents: Sequence[ObjectId], committed: int, *, goes_on: bool = True) -> Known:
        """Place a commit whose recorded parents are all here, in its first parent's chain if it is to go on there.

        `committed` is in seconds.
        """
        known_parents = [known for parent in parents if (known := self.known(parent)) is not None]
        first = self.known(parents[0]) if parents else None
        place = self._next_place(first, goes_on=goes_on)
        generation = 1 + max((parent.generation for parent in known_parents), default=0)
        effective = max([committed, *(parent.effective for parent in known_parents)])
        cursor = self._execute(
            "INSERT INTO commits (oid, chain, position, generation, effective, committed) VALUES (?, ?, ?, ?, ?, ?)",
            (bytes.fromhex(oid), place.chain, place.position, generation, effective, committed),
        )
        for parent in known_parents:
            if parent.place != Place(place.chain, place.position - 1):
                there = (parent.place.chain, parent.place.position)
                self._execute("INSERT INTO links VALUES (?, ?, ?, ?)", (place.chain, place.position, *there))
                if self._links is not None:
                    self._links[place.chain].append((place.position, *there))
        assert cursor.lastrowid is not None
        known = Known(cursor.lastrowid, place, generation, effective)
        self._remember(oid, known)
        return known

    def put(self, path: bytes, place: Place, facts: Facts, *, detached: bool) -> None:
        """Store a row of H."""
        number = self.path_number(path)
        packed = bytes.fromhex("".join(facts))
        self._execute(
            "INSERT INTO heads VALUES (?, ?, ?, ?, ?)", (number, place.chain, place.position, packed, detached)
        )
        self._newest[number, place.chain] = (place.position, facts)

    def at_or_before(self, path: bytes, place: Place) -> Facts | None:
        """See `Rows`."""
        number = self._find_path(path)
        if number is None:
            return None
        newest = self._newest.get((number, place.chain))
        if newest is not None and newest[0] <= place.position:
            return newest[1]
        if newest is None and place.chain in self._begun:
            return None
        row = self._execute(
            "SELECT position, events FROM heads WHERE path = ? AND chain = ? AND position <= ?"
            " ORDER BY position DESC LIMIT 1",
            (number, place.chain, place.position),
        ).fetchone()
        return None if row is None else _unpacked(row[1])

    def base(self, chain: int) -> Place | None:
        """See `Rows`."""
        return self._chain(chain)[1]

    def paths_with_rows(self, chain: int, after: int, upto: int) -> Iterable[bytes]:
        """See `Rows`."""
        return self._paths_in("", chain, after, upto)

    def paths_with_detached_rows(self, chain: int, after: int, upto: int) -> Iterable[bytes]:
        """See `Rows`."""
        return self._paths_in("detached AND ", chain, after, upto)

    def reach(self, oid: ObjectId) -> Reach:
        """The history of an observed commit, empty for any other.

        Costs as much as there are branches and merges; from commit to commit only as much as there are new ones.
        """
        start = self.place(oid)
        if start is None:
            return Reach({})
        links = self._all_links()
        earlier, known = self._reached.get(start.chain, (-1, {}))
        upto = known.copy() if earlier <= start.position else {}
        waiting = [(start.chain, start.position)]
        while waiting:
            chain, position = waiting.pop()
            before = upto.get(chain, -1)
            if position <= before:
                continue
            upto[chain] = position
            waiting.extend((to, upto_there) for at, to, upto_there in links[chain] if before < at <= position)
        if len(self._reached) >= _CHAINS_REMEMBERED:
            self._reached.pop(next(iter(self._reached)))
        self._reached[start.chain] = (start.position, upto)
        return Reach(upto)

    def recent_tips(self, limit: int) -> list[ObjectId]:
        """The last commits of the chains that were gone on with most recently."""
        rows = self._execute(
            "SELECT oid FROM chains JOIN commits ON chain = chains.id AND position = length - 1"
            " ORDER BY commits.id DESC LIMIT ?",
            (limit,),
        )
        return [ObjectId(row[0].hex()) for row in rows]

    def oid_at(self, place: Place) -> ObjectId | None:
        """The observed commit at a place."""
        sql = "SELECT oid FROM commits WHERE chain = ? AND position = ?"
        row = self._execute(sql, (place.chain, place.position)).fetchone()
        return None if row is None else ObjectId(row[0].hex())

    def united(self) -> Iterator[tuple[bytes, Facts]]:
        """Path and facts of every row of H with several facts: where lives of one path met."""
        sql = "SELECT paths.path, events FROM heads JOIN paths ON paths.id = heads.path WHERE length(events) > ?"
        return ((path, _unpacked(packed)) for path, packed in self._execute(sql, (_ID_BYTES,)).fetchall())

    def first_commit_with_row(self, path_number: int) -> ObjectId | None:
        """The commit that was observed first among those that changed H of a path."""
        row = self._execute(
            "SELECT oid FROM heads JOIN commits USING (chain, position) WHERE path = ? ORDER BY commits.id LIMIT 1",
            (path_number,),
        ).fetchone()
        return None if row is None else ObjectId(row[0].hex())

    def latest_date(self, reach: Reach, until: int) -> int:
        """The latest committer second, at most `until`, of the commits in a history; `until` if there is none."""
        rows = self._execute(
            "SELECT committed, chain, position FROM commits WHERE committed <= ? ORDER BY committed DESC", (until,)
        )
        return next((committed for committed, *place in rows if reach.has(*place)), until)

    def count(self) -> int:
        """How many commits are observed."""
        return int(self._execute("SELECT count(*) FROM commits").fetchone()[0])

    def path_number(self, path: bytes) -> int:
        """The number of a path, given to it now if it has none."""
        number = self._find_path(path)
        if number is None:
            number = self._paths[path] = self._execute("INSERT INTO paths (path) VALUES (?)", (path,)).lastrowid or 0
        return number

    def _all_links(self) -> dict[int, list[tuple[int, int, int]]]:
        """By chain, every link out of it: its position there, and the chain and position that it leads to."""
        if self._links is None:
            self._links = defaultdict(list)
            for chain, position, *there in self._execute("SELECT * FROM links"):
                self._links[chain].append((position, *there))
        return self._links

    def _paths_in(self, condition: str, chain: int, after: int, upto: int) -> Iterable[bytes]:
        rows = self._execute(
            f"SELECT DISTINCT paths.path FROM heads JOIN paths ON paths.id = heads.path"  # noqa: S608 constant text
            f" WHERE {condition}chain = ? AND position > ? AND position <= ?",
            (chain, after, upto),
        )
        return [row[0] for row in rows]

    def _next_place(self, first: Known | None, *, goes_on: bool) -> Place:
        """Where a commit with this first parent goes: on in its chain if nobody did yet, else to a new chain."""
        if first is not None and goes_on:
            chain = first.place.chain
            length, base = self._chain(chain)
            if length == first.place.position + 1:
                self._execute("UPDATE chains SET length = ? WHERE id = ?", (length + 1, chain))
                self._chains[chain] = (length + 1, base)
                return Place(chain, length)
        base = None if first is None else first.place
        cursor = self._execute(
            "INSERT INTO chains (length, base_chain, base_position) VALUES (1, ?, ?)",
            (None, None) if base is None else (base.chain, base.position),
        )
        assert cursor.lastrowid is not None
        self._chains[cursor.lastrowid] = (1, base)
        self._begun.add(cursor.lastrowid)
        return Place(cursor.lastrowid, 0)

    def _chain(self, chain: int) -> tuple[int, Place | None]:
        found = self._chains.get(chain)
        if found is None:
            length, base_chain, base_position = self._execute(
                "SELECT length, base_chain, base_position FROM chains WHERE id = ?", (chain,)
            ).fetchone()
            base = None if base_chain is None else Place(base_chain, base_position)
            found = self._chains[chain] = (length, base)
        return found

    def _find_path(self, path: bytes) -> int | None:
        number = self._paths.get(path)
        if number is None:
            row = self._execute("SELECT id FROM paths WHERE path = ?", (path,)).fetchone()
            if row is None:
                return None
            number = self._paths[path] = int(row[0])
        return number

    def _remember(self, oid: ObjectId, known: Known) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known[oid] = known


def _unpacked(packed: bytes) -> Facts:
    text = packed.hex()
    return tuple(EventId(text[start : start + 2 * _ID_BYTES]) for start in range(0, len(text), 2 * _ID_BYTES))
