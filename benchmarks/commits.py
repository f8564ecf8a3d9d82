"""What a person at git waits for: commit and rebase, with our hooks, with empty hooks, and without any."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.ground import NO_HOOKS, Repository, edits, new_repository
from benchmarks.measure import Row, Way, added_ms, at_most, interleaved, ms, ratio

FILES = 10_000
REBASED = 100


def rows(ground: Path) -> Iterator[Row]:
    """The rows on commit and rebase."""
    yield from commit_rows(ground / "commit")
    yield from rebase_rows(ground / "rebase")


def commit_rows(ground: Path) -> Iterator[Row]:
    """`git commit` of one changed file among 10,000."""
    kinds = ("plain", "empty", "hooked", "covered", "warned")
    _, empty, hooked, covered, warned = repositories = [new_repository(ground / k, files=FILES) for k in kinds]
    add_empty_hooks(empty, "pre-commit", "post-commit")
    for repository in (hooked, covered, warned):
        repository.sage("init")
    use_plan(covered, "src/")
    use_plan(warned, "docs/")
    bare, with_empty, with_ours, in_plan, outside = interleaved(15, *map(one_commit, repositories))
    yield Row("git commit, 10,000 files, no hooks", ms(bare), "ms")
    yield Row("  two empty sh hooks add", added_ms(with_empty, bare), "ms")
    yield Row("  our hooks add", added_ms(with_ours, bare), "ms", "no plan approved yet", at_most(20))
    yield Row(
        "  … of a commit that the plan in use covers", added_ms(in_plan, bare), "ms", times(in_plan, bare), at_most(20)
    )
    yield Row(
        "  … of one that it does not cover, warned", added_ms(outside, bare), "ms", times(outside, bare), at_most(70)
    )


def one_commit(repository: Repository) -> Way:
    """A way to commit one changed file; what runs in the background is awaited before the next."""
    versions = count(1)
    is_recorded = repository.record.exists()

    def commit() -> float:
        version = next(versions)
        repository.edit(version, version=version)
        seconds = repository.time("git", "commit", "--quiet", "--message", f"change {version}")
        if is_recorded:
            repository.sage("record")
        return seconds

    return commit


def rebase_rows(ground: Path) -> Iterator[Row]:
    """`git rebase` of 100 commits of one file each among 10,000."""
    kinds = ("plain", "empty", "hooked", "planned")
    _, empty, hooked, planned = repositories = [new_repository(ground / kind, files=FILES) for kind in kinds]
    for repository in repositories:
        if repository in (hooked, planned):
            repository.sage("init")
        repository.git("branch", "base")
        repository.grow(edits(REBASED, files=500, per_commit=1))
        repository.git("branch", "topic")
        repository.git("checkout", "--quiet", "-B", "upstream", "base")
        repository.edit(999, version=1)
        repository.git("commit", "--quiet", "--message", "upstream moves on")
    add_empty_hooks(empty, "prepare-commit-msg", "post-commit")
    hooked.sage("record")
    use_plan(planned, "src/")
    bare, with_empty, with_ours, in_plan = interleaved(5, *map(one_rebase, repositories))
    yield Row("git rebase, 100 commits, 10,000 files, no hooks", ms(bare), "ms")
    yield Row("  with two empty sh hooks", ratio(with_empty, bare), "times")
    beside = f"{ratio(with_ours, with_empty):.2f} times that with the empty ones"
    yield Row("  with our hooks", ratio(with_ours, bare), "times", beside, at_most(1.6))
    beside = f"{ratio(in_plan, with_empty):.2f} times that with the empty ones"
    yield Row("  … under a plan in use", ratio(in_plan, bare), "times", beside, at_most(1.6))


def one_rebase(repository: Repository) -> Way:
    """A way to rebase `topic` onto `upstream`, afresh each time."""
    is_recorded = repository.record.exists()

    def rebase() -> float:
        repository.git(*NO_HOOKS, "checkout", "--quiet", "--detach", "topic")
        seconds = repository.time("git", "rebase", "--quiet", "upstream")
        if is_recorded:
            repository.sage("record")
        return seconds

    return rebase


def use_plan(repository: Repository, scope: str) -> None:
    """Have a plan approved and in use, which covers what `scope` matches."""
    repository.sage(
        "plan", "draft", "--id", "measured", "--summary", "measure it", "--step", "commit", "--scope", scope
    )
    repository.sage("plan", "approve", "measured", "-m", "so that it can be measured")
    repository.sage("plan", "use", "measured")


def times(with_it: list[float], bare: list[float]) -> str:
    """How many times as long it took as without hooks."""
    return f"{ratio(with_it, bare):.2f} times no hooks"


def add_empty_hooks(repository: Repository, *names: str) -> None:
    """Hooks that start a shell and nothing else: what any hook at all costs."""
    for hook in names:
        path = repository.path / ".git" / "hooks" / hook
        path.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        path.chmod(0o755)
