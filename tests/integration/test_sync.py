"""`sync`, `peer` and the pre-push hook between real clones: what comes, what goes, what stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.kit import GitRepository, run_sage
from tests.published import found, join
from tests.recorded import sage


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository that knows nothing of sage-git."""
    path = tmp_path / "remote.git"
    GitRepository.create(path, "--bare")
    return path


@pytest.fixture
def ada(remote: Path, repository: GitRepository) -> GitRepository:
    return found(repository, remote)


@pytest.fixture
def bob(ada: GitRepository, tmp_path: Path) -> GitRepository:
    return join(ada, tmp_path / "bob")


def synced(clone: GitRepository, *arguments: str) -> list[dict[str, Any]]:
    """What `sync --json` says of each peer."""
    finished = run_sage("sync", "--json", *arguments, cwd=clone.path)
    assert finished.returncode in (0, 1), finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def everything(clone: GitRepository) -> list[str]:
    return sage(clone.path, "log", "--all", "--json").splitlines()


def published(remote: Path) -> list[str]:
    return GitRepository(remote).git("for-each-ref", "--format=%(refname)", "refs/sage").splitlines()


def test_a_push_publishes_the_log_of_who_pushes(ada, remote):
    ada.commit("more", **{"src/a.py": "a = 2\n"})
    ada.git("push", "--quiet")
    key = sage(ada.path, "peer", "key").strip()
    assert published(remote) == [f"refs/sage/writers/{key}"]


def test_a_plan_of_one_is_known_to_the_other_after_both_synced(ada, bob):
    sage(ada.path, "plan", "draft", "--id", "rework", "--scope", "src/**", "--summary", "rework all")
    assert synced(ada)[0]["state"] == "current"
    assert synced(bob)[0]["received"]
    plans = [json.loads(line) for line in sage(bob.path, "plan", "list", "--json").splitlines()]
    assert [plan["planId"] for plan in plans] == ["rework"]
    assert (bob.path / ".sage/plans.sage").read_bytes() == (ada.path / ".sage/plans.sage").read_bytes()


def test_a_second_sync_has_nothing_to_do(ada, bob):
    sage(ada.path, "note", "action", "-m", "look")
    synced(ada), synced(bob)
    for clone in (ada, bob):
        for outcome in synced(clone):
            assert (outcome["state"], outcome["received"], outcome["sent"]) == ("current", 0, 0)


def test_both_see_the_same_once_both_have_synced(ada, bob):
    ada.commit("more", **{"src/a.py": "a = 2\n", "src/b.py": "b = 1\n"})
    ada.git("push", "--quiet")
    bob.git("pull", "--quiet")
    bob.commit("and more", **{"src/b.py": "b = 2\n"})
    sage(bob.path, "note", "action", "-m", "did it")
    bob.git("push", "--quiet")
    ada.git("pull", "--quiet")
    for clone in (ada, bob, ada, bob):
        synced(clone)
    assert everything(ada) == everything(bob)
    for path in ("src/a.py.sage", "src/b.py.sage"):
        lines = [set((clone.path / path).read_bytes().splitlines()) for clone in (ada, bob)]
        assert lines[0] == lines[1]


def test_what_was_not_pushed_is_known_by_its_leaf_alone(ada, bob):
    ada.commit("secret", **{"src/secret.py": "s = 1\n"})
    synced(ada), synced(bob)
    assert not any("secret" in line for line in everything(bob))
    assert sage(bob.path, "verify")


def test_a_trusted_peer_is_given_what_was_not_pushed(ada, bob):
    ada.commit("secret", **{"src/secret.py": "s = 1\n"})
    sage(ada.path, "peer", "add", "bob", str(bob.path), "--trusted")
    sage(bob.path, "peer", "add", "ada", str(ada.path), "--trusted")
    synced(ada), synced(bob)
    assert any("secret" in line for line in everything(bob))


def test_a_private_statement_never_leaves(ada, bob):
    event = json.dumps({"type": "AGENT_ACTION", "actor": {"agent": "me", "id": "me"}, "action": "confess"})
    sage(ada.path, "append", ".sage/diary.sage", "--private", "--event", event)
    synced(ada), synced(bob)
    assert any("confess" in line for line in everything(ada))
    assert not any("confess" in line for line in everything(bob))


def test_two_clones_meet_without_anybody_between(ada, bob):
    sage(ada.path, "note", "action", "-m", "look")
    ada.git("remote", "remove", "origin")
    bob.git("remote", "remove", "origin")
    sage(bob.path, "peer", "add", "ada", str(ada.path))
    synced(ada, str(bob.path))  # has ada's log ready to be read
    (outcome,) = synced(bob)
    assert outcome["state"] == "current"
    assert any('"look"' in line for line in everything(bob))


def test_a_file_carries_logs_there_and_back(ada, bob, tmp_path):
    stick = str(tmp_path / "stick.bundle")
    sage(ada.path, "note", "action", "-m", "from ada")
    sage(bob.path, "note", "action", "-m", "from bob")
    for clone in (ada, bob, ada):
        assert synced(clone, "--bundle", stick)[0]["state"] == "current"
    assert any("from bob" in line for line in everything(ada))
    assert any("from ada" in line for line in everything(bob))


