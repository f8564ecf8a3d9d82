"""H as rows along chains, against its literal definition (SPEC 5), on histories drawn at random."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.observation.commit import Commit
from sage_git.observation.lineage import (
    Facts,
    Place,
    differing_paths,
    heads,
    is_detached,
    main_lines,
    merged_rows,
    newest,
)

PATHS = (b"a", b"b", b"c")
Renames = dict[bytes, bytes]


@dataclass(frozen=True)
class Step:
    """One commit of a history: its parents as places in it, the paths that it edits, and what it renames."""

    parents: tuple[int, ...]
    edited: frozenset[bytes] = frozenset()
    renamed: tuple[bytes, bytes] | None = None


@dataclass
class Recorded:
    """A history as a recorder lays it out: an implementation of Rows and Ancestry that keeps everything in lists."""

    steps: list[Step]
    places: list[Place] = field(default_factory=list)
    bases: list[Place | None] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    rows: list[tuple[bytes, Place, Facts, bool]] = field(default_factory=list)
    own: list[dict[bytes, Facts]] = field(default_factory=list)
    parents_of: dict[EventId, tuple[EventId, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = main_lines(commits(self.steps))
        for at, step in enumerate(self.steps):
            self._enter(at, step, lines)

    def at_or_before(self, path: bytes, place: Place) -> Facts | None:
        found = [row for row in self.rows if row[0] == path and is_upto(row[1], place)]
        return max(found, key=lambda row: row[1].position)[2] if found else None

    def base(self, chain: int) -> Place | None:
        return self.bases[chain]

    def paths_with_rows(self, chain: int, after: int, upto: int) -> Iterable[bytes]:
        return {path for path, at, _, _ in self.rows if at.chain == chain and after < at.position <= upto}

    def paths_with_detached_rows(self, chain: int, after: int, upto: int) -> Iterable[bytes]:
        within = (row for row in self.rows if row[1].chain == chain and after < row[1].position <= upto)
        return {path for path, _, _, detached in within if detached}

    def depth(self, event: EventId) -> int:
        return 1 + max(map(self.depth, self.parents_of[event]), default=-1)

    def parents(self, event: EventId) -> tuple[EventId, ...]:
        return self.parents_of[event]

    def _enter(self, at: int, step: Step, lines: dict[ObjectId, ObjectId]) -> None:
        parents: list[Place | None] = [self.places[parent] for parent in step.parents]
        goes_on = bool(step.parents) and lines.get(oid(step.parents[0])) == oid(at)
        place = self._next_place(parents[0] if parents else None, goes_on=goes_on)
        own: dict[bytes, Facts] = {}
        if step.renamed is not None:
            old, new = step.renamed
            own[new] = (self._fact(f"{at} renames to {new!r}", self._before(parents, old)),)
            own[old] = ()
        for path in sorted(step.edited):
            own[path] = (self._fact(f"{at} edits {path!r}", own.get(path) or self._before(parents, path)),)
        for path, facts in own.items():
            before = heads(self, parents[0], path) if parents else ()
            follows = {parent for fact in facts for parent in self.closure(fact)}
            self.rows.append((path, place, facts, is_detached(before, follows)))
        if len(parents) > 1:
            united = list(merged_rows(self, self, parents, own))
            self.rows += [(path, place, facts, False) for path, facts in united]
        self.places.append(place)
        self.own.append(own)

    def closure(self, fact: EventId) -> set[EventId]:
        """All ancestors of a fact."""
        return {name for parent in self.parents_of[fact] for name in (parent, *self.closure(parent))}

    def _before(self, parents: list[Place | None], path: bytes) -> Facts:
        return newest((heads(self, place, path) for place in parents), self)

    def _fact(self, what: str, parents: Facts) -> EventId:
        self.parents_of[EventId(what)] = parents
        return EventId(what)

    def _next_place(self, first: Place | None, *, goes_on: bool) -> Place:
        if first is not None and goes_on:
            assert self.lengths[first.chain] == first.position + 1, "nobody went on there before"
            self.lengths[first.chain] += 1
            return Place(first.chain, first.position + 1)
        self.bases.append(first)
        self.lengths.append(1)
        return Place(len(self.bases) - 1, 0)


def is_upto(one: Place, other: Place) -> bool:
    return one.chain == other.chain and one.position <= other.position


def oid(at: int) -> ObjectId:
    return ObjectId(f"{at:040x}")


def commits(steps: list[Step]) -> list[Commit]:
    return [Commit(oid(at), tuple(map(oid, step.parents)), b"", 0, b"") for at, step in enumerate(steps)]


def literal_heads(recorded: Recorded, at: int, path: bytes) -> set[EventId]:
    """H by its definition: C's own last facts, else the union of H over its parents less its members' ancestors."""

    @cache
    def of(at: int) -> frozenset[EventId]:
        if path in recorded.own[at]:
            return frozenset(recorded.own[at][path])
        union = {fact for parent in recorded.steps[at].parents for fact in of(parent)}
        return frozenset(union - {name for fact in union for name in recorded.closure(fact)})

    return set(of(at))


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Up to twelve commits with up to three parents each; what is renamed is there, and no merge renames."""
    steps: list[Step] = []
    alive: list[frozenset[bytes]] = []
    for at in range(draw(st.integers(1, 12))):
        recent = st.integers(max(0, at - 4), at - 1) if at else st.nothing()
        parents = tuple(draw(st.lists(recent, min_size=min(at, 1), max_size=3, unique=True))) if at else ()
        there = frozenset[bytes]().union(*(alive[parent] for parent in parents))
        edited = frozenset(draw(st.sets(st.sampled_from(PATHS), max_size=2)))
        renamed = None
        if len(parents) == 1 and there and draw(st.booleans()):
            renamed = (draw(st.sampled_from(sorted(there))), draw(st.sampled_from(PATHS)))
            if renamed[0] == renamed[1]:
                renamed = None
        gone = {renamed[0]} if renamed else set()
        steps.append(Step(parents, edited - gone, renamed))
        alive.append((there | edited | ({renamed[1]} if renamed else set())) - gone)
    return steps


