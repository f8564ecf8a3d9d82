"""Whatever is done to a record or a history, `verify` finds it; where nothing was done, it finds nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from sage_git.operations.verifying.verify import Request, verify
from tests.planted import FAULTS, Copy, Fault, faults
from tests.verified import build, verified

COMMITS = 150
MANY = 3_000


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return build(tmp_path_factory.mktemp("faults") / "history", COMMITS)


def found_in(path: Path) -> set[str]:
    with_notes = verify(path, dict(os.environ), Request(is_complete=True)).findings
    return {finding.code for finding in with_notes if finding.severity.value != "note"}


def plant(history, fault: Fault, seed: int, where: Path) -> set[str]:
    shutil.copytree(history.path, where, symlinks=True)
    fault.plant(Copy(history, where, Random(seed)))
    return found_in(where)


def test_nothing_is_found_where_nothing_was_done(history):
    answer = verified(history.path, "--complete")
    assert (answer["ok"], answer["findings"], answer["unchecked"]) == (True, [], [])
    assert answer["checked"]["commits"] >= COMMITS
    assert answer["checked"]["edits"] >= COMMITS
    assert {each["assurance"] for each in answer["answers"]} == {"claimed"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found(history, tmp_path, fault):
    found = plant(history, fault, FAULTS.index(fault), tmp_path / "copy")
    assert found & fault.codes if fault.codes else found, f"{fault.name}: {found}"


@pytest.mark.parametrize("seed", range(6))
def test_a_changed_byte_is_found(history, tmp_path, seed):
    assert plant(history, FAULTS[seed % 2], 1_000 + seed, tmp_path / "copy")


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_each_of_200_faults_is_found_in_thousands_of_commits(tmp_path):
    history = build(tmp_path / "history", MANY, seed=2)
    assert found_in(history.path) == set()
    missed = []
    for seed, fault in faults(200):
        where = tmp_path / "copy"
        found = plant(history, fault, seed, where)
        if not (found & fault.codes if fault.codes else found):
            missed.append((seed, fault.name, found))
        shutil.rmtree(where)
    assert missed == []
