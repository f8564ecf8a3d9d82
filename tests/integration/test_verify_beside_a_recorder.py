"""`verify` right after a commit, while the recorder is at work: nothing that is about to be written is missing."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from sage_git.operations.recording.recorder import await_recorder

NOW = {"SAGE_SYNC": "", "GIT_AUTHOR_DATE": "", "GIT_COMMITTER_DATE": ""}


def test_verify_waits_for_a_recorder_that_is_at_work(repository, sage):
    repository.commit("first", a="0\n")
    assert sage("init").returncode == 0
    draft = ("plan", "draft", "--id", "p", "--summary", "count", "--scope", "a")
    for words in (draft, ("plan", "approve", "p", "-m", "why not"), ("plan", "use", "p")):
        assert sage(*words).returncode == 0
    for number in range(4):
        repository.write("a", f"{number}\n" * 9)
        repository.git("commit", "--quiet", "--all", "--message", f"count to {number}", env=NOW)
        verified = sage("verify", "--complete")
        assert (verified.returncode, verified.stderr) == (0, ""), verified.stdout


@pytest.mark.parametrize("left", ["", "nonsense\n", "0\n", "-1\n", "DEAD"])
def test_what_a_recorder_left_that_was_killed_holds_nobody_up(tmp_path: Path, left: str):
    if left == "DEAD":
        process = subprocess.Popen(["true"])
        process.wait()
        left = f"{process.pid}\n"
    (tmp_path / "recording").write_text(left)
    began = time.monotonic()
    await_recorder(tmp_path, 60)
    assert time.monotonic() - began < 10


def test_patience_with_a_recorder_ends(tmp_path: Path):
    (tmp_path / "recording").write_text(f"{os.getppid()}\n")
    began = time.monotonic()
    await_recorder(tmp_path, 0.05)
    assert 0.05 <= time.monotonic() - began < 10
