"""What real histories cost, and whether the record of them holds: figures for docs/figures.md. Run by hand.

    python -m benchmarks.real_histories REPOSITORY[@COMMIT]…

Each repository is borrowed from, never written to. A new one begins at its first commit, or the one given, with
`sage-git init`; all the rest of its HEAD's history is merged without hooks and recorded at once. Then the record is
checked against git, taken away and made again, and the last 200 commits of the first-parent line are committed once
more, one by one, with hooks and without.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.following import agreement
from benchmarks.ground import NO_HOOKS, SAGE, Repository, sealed_environment
from benchmarks.measure import heading, show

REPLAYED = 200
_CONFIG = ".sage/config.toml"


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds on the clock, and of all processors for a command and everything that it started and waited for."""

    elapsed: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.elapsed:.2f} s, {self.cpu:.2f} CPU s"


@dataclass(frozen=True, slots=True)
class History:
    """A repository to borrow from, and the commit to begin at; the first one if it is empty."""

    source: Path
    begin: str


def main() -> None:
    """Print what is found of each repository, as it is found."""
    show(heading())
    for asked in sys.argv[1:]:
        path, _, since = asked.partition("@")
        with TemporaryDirectory(prefix="sage-real-") as ground:
            show(f"\n## {asked}\n")
            for line in findings(History(Path(path).resolve(), since), Path(ground)):
                show(f"* {line}")
    show(f"\n{heading()}")


def findings(history: History, ground: Path) -> Iterator[str]:
    """Everything that is measured and checked of one history."""
    repository, since = early_start(history, ground / "here")
    before = refs(repository)
    commits, merges = (repository.count(*which, f"{since}..HEAD") for which in ((), ("--merges",)))
    yield f"history: {commits:,} commits, {merges:,} of them merges"
    streaming = used(repository, "git", "log", "--raw", "-M", "-z", "--format=%H", f"{since}..HEAD")
    yield f"git log --raw -M: {streaming}"
    recording = used(repository, SAGE, "record")
    yield f"record: {recording}: {commits / recording.elapsed:,.0f} commits/s, {commits / recording.cpu:,.0f} a CPU s"
    yield sizes(repository)
    yield from soundness(repository, before)
    yield from moves(repository)
    found = agreement(repository, since)
    alike = f"{found.same} of {found.files} files alike, merges left out"
    yield f"git log --follow: {alike}; {found.commits:,} commits in both"
    for cause, count in found.causes.most_common():
        yield f"  {count:,} {cause.value}, as {found.examples[cause][0]}"
    yield from made_elsewhere(history, ground / "elsewhere", commits)
    yield from replays(repository)


def early_start(history: History, target: Path, refs: str = "+HEAD:refs/heads/theirs") -> tuple[Repository, str]:
    """A repository with a record since an early commit, which is named too, and the rest merged but not observed."""
    repository = Repository(target, sealed_environment(target.parent / "home"))
    target.mkdir(parents=True)
    repository.git("init", "--quiet")
    objects = Repository(history.source, repository.environment).git("rev-parse", "--git-path", "objects")
    alternates = repository.path / ".git" / "objects" / "info" / "alternates"
    alternates.write_text(f"{history.source / objects}\n")
    tip = repository.git("ls-remote", str(history.source), "HEAD").split()[0]
    since = history.begin or repository.git("rev-list", "--first-parent", tip).splitlines()[-1]
    repository.git("checkout", "--quiet", "-B", "recorded", since)
    repository.sage("init")  # before the rest has a branch, for a branch of that day would count as backfill
    repository.git("remote", "add", "origin", str(history.source))
    repository.git("fetch", "--quiet", "--no-tags", "origin", refs)
    repository.git(*NO_HOOKS, "merge", "--quiet", "--no-edit", tip)
    return repository, since


