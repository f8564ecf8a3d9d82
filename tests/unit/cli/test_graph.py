"""The graph beside a chronicle."""

import pytest

from sage_git.cli.graph import draw


def drawn(*nodes):
    lines = draw([(name, name, parents.split()) for name, _, parents in (node.partition(":") for node in nodes)])
    return [line.lanes + (f" {line.node}" if line.node else "") for line in lines]


def test_a_line_of_events_is_one_lane():
    assert drawn("c:b", "b:a", "a:") == ["* c", "* b", "* a"]


def test_a_merge_opens_a_lane_that_joins_where_the_histories_meet():
    assert drawn("m:b c", "c:a", "b:a", "a:") == [
        "* m",
        "|\\",
        "| * c",
        "* | b",
        "|/",
        "* a",
    ]


def test_an_octopus_opens_a_lane_for_each_parent():
    assert drawn("m:a b c", "c:r", "b:r", "a:r", "r:") == [
        "* m",
        "|\\",
        "|\\ \\",
        "| | * c",
        "| * | b",
        "* | | a",
        "|_|/",
        "|/",
        "* r",
    ]


def test_a_lane_that_ends_lets_the_others_move_up():
    assert drawn("m:a b", "a:", "b:") == ["* m", "|\\", "* | a", " /", "* b"]


def test_histories_that_never_meet_stand_side_by_side():
    assert drawn("b:a", "y:x", "a:", "x:") == ["* b", "| * y", "* | a", " /", "* x"]


@pytest.mark.parametrize("size", [1, 50])
def test_every_node_is_drawn_once(size):
    nodes = [f"{at}:{' '.join(str(at + step) for step in (1, 2, 3) if at + step < size)}" for at in range(size)]
    assert [line.split()[-1] for line in drawn(*nodes) if "*" in line] == [str(at) for at in range(size)]