def test_a_copied_clone_goes_on_under_a_key_of_its_own(ada, bob, tmp_path):
    sage(ada.path, "note", "action", "-m", "before")
    synced(ada)
    copy = GitRepository(Path(shutil.copytree(ada.path, tmp_path / "copy", symlinks=True)))
    sage(ada.path, "note", "action", "-m", "original")
    synced(ada)
    sage(copy.path, "note", "action", "-m", "copied")
    old = sage(copy.path, "peer", "key")
    (outcome,) = synced(copy)
    assert [each["code"] for each in outcome["refused"]] == ["own-log-elsewhere"]
    assert sage(copy.path, "peer", "key") != old
    synced(ada)
    for word in ("before", "original", "copied"):
        for clone in (ada, copy):
            assert sum(f'"{word}"' in line for line in everything(clone)) == 1


def test_nobody_there_is_told_and_changes_nothing(ada):
    finished = run_sage("sync", "/nowhere/at/all", cwd=ada.path)
    assert (finished.returncode, finished.stdout.split()[1]) == (4, "unreachable")
    assert "Traceback" not in finished.stderr


def test_a_peer_is_kept_listed_and_forgotten(ada, tmp_path):
    sage(ada.path, "peer", "add", "laptop", "ssh://laptop/work", "--trusted")
    sage(ada.path, "peer", "allow", "ab" * 32, "--name", "Bob")
    assert sage(ada.path, "peer").splitlines() == [
        "laptop  ssh://laptop/work  trusted",
        f"may read  {'ab' * 32}  Bob",
    ]
    sage(ada.path, "peer", "remove", "laptop")
    sage(ada.path, "peer", "deny", "ab" * 32)
    assert sage(ada.path, "peer").startswith("no peers")
    assert run_sage("peer", "remove", "laptop", cwd=ada.path).returncode == 2


def test_a_push_without_a_record_to_publish_to_is_left_alone(ada, tmp_path):
    elsewhere = tmp_path / "elsewhere.git"
    GitRepository.create(elsewhere, "--bare")
    ada.git("push", "--quiet", str(elsewhere), "main")
    assert published(elsewhere) == []


def test_a_remote_that_takes_no_logs_does_not_stop_a_push(ada, remote):
    hook = remote / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ncase $1 in refs/sage/*) echo no logs here >&2; exit 1;; esac\n")
    hook.chmod(0o755)
    ada.commit("more", **{"src/a.py": "a = 3\n"})
    pushed = ada.run("push")
    assert pushed.returncode == 0
    assert b"sage-git: the log is not published" in pushed.stderr
    assert GitRepository(remote).git("rev-parse", "main") == ada.head


def test_a_writer_who_shows_two_logs_is_found_out_when_they_meet(ada, bob, tmp_path):
    copy = GitRepository(Path(shutil.copytree(ada.path, tmp_path / "copy", symlinks=True)))
    other = tmp_path / "other.git"
    GitRepository.create(other, "--bare")
    copy.git("remote", "set-url", "origin", str(other))
    key = sage(ada.path, "peer", "key").strip()
    sage(ada.path, "note", "action", "-m", "to everybody")
    sage(copy.path, "note", "action", "-m", "to somebody")
    synced(ada), synced(copy)
    (outcome,) = synced(bob)
    assert outcome["state"] == "current"
    (outcome,) = synced(bob, str(other))
    assert [(each["writer"], each["code"]) for each in outcome["refused"]] == [(key, "equivocation")]
    evidence = json.loads((bob.path / f".git/sage/equivocations/{key}.json").read_text())
    assert evidence["writer"] == key
    halts = [json.loads(line) for line in everything(bob) if "HALT_AND_REPORT" in line]
    assert [halt["context"]["equivocation"] for halt in halts] == [evidence]
    assert any("to everybody" in line for line in everything(bob))
    assert not any("to somebody" in line for line in everything(bob))
    sage(ada.path, "note", "action", "-m", "afterwards")
    synced(ada)
    (outcome,) = synced(bob)
    assert [each["code"] for each in outcome["refused"]] == ["equivocation"]
    assert not any("afterwards" in line for line in everything(bob))
    bob.commit("goes on", **{"src/b.py": "b = 1\n"})  # a writer's halt binds no source


def test_a_plan_is_known_to_the_other_while_both_watch(ada, bob):
    """Two processes that watch, as people run them."""
    from tests.watching import Watcher

    sage(bob.path, "peer", "add", "ada", str(ada.path))
    with Watcher(ada.path) as first, Watcher(bob.path) as second:
        first.until("caught up"), second.until("caught up")
        sage(ada.path, "plan", "draft", "--id", "live", "--scope", "src/**", "--summary", "live")
        second.until("came")
    assert '"live"' in (bob.path / ".sage/plans.sage").read_text()
