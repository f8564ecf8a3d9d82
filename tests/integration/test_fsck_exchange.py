"""`fsck` over what came from peers: named, mended where another meeting can mend it, and never believed meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sage_git.gitrepo.log_tree import ref_of
from tests.kit import GitRepository, run_sage
from tests.published import alter, begin, fetch_logs, flipped, join, writer_of
from tests.recorded import sage


@pytest.fixture
def ada(repository: GitRepository, tmp_path: Path) -> GitRepository:
    return begin(repository, tmp_path / "remote.git")


@pytest.fixture
def bob(ada: GitRepository, tmp_path: Path) -> GitRepository:
    clone = join(ada, tmp_path / "bob")
    assert run_sage("sync", "--fetch-only", "origin", cwd=clone.path).returncode == 0
    return clone


def flaws(clone: GitRepository, *arguments: str) -> set[str]:
    answer = json.loads(run_sage("fsck", "--json", *arguments, cwd=clone.path).stdout)
    return {flaw["code"] for flaw in answer["findings"] if flaw["severity"] != "note"}


def test_what_came_whole_is_fine(bob):
    assert flaws(bob) == set()


def test_a_damaged_log_is_set_aside_and_comes_anew_with_the_next_sync(ada, bob):
    before = sage(bob.path, "log", "--all", "--json")
    store = fetch_logs(bob)
    alter(store, note=lambda note: flipped(note, len(note) - 20))
    assert "bad-checkpoint" in flaws(bob)
    assert "bad-checkpoint" not in flaws(bob, "--repair")
    assert store.writers() == {}
    assert store.tip(f"refs/sage/lost/{writer_of(ada)}").commit
    assert run_sage("sync", "--fetch-only", "origin", cwd=bob.path).returncode == 0
    assert list(store.writers()) == [writer_of(ada)]
    assert flaws(bob) == set()
    assert sage(bob.path, "log", "--all", "--json") == before


def test_a_log_that_is_gone_is_missed(ada, bob):
    store = fetch_logs(bob)
    bob.git("--git-dir", str(store.git_dir), "update-ref", "-d", ref_of(writer_of(ada)))
    assert "log-shrunk" in flaws(bob)


def test_an_index_without_the_events_of_others_is_made_anew(bob):
    before = sage(bob.path, "log", "--all", "--json")
    (bob.path / ".git/sage/index.sqlite").unlink()
    assert flaws(bob, "--repair") == set()
    assert sage(bob.path, "log", "--all", "--json") == before


def test_what_a_killed_sync_left_is_thrown_away(bob):
    left = bob.path / ".git/sage/incoming.git/objects/pack"
    left.mkdir(parents=True, exist_ok=True)
    (left / "tmp_pack_123456").write_bytes(b"PACK")
    assert flaws(bob) == {"quarantine-left"}
    assert flaws(bob, "--repair") == set()


def test_a_list_of_peers_that_cannot_be_read_is_named(bob):
    (bob.path / ".git/sage/peers.json").write_text("{}")
    assert flaws(bob) == {"peers-damaged"}
