"""What the library takes: durable appends, batches, and checking what was written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, Way, at_least, at_most, interleaved, ms, ratio, timed
from sage_git import append_event, canonical_json, event_id, read_chronicle
from sage_git.chronicle.ndjson import verify_ids
from sage_git.storage import sidecar
from sage_git.storage.writerlog import WriterLog

SHORT, LONG = 10, 100_000
BATCH = 20_000


def rows(ground: Path) -> Iterator[Row]:
    """The rows on appending to a chronicle and reading it."""
    ground.mkdir(parents=True)
    for lines in (SHORT, LONG):
        yield single_append(ground, lines)
    yield batch_to_chronicle(ground)
    yield batch_to_log(ground)
    yield from reading(ground / f"lines-{LONG}.sage")


def single_append(ground: Path, lines: int) -> Row:
    """One `append_event` to a chronicle of that many lines, beside a bare write and fsync of the same bytes."""
    chronicle, bare = ground / f"lines-{lines}.sage", ground / f"bare-{lines}"
    for path in (chronicle, bare):
        path.write_bytes(chain(lines))
    ours, theirs = interleaved(200, one_append(chronicle), one_bare_write(bare))
    beside = f"{ms(ours):.2f} ms, bare {ms(theirs):.2f} ms"
    return Row(f"durable append to {lines:,} lines", ratio(ours, theirs), "times", beside, at_most(2))


def one_append(chronicle: Path) -> Way:
    """A way to append one event, another each time."""
    numbers = count(LONG * 10)
    return lambda: timed(lambda: append_event(chronicle, action(next(numbers))))


def one_bare_write(path: Path) -> Way:
    """A way to append the same number of bytes with nothing but the system calls."""
    text = b"x" * len(chain(1))

    def write() -> None:
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(file, text)
        os.fsync(file)
        os.close(file)

    return lambda: timed(write)


def batch_to_chronicle(ground: Path) -> Row:
    """Events a second that are checked, linked, identified and appended with one fsync."""
    versions = count()

    def append() -> float:
        events = [action(number) for number in range(BATCH)]
        path = ground / f"batch-{next(versions)}.sage"
        return timed(lambda: sidecar.append_many(path, events, clock_ms=0))

    (seconds,) = interleaved(5, append)
    return Row(
        f"append {BATCH:,} events to a chronicle", BATCH / (ms(seconds) / 1000), "events/s", "", at_least(100_000)
    )


def batch_to_log(ground: Path) -> Row:
    """Events a second that the recorder, whose events are canonical lines already, appends to the log."""
    lines = chain(BATCH).splitlines()
    versions = count()

    def append() -> float:
        directory = ground / f"log-{next(versions)}"
        directory.mkdir()
        return timed(lambda: WriterLog(directory).append(lines))

    (seconds,) = interleaved(5, append)
    return Row(f"append {BATCH:,} lines to a log", BATCH / (ms(seconds) / 1000), "events/s", "", at_least(100_000))


def reading(chronicle: Path) -> Iterator[Row]:
    """Events a second of checking every id of a chronicle, and of reading it into events."""
    content = chronicle.read_bytes()
    events = content.count(b"\n")
    checked, read = interleaved(
        3, lambda: timed(lambda: verify_ids(content)), lambda: timed(lambda: read_chronicle(chronicle))
    )
    assert not verify_ids(content), "the chronicle is sound"
    beside = f"read_chronicle {events / (ms(read) / 1000):,.0f} events/s"
    yield Row("verify the ids of 100,000 events", events / (ms(checked) / 1000), "events/s", beside, at_least(200_000))


def chain(lines: int) -> bytes:
    """A chronicle of that many events, each the child of the one before."""
    text, previous = [], None
    for number in range(lines):
        event = action(number) | ({"prevEventId": previous} if previous else {})
        previous = event_id(event)
        text.append(canonical_json(event | {"eventId": previous}))
    return b"\n".join(text) + b"\n"


def action(number: int) -> dict[str, Any]:
    """An agent's step."""
    return {
        "type": "AGENT_ACTION",
        "timestamp": f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "actor": {"agent": "bench", "id": "Ada Lovelace <ada@example.org>"},
        "action": f"step {number}",
        "subject": "steps",
    }
