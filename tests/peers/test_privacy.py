"""What leaves a clone and what does not: nothing of what is withheld is in any object that a peer could ask for."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.peers.clones import Clone, Village
from tests.peers.forging import git, plant, read_log


def objects(bare: Path) -> bytes:
    """The content of every object that a repository has, reachable or not."""
    return subprocess.run(
        ["git", "--git-dir", bare, "cat-file", "--batch-all-objects", "--batch", "--unordered"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip


def reachable(bare: Path) -> bytes:
    """The content of every object that its refs lead to."""
    listed = git(bare, "rev-list", "--objects", "--all", "--no-object-names")
    done = subprocess.run(
        ["git", "--git-dir", bare, "cat-file", "--batch"], input=listed.encode(), capture_output=True, check=True
    )
    return done.stdout


def kept_by(clone: Clone) -> bytes:
    """Everything in a clone's `sage/` directory, objects unpacked, and in its sidecars."""
    repositories = [
        path for path in clone.directory.iterdir() if (path / "objects").is_dir() and path.name != "scratch.git"
    ]
    files = [path for path in clone.directory.rglob("*") if path.is_file() and "objects" not in path.parts]
    sidecars = [line for lines in clone.sidecars().values() for line in lines]
    return b"\n".join([*map(objects, repositories), *(path.read_bytes() for path in files), *sidecars])


def withheld_from(village: Village, writer: str) -> list[int]:
    """The numbers of the entries of a writer's log whose bodies the remote does not have."""
    return [number for number, body in enumerate(read_log(village.remote, writer).bodies) if not body]


def has_left(village: Village, words: bytes) -> bool:
    """Whether words of Alice's are in what others can ask her store for, at the remote, or anywhere at Bob's."""
    alice, bob = village["alice"], village["bob"]
    return any(words in place for place in (objects(alice.store), objects(village.remote), kept_by(bob)))


SECRET = {"type": "AGENT_ACTION", "actor": {"agent": "a", "id": "a"}, "action": "between you and me"}


def confide(alice: Clone) -> None:
    """Have Alice say what is to stay with her."""
    alice.ok("append", ".sage/actions.sage", "--private", "--event", json.dumps(SECRET))


def test_what_a_commit_did_that_nobody_was_given_is_in_no_object_of_the_store(village):
    alice, bob = village["alice"], village["bob"]
    commit = alice.repository.commit("not pushed", **{"secret_project.py": "x\n"})
    village.settle()
    for place in (alice.store, village.remote):
        assert commit.encode() not in objects(place)
        assert b"secret_project" not in objects(place)
    assert b"secret_project" not in kept_by(bob)
    assert alice.says("secret_project")
    assert withheld_from(village, alice.writer)

    alice.git("push", "-q", "origin", "main")
    village.settle(1)
    assert b"secret_project" in objects(alice.store)
    assert bob.says("secret_project")
    assert withheld_from(village, alice.writer) == []


def test_what_was_amended_away_is_never_given(village):
    alice = village["alice"]
    alice.repository.commit("with a secret in it", **{"password.txt": "hunter2\n"})
    alice.ok("record")
    (alice.path / "password.txt").unlink()
    alice.git("add", "--all")
    alice.git("commit", "-q", "--amend", "--allow-empty", "-m", "without")
    alice.git("push", "-q", "origin", "main")
    village.settle()
    assert alice.says("password.txt")
    assert not has_left(village, b"password.txt")


def test_a_private_statement_never_leaves(village):
    alice = village["alice"]
    confide(alice)
    for _ in range(2):
        village.settle(1)
        alice.ok("note", "action", "-m", "and more")
    assert not has_left(village, b"between you and me")
    (alice.directory / "index.sqlite").unlink()
    alice.ok("note", "action", "-m", "and after the index was lost")
    village.settle()
    assert alice.says("between you and me")
    assert not has_left(village, b"between you and me")


def test_a_private_statement_stays_here_when_its_segment_is_sealed(village):
    alice, bob = village["alice"], village["bob"]
    confide(alice)
    for number in range(300):
        alice.ok("append", ".sage/steps.sage", "--event", json.dumps({**SECRET, "action": f"step {number}"}))
    village.settle()
    assert bob.says("step 299")
    assert not has_left(village, b"between you and me")
    assert alice.says("between you and me")


@pytest.mark.parametrize("allowed, seen", [("all", {"action", "plan"}), ("plans", {"plan"}), ("none", set())])
def test_statements_leave_as_the_policy_says(village, allowed, seen):
    alice, bob = village["alice"], village["bob"]
    config = (alice.path / ".sage/config.toml").read_text()
    alice.repository.commit("policy", **{".sage/config.toml": with_statements(config, allowed)})
    alice.git("push", "-q", "origin", "main")
    alice.ok("note", "action", "-m", "an action that was taken")
    alice.ok("plan", "draft", "--id", "secret-plan", "--summary", "s", "--scope", "src/")
    village.settle()
    store = objects(alice.store)
    assert {name for name, words in WORDS.items() if words in store} == seen
    assert {name for name, words in WORDS.items() if bob.says(words.decode())} == seen


WORDS = {"action": b"an action that was taken", "plan": b"secret-plan"}


def with_statements(config: str, allowed: str) -> str:
    changed, count = re.subn(r'(?m)^statements = "\w+"', f'statements = "{allowed}"', config)
    if count:
        return changed
    if "[publish]" in config:
        return config.replace("[publish]", f'[publish]\nstatements = "{allowed}"')
    return f'{config}\n[publish]\nstatements = "{allowed}"\n'


