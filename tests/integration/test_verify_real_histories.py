"""`verify --complete` on a real history: nothing on the untouched one, and each of 200 planted faults is found.

By hand, since what is borrowed from is not ours to keep here:

    SAGE_TEST_HISTORY=/path/to/repository pytest -m soak -s tests/integration/test_verify_real_histories.py

The repository is only read. It needs Python sources under `src/`, some of which were removed on the way.
SAGE_TEST_FAULTS=100:200 plants the second hundred alone, so that several can be at it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.borrowed import borrow
from tests.planted import Copy, Fault, faults
from tests.verified import verified

SOURCE = os.environ.get("SAGE_TEST_HISTORY", "")
FIRST, LAST = map(int, os.environ.get("SAGE_TEST_FAULTS", "0:200").split(":"))


@pytest.mark.soak
@pytest.mark.timeout(7_200)
@pytest.mark.skipif(not SOURCE, reason="SAGE_TEST_HISTORY names no repository")
def test_each_of_200_faults_is_found_in_a_real_history(tmp_path):
    history = borrow(tmp_path / "history", Path(SOURCE))
    began = time.monotonic()
    answer = verified(history.path, "--complete")
    print(f"\n{SOURCE}: {answer['checked']}, verified in {time.monotonic() - began:.1f} s", flush=True)
    assert (answer["ok"], answer["findings"], answer["unchecked"]) == (True, [], [])
    began, missed = time.monotonic(), []
    told: Counter[str] = Counter()
    for seed, fault in islice(faults(LAST), FIRST, LAST):
        codes = planted(history, fault, seed, tmp_path / "copy")
        told.update(codes)
        if not (codes & fault.codes if fault.codes else codes):
            missed.append((seed, fault.name, codes))
            print(f"missed: {missed[-1]}", flush=True)
    print(f"{LAST - FIRST - len(missed)} of {LAST - FIRST} found in {time.monotonic() - began:.0f} s: {dict(told)}")
    assert missed == []


def planted(history, fault: Fault, seed: int, where: Path) -> set[str]:
    """The codes that are told of a copy with the fault in it."""
    shutil.copytree(history.path, where, symlinks=True)
    fault.plant(Copy(history, where, Random(seed)))
    found = {each["code"] for each in verified(where, "--complete")["findings"] if each["severity"] != "note"}
    shutil.rmtree(where)
    return found
