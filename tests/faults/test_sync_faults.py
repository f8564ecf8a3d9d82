"""A sync that is killed, refused or cut off at a system call of it, of its git, or of git on the other side.

Bob has something to give and something to get. After the next sync his record, and what the remote has, are those of a
twin whom nobody disturbed; and `fsck` and git find nothing wrong.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.injection import FULL, KILL, ROOT, Fault, Outcome, needs_strace, run
from tests.faults.strike_at import Effect
from tests.faults.striking import Struck, needs_ptrace, struck_everywhere, struck_run
from tests.peers.clones import Clone, Village
from tests.peers.forging import git, read_log

ON_OUR_FILES = ("openat", "write", "pwrite64", "read", "ftruncate")
OURS = (
    "",
    "tail.ndjson",
    ".new.tail.ndjson",
    "index.sqlite",
    "index.sqlite-wal",
    "log.lock",
    "record.lock",
    "sync.lock",
)


@pytest.fixture(scope="module")
def outstanding(tmp_path_factory) -> Village:
    """Alice has published what Bob does not know, and Bob has said what nobody knows."""
    village = Village.founded(tmp_path_factory.mktemp("faults") / "village", "alice", "bob")
    alice, bob = village["alice"], village["bob"]
    for number in range(3):
        alice.ok("note", "action", "-m", f"alice {number}")
        bob.ok("note", "action", "-m", f"bob {number}")
    alice.repository.commit("alice works", **{"foo.py": "alice = 1\n"})
    alice.git("push", "-q", "origin", "main")
    alice.ok("sync", "origin")
    bob.git("pull", "-q", "--rebase")
    bob.repository.commit("bob works", **{"bar.py": "bob = 1\n"})
    bob.git("push", "-q", "origin", "main")
    bob.ok("record")
    return village


def state(village: Village) -> tuple[str, dict[str, list[bytes]], dict[str, tuple[list[bytes], list[bytes]]]]:
    """What Bob knows and shows, and what the remote has of each writer."""
    bob = village["bob"]
    logs = {writer: read_log(village.remote, writer) for writer in sorted(bob.writers())}
    return bob.log(), bob.sidecars(), {writer: (log.leaves, log.bodies) for writer, log in logs.items()}


def synced(clone: Clone) -> None:
    done = run("sync_once.py", clone.path)
    assert done.status == 0, done


def assert_sound(village: Village) -> None:
    """Nobody finds anything wrong: git in any repository, `fsck`, or `verify` of the log."""
    bob = village["bob"]
    for bare in (village.remote, bob.store, bob.directory / "private.git"):
        if bare.exists():
            git(bare, "fsck", "--strict", "--no-dangling")
    assert bob.sage("fsck").returncode == 0, bob.sage("fsck").stdout
    report = json.loads(bob.sage("verify", "--json", "--allow-unchecked").stdout)
    wrong = [each for each in report["findings"] if each["severity"] != "note" and each["code"] != "open-edit"]
    assert wrong == []


@pytest.fixture(scope="module")
def twin(outstanding, tmp_path_factory):
    """How it all is after a sync that nobody disturbs."""
    village = outstanding.moved(tmp_path_factory.mktemp("twin") / "village")
    synced(village["bob"])
    assert_sound(village)
    return state(village)


def assert_made_up_for(village: Village, outcome: Outcome | Struck, expected) -> None:
    """The next sync makes it all as the twin has it; so did the one that was struck, if it says so."""
    bob = village["bob"]
    assert "Traceback" not in outcome.errors
    assert outcome.was_killed or outcome.status in range(5)
    if outcome.status == 0:
        assert state(village) == expected, "said it was done"
    for left in village.remote.glob("refs/**/*.lock"):  # by a git that was killed, and git never takes it away
        assert "delete the .lock" in bob.sage("sync", "--json", "origin").stdout
        left.unlink()
    bob.sync("origin")
    bob.sync("origin")
    assert state(village) == expected, outcome
    assert_sound(village)


@needs_strace
@pytest.mark.parametrize(
    "fault", [Fault("rename", KILL, 1), Fault("write", FULL, 1), Fault("pwrite64", KILL, 3)], ids=str
)
def test_a_sync_that_is_struck_is_made_up_for_by_the_next(outstanding, twin, tmp_path, fault):
    village = outstanding.moved(tmp_path / "here")
    bob = village["bob"]
    watched = [bob.directory / name for name in OURS] if fault.call in ON_OUR_FILES else []
    outcome = run("sync_once.py", bob.path, fault=fault, watched=watched)
    assert_made_up_for(village, outcome, twin)
    assert outcome.struck, "the fault never struck"


def strike(outstanding: Village, folder: Path, effect: Effect, nth: int) -> Struck:
    """Have Bob sync in `folder`, and strike at the nth thing that this does."""
    return struck_run("sync_once.py", outstanding.moved(folder)["bob"].path, effect, nth)


@needs_ptrace
@pytest.mark.parametrize("effect, nth", [(Effect.KILL_ONE, 5), (Effect.KILL_ALL, 700)])
def test_a_sync_that_is_struck_on_either_side_is_made_up_for_by_the_next(outstanding, twin, tmp_path, effect, nth):
    outcome = strike(outstanding, tmp_path / "here", effect, nth)
    assert_made_up_for(Village(tmp_path / "here", *outstanding.clones, minute=3000), outcome, twin)
    assert outcome.call, "it did less"


@needs_ptrace
@pytest.mark.soak
@pytest.mark.parametrize("effect", Effect)
def test_nothing_that_a_sync_does_on_either_side_is_a_bad_place_to_be_struck(outstanding, twin, tmp_path, effect):
    def strike_at(folder: Path, nth: int) -> Struck:
        return strike(outstanding, folder, effect, nth)

    def recover(folder: Path, outcome: Struck) -> None:
        assert_made_up_for(Village(folder, *outstanding.clones, minute=3000), outcome, twin)

    print(f"{effect.value}:", struck_everywhere(strike_at, recover, tmp_path))


@pytest.mark.parametrize(
    "limit_bytes", [512, pytest.param(100, marks=pytest.mark.soak), pytest.param(5_000, marks=pytest.mark.soak)]
)
def test_a_disk_that_takes_no_more_ends_a_sync_and_loses_nothing(outstanding, twin, tmp_path, limit_bytes):
    """No file may grow beyond the limit: git and SQLite meet it at once, wherever they write."""
    village = outstanding.moved(tmp_path / "here")
    bob = village["bob"]
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("sync_once.py")), str(bob.path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 4), done
    assert "Traceback" not in done.stderr
    synced(bob)
    assert state(village) == twin
    assert_sound(village)


@pytest.mark.soak
def test_a_disk_that_fills_up_at_any_point_of_a_sync_loses_nothing(outstanding, twin, tmp_path):
    """A file system of a few MiB, with ever more of it taken before."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("only root may mount a small disk")
    struck = 0
    try:
        for left in (0, 4, 16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 512):
            village = outstanding.moved(disk / "village")
            bob, filler = village["bob"], disk / "filler"
            free = os.statvfs(disk)
            filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - (left << 10))))
            outcome = run("sync_once.py", bob.path)
            assert "Traceback" not in outcome.errors, f"{left} KiB: {outcome}"
            struck += outcome.status != 0
            filler.unlink()
            synced(bob)
            assert state(village) == twin, f"{left} KiB: {outcome}"
            assert_sound(village)
            shutil.rmtree(disk / "village")
    finally:
        subprocess.run(["umount", disk], check=True)
    assert struck


