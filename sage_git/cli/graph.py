"""The graph of a chronicle in ASCII, drawn as `git log --graph` does. What stands beside it is the caller's.

Works line by line, newest first: a lane is a way down to one event that is still to come. An event stands in the first
lane that waits for it, other lanes that wait for it end there, and each further parent opens a lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Drawn(Generic[T]):
    """One line: the lanes, and the node if this is its line."""

    lanes: str
    node: T | None


def draw(nodes: Iterable[tuple[T, str, Sequence[str]]]) -> Iterator[Drawn[T]]:
    """Lines for nodes (what, name, names of its parents that come later), children before parents."""
    lanes: list[str] = []
    for node, name, parents in nodes:
        if name not in lanes:
            lanes.append(name)
        at = lanes.index(name)
        for joined in reversed([lane for lane in range(at + 1, len(lanes)) if lanes[lane] == name]):
            yield Drawn(_join(len(lanes), joined, at), None)
            del lanes[joined]
        yield Drawn(" ".join("*" if lane == at else "|" for lane in range(len(lanes))), node)
        if not parents:
            yield from (Drawn(line, None) for line in _close(len(lanes), at))
            del lanes[at]
            continue
        lanes[at] = parents[0]
        for parent in reversed(parents[1:]):
            yield Drawn(_open(len(lanes), at), None)
            lanes.insert(at + 1, parent)


def _open(count: int, at: int) -> str:
    r"""A new lane to the right of `at`: `|\ ` with the lanes beyond shifted."""
    return "".join("|\\" if lane == at else ("| " if lane < at else " \\") for lane in range(count)).rstrip()


def _join(count: int, joined: int, at: int) -> str:
    """The lane `joined` goes over to `at`; lanes beyond it move one to the left."""
    cells = [" "] * (2 * count - 1)
    for lane in range(joined):
        cells[2 * lane] = "|"
    cells[2 * joined - 1] = "/"
    for between in range(2 * at + 1, 2 * joined - 1):
        if cells[between] == " ":
            cells[between] = "_"
    for lane in range(joined + 1, count):
        cells[2 * lane - 1] = "/"
    return "".join(cells).rstrip()


def _close(count: int, at: int) -> Iterator[str]:
    """Lanes to the right of the ended lane `at` move one to the left; nothing to draw if there are none."""
    if at < count - 1:
        cells = [" "] * (2 * count - 1)
        for lane in range(at):
            cells[2 * lane] = "|"
        for lane in range(at + 1, count):
            cells[2 * lane - 1] = "/"
        yield "".join(cells).rstrip()
