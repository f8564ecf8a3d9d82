"""Events as a graph by their parent links: ends, gaps, and the one order to read them in (SPEC 11).

Works on anything with an id, a timestamp and parents. Links to events that are not there are passed over, and
`missing_parents` names them. Not here: whether ids are true. An id that stands twice counts as one event, the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Protocol, TypeVar

from sage_git.chronicle.ids import EventId


class Linked(Protocol):
    """What the graph needs to know of an event."""

    @property
    def event_id(self) -> EventId | None: ...
    @property
    def timestamp(self) -> str: ...
    @property
    def parents(self) -> Sequence[EventId]: ...


E = TypeVar("E", bound=Linked)


def parents(event: Linked) -> tuple[EventId, ...]:
    """The ids that `event` names as its parents, each once."""
    return tuple(dict.fromkeys(event.parents))


def heads(events: Iterable[E]) -> list[E]:
    """The events that no other of them names as a parent, smallest (timestamp, eventId) first."""
    nodes = _distinct(events)
    named = {name for node in nodes for name in node.parents if name != node.event_id}
    return sorted((node for node in nodes if node.event_id not in named), key=_rank)


def missing_parents(events: Iterable[Linked]) -> set[EventId]:
    """The parents that are named but not there; if there are any, the chronicle is incomplete."""
    nodes = _distinct(events)
    return {name for node in nodes for name in node.parents} - {node.event_id for node in nodes if node.event_id}


def order(events: Iterable[E]) -> list[E]:
    """All events, parents before children, always the smallest (timestamp, eventId) that may come next (Kahn).

    While a set is causally closed, what stands in it keeps its relative order whatever else arrives. Of a cycle, which
    only ids that are not true can make, the smallest member goes first. Events without an id that are equal otherwise
    keep the order that they came in.
    """
    nodes = _distinct(events)
    waits, children = _links(nodes)

    def rank(at: int) -> tuple[str, str, int]:
        return (*_rank(nodes[at]), at)

    ready = [rank(at) for at, count in enumerate(waits) if not count]
    heapify(ready)
    ordered: list[E] = []
    stuck: list[tuple[str, str, int]] = []
    placed = bytearray(len(nodes))
    while len(ordered) < len(nodes):
        if not ready:
            stuck = stuck or sorted(map(rank, range(len(nodes))), reverse=True)
            ready.append(stuck.pop())
        at = heappop(ready)[2]
        if placed[at]:
            continue
        placed[at] = True
        ordered.append(nodes[at])
        for child in children[at]:
            waits[child] -= 1
            if not waits[child]:
                heappush(ready, rank(child))
    return ordered


def cycles(events: Iterable[E]) -> list[E]:
    """The events on a cycle, or on a way from one cycle to another, smallest (timestamp, eventId) first."""
    nodes = _distinct(events)
    waits, children = _links(nodes)
    below = _unreached(waits, children)
    above: list[list[int]] = [[] for _ in nodes]
    for at, targets in enumerate(children):
        for child in targets:
            above[child].append(at)
    knotted = below & _unreached([len(targets) for targets in children], above)
    return sorted((nodes[at] for at in knotted), key=_rank)


def _unreached(waits: Sequence[int], following: Sequence[Sequence[int]]) -> set[int]:
    """The nodes that are still waited for when everything that can go has gone."""
    counts = list(waits)
    going = [at for at, count in enumerate(counts) if not count]
    left = set(range(len(counts)))
    while going:
        at = going.pop()
        left.discard(at)
        for follower in following[at]:
            counts[follower] -= 1
            if not counts[follower]:
                going.append(follower)
    return left


def _distinct(events: Iterable[E]) -> list[E]:
    """The events in the order given, each id once, and all that have none."""
    by_id: dict[object, E] = {}
    for event in events:
        by_id.setdefault(event.event_id or (len(by_id),), event)
    return list(by_id.values())


def _links(nodes: Sequence[Linked]) -> tuple[list[int], list[list[int]]]:
    """For each node by its place: how many parents are there, and the places of its children."""
    places = {node.event_id: at for at, node in enumerate(nodes) if node.event_id}
    children: list[list[int]] = [[] for _ in nodes]
    waits = [0] * len(nodes)
    for at, node in enumerate(nodes):
        for name in parents(node):
            place = places.get(name)
            if place is not None:
                children[place].append(at)
                waits[at] += 1
    return waits, children


def _rank(node: Linked) -> tuple[str, str]:
    return node.timestamp, node.event_id or ""
