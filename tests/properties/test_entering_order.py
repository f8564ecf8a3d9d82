"""Whatever order logs and commits come in, the index says the same in the end: same chronicles, times and rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sage_git.chronicle.event import Event, links_to
from sage_git.chronicle.ids import EventId, ObjectId, RepositoryId, leaf
from sage_git.chronicle.kinds import timestamp
from sage_git.gitrepo.store import SealedEntry
from sage_git.operations.checkout import Checkout
from sage_git.operations.identity import Identity
from sage_git.operations.ledger import Occasion, enter
from sage_git.operations.ledger.arrivals import Arrivals
from sage_git.operations.ledger.told import Foretold, Scales
from sage_git.storage.index import Index
from sage_git.storage.index.schema import SCHEMA
from sage_git.storage.index.writers import Segment

WRITERS: Final = ("a" * 64, "b" * 64, "c" * 64)
PATHS: Final = ("one.txt", "two.txt", "three.txt")
ACTOR: Final = {"agent": "git", "id": "Ada <ada@example.org>"}
START: Final = 1_700_000_000


@dataclass
class Commit:
    """A commit of a made-up history; `facts` is what observing it gives."""

    oid: ObjectId
    parents: list[Commit]
    second: int
    heads: dict[str, tuple[EventId, ...]] = field(default_factory=dict)
    facts: list[Event] = field(default_factory=list)


@dataclass
class World:
    """A history, what was said and what was forged, and which log holds which of it."""

    commits: list[Commit] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    forged: set[EventId] = field(default_factory=set)
    logs: dict[str, list[Event]] = field(default_factory=lambda: {writer: [] for writer in WRITERS})


def fact(kind: str, commit: Commit, parents: Sequence[EventId], **fields: Any) -> Event:
    """An event that says what a commit did."""
    when = timestamp(commit.second * 1000)
    given = {"type": kind, "actor": ACTOR, "timestamp": when, "graphCommit": commit.oid, **fields}
    return Event.sealed({**given, **links_to(parents)})


def edited(commit: Commit, path: str, parents: Sequence[EventId], number: int) -> Event:
    """An edit; each with contents of its own."""
    return fact("FILE_EDITED", commit, parents, filePath=path, lastHash=f"{number:040x}", hash=f"{number + 1:040x}")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small worlds in which lives of a path meet, files are split, clocks are wrong, and somebody lies."""
    world, numbers = World(), count(1)
    for at in range(draw(st.integers(1, 6))):
        commit = _committed(draw, world, ObjectId(f"{at + 1:040x}"), numbers)
        world.commits.append(commit)
        world.events += commit.facts
    for _ in range(draw(st.integers(0, 5))):
        world.events.append(_said(draw, world, next(numbers)))
    for event in world.events:
        for writer in draw(st.sets(st.sampled_from(WRITERS), min_size=0 if event.graph_commit else 1, max_size=2)):
            world.logs[writer].append(event)
    for writer in WRITERS:
        world.logs[writer] = draw(st.permutations(world.logs[writer]))
    return world


def _committed(draw: st.DrawFn, world: World, oid: ObjectId, numbers: Iterator[int]) -> Commit:
    """A commit that changes up to two paths, and perhaps splits one into both."""
    parents = draw(st.lists(st.sampled_from(world.commits), max_size=2, unique_by=id)) if world.commits else []
    commit = Commit(oid, parents, START + draw(st.integers(-3, 20)))
    for path in PATHS:
        commit.heads[path] = tuple(dict.fromkeys(head for parent in parents for head in parent.heads[path]))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=2, unique=True)):
        before, number = commit.heads[path], next(numbers)
        if before:
            made = edited(commit, path, before, number)
        else:
            made = fact("FILE_ADDED", commit, (), filePath=path, hash=f"{number:040x}", size=1, mode="100644")
        commit.facts.append(made)
        commit.heads[path] = (made.event_id or EventId(""),)
    if len(commit.facts) == 2 and draw(st.booleans()):
        changed = [each["filePath"] for each in commit.facts]
        ids = [each.event_id or EventId("") for each in commit.facts]
        parts = {"originalPath": changed[0], "resultingPaths": changed, "originalHash": "0" * 40}
        split = fact("FILE_SPLIT", commit, ids, strategy="lines-1", **parts)
        commit.facts.append(split)
        commit.heads |= dict.fromkeys(changed, (split.event_id or EventId(""),))
    return commit


