"""What the recorder takes: one commit late in a long record, and whole histories at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.appending import one_append, one_bare_write
from benchmarks.ground import (
    NO_HOOKS,
    PYTHON_STARTS,
    SAGE,
    Repository,
    edits,
    lively_history,
    new_repository,
    sealed_environment,
)
from benchmarks.measure import Row, Way, at_least, at_most, interleaved, ms

FILES = 10_000
COMMITS, EDITS = 500, 100
"""Each edit makes a fact and a verdict: 100,000 events."""


def rows(ground: Path, real: Path | None) -> Iterator[Row]:
    """The rows on recording, and leaves the repository of 100,000 events at `ground / "long"` for others."""
    long = new_repository(ground / "long", files=FILES)
    long.sage("init")
    long.grow(edits(COMMITS, files=FILES, per_commit=EDITS))
    yield observing(long, "observe 500 commits of 100 edits each", target=False)
    yield from one_commit_rows(long)

    lively = new_repository(ground / "lively", files=2_000)
    lively.sage("init")
    lively.grow(lively_history(5_000, files=2_000))
    yield observing(lively, "observe a generated history of 5,000 commits", target=True)
    if real is not None:
        yield observing(early_clone(real, ground / "real"), f"observe {real.name}", target=True)
    yield from append_rows(long)


def observing(repository: Repository, what: str, *, target: bool) -> Row:
    """Commits a second of one `sage-git record` over all that is new, beside git's own streaming of it."""
    commits = repository.count("HEAD")
    streaming = repository.time("git", "log", "--raw", "-M", "-z", "-m", "--format=%H")
    seconds = repository.time(SAGE, "record")
    events = repository.sage("log", "--all", "--json").count(b"\n")
    beside = f"{commits:,} commits, {events:,} events in {seconds:.2f} s; git log --raw -M {streaming:.2f} s"
    return Row(what, commits / seconds, "commits/s", beside, at_least(3_000) if target else None)


def one_commit_rows(repository: Repository) -> Iterator[Row]:
    """`sage-git record` of one commit of ten files; without hooks, so that nobody was there before."""
    recorded, python = interleaved(7, one_record(repository), lambda: repository.time(*PYTHON_STARTS))
    beside = f"python -c pass {ms(python):.0f} ms"
    yield Row("record 1 commit of 10 files, 100,000 events", ms(recorded), "ms", beside, at_most(150))


def append_rows(repository: Repository) -> Iterator[Row]:
    """`append_event` to a subject's chronicle where the log comes first and the index has to know."""
    bare = repository.record / "bare"
    bare.write_bytes(b"")
    ours, theirs = interleaved(50, one_append(repository.path / ".sage" / "steps.sage"), one_bare_write(bare))
    bare.unlink()
    beside = f"bare write and fsync {ms(theirs):.2f} ms"
    yield Row("durable append in a recorded repository", ms(ours), "ms", beside)


def one_record(repository: Repository) -> Way:
    """A way to record one commit of ten files."""
    versions = count(COMMITS + 1)

    def record() -> float:
        version = next(versions)
        repository.edit(*range(version, version + 10), version=version)
        repository.git(*NO_HOOKS, "commit", "--quiet", "--message", f"change {version}")
        return repository.time(SAGE, "record")

    return record


def early_clone(source: Path, target: Path) -> Repository:
    """A clone of `source` with a record since its first commit, and all the rest merged but not observed."""
    repository = Repository(target, sealed_environment(target.parent / "home"))
    target.mkdir(parents=True)
    repository.git("clone", "--quiet", str(source.resolve()), ".")
    repository.git("branch", "--quiet", "--no-track", "all")
    repository.git("remote", "remove", "origin")
    first = repository.git("rev-list", "--first-parent", "all").splitlines()[-1]
    repository.git("checkout", "--quiet", "-B", "recorded", first)
    repository.sage("init")
    repository.git(*NO_HOOKS, "merge", "--quiet", "--no-edit", "all")
    return repository