@pytest.mark.soak
def test_a_sync_that_is_killed_with_all_its_children_at_any_moment_is_made_up_for(outstanding, twin, tmp_path):
    """As when the power goes, but for what the kernel still writes; every 10 ms of a sync."""
    struck = 0
    for after_ms in range(50, 3000, 10):
        village = outstanding.moved(tmp_path / str(after_ms))
        syncing = start(village["bob"])
        try:
            syncing.wait(after_ms / 1000)
        except subprocess.TimeoutExpired:
            os.killpg(syncing.pid, signal.SIGKILL)
            struck += 1
        is_over = syncing.wait() == 0
        syncing.communicate()
        synced(village["bob"])
        assert state(village) == twin, f"{after_ms} ms"
        assert_sound(village)
        shutil.rmtree(village.folder)
        if is_over:
            break
    print(f"killed {struck} times")
    assert struck > 5


def start(clone: Clone, *peers: str) -> subprocess.Popen[str]:
    program = Path(__file__).with_name("sync_once.py")
    return subprocess.Popen(
        [sys.executable, "-P", str(program), str(clone.path), *peers],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def test_syncs_that_meet_one_another_lose_nothing(outstanding, twin, tmp_path):
    """Twice in one clone, and once in the other, at the same time, with the same remote."""
    village = outstanding.moved(tmp_path / "here")
    running = [start(village[name]) for name in ("bob", "bob", "alice")]
    for each in running:
        out, errors = each.communicate(timeout=60)
        assert each.returncode in (0, 1, 4), (out, errors)
        assert "Traceback" not in errors
    for clone in (village["alice"], village["bob"]):
        synced(clone)
    synced(village["bob"])
    log, sidecars, logs = state(village)
    assert (log, sidecars) == twin[:2]
    bob = village["bob"].writer
    assert logs[bob] == twin[2][bob]
    assert_sound(village)


def test_a_sync_while_commits_are_made_loses_nothing(outstanding, tmp_path):
    """Bob commits with his hooks on, and says things, while a sync runs."""
    village = outstanding.moved(tmp_path / "here")
    bob = village["bob"]
    bob.git("config", "--unset", "core.hooksPath")
    bob.sage("init")
    made = []
    for number in range(3):
        syncing = start(bob)
        made.append(bob.repository.commit(f"while syncing {number}", **{"bar.py": f"number = {number}\n"}))
        bob.ok("note", "action", "-m", f"said while syncing {number}")
        out, errors = syncing.communicate(timeout=60)
        assert syncing.returncode == 0, (out, errors)
    bob.git("push", "-q", "origin", "main")
    village.settle()
    alice = village["alice"]
    alice.git("pull", "-q", "--rebase")
    for clone in (bob, alice):
        events = clone.events()
        assert {event["graphCommit"] for event in events if event.get("filePath") == "bar.py"} >= set(made)
        for number in range(3):
            assert sum(event.get("action") == f"said while syncing {number}" for event in events) == 1
    assert alice.log() == bob.log()
    assert_sound(village)