@given(histories())
@settings(max_examples=300, deadline=None)
def test_rows_along_chains_say_what_the_definition_says(steps):
    recorded = Recorded(steps)
    for at, place in enumerate(recorded.places):
        for path in PATHS:
            found = heads(recorded, place, path)
            assert len(set(found)) == len(found)
            assert set(found) == literal_heads(recorded, at, path)


@given(histories(), st.data())
@settings(max_examples=200, deadline=None)
def test_every_path_whose_newest_facts_differ_is_among_the_differing(steps, data):
    recorded = Recorded(steps)
    one, other = (data.draw(st.integers(0, len(steps) - 1)) for _ in range(2))
    differing = differing_paths(recorded, recorded.places[one], recorded.places[other])
    for path in set(PATHS) - differing:
        assert literal_heads(recorded, one, path) == literal_heads(recorded, other, path)
    if one == other:
        assert differing == set()


@given(histories())
def test_what_a_commit_goes_on_from_is_its_first_parent_and_head_has_one_line_to_the_root(steps):
    lines = main_lines(commits(steps))
    for parent, child in lines.items():
        assert oid(steps[int(child, 16)].parents[0]) == parent
    assert {parent for step in steps for parent in map(oid, step.parents[:1])} == set(lines)
    at = len(steps) - 1
    while steps[at].parents:
        assert lines[oid(steps[at].parents[0])] == oid(at)
        at = steps[at].parents[0]


def test_before_the_record_no_path_has_facts():
    recorded = Recorded([Step((), frozenset(PATHS))])
    assert heads(recorded, None, b"a") == ()
    assert differing_paths(recorded, None, recorded.places[0]) == set(PATHS)


def test_the_newest_stand_in_the_order_of_the_parents_they_come_from_then_of_their_ids():
    recorded = Recorded([Step(())])
    recorded.parents_of |= {EventId(name): () for name in "abc"} | {EventId("d"): (EventId("a"),)}
    b, c, d = map(EventId, "bcd")
    assert newest([(d, c), (b,)], recorded) == (c, d, b)
    assert newest([(EventId("a"),), (d,)], recorded) == (d,), "an ancestor is not among the newest"
    assert newest([(), ()], recorded) == ()