def _said(draw: st.DrawFn, world: World, number: int) -> Event:
    """A statement on something that is there, a forged fact that would join chronicles, or something on that."""
    known = [event.event_id for event in world.events if event.event_id]
    parents = draw(st.lists(st.sampled_from(known), max_size=2, unique=True)) if known else []
    kind = draw(st.sampled_from(("of a source", "of a subject", "forged")))
    if kind == "forged" and parents:
        event = edited(draw(st.sampled_from(world.commits)), draw(st.sampled_from(PATHS)), parents, 10_000 + number)
        world.forged.add(event.event_id or EventId(""))
        return event
    subject = "builds" if kind == "of a subject" else draw(st.sampled_from(PATHS))
    when = timestamp((START + draw(st.integers(0, 30))) * 1000)
    said = {"type": "BUILD", "status": "success", "actor": ACTOR, "subject": subject, "timestamp": when}
    return Event.sealed({**said, **links_to(parents)})


class Replica:
    """An index that logs and commits come into, as recording and entering bring them."""

    def __init__(self, world: World, index: Index) -> None:
        self.world, self.index = world, index
        self.identity = Identity(RepositoryId("0123456789abcdef"), None)
        self.observed: set[str] = set()
        self.read = dict.fromkeys(WRITERS, 0)

    def known_identity(self) -> Identity:
        return self.identity

    @property
    def _checkout(self) -> Checkout:
        return cast(Checkout, self)

    def enter(self, *reads: tuple[str, int]) -> None:
        """Enter some more entries of some logs at once."""
        arrivals = Arrivals(self._checkout, _Scales(self.world.forged))
        for writer, many in reads:
            for number in range(self.read[writer], min(len(self.world.logs[writer]), self.read[writer] + many)):
                event = self.world.logs[writer][number]
                assert event.event_id is not None
                entry = SealedEntry(number, leaf(event.event_id), event.line)
                arrivals.take(writer, entry, number // 256, Segment(f"{number}", ""))
                self.read[writer] = number + 1
        arrivals.enter()

    def observe(self) -> None:
        """Observe the next commit whose parents are observed."""
        for commit in self.world.commits:
            if commit.oid not in self.observed and all(parent.oid in self.observed for parent in commit.parents):
                self._observe(commit)
                return

    def _observe(self, commit: Commit) -> None:
        index = self.index
        with index.transaction():
            known = index.commits.add(commit.oid, [parent.oid for parent in commit.parents], commit.second)
            foretold = Foretold(self._checkout, commit.oid)
            for each in commit.facts:
                enter(index, self.identity, each, Occasion(known), None)
            derived = {each.event_id for each in commit.facts if each.event_id}
            list(foretold.settle(known, derived, _Scales(self.world.forged)))
        self.observed.add(commit.oid)

    def finish(self) -> Sequence[object]:
        """Everything observed and entered: the chronicles, the order in time, the rows."""
        for _ in self.world.commits:
            self.observe()
        self.enter(*((writer, 1000) for writer in WRITERS))
        return self.said()

    def said(self) -> Sequence[object]:
        """What the index says, without the numbers that it gave to things."""
        execute = self.index.connection.execute
        rows = execute(
            "SELECT event_id, time, depth, line, commit_id IS NULL FROM events ORDER BY time, depth, event_id"
        )
        standing = execute(
            "SELECT component, event_id FROM membership JOIN lineages ON id = lineage JOIN events USING (number)"
        )
        chronicles: dict[int, set[bytes]] = {}
        for component, event_id in standing:
            chronicles.setdefault(component, set()).add(event_id)
        waiting = execute("SELECT event_id, parent FROM awaited JOIN events USING (number) ORDER BY 1, 2")
        left = execute("SELECT count(*) FROM foretold").fetchone()
        return rows.fetchall(), {frozenset(each) for each in chronicles.values()}, waiting.fetchall(), left


class _Scales(Scales):
    """Knows which facts are forged without asking git."""

    def __init__(self, forged: Collection[EventId]) -> None:
        self._forged = forged

    def untruth(self, event: Event, commit: ObjectId) -> str | None:  # noqa: ARG002 as every Scales
        return "it is forged" if event.event_id in self._forged else None


STEPS = st.lists(st.one_of(st.none(), st.lists(st.tuples(st.sampled_from(WRITERS), st.integers(1, 4)), max_size=3)))


def said_after(world: World, steps: Sequence[Sequence[tuple[str, int]] | None]) -> Sequence[object]:
    """What an index says in the end that came to know a world by these steps: entering, or (None) observing."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(SCHEMA)
    with Index(Path("index.sqlite"), connection) as index:
        replica = Replica(world, index)
        for step in steps:
            if step is None:
                replica.observe()
            else:
                replica.enter(*step)
        return replica.finish()


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(worlds(), STEPS)
def test_entering_and_observing_commute(world: World, steps: list[Any]) -> None:
    assert said_after(world, steps) == said_after(world, [])


@pytest.mark.soak
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), STEPS)
def test_entering_and_observing_commute_in_many_worlds(world: World, steps: list[Any]) -> None:
    assert said_after(world, steps) == said_after(world, [])
