"""Laws of the order of a chronicle (SPEC 11)."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle import dag
from sage_git.chronicle.ids import EventId


@dataclass(frozen=True)
class Node:
    event_id: EventId
    timestamp: str
    parents: tuple[EventId, ...]


@st.composite
def graphs(draw, size=12):
    """Nodes without cycles, with few timestamps that need not grow along links."""
    count = draw(st.integers(0, size))
    names = draw(st.permutations([EventId(f"{number:02x}") for number in range(count)]))
    nodes: list[Node] = []
    for at, name in enumerate(names):
        parents = draw(st.lists(st.sampled_from(names[:at]), max_size=3)) if at else []
        nodes.append(Node(name, draw(st.sampled_from("abc")), tuple(parents)))
    return nodes


@st.composite
def tangles(draw):
    """Nodes with any links at all: cycles, links to themselves, parents that are not there."""
    names = [EventId(f"{number:x}") for number in range(draw(st.integers(0, 9)))]
    return [
        Node(name, draw(st.sampled_from("ab")), tuple(draw(st.lists(st.sampled_from([*names, "z"]), max_size=3))))
        for name in names
    ]


def naive_order(nodes):
    """The definition, word for word, in quadratic time."""
    left = list(nodes)
    ordered: list[Node] = []
    names = {node.event_id for node in nodes}
    while left:
        placed = {node.event_id for node in ordered}
        ready = [node for node in left if placed.issuperset(names.intersection(node.parents))]
        first = min(ready or left, key=lambda node: (node.timestamp, node.event_id))
        left.remove(first)
        ordered.append(first)
    return ordered


def ancestors(nodes, roots):
    by_name = {node.event_id: node for node in nodes}
    found, open_ = set(), list(roots)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_.extend(by_name[name].parents)
    return found


@given(graphs() | tangles())
def test_the_order_is_that_of_the_definition(nodes):
    assert dag.order(nodes) == naive_order(nodes)


@given(graphs() | tangles(), st.randoms())
def test_the_order_does_not_depend_on_arrival(nodes, dice):
    shuffled = dice.sample(nodes, len(nodes))
    assert dag.order(shuffled) == dag.order(nodes)
    assert dag.heads(shuffled) == dag.heads(nodes)
    assert dag.cycles(shuffled) == dag.cycles(nodes)


@given(graphs())
def test_parents_stand_before_children(nodes):
    place = {node.event_id: at for at, node in enumerate(dag.order(nodes))}
    assert all(place[parent] < place[node.event_id] for node in nodes for parent in node.parents)


@given(graphs(), st.data())
def test_known_events_keep_their_order_when_a_closed_set_grows(nodes, data):
    roots = data.draw(st.lists(st.sampled_from(nodes), max_size=3)) if nodes else []
    closed = ancestors(nodes, [node.event_id for node in roots])
    known = [node for node in nodes if node.event_id in closed]
    assert dag.order(known) == [node for node in dag.order(nodes) if node.event_id in closed]


@given(tangles())
def test_every_event_comes_out_once_whatever_the_links(nodes):
    assert sorted(dag.order(nodes), key=lambda node: node.event_id) == nodes


@given(tangles())
def test_what_lies_on_a_cycle_or_between_two_is_reported(nodes):
    there = {node.event_id for node in nodes}
    whole = [Node(node.event_id, node.timestamp, tuple(there.intersection(node.parents))) for node in nodes]
    before = {node.event_id: ancestors(whole, node.parents) for node in whole}
    on_a_cycle = {name for name in before if name in before[name]}
    between = {name for name in before if on_a_cycle & before[name] and any(name in before[end] for end in on_a_cycle)}
    assert {node.event_id for node in dag.cycles(whole)} == between >= on_a_cycle


@given(graphs())
def test_a_graph_without_cycles_reports_none(nodes):
    assert dag.cycles(nodes) == []


@given(graphs(), st.data())
def test_missing_parents_are_exactly_those_that_were_taken_away(nodes, data):
    gone = data.draw(st.sets(st.sampled_from(nodes))) if nodes else set()
    left = [node for node in nodes if node not in gone]
    named = {parent for node in left for parent in node.parents}
    assert dag.missing_parents(left) == named & {node.event_id for node in gone}


@given(graphs())
def test_heads_are_what_nothing_stands_on(nodes):
    named = {parent for node in nodes for parent in node.parents}
    assert {node.event_id for node in dag.heads(nodes)} == {node.event_id for node in nodes} - named