def test_what_a_published_event_answers_comes_with_it(village):
    """An edit on a branch that was never pushed, rebased and pushed: its old form is named, so it is shown."""
    alice, bob = village["alice"], village["bob"]
    alice.ok("plan", "draft", "--id", "p", "--summary", "p", "--scope", "*.py")
    approved = json.loads(alice.ok("plan", "approve", "p", "-m", "fine", "--json"))
    approval = next(event["eventId"] for event in approved["events"] if event["type"] == "PLAN_APPROVED")
    old = alice.repository.commit(f"work\n\nSage-Plan: p {approval[:16]}", **{"bar.py": "planned = 1\n"})
    alice.ok("record")
    alice.git("commit", "-q", "--amend", "-m", "work, without the claim")
    alice.git("push", "-q", "origin", "main")
    village.settle()
    named = [event for event in bob.events() if event.get("rewriteOf")]
    assert named, "the amended edit is a rewrite of the planned one"
    assert {event["eventId"] for event in bob.events()} >= {each for event in named for each in event["rewriteOf"]}
    assert bob.says(old)


def test_a_trusted_peer_is_given_what_others_are_not(village):
    alice, bob, carol = village["alice"], village["bob"], village.join("carol")
    alice.repository.commit("not pushed", **{"between_us.py": "x\n"})
    alice.ok("peer", "allow", bob.writer, "--trusted")
    alice.ok("sync", "origin")
    bob.ok("peer", "add", "alice", str(alice.path), "--trusted")
    carol.ok("peer", "add", "alice", str(alice.path))
    bob.ok("sync", "alice")
    carol.ok("sync", "alice")
    assert bob.says("between_us.py")
    assert not carol.says("between_us.py")
    assert b"between_us.py" not in kept_by(carol)
    assert b"between_us.py" not in objects(bob.store)
    bob.ok("sync", "origin")
    assert b"between_us.py" not in objects(village.remote)


def test_what_was_redacted_is_in_no_object_of_any_clone_that_synced(village):
    alice, bob = village["alice"], village["bob"]
    alice.ok("note", "action", "-m", "a name that must go")
    village.settle()
    assert b"a name that must go" in kept_by(bob)
    identifier = next(event["eventId"] for event in alice.events() if event.get("action") == "a name that must go")
    alice.ok("redact", identifier, "-m", "it was a name")
    village.settle()
    for clone in (alice, bob):
        assert b"a name that must go" not in kept_by(clone)
        assert identifier in {event.get("redactedEventId") for event in clone.events()}
    assert b"a name that must go" not in reachable(village.remote)
    assert alice.log() == bob.log()


def test_what_was_redacted_is_known_to_nobody_who_comes_later(village):
    alice = village["alice"]
    alice.ok("note", "action", "-m", "a name that must go")
    alice.ok("sync", "origin")
    identifier = next(event["eventId"] for event in alice.events() if event.get("action") == "a name that must go")
    alice.ok("redact", identifier, "-m", "it was a name")
    alice.ok("sync", "origin")
    carol = village.join("carol")
    carol.ok("sync", "origin")
    assert b"a name that must go" not in kept_by(carol)
    village["bob"].ok("sync", "origin")
    assert village["bob"].log() == alice.log()
    carol.git("checkout", "-q", "--detach", alice.repository.head)
    assert carol.log() == alice.log()


def test_who_has_not_heard_of_a_redaction_brings_nothing_back(village):
    """Bob still has the body and forwards Alice's log, older, to where the newer one is known."""
    alice, bob, carol = village["alice"], village["bob"], village.join("carol")
    alice.ok("note", "action", "-m", "a name that must go")
    alice.ok("sync", "origin")
    bob.ok("sync", "origin")
    identifier = next(event["eventId"] for event in alice.events() if event.get("action") == "a name that must go")
    alice.ok("redact", identifier, "-m", "it was a name")
    alice.ok("sync", "origin")
    carol.ok("sync", "origin")
    carol.ok("peer", "add", "bob", str(bob.path))
    carol.ok("sync", "bob")
    assert b"a name that must go" not in kept_by(carol)
    bob.ok("sync", "origin")
    assert b"a name that must go" not in reachable(village.remote)
    assert b"a name that must go" not in kept_by(bob)


def test_a_body_that_somebody_kept_does_not_come_back_once_it_is_redacted(village):
    """The leaf still vouches for it, so nothing is wrong with the log that has it again."""
    alice, bob = village["alice"], village["bob"]
    alice.ok("note", "action", "-m", "a name that must go")
    village.settle(1)
    kept = read_log(village.remote, alice.writer)
    identifier = next(event["eventId"] for event in alice.events() if event.get("action") == "a name that must go")
    alice.ok("redact", identifier, "-m", "it was a name")
    village.settle()
    now = read_log(village.remote, alice.writer, alice.key)
    now.bodies[: len(kept.bodies)] = kept.bodies
    plant(village.remote, now.ref, now.files())
    for clone in (bob, alice):
        clone.sage("sync", "origin")
        assert not clone.says("a name that must go")
        assert b"a name that must go" not in kept_by(clone)


def test_nothing_is_left_lying_in_quarantine(village):
    alice, bob = village["alice"], village["bob"]
    alice.ok("note", "action", "-m", "passing through")
    village.settle()
    left = [path for path in (bob.directory / "incoming.git/objects").rglob("*") if path.is_file()]
    assert [path.name for path in left if path.parent.name != "info"] == []
    assert not list(bob.store.rglob("alternates"))


def test_nothing_of_ours_is_in_the_users_repository_and_nothing_of_theirs_in_the_store(village):
    alice, bob = village["alice"], village["bob"]
    village.settle()
    for clone in (alice, bob):
        assert "refs/sage" not in git(clone.path / ".git", "for-each-ref")
        assert b"x = '" not in objects(clone.store), "a blob of a source"
        assert b'"eventId"' not in objects(clone.path / ".git")
        assert not (clone.store / "objects/info/alternates").exists()
