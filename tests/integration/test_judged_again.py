"""A clone that observes others' commits before it knows their plans judges them again once it does.

Nobody published what the commits are worth: they went from clone to clone, and facts of unpushed commits are withheld.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kit import GitRepository
from tests.recorded import facts_and_verdicts, logged, sage, sidecars_on_disk
from tests.verified import approve, findings


@pytest.fixture
def ada(repository: GitRepository) -> GitRepository:
    """Planned work of all kinds, an unplanned edit, and one that was answered for; no remote."""
    repository.commit("first", **{"src/a.py": "a = 1\nb = 2\n", "notes.md": "one\n", "src/old.py": "old = 1\n"})
    sage(repository.path, "init")
    approval = approve(repository.path, "p1", ["src/**"])
    claim = f"\n\nSage-Plan: p1 {approval[:16]}"
    repository.commit(f"edit and add{claim}", **{"src/a.py": "a = 2\nb = 2\n", "src/b.py": "b = 1\n"})
    repository.git("mv", "src/old.py", "src/new.py")
    repository.commit(f"rename{claim}")
    repository.commit("unplanned", **{"notes.md": "two\n"})
    sage(repository.path, "reconcile", "notes.md", "-m", "seen")
    repository.commit("unplanned, too", **{"notes.md": "three\n"})
    return repository


@pytest.fixture
def bob(ada: GitRepository) -> GitRepository:
    """A clone that has recorded all of it, and knows no log but its own."""
    clone = ada.clone("bob")
    sage(clone.path, "init")
    assert "ROGUE_EDIT_DETECTED" in {each["type"] for each in logged(clone.path)}
    return clone


def meet(one: GitRepository, other: GitRepository) -> None:
    """Each takes the other's log, twice."""
    for clone, peer in ((one, other), (other, one)) * 2:
        name = peer.path.name
        if name not in sage(clone.path, "peer", "list"):
            sage(clone.path, "peer", "add", name, str(peer.path))
        sage(clone.path, "sync", name)


def verdicts(clone: GitRepository) -> set[tuple[Any, ...]]:
    return {
        (each["filePath"], each["graphCommit"], each.get("reconciliationStrategy", each["type"]))
        for each in facts_and_verdicts(logged(clone.path))
        if each["type"] in ("RECONCILIATION", "ROGUE_EDIT_DETECTED")
    }


def chronicles(clone: GitRepository) -> dict[bytes, list[bytes]]:
    return {path: sorted(lines) for path, lines in sidecars_on_disk(clone.path).items()}


def test_planned_work_reads_as_planned_once_the_plan_is_known(ada, bob):
    assert verdicts(bob) != verdicts(ada)
    meet(ada, bob)
    assert verdicts(bob) == verdicts(ada)
    assert logged(bob.path) == logged(ada.path)
    assert sage(bob.path, "log", "src/a.py").count(" planned ") == 1
    assert "unplanned: 1 edit in 1 file\n  notes.md" in sage(bob.path, "status")
    assert chronicles(bob) == chronicles(ada)
    assert findings(bob.path) == findings(ada.path)


def test_who_did_not_know_the_plan_does_not_say_that_there_was_none(ada, bob):
    before = verdicts(ada)
    sage(bob.path, "sync")  # from the clone that it came from, which has published nothing
    meet(bob, ada)
    assert verdicts(ada) == before
    assert verdicts(bob) == before


def test_an_answer_keeps_the_verdict_that_it_answers(ada, bob):
    sage(bob.path, "reconcile", "--all", "-m", "whatever it was")
    meet(ada, bob)
    assert logged(bob.path) == logged(ada.path)
    resolved = {name for each in logged(ada.path) for name in each.get("resolves", [])}
    assert resolved <= {each["eventId"] for each in logged(ada.path)}


def test_an_index_made_anew_says_the_same(ada, bob):
    meet(ada, bob)
    before = sage(bob.path, "log", "--json", "--all")
    for path in Path(bob.path, ".git/sage").glob("index.sqlite*"):
        path.unlink()
    assert sage(bob.path, "log", "--json", "--all") == before


def test_a_recording_that_was_killed_before_it_judged_again_does_so_the_next_time(ada, bob, monkeypatch):
    from sage_git.operations.recording import record

    sage(ada.path, "sync")
    with monkeypatch.context() as patch:
        patch.setattr(record, "_judge_again", lambda _: None)
        sage(bob.path, "sync")
    assert verdicts(bob) == verdicts(ada)
