"""A run that appends to the writer log and seals it, killed or refused wherever it or its git does anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sage_git.gitrepo.store import Store
from sage_git.storage.keys import load_key, writer_id
from sage_git.storage.writerlog import WriterLog
from tests.faults.injection import BROKEN, FULL, KILL, Fault, Outcome, needs_strace, run
from tests.faults.log_and_seal import bodies, lines
from tests.faults.strike_at import Effect
from tests.faults.striking import Struck, needs_ptrace, struck_everywhere, struck_run

FRAGMENT = b'{"action":"torn'
ON_OUR_FILES = ("openat", "write", "read", "ftruncate", "unlink")


def prepare_torn(directory: Path) -> None:
    """What a run leaves that was killed when it had written ten lines and a bit."""
    log = WriterLog(directory)
    log.append(lines()[:10])
    with log.path.open("ab") as tail:
        tail.write(FRAGMENT)


def strike(directory: Path, fault: Fault) -> bool:
    """Log and seal under `fault`, look, do it again, look closely; True if the fault struck."""
    names = ("", "tail.ndjson", ".new.tail.ndjson", "writer.key", ".new.writer.key", "writer.json", ".new.writer.json")
    torn = directory / "lost" / "tail.ndjson"
    ours = (
        [*(directory / name for name in (*names, "log.lock")), torn, torn.parent] if fault.call in ON_OUR_FILES else []
    )
    outcome = run("log_and_seal.py", directory, fault=fault, watched=ours)
    assert_made_up_for(directory, outcome)
    return outcome.struck


def assert_made_up_for(directory: Path, outcome: Outcome | Struck) -> None:
    """What a struck run left is a beginning of the log, and the next one makes it whole."""
    if not outcome.was_killed:
        assert outcome.status in (0, 4), outcome
        assert (outcome.status == 4) == (outcome.output.strip() in ("EIO", "EGIT", "EKILLED")), outcome
    writer = writer_id(directory) if directory.exists() else None
    if writer is not None:
        there = list(bodies(directory, writer))
        assert there == lines()[: len(there)], f"what is in the log is not a beginning of it: {outcome}"
        if outcome.status == 0:
            assert len(there) == 300, f"said it was there: {outcome}"

    again = run("log_and_seal.py", directory)
    assert again.status == 0, again
    assert_whole(directory, writer)
    torn = directory / "lost" / "tail.ndjson"
    if torn.exists():
        assert torn.read_bytes() == FRAGMENT + b"\n", f"the fragment is doubled: {outcome}"


def assert_whole(directory: Path, writer_before: str | None) -> None:
    writer = writer_id(directory)
    assert writer is not None
    assert writer_before in (None, writer)
    assert load_key(directory).public_key().public_bytes_raw().hex() == writer
    assert list(bodies(directory, writer)) == lines()
    assert (Store(directory, "sha1", os.environ).length(writer), WriterLog(directory).sealed()) == (256, 256)
    for name in ("store.git", "private.git"):
        subprocess.run(["git", "--git-dir", directory / name, "fsck", "--strict"], check=True, capture_output=True)


@needs_strace
@pytest.mark.parametrize(
    "fault",
    [
        Fault("write", FULL, 2),
        Fault("fsync", KILL, 3),
        Fault("rename", KILL, 2),
        Fault("fsync", BROKEN, 1),
        Fault("wait4", KILL, 6),
    ],
    ids=str,
)
def test_a_log_run_that_is_struck_loses_nothing_and_the_next_doubles_nothing(tmp_path, fault):
    assert strike(tmp_path / "sage", fault), "the fault never struck"


@needs_strace
@pytest.mark.parametrize("fault", [Fault("ftruncate", KILL, 1), Fault("write", FULL, 2)], ids=str)
def test_a_torn_tail_is_kept_once_whatever_strikes_while_it_is_set_aside(tmp_path, fault):
    prepare_torn(tmp_path / "sage")
    assert strike(tmp_path / "sage", fault), "the fault never struck"
    assert (tmp_path / "sage" / "lost" / "tail.ndjson").exists()


@needs_ptrace
@pytest.mark.soak
@pytest.mark.parametrize("is_torn", [False, True], ids=["fresh", "torn"])
@pytest.mark.parametrize("effect", Effect)
def test_nothing_that_a_log_run_does_is_a_bad_place_to_be_struck(tmp_path, effect, is_torn):
    def strike(folder: Path, nth: int) -> Struck:
        if is_torn:
            prepare_torn(folder)
        return struck_run("log_and_seal.py", folder, effect, nth)

    print(f"{effect.value}:", struck_everywhere(strike, assert_made_up_for, tmp_path))
