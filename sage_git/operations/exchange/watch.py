"""`sync --watch`: keep on meeting peers, as they come and go, until somebody interrupts.

Peers on this machine or in the network nearby are looked at twice a second, others every half a minute; what is said
here is given at once. Not here: one meeting (`sync`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sage_git.errors import SageError, UsageError
from sage_git.gitrepo.exchange import RemoteEnvironment, list_logs
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.outcomes import Outcome, State
from sage_git.operations.exchange.sync import Direction, Search, sync, targets_of
from sage_git.operations.exchange.targets import SERVED, Kind, Target, found_out, is_path
from sage_git.operations.recording.record import bring_current

_NEAR_S: Final = 0.5
_FAR_S: Final = 30.0
_LONGEST_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class News:
    """What came of meeting some peers. `is_caught_up` the first time that all are current after some were not."""

    outcomes: tuple[Outcome, ...]
    is_caught_up: bool


@dataclass(slots=True)
class _Watched:
    target: Target
    every_s: float
    due_s: float = 0.0
    failures: int = 0
    listed: dict[str, str] = field(default_factory=dict)
    state: State | None = None


def watch(
    checkout: Checkout,
    names: Sequence[str],
    direction: Direction,
    where: Search = Search.KEPT,
    pause: Callable[[float], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[News]:
    """What is new, whenever there is something; ends when `pause`, which waits so many seconds, says so.

    Raises NotHere, StorageError, UsageError for faults here; what a peer is or does is an outcome.
    """
    wait = pause or _sleep
    watched = _joined([], targets_of(checkout, names, {}, where))
    if not watched and where is Search.KEPT:
        raise UsageError("there are no peers to watch", remedy="sage-git peer add NAME URL keeps one")
    searched_s = clock()
    said = ""
    was_caught_up = False
    while True:
        now = clock()
        if where is Search.NEARBY and now >= searched_s + _FAR_S:  # who came meanwhile
            watched, searched_s = _joined(watched, targets_of(checkout, names, {}, where)), clock()
        ours = _said_here(checkout)
        due = [each for each in watched if now >= each.due_s]
        wanted = watched if ours != said else [each for each in due if _has_news(checkout, each)]
        if wanted:
            outcomes = _meet(checkout, wanted, direction)
            said = _said_here(checkout)
            is_caught_up = all(each.state is State.CURRENT for each in watched)
            changed = [each for each in outcomes if each.received or each.sent or each.state is not State.CURRENT]
            if changed or is_caught_up != was_caught_up:
                yield News(tuple(changed), is_caught_up=is_caught_up and not was_caught_up)
            was_caught_up = is_caught_up
        for each in {id(each): each for each in [*due, *wanted]}.values():
            each.due_s = clock() + min(each.every_s * 2 ** min(each.failures, 8), _LONGEST_S)
        if wait(min((each.due_s for each in watched), default=now + _FAR_S) - clock()):
            return


def _joined(watched: list[_Watched], found: Sequence[Target]) -> list[_Watched]:
    """Those that are watched, and those found that were not."""
    known = {each.target.url for each in watched}
    return [*watched, *(_Watched(target, _interval(target)) for target in found if target.url not in known)]


def _meet(checkout: Checkout, wanted: Sequence[_Watched], direction: Direction) -> list[Outcome]:
    outcomes = sync(checkout, [each.target for each in wanted], direction)
    told = []
    for each, outcome in zip(wanted, outcomes, strict=True):
        is_same_failure = outcome.state is State.UNREACHABLE is each.state
        each.failures = each.failures + 1 if outcome.state is State.UNREACHABLE else 0
        each.state = outcome.state
        told += [] if is_same_failure else [outcome]  # once is enough, until it comes back
    return told


def _has_news(checkout: Checkout, each: _Watched) -> bool:
    """True if the peer's logs are not those that it had when it was met last. A file is read as it is met."""
    if each.state is None or each.target.kind is Kind.BUNDLE:
        return True
    try:
        remote = RemoteEnvironment.of(checkout.repository, checkout.sage)
        each.target = found_out(checkout, each.target, remote)
        listed = list_logs(each.target.url, remote)
    except SageError:
        return each.state is not State.UNREACHABLE
    is_news = listed != each.listed or each.state is State.UNREACHABLE
    each.listed = listed
    return is_news


def _said_here(checkout: Checkout) -> str:
    """What changes with every entry of this clone's log; what was committed meanwhile is recorded first."""
    bring_current(checkout)
    tail = checkout.log.path
    return f"{checkout.log.length()} {tail.stat().st_ino if tail.exists() else 0}"


def _interval(target: Target) -> float:
    is_near = target.url.startswith(SERVED) or is_path(target.url)
    return _NEAR_S if is_near else _FAR_S


def _sleep(seconds: float) -> bool:
    time.sleep(max(0.0, min(seconds, _NEAR_S)))
    return False
