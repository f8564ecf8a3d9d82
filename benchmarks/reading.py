"""What a reader waits for: the log of a long record, and the index when it has to be made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.ground import PYTHON_STARTS, SAGE, Repository, name, sealed_environment
from benchmarks.measure import Row, at_most, interleaved, ms


def rows(long: Path) -> Iterator[Row]:
    """The rows on reading; `long` is the repository of 100,000 events."""
    repository = Repository(long, sealed_environment(long.parent / "home"))
    whole, one, theirs, python = interleaved(
        9,
        lambda: repository.time(SAGE, "log", "-n", "20"),
        lambda: repository.time(SAGE, "log", "-n", "20", name(7)),
        lambda: repository.time("git", "log", "-n", "20", "--", name(7)),
        lambda: repository.time(*PYTHON_STARTS),
    )
    yield Row("python -c pass", ms(python), "ms")
    yield Row("sage-git log -n 20, 100,000 events", ms(whole), "ms", "", at_most(120))
    yield Row("sage-git log -n 20 PATH", ms(one), "ms", f"git log -n 20 PATH {ms(theirs):.0f} ms", at_most(120))
    (rebuilt,) = interleaved(3, lambda: rebuild(repository))
    yield Row(
        "index of 100,000 events made again",
        ms(rebuilt) / 1000,
        "s",
        "by the next log, which looks at 10,000 sidecars too",
        at_most(2),
    )


def rebuild(repository: Repository) -> float:
    """Seconds of the first `sage-git log` without an index."""
    for part in repository.record.glob("index.sqlite*"):
        part.unlink()
    return repository.time(SAGE, "log", "-n", "20")
