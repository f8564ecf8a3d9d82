"""H, the newest facts of every path at every commit (SPEC 5), as a map that commits share.

Commits lie in chains: a commit goes on in its first parent's chain if it is the first to, and otherwise begins one that
branches off there. A row (path, chain, position) says what H became at that commit; nothing is stored where H is as the
first parent has it. Responsible for reading such rows and for the rows of merges. Not here: the rows' storage.

A row is *detached* if its facts do not descend from all that H had there before: a path renamed away, or one that a
rename brought over an old removal. Between two commits with a common position, a path with no row on one side and no
detached row on the other has its newest facts on the other, so a merge need not look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.observation.commit import Commit

Facts = tuple[EventId, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a commit lies: its chain and its position there, from 0."""

    chain: int
    position: int


class Rows(Protocol):
    """The stored rows of H and the chains."""

    def at_or_before(self, path: bytes, place: Place) -> Facts | None:
        """The newest row of `path` in the chain of `place`, up to its position; None if there is none."""
        ...

    def base(self, chain: int) -> Place | None:
        """Where the chain branched off; None if its first commit has no recorded parent."""
        ...

    def paths_with_rows(self, chain: int, after: int, upto: int) -> Iterable[bytes]:
        """The paths with a row at after < position <= upto."""
        ...

    def paths_with_detached_rows(self, chain: int, after: int, upto: int) -> Iterable[bytes]:
        """Those among them with a detached row."""
        ...


class Ancestry(Protocol):
    """The graph of events."""

    def depth(self, event: EventId) -> int:
        """The length of the longest way from `event` to an event without parents."""
        ...

    def parents(self, event: EventId) -> Sequence[EventId]:
        """The parents of `event` that are known."""
        ...


def heads(rows: Rows, place: Place | None, path: bytes) -> Facts:
    """H(commit at `place`, path); empty for a place before the record (None)."""
    while place is not None:
        facts = rows.at_or_before(path, place)
        if facts is not None:
            return facts
        place = rows.base(place.chain)
    return ()


def newest(groups: Iterable[Facts], ancestry: Ancestry) -> Facts:
    """The facts of all `groups` less the ancestors of others, by group number and id."""
    distinct = [group for group in dict.fromkeys(groups) if group]
    if len(distinct) < 2:
        return tuple(sorted(distinct[0])) if distinct else ()
    ordered = list(dict.fromkeys(fact for group in distinct for fact in sorted(group)))
    return tuple(fact for fact in ordered if not _is_ancestor_of_another(fact, ordered, ancestry))


def differing_paths(rows: Rows, one: Place | None, other: Place | None) -> set[bytes]:
    """All paths, and perhaps some more, whose H differs between the commits at two places."""
    mine, theirs = _stretches(rows, one, other)
    return {path for stretch in (*mine, *theirs) for path in rows.paths_with_rows(*stretch)}


def merged_rows(
    rows: Rows, ancestry: Ancestry, parents: Sequence[Place | None], own: Iterable[bytes]
) -> Iterator[tuple[bytes, Facts]]:
    """The rows of a merge beyond its own facts': where the union over its parents is not what the first parent has."""
    candidates: set[bytes] = set()
    for parent in parents[1:]:
        mine, theirs = _stretches(rows, parents[0], parent)
        candidates.update(path for stretch in theirs for path in rows.paths_with_rows(*stretch))
        candidates.update(path for stretch in mine for path in rows.paths_with_detached_rows(*stretch))
    for path in sorted(candidates.difference(own)):
        groups = [heads(rows, parent, path) for parent in parents]
        facts = newest(groups, ancestry)
        if set(facts) != set(groups[0]):
            yield path, facts


def main_lines(commits: Sequence[Commit]) -> dict[ObjectId, ObjectId]:
    """For each first parent of `commits` (parents first, HEAD last) the child that goes on in its chain.

    First parents of HEAD make one chain, so that what was there all along is found at once.
    """
    first = {commit.oid: commit.parents[0] for commit in commits if commit.parents}
    goes_on: dict[ObjectId, ObjectId] = {}
    for commit in reversed(commits):
        oid = commit.oid
        while (parent := first.get(oid)) is not None and parent not in goes_on:
            goes_on[parent] = oid
            oid = parent
    return goes_on


def is_detached(before: Facts, event_parents: Iterable[EventId]) -> bool:
    """True if facts with these parents do not descend from all of `before`."""
    return not set(before).issubset(event_parents)


_Stretch = tuple[int, int, int]
"""A chain and the positions after … upto."""


def _stretches(rows: Rows, one: Place | None, other: Place | None) -> tuple[list[_Stretch], list[_Stretch]]:
    """What lies above the newest common position of two commits along first parents, on either side."""
    ours, theirs = list(_way_down(rows, one)), list(_way_down(rows, other))
    reached = {place.chain: place.position for place in ours}
    meeting = next((place for place in theirs if place.chain in reached), None)
    if meeting is None:
        return [_whole(place) for place in ours], [_whole(place) for place in theirs]
    common = min(meeting.position, reached[meeting.chain])
    return _above(ours, meeting.chain, common), _above(theirs, meeting.chain, common)


def _way_down(rows: Rows, place: Place | None) -> Iterator[Place]:
    while place is not None:
        yield place
        place = rows.base(place.chain)


def _above(way: Sequence[Place], chain: int, common: int) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    for place in way:
        if place.chain == chain:
            return [*stretches, (chain, common, place.position)]
        stretches.append(_whole(place))
    return stretches


def _whole(place: Place) -> _Stretch:
    return place.chain, -1, place.position


def _is_ancestor_of_another(fact: EventId, facts: Sequence[EventId], ancestry: Ancestry) -> bool:
    floor = ancestry.depth(fact)
    waiting = [other for other in facts if other != fact and ancestry.depth(other) > floor]
    seen = set(waiting)
    while waiting:
        for parent in ancestry.parents(waiting.pop()):
            if parent == fact:
                return True
            if parent not in seen and ancestry.depth(parent) > floor:
                seen.add(parent)
                waiting.append(parent)
    return False
