"""`status` tells how it stands with peers: who they are, when the last meeting was, what is not sent, who lied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sage_git.proof import merkle
from sage_git.proof.equivocation import prove
from tests.kit import GitRepository, run_sage
from tests.published import LEAVES, begin, fetch_logs, join, note_of, writer_of
from tests.recorded import config_of, sage


@pytest.fixture
def ada(repository: GitRepository, tmp_path: Path) -> GitRepository:
    return begin(repository, tmp_path / "remote.git")


@pytest.fixture
def bob(ada: GitRepository, tmp_path: Path) -> GitRepository:
    return join(ada, tmp_path / "bob")


def status(clone: GitRepository) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sage(clone.path, "status", "--json"))
    return found


def test_a_peer_is_told_of_before_and_after_the_first_meeting(bob, tmp_path):
    (peer,) = status(bob)["peers"]
    assert peer == {"name": "origin", "url": str(tmp_path / "remote.git"), "state": "never"}
    assert "origin  not met yet: sage-git sync" in sage(bob.path, "status")
    sage(bob.path, "sync")
    (peer,) = status(bob)["peers"]
    assert (peer["state"], peer["writers"], peer["refused"], peer["unsent"]) == ("current", 1, [], 0)
    assert peer["lastSync"].endswith("Z")
    said = sage(bob.path, "status")
    assert "peers, 1 log of others" in said
    assert "origin  in step " in said


def test_what_came_since_is_not_sent(ada):
    sage(ada.path, "sync")
    sage(ada.path, "note", "action", "-m", "looked")
    assert status(ada)["peers"][0]["unsent"] == 1
    assert "1 entry not sent" in sage(ada.path, "status")
    sage(ada.path, "sync")
    assert status(ada)["peers"][0]["unsent"] == 0


def test_a_peer_that_is_not_there_keeps_its_last_good_meeting(bob, tmp_path):
    sage(bob.path, "sync")
    met = status(bob)["peers"][0]["lastSync"]
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    assert run_sage("sync", cwd=bob.path).returncode == 4
    peer = status(bob)["peers"][0]
    assert (peer["state"], peer["lastSync"], peer["writers"]) == ("unreachable", met, 1)
    assert "origin  unreachable (last met " in sage(bob.path, "status")


def test_a_writer_who_signed_two_logs_is_told_of_first(ada, bob):
    store = fetch_logs(bob)
    (leaves,) = store.segments(store.tip(f"refs/sage/writers/{writer_of(ada)}").files, [LEAVES])
    repository, writer = str(config_of(ada.path)["repository"]), writer_of(ada)
    older, newer = [note_of(ada, repository, each) for each in (leaves, [*leaves[:-1], leaves[0]])]
    evidence = prove(older, newer, merkle.Tree.of(leaves), repository, writer)
    assert evidence is not None
    (bob.path / ".git/sage/equivocations").mkdir()
    (bob.path / f".git/sage/equivocations/{writer}.json").write_bytes(evidence.content)
    (told,) = status(bob)["equivocations"]
    assert told["writer"] == writer
    assert f"signed two logs\n  {writer[:16]}" in sage(bob.path, "status")


def test_edits_of_others_may_be_planned_as_far_as_we_know_until_a_sync(bob):
    """The work is ada's, and planned; her log is still to come."""
    first, sync = "sage-git sync may bring what others planned for them", ("sync", "--fetch-only", "origin")
    assert status(bob)["openRogueEdits"] != []
    assert first in sage(bob.path, "status")
    sage(bob.path, *sync)
    assert status(bob)["openRogueEdits"] == []
    bob.commit("unplanned", **{"src/a.py": "a = 3\n"})
    assert "sage-git log --unplanned shows them, sage-git reconcile answers" in sage(bob.path, "status")
