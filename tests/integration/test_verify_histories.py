"""`verify` on histories that no sane team would make: it agrees with `status`, and has nothing against the record."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from tests.generate import Histories
from tests.kit import GitRepository, run_sage
from tests.verified import approve, verified


def open_by_status(path: Path) -> set[tuple[str, str]]:
    edits = json.loads(run_sage("status", "--json", cwd=path).stdout)["openRogueEdits"]
    return {(edit["commit"], edit["filePath"]) for edit in edits}


def grown(path: Path, seed: int, commits: int) -> bool:
    """True if a history of the seed, in which something was approved or not, has a tip with a config."""
    repository = GitRepository.create(path)
    histories = Histories(path, Random(seed))
    repository.git("reset", "--hard", "--quiet", histories.grow(5)[-1])
    assert run_sage("init", cwd=path).returncode == 0
    if seed % 2:
        approve(path, "p1", ["**"])
    histories.adopt(repository.head)
    tips = histories.grow(commits)
    recorded = [tip for tip in tips if repository.run("cat-file", "-e", f"{tip}:.sage/config.toml").returncode == 0]
    if recorded:
        repository.git("reset", "--hard", "--quiet", recorded[-1])
        assert run_sage("record", cwd=path).returncode == 0
    return bool(recorded)


def check(path: Path, seed: int, commits: int) -> None:
    if not grown(path, seed, commits):
        return
    found = verified(path, "--complete")
    assert {finding["code"] for finding in found["findings"]} <= {"open-edit"}
    opened = {(finding["commit"], finding["path"]) for finding in found["findings"]}
    assert opened == open_by_status(path)
    names = [finding["eventId"] for finding in found["findings"]]
    if names:
        assert run_sage("reconcile", *names, "-m", "looked at, and right", cwd=path).returncode == 0
    found = verified(path, "--complete")
    assert {finding["code"] for finding in found["findings"]} <= {"open-edit"}
    assert {(finding["commit"], finding["path"]) for finding in found["findings"]} == open_by_status(path)


@pytest.mark.parametrize("seed", [2, 7, 12])
def test_a_wild_history_verifies_but_for_what_is_open(tmp_path, seed):
    check(tmp_path / "wild", seed, 80)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_many_wild_histories_verify(tmp_path):
    for seed in range(100, 200):
        check(tmp_path / str(seed), seed, 150)
