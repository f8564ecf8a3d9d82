"""What sage-git says and shows of a clone, to be compared with what `tests.oracle` derives."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.kit import GitRepository, run_here
from tests.oracle import FACTS_AND_VERDICTS, Event, Oracle, head_of

BESIDE_THE_EVENT = ("chronicle", "inHead", "open", "incomplete")


def sage(where: Path, *arguments: str) -> str:
    """The standard output of `sage-git -C where …`, run in this process."""
    finished = run_here("-C", str(where), *arguments)
    assert finished.returncode == 0, f"sage-git {arguments} exited with {finished.returncode}: {finished.stderr}"
    return finished.stdout


def keep_record(repository: GitRepository, *options: str) -> None:
    """Begin the record there, or join it, and leave the hooks off: `log`, `status` and the like record first."""
    sage(repository.path, "init", *options)
    repository.git("config", "core.hooksPath", "/dev/null")


def two_clones(folder: Path) -> tuple[GitRepository, GitRepository]:
    """A repository `first` with a record and a recorded commit, and a clone of it, `second`, that has joined."""
    first = GitRepository.create(folder / "first")
    keep_record(first)
    first.commit("begin", **{"foo.py": "x = 1\n"})
    sage(first.path, "record")
    second = first.clone("second")
    keep_record(second)
    return first, second


def logged(where: Path) -> list[Event]:
    """Every event that `sage-git log` knows here, as they are in the record."""
    lines = sage(where, "log", "--all", "--json").split("\n")[:-1]
    return [{k: v for k, v in json.loads(line).items() if k not in BESIDE_THE_EVENT} for line in lines]


def facts_and_verdicts(events: Iterable[Event]) -> list[Event]:
    """Those that a commit alone explains, by id."""
    kept = [e for e in events if e["type"] in FACTS_AND_VERDICTS and "graphCommit" in e]
    return sorted(kept, key=lambda event: str(event["eventId"]))


def sidecars_on_disk(worktree: Path) -> dict[bytes, list[bytes]]:
    """Path of each sidecar of a source → its lines; `.sage/NAME.sage` of subjects left out."""
    found = {}
    for folder, folders, files in os.walk(os.fsencode(worktree)):
        nested = [name for name in folders if os.path.lexists(os.path.join(folder, name, b".git"))]
        folders[:] = [name for name in folders if name != b".git" and name not in nested]
        for name in files:
            path = Path(os.fsdecode(folder), os.fsdecode(name))
            relative = os.fsencode(path.relative_to(worktree))
            if name.endswith(b".sage") and not is_subject(relative):
                found[relative] = path.read_bytes().split(b"\n")[:-1]
    return found


def is_subject(sidecar: bytes) -> bool:
    return re.fullmatch(rb"\.sage/[a-z][a-z0-9-]{0,63}\.sage", sidecar) is not None


def assert_recorded_exactly(oracle: Oracle, *worktrees: Path, statements: Iterable[Event] = ()) -> None:
    """The record and the sidecars of each worktree are what the oracle says: nothing missing, nothing more, once."""
    expected, found = facts_and_verdicts(oracle.events()), facts_and_verdicts(logged(worktrees[0]))
    assert found == expected, difference(expected, found)
    for worktree in worktrees:
        assert_sidecars(oracle, worktree, statements)


def assert_sidecars(oracle: Oracle, worktree: Path, statements: Iterable[Event] = ()) -> None:
    """The sidecars of a worktree hold the lines that the oracle says, each once.

    A source that HEAD has and the work tree lacks (deleted and not committed, sparse) may do without one.
    """
    shown = sidecars_on_disk(worktree)
    head = head_of(worktree)
    wanted = oracle.sidecars(head, statements)
    optional = {path for path in wanted if not has_source(worktree, path.removesuffix(b".sage"))}
    needed = [path for path in wanted if path in shown or path not in optional]
    missing, extra = sorted(set(needed) - set(shown)), sorted(set(shown) - set(needed))
    assert (missing, extra) == ([], []), f"sidecars missing: {missing}, too many: {extra}"
    for path, lines in shown.items():
        assert sorted(lines) == sorted(wanted[path]), f"{path!r}: {difference(parsed(wanted[path]), parsed(lines))}"


def has_source(worktree: Path, path: bytes) -> bool:
    try:
        return os.path.lexists(os.path.join(os.fsencode(worktree), path))
    except OSError:
        return False


def parsed(lines: Iterable[bytes]) -> list[Event]:
    return [json.loads(line) for line in lines]


def difference(expected: Iterable[Event], found: Iterable[Event]) -> str:
    """What is expected and not found, and what is found and not expected, the first few of each."""
    wanted, got = ([json.dumps(event, sort_keys=True) for event in events] for events in (expected, found))
    missing = [event for event in wanted if event not in got]
    extra = [event for event in got if event not in wanted or got.count(event) > 1]
    return "\n".join([f"{len(missing)} missing:", *missing[:4], f"{len(extra)} too many:", *extra[:4]])


def config_of(repository: Path) -> dict[str, Any]:
    """The committed config, as written in the work tree."""
    return tomllib.loads((repository / ".sage/config.toml").read_text())
