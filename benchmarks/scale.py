"""What a repository with a thousand writers costs each of its clones: a simulation, to be run by hand.

    python -m benchmarks.scale [WRITERS] [EVENTS]      1,000 and 1,000,000 without

Every writer's log is as long as the others'. The logs are made by `crowd`; everything after that is `sage-git` as
anybody runs it, and each figure is of one run. Memory is the most that any one process took. docs/peers.md has the
results, and what follows for ten times as many events.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.crowd import Writer, publish
from benchmarks.exchange import clone, talk
from benchmarks.ground import SAGE, Repository, new_repository
from benchmarks.measure import Row, heading, interleaved, line, ms, show, timed
from sage_git.chronicle.ids import RepositoryId
from sage_git.gitrepo.log_tree import CHECKPOINT
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.publishing import publish_own
from sage_git.proof.checkpoint import opened
from sage_git.storage.lock import held

WRITERS, EVENTS = 1_000, 1_000_000
BUSY = 10
"""So many writers say something between two syncs."""
OWN_ENTRIES = 10_000
_ROUNDS = 3
_OBSERVER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""In a process of its own: a child begins with the memory of whoever starts it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: on the clock, of the processors by all its processes, and of memory by the largest."""

    seconds: float
    cpu_seconds: float
    memory_mb: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.cpu_seconds:.1f} s of CPU, {self.memory_mb:.0f} MB"


def rows(ground: Path, writers: int, events: int) -> Iterator[Row]:
    """The rows on so many writers, who said so many things in all."""
    ada = new_repository(ground / "ada", files=10)
    ada.sage("init")
    ada.sage("note", "action", "-m", "the first")
    ada.sage("sync", "--bundle", str(ground / "ready.bundle"))
    crowd = [Writer.from_seed(number, repository_id(ada)) for number in range(1, writers + 1)]
    store = ada.record / "store.git"
    made = timed(lambda: publish(store, ((writer, events // writers) for writer in crowd)))
    yield Row("logs made", made, "s", f"{writers:,} writers, {events:,} events")
    yield from sizes(ada, store, events)
    bob = clone(ada, ground / "bob")
    bob.sage("peer", "add", "ada", str(ada.path))
    yield from syncs(ada, bob, crowd, events)
    yield verification(store, crowd)
    yield from index(bob, events)
    yield own_publication(bob)


def sizes(ada: Repository, store: Path, events: int) -> Iterator[Row]:
    """What lies on the disk, and what is listed."""
    of_kind = dict.fromkeys(("leaves", "events"), 0)
    named = ada.run("git", f"--git-dir={store}", "rev-list", "--objects", "--all")
    format_ = "--batch-check=%(objectsize:disk) %(rest)"
    for each in ada.run("git", f"--git-dir={store}", "cat-file", format_, stdin=named).decode().splitlines():
        size, _, path = each.partition(" ")
        folder = path.partition("/")[0]
        if folder in of_kind and "/" in path:
            of_kind[folder] += int(size)
    said = f"leaves {of_kind['leaves'] / events:.1f}, bodies {of_kind['events'] / events:.1f}"
    yield Row("store, an event", folder_bytes(store) / events, "bytes", said)
    listed = len(ada.run("git", "ls-remote", "--refs", str(store), "refs/sage/writers/*"))
    (seconds,) = interleaved(_ROUNDS, lambda: ada.time("git", "ls-remote", "--refs", str(store), "refs/sage/writers/*"))
    yield Row("list of all logs", ms(seconds), "ms", f"{listed:,} bytes")


def syncs(ada: Repository, bob: Repository, crowd: list[Writer], events: int) -> Iterator[Row]:
    """The first sync, one after a few said something, and one with nothing to do."""
    first = run(bob, SAGE, "sync", "ada")
    yield Row("first sync", events / first.seconds, "events/s", str(first))
    publish(ada.record / "store.git", ((writer, 1) for writer in crowd[:BUSY]))
    few = run(bob, SAGE, "sync", "ada")
    yield Row(f"sync, {BUSY} writers said one thing each", 1000 * few.seconds, "ms", str(few))
    idle = min((run(bob, SAGE, "sync", "ada") for _ in range(_ROUNDS)), key=lambda cost: cost.seconds)
    yield Row("sync with nothing to do", 1000 * idle.seconds, "ms", str(idle))


def verification(store: Path, crowd: list[Writer]) -> Row:
    """Checking the signatures of all logs."""
    names = "".join(f"refs/sage/writers/{writer.id}:{CHECKPOINT}\n" for writer in crowd)
    command = ["git", f"--git-dir={store}", "cat-file", "--batch=%(objectsize)"]
    told = subprocess.run(command, input=names.encode(), capture_output=True, check=True).stdout
    notes = []
    for _ in crowd:
        size, _, told = told.partition(b"\n")
        notes.append(told[: int(size)])
        told = told[int(size) + 1 :]
    pairs = list(zip(notes, crowd, strict=True))
    seconds = timed(lambda: [opened(note, writer.repository, writer.id) for note, writer in pairs])
    return Row("checkpoint verified", 1_000_000 * seconds / len(crowd), "µs", "a writer")


def index(bob: Repository, events: int) -> Iterator[Row]:
    """The index's size, and making it anew."""
    files = list(bob.record.glob("index.sqlite*"))
    yield Row("index, an event", sum(each.stat().st_size for each in files) / events, "bytes")
    for each in files:
        each.unlink()
    anew = run(bob, SAGE, "record")
    yield Row("index made anew", events / anew.seconds, "events/s", str(anew))


def own_publication(bob: Repository) -> Row:
    """Publishing one entry of a log that has many."""
    talk(bob, OWN_ENTRIES)
    taken = []
    for number in range(_ROUNDS + 1):
        bob.sage("note", "action", "-m", f"one more {number}")
        with Checkout.open(bob.path, bob.environment) as checkout, held(checkout.sage / "log.lock", 10_000):
            taken.append(timed(lambda checkout=checkout: publish_own(checkout)))  # type: ignore[misc]
    return Row(f"publishing an entry after {OWN_ENTRIES:,}", ms(taken[1:]), "ms", f"the first {taken[0]:.2f} s")


def run(repository: Repository, *command: str) -> Cost:
    """What `command` costs in this repository. Raises CalledProcessError if it fails."""
    told = repository.run(sys.executable, "-c", _OBSERVER, *command)
    return Cost(*json.loads(told))


def repository_id(repository: Repository) -> RepositoryId:
    """The id that the record of this repository has."""
    with Checkout.open(repository.path, repository.environment) as checkout:
        return checkout.known_identity().repository


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Build, measure, and print a row at a time."""
    given = [int(each) for each in sys.argv[1:3]]
    writers, events = given + [WRITERS, EVENTS][len(given) :]
    show(heading())
    with TemporaryDirectory(prefix="sage-scale-") as ground:
        for row in rows(Path(ground), writers, events):
            show(line(row))
    show(heading())


if __name__ == "__main__":
    main()