def used(repository: Repository, *command: str) -> Usage:
    """What one command took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    elapsed = repository.time(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def sizes(repository: Repository) -> str:
    """Bytes per event, of the line itself and of all that is kept."""
    with closing(sqlite3.connect(repository.record / "index.sqlite")) as index:
        events, lines = index.execute("SELECT count(*), sum(length(line) + 1) FROM events").fetchone()
    store = [path for part in ("store.git", "private.git", "tail.ndjson") for path in _files(repository.record / part)]
    kept = {
        "line": lines,
        "sidecars": _bytes(sidecars(repository)),
        "index": _bytes(repository.record.glob("index.sqlite*")),
        "store and tail": _bytes(store),
    }
    per_event = ", ".join(f"{what} {size / max(1, events):,.0f}" for what, size in kept.items())
    return f"{events:,} events; bytes per event: {per_event}; {len(sidecars(repository)):,} sidecars"


def soundness(repository: Repository, before: str) -> Iterator[str]:
    """Whether the repository is as it was, the record agrees with itself, and all that can be made again is."""
    status = repository.git("status", "--porcelain")
    yield f"git status --porcelain: {'empty' if not status else status[:200]}"
    yield f"refs: {'as before' if refs(repository) == before else 'CHANGED'}"
    fsck = repository.run("sh", "-c", f"{SAGE} fsck; echo exit $?").decode().strip().splitlines()
    yield f"sage-git fsck: {'; '.join(fsck[-3:])}"
    written = digest(repository)
    for file in (*sidecars(repository), *repository.record.glob("index.sqlite*")):
        file.unlink()
    again = used(repository, SAGE, "record")
    same = "the same" if digest(repository) == written else "OTHER"
    yield f"sidecars and index deleted, record again: {again}, {same} lines in every sidecar"


def replays(repository: Repository) -> Iterator[str]:
    """What hooks add to each of the last commits of the first-parent line when they are made one by one."""
    trees = list(_trees(repository))
    plain = Repository(repository.path.with_name("plain"), repository.environment)
    repository.git("clone", "--quiet", "--shared", str(repository.path), str(plain.path))
    for mode, environment in (("in the background", {}), ("SAGE_SYNC=1", {"SAGE_SYNC": "1"})):
        hooked = replace(repository, environment=repository.environment | environment)
        without, with_hooks = _replay(plain, hooked, trees)
        added = sorted(1000 * (b - a) for a, b in zip(without, with_hooks, strict=True))
        yield (
            f"{len(added)} commits replayed, recorded {mode}: {1000 * median(without):.1f} ms without hooks, added "
            f"median {median(added):.1f} ms, p95 {quantiles(added, n=20)[-1]:.1f} ms"
        )


def _replay(plain: Repository, hooked: Repository, trees: Sequence[tuple[str, str]]) -> tuple[list[float], list[float]]:
    """Seconds of each commit without hooks and with them, in turns; recorders that are at work are awaited."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number, (commit, tree) in enumerate(trees):
        for repository, seconds in zip((plain, hooked), taken, strict=True):
            repository.git("read-tree", "-m", "-u", "HEAD", tree)
            if repository.git("diff", "--cached", "--name-only", "HEAD"):
                spent = repository.time("git", "commit", "--quiet", "--no-gpg-sign", "-C", commit)
                if number:  # the first goes back to where the replay starts
                    seconds.append(spent)
        hooked.sage("record")
    return taken


def _trees(repository: Repository) -> Iterator[tuple[str, str]]:
    """The commits to replay with what their trees are beside our own configuration; before them, where they start."""
    wanted = repository.git("rev-list", "--first-parent", "--no-merges", f"-n{REPLAYED + 1}", "theirs").split()[::-1]
    config = repository.git("rev-parse", f"HEAD:{_CONFIG}")
    index = Repository(repository.path, repository.environment | {"GIT_INDEX_FILE": str(repository.record / "replay")})
    for commit in wanted:
        index.git("read-tree", commit)
        index.git("update-index", "--add", "--cacheinfo", f"100644,{config},{_CONFIG}")
        yield commit, index.git("write-tree")


def made_elsewhere(history: History, target: Path, commits: int) -> Iterator[str]:
    """The same history where a remote-tracking ref has it, so that nothing of it enters this clone's own log."""
    repository, _ = early_start(history, target, "+HEAD:refs/remotes/origin/main")
    recording = used(repository, SAGE, "record")
    tail = _bytes(_files(repository.record / "tail.ndjson"))
    rate = f"{commits / recording.elapsed:,.0f} commits/s, {commits / recording.cpu:,.0f} a CPU s"
    yield f"record of commits made elsewhere: {recording}: {rate}; own log {tail:,} bytes"


def moves(repository: Repository, count: int = 15) -> Iterator[str]:
    """Some FILE_SPLIT and FILE_MERGED, from all over the history, for a person to judge."""
    with closing(sqlite3.connect(repository.record / "index.sqlite")) as index:
        rows = index.execute(
            "SELECT json_extract(line, '$.graphCommit'), type, coalesce(json_extract(line, '$.originalPath'),"
            " json_extract(line, '$.sourcePaths')), coalesce(json_extract(line, '$.resultPath'),"
            " json_extract(line, '$.resultingPaths')) FROM events WHERE type IN ('FILE_SPLIT', 'FILE_MERGED')"
            " ORDER BY event_id"
        ).fetchall()
    yield f"{len(rows):,} splits and merges of files"
    for commit, kind, before, after in rows[:count]:
        yield f"  {commit[:12]} {kind} {before} → {after}"


def refs(repository: Repository) -> str:
    """Every ref and what it names."""
    return repository.git("for-each-ref")


def digest(repository: Repository) -> str:
    """One hash of the sidecars' names and lines, whatever order the lines are in."""
    whole = sha256()
    for path in sidecars(repository):
        whole.update(str(path).encode())
        whole.update(b"\n".join(sorted(path.read_bytes().splitlines(keepends=True))))
    return whole.hexdigest()


def sidecars(repository: Repository) -> list[Path]:
    """The sidecars in the work tree."""
    return sorted(path for path in repository.path.rglob("*.sage") if path.is_file())


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _bytes(paths: Iterator[Path] | Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


if __name__ == "__main__":
    main()
