"""Clones that exchange logs by every path there is: a forge, a sibling's folder, a stick, the pre-push hook."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import GitRepository
from tests.peers.clones import Clone, Village, refs
from tests.peers.forging import git, is_signed, read_log, root_of


def knows(clone: Clone, words: str) -> bool:
    """Known, and shown in the sidecar."""
    shown = b"".join(clone.sidecars().get(".sage/actions.sage", []))
    return clone.says(words) and words.encode() in shown


def test_what_one_says_the_other_knows_through_the_remote(village):
    alice, bob = village["alice"], village["bob"]
    alice.ok("note", "action", "-m", "hello bob")
    (sent,) = alice.sync("origin")
    assert (sent["peer"], sent["state"], sent["refused"]) == ("origin", "current", [])
    assert sent["sent"] >= 1
    (received,) = bob.sync("origin")
    assert (received["received"], received["sent"]) == (1, 0)
    assert knows(bob, "hello bob")
    (again,) = bob.sync("origin")
    assert (again["received"], again["sent"]) == (0, 0)


def test_what_is_published_is_what_the_format_says(village):
    """The tree of the ref, and the checkpoint, by an independent reading of SPEC 4.4 and 11."""
    alice = village["alice"]
    log = read_log(village.remote, alice.writer)
    assert log.leaves
    assert len(log.leaves) == len(log.bodies)
    note = subprocess.run(
        ["git", "--git-dir", village.remote, "cat-file", "blob", f"refs/sage/writers/{alice.writer}:checkpoint"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    origin = f"sage/{alice.id}/{alice.writer}"
    assert is_signed(note, origin, alice.writer)
    expected = checkpoint_text(origin, log.leaves)
    assert note.startswith(expected)
    assert {event["eventId"] for event in alice.events()} >= {json.loads(leaf)["eventId"] for leaf in log.leaves}


def checkpoint_text(origin: str, leaves: list[bytes]) -> bytes:
    return f"{origin}\n{len(leaves)}\n{base64.b64encode(root_of(leaves)).decode()}\n\n".encode()


def test_clones_meet_by_their_paths_without_a_remote(village):
    alice, bob = village["alice"], village["bob"]
    alice.ok("peer", "add", "bob", str(bob.path))
    bob.ok("peer", "add", "alice", str(alice.path))
    alice.ok("note", "action", "-m", "by path")
    alice.ok("sync", "bob")
    bob.ok("sync", "alice")
    assert knows(bob, "by path")
    assert "by path" not in git(village.remote, "log", "--all", "-p", "-m")
    for clone in (alice, bob):
        assert "refs/sage" not in git(clone.path / ".git", "for-each-ref")


def test_clones_meet_by_a_bundle_on_a_stick(village, tmp_path):
    alice, bob, stick = village["alice"], village["bob"], tmp_path / "stick.bundle"
    alice.ok("note", "action", "-m", "from alice")
    bob.ok("note", "action", "-m", "from bob")
    for clone in (alice, bob, alice):
        clone.ok("sync", "--bundle", str(stick))
    assert knows(alice, "from bob")
    assert knows(bob, "from alice")
    done = subprocess.run(
        ["git", "bundle", "list-heads", stick], cwd=alice.path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()[1::2]) == {f"refs/sage/writers/{clone.writer}" for clone in (alice, bob)}


def test_a_clone_that_has_nothing_of_its_own_learns_all(village):
    carol = village.join("carol")
    carol.ok("sync", "origin")
    for name in ("alice", "bob"):
        assert knows(carol, f"{name} was here")
    assert carol.log() == village["alice"].log()


def test_logs_go_from_hand_to_hand(village):
    """Carol never meets Alice, and nobody meets the remote."""
    alice, bob, carol = village["alice"], village["bob"], village.join("carol")
    alice.ok("note", "action", "-m", "pass it on")
    for clone, peer in ((bob, alice), (carol, bob)):
        peer.ok("sync", "--bundle", str(village.folder / f"of-{peer.writer}.bundle"))
        clone.ok("peer", "add", "neighbour", str(peer.path))
        clone.ok("sync", "neighbour")
    assert knows(carol, "pass it on")


def test_sync_without_a_name_meets_everybody_it_knows(village):
    alice, bob = village["alice"], village["bob"]
    bob.ok("peer", "add", "alice", str(alice.path))
    alice.ok("note", "action", "-m", "to all")
    alice.ok("sync")
    assert {outcome["peer"] for outcome in bob.sync()} == {"origin", "alice"}


def test_fetching_only_gives_nothing(village):
    alice, bob = village["alice"], village["bob"]
    bob.ok("note", "action", "-m", "kept for now")
    alice.ok("note", "action", "-m", "for bob")
    alice.ok("sync", "origin")
    before = refs(village.remote)
    bob.ok("sync", "origin", "--fetch-only")
    assert refs(village.remote) == before
    assert knows(bob, "for bob")


def test_who_cannot_be_reached_is_said_and_the_others_are_met(village, tmp_path):
    alice, bob = village["alice"], village["bob"]
    bob.ok("peer", "add", "nobody", str(tmp_path / "nowhere"))
    done = bob.sage("sync", "--json", "nobody")
    assert done.returncode == 4
    assert json.loads(done.stdout)["state"] == "unreachable"
    alice.ok("note", "action", "-m", "in spite of it")
    alice.ok("sync", "origin")
    done = bob.sage("sync")
    assert "nobody" in done.stdout
    assert knows(bob, "in spite of it")


def test_a_remote_that_is_given_by_a_relative_path_is_found_from_any_folder(village):
    bob = village["bob"]
    bob.git("config", "remote.origin.url", "../remote.git")
    village["alice"].ok("note", "action", "-m", "relatively")
    village["alice"].ok("sync", "origin")
    (bob.path / "deep/er").mkdir(parents=True)
    bob.ok("-C", "deep/er", "sync", "origin")
    assert knows(bob, "relatively")


def test_a_linked_worktree_syncs_for_its_clone(village):
    bob = village["bob"]
    linked = bob.repository.worktree("linked")
    village["alice"].ok("note", "action", "-m", "for both")
    village["alice"].ok("sync", "origin")
    other = Clone(linked.path, bob.repository._clock)
    other.ok("sync", "origin")
    assert "for both" in (linked.path / ".sage/actions.sage").read_text()
    bob.ok("record")
    assert knows(bob, "for both")


def test_a_push_publishes_the_log(village):
    alice, bob = village["alice"], village["bob"]
    alice.git("config", "--unset", "core.hooksPath")
    alice.ok("init")
    commit = alice.repository.commit("pushed", **{"foo.py": "pushed = 1\n"})
    assert commit not in str(read_log(village.remote, alice.writer).bodies)
    alice.git("push", "-q", "origin", "main")
    assert commit in str(read_log(village.remote, alice.writer).bodies)
    bob.git("pull", "-q", "--rebase")
    bob.ok("sync", "origin", "--fetch-only")
    assert commit in {event.get("graphCommit") for event in bob.events()}


def test_a_push_does_not_fail_over_a_log_that_cannot_be_published(village):
    alice = village["alice"]
    alice.git("config", "--unset", "core.hooksPath")
    alice.ok("init")
    hook = village.remote / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/sage/*) echo no logs here >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    commit = alice.repository.commit("pushed", **{"foo.py": "pushed = 1\n"})
    alice.git("push", "-q", "origin", "main")
    assert git(village.remote, "rev-parse", "main").strip() == commit


def test_a_remote_that_takes_no_logs_is_said_to_be_behind(village):
    alice = village["alice"]
    hook = village.remote / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/sage/*) echo no logs here >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    alice.ok("note", "action", "-m", "unwanted")
    done = alice.sage("sync", "--json", "origin")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (1, "behind")


def test_logs_longer_than_a_segment_are_exchanged(village):
    alice, bob = village["alice"], village["bob"]
    path = alice.path / ".sage/steps.sage"
    program = (
        "import sys, sage_git\n"
        "for n in range(int(sys.argv[2]), int(sys.argv[3])):\n"
        "    sage_git.append_event(sys.argv[1], {'type': 'AGENT_ACTION', 'action': f'step {n}',\n"
        "        'timestamp': '2026-01-02T03:04:05.678Z', 'actor': {'agent': 't', 'id': 't'}})\n"
    )
    for start, end in ((0, 300), (300, 310), (310, 600)):
        subprocess.run([sys.executable, "-c", program, path, str(start), str(end)], check=True)
        alice.ok("sync", "origin")
        bob.ok("sync", "origin")
        steps = [event["action"] for event in bob.events() if event.get("action", "").startswith("step")]
        assert sorted(steps) == sorted(f"step {n}" for n in range(end))
    assert alice.log() == bob.log()
    assert alice.sidecars() == bob.sidecars()


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_both_object_formats_are_exchanged(tmp_path, object_format):
    first = GitRepository.create(tmp_path / "village/alice", f"--object-format={object_format}")
    first.commit("before", **{"foo.py": "x = 1\n"})
    first.git("clone", "-q", "--bare", ".", str(tmp_path / "village/remote.git"))
    first.git("remote", "add", "origin", str(tmp_path / "village/remote.git"))
    village = Village(tmp_path / "village", "alice")
    alice = village["alice"]
    alice.ok("init")
    alice.git("config", "core.hooksPath", "/dev/null")
    alice.repository.commit("work", **{"foo.py": "x = 2\n"})
    alice.git("push", "-q", "-u", "origin", "main")
    alice.ok("note", "action", "-m", "in any format")
    alice.ok("sync", "origin")
    bob = village.join("bob")
    bob.ok("sync", "origin")
    assert knows(bob, "in any format")
    assert alice.log() == bob.log()


def test_a_plan_is_known_to_the_other_within_two_seconds(village):
    """`sync --watch` of both, in processes of their own, while Alice drafts a plan."""
    alice, bob = village["alice"], village["bob"]
    plans = bob.path / ".sage/plans.sage"
    with watching(alice), watching(bob):
        alice.ok("plan", "draft", "--id", "p", "--summary", "of alice", "--scope", "*.py")
        began = time.monotonic()
        while not (plans.exists() and "of alice" in plans.read_text()):
            assert time.monotonic() - began < 20, "it never came"
            time.sleep(0.02)
        took = time.monotonic() - began
    assert took < 2 or os.getloadavg()[0] > 2, f"it took {took:.1f} s"


@contextmanager
def watching(clone: Clone) -> Iterator[None]:
    """A `sync --watch` that has caught up once."""
    command = [sys.executable, "-P", "-m", "sage_git", "-C", str(clone.path), "sync", "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = next((line for line in process.stdout if "caught up" in line), None)
            assert said, process.communicate()[1]
            yield
        finally:
            process.terminate()


def test_peers_are_kept_listed_and_forgotten(village, tmp_path):
    bob = village["bob"]
    bob.ok("peer", "add", "usb", str(tmp_path / "stick.bundle"), "--trusted")
    assert "usb" in bob.ok("peer")
    assert "usb" in bob.ok("peer", "list")
    kept = json.loads((bob.directory / "peers.json").read_text())
    assert kept["peers"]["usb"] == {"url": str(tmp_path / "stick.bundle"), "trusted": True}
    bob.ok("peer", "allow", village["alice"].writer, "--name", "alice")
    assert village["alice"].writer in json.loads((bob.directory / "peers.json").read_text())["allowed"]
    bob.ok("peer", "deny", village["alice"].writer)
    bob.ok("peer", "remove", "usb")
    kept = json.loads((bob.directory / "peers.json").read_text())
    assert (kept["peers"], kept["allowed"]) == ({}, {})
    assert bob.writer in bob.ok("peer", "key")
    assert bob.sage("peer", "remove", "usb").returncode in (2, 3)


def test_a_restored_backup_goes_on_under_a_new_key_and_loses_nothing(village, tmp_path):
    alice, bob = village["alice"], village["bob"]
    backup = tmp_path / "backup"
    shutil.copytree(bob.directory, backup)
    bob.ok("note", "action", "-m", "after the backup")
    bob.ok("sync", "origin")
    old = bob.writer
    shutil.rmtree(bob.directory)
    shutil.copytree(backup, bob.directory)
    bob.ok("note", "action", "-m", "after the disaster")
    (met,) = bob.meet("origin")
    assert [refused["code"] for refused in met["refused"]] == ["own-log-elsewhere"]
    alice.ok("sync", "origin")
    bob.ok("sync", "origin")
    assert bob.writer != old
    for clone in (alice, bob):
        for words in ("after the backup", "after the disaster"):
            assert clone.log().count(words) == 1
        assert not (clone.directory / "equivocations").exists()
    assert alice.log() == bob.log()


def test_two_copies_of_one_clone_part_ways_without_a_quarrel(village, tmp_path):
    """A copied clone has the key as well; whoever publishes second makes a new one."""
    bob = village["bob"]
    copy = Clone(Path(shutil.copytree(bob.path, village.folder / "copy", symlinks=True)), bob.repository._clock)
    bob.ok("note", "action", "-m", "said in the original")
    copy.ok("note", "action", "-m", "said in the copy")
    for clone in (bob, copy, bob, village["alice"], copy, bob):
        clone.meet("origin")
    assert bob.writer != copy.writer
    logs = [clone.log() for clone in (bob, copy, village["alice"])]
    assert logs[0] == logs[1] == logs[2]
    assert all(log.count("said in the original") == 1 and log.count("said in the copy") == 1 for log in logs)


def test_what_happened_in_the_same_instant_stands_in_the_same_order_everywhere(village):
    """Commits and statements of both, all dated alike."""
    both = village["alice"], village["bob"]
    for name, clone in zip(("alice", "bob"), both, strict=True):
        clone.repository._clock = iter([5000] * 20)
        clone.git("checkout", "-q", "-b", f"of-{name}")
        clone.repository.commit(f"of {name}", **{"foo.py": f"{name} = 1\n", f"{name}.py": "new = 1\n"})
        clone.ok("note", "action", "-m", f"{name} at noon")
        clone.git("push", "-q", "origin", f"of-{name}")
    for clone in both:
        clone.git("fetch", "-q", "origin")
        clone.git("checkout", "-q", "--detach", "origin/of-alice")
        clone.git("checkout", "-q", "--detach", "origin/of-bob")
    village.settle()
    assert both[0].log() == both[1].log()
