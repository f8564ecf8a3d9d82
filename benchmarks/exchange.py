"""What peers cost: a sync of 100,000 events that another clone said, one with nothing to do, and the store's size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.appending import action
from benchmarks.ground import SAGE, Repository, new_repository, sealed_environment
from benchmarks.measure import Row, at_least, at_most, interleaved, ms, timed
from sage_git.chronicle.event import Event
from sage_git.operations.checkout import Checkout
from sage_git.storage.keys import ensure_writer
from sage_git.storage.lock import held

EVENTS = 100_000
SUBJECTS = 100
_ROUNDS = 5


def rows(ground: Path) -> Iterator[Row]:
    """The rows on exchanging logs."""
    ada = new_repository(ground / "ada", files=10)
    ada.sage("init")
    talk(ada, EVENTS)
    ada.sage("sync", "--bundle", str(ground / "ready.bundle"))  # so that the log is published, as a push leaves it
    bob = clone(ada, ground / "bob")
    bob.sage("peer", "add", "ada", str(ada.path))
    seconds = bob.time(SAGE, "sync", "ada")
    known = bob.sage("log", "--all", "--json").count(b"AGENT_ACTION")
    plain = timed(lambda: fetch(ada, ground / "plain.git"))
    beside = f"{known:,} of {EVENTS:,} known after {seconds:.2f} s; git fetch alone {plain:.2f} s"
    yield Row(f"sync of {EVENTS:,} events", EVENTS / seconds, "events/s", beside, at_least(20_000))
    yield from again(ada, bob)
    size = sum(path.stat().st_size for path in (bob.record / "store.git").rglob("*") if path.is_file())
    line_bytes = len(lines(1)[0])
    yield Row("store, an event", size / EVENTS, "bytes", f"an event's line has {line_bytes} bytes, its leaf 78")


def again(ada: Repository, bob: Repository) -> Iterator[Row]:
    """A sync that finds nothing new, and one that finds one event."""
    idle, listing = interleaved(
        _ROUNDS,
        lambda: bob.time(SAGE, "sync", "ada"),
        lambda: bob.time("git", "ls-remote", "--quiet", str(ada.record / "store.git")),
    )
    yield Row("sync with nothing to do", ms(idle), "ms", f"git ls-remote {ms(listing):.0f} ms", at_most(250))

    def one() -> float:
        ada.sage("note", "action", "-m", "one more")
        ada.sage("sync", "--bundle", str(ada.path.parent / "ready.bundle"))
        return bob.time(SAGE, "sync", "ada")

    (seconds,) = interleaved(_ROUNDS, one)
    yield Row(f"sync of 1 event beside {EVENTS:,}", ms(seconds), "ms")


def talk(repository: Repository, count: int) -> None:
    """Have this clone's log say `count` things, as if it had said them one by one."""
    with (
        Checkout.open(repository.path, repository.environment) as checkout,
        held(checkout.sage / "log.lock", 10_000),
    ):
        ensure_writer(checkout.sage, checkout.known_identity().repository)
        checkout.log.append(lines(count))
    repository.sage("record")


def lines(count: int) -> list[bytes]:
    """Statements of an agent about `SUBJECTS` subjects."""
    return [Event.sealed({**action(number), "subject": f"steps-{number % SUBJECTS}"}).line for number in range(count)]


def clone(repository: Repository, path: Path) -> Repository:
    """A clone that has joined the record."""
    other = Repository(path, sealed_environment(path.parent / "home"))
    path.mkdir(parents=True)
    other.git("clone", "--quiet", str(repository.path), ".")
    other.git("remote", "remove", "origin")
    other.sage("init")
    return other


def fetch(repository: Repository, into: Path) -> None:
    """What git alone needs to bring the logs over."""
    repository.git("init", "--quiet", "--bare", str(into))
    store = repository.record / "store.git"
    repository.git(f"--git-dir={into}", "fetch", "--quiet", str(store), "refs/sage/writers/*:refs/sage/writers/*")
