"""The verdict on a fact: a leaf that repeats what its fact says of when, who and where."""

from __future__ import annotations

import pytest

from sage_git.chronicle.event import Event, check_event
from sage_git.judgement.verdict import Circumstance, verdict

BEFORE, AFTER = "1" * 40, "2" * 40
ENVELOPE = {
    "timestamp": "2026-01-01T00:00:00.000Z",
    "actor": {"agent": "codex", "id": "Ada <ada@example.org>", "session": "s1"},
    "graphCommit": "c" * 40,
}


def edit(**fields: object) -> Event:
    return Event.sealed(
        {**ENVELOPE, "type": "FILE_EDITED", "filePath": "a.py", "lastHash": BEFORE, "hash": AFTER, **fields}
    )


@pytest.mark.parametrize("circumstance", Circumstance)
@pytest.mark.parametrize(
    "fact",
    [
        edit(),
        edit(filePath="%FF", pathEncoding="percent"),
        edit(prevEventId="a" * 64, mergedEventIds=["b" * 64]),
        edit(hash=BEFORE, lastMode="100644", mode="100755"),
    ],
)
def test_a_verdict_is_a_valid_leaf_on_its_fact_and_copies_its_when_who_and_where(fact, circumstance):
    found = verdict(fact, circumstance)
    assert found is not None
    assert check_event(found.fields) == []
    assert found.has_true_id()
    assert found.parents == (fact.event_id,)
    for name in ("timestamp", "actor", "graphCommit", "filePath", "pathEncoding"):
        assert found.get(name) == fact.get(name)


@pytest.mark.parametrize(
    "circumstance, changes, expected",
    [
        (Circumstance.ORDINARY, {}, {"type": "ROGUE_EDIT_DETECTED", "reason": "edit"}),
        (Circumstance.ORDINARY, {"hash": BEFORE}, {"type": "ROGUE_EDIT_DETECTED", "reason": "mode"}),
        (Circumstance.MERGE, {}, {"type": "ROGUE_EDIT_DETECTED", "reason": "merge"}),
        (Circumstance.MERGE, {"hash": BEFORE}, {"type": "ROGUE_EDIT_DETECTED", "reason": "merge"}),
        (Circumstance.AUTOMATIC_MERGE, {}, {"type": "RECONCILIATION", "reconciliationStrategy": "merge"}),
        (Circumstance.BACKFILL, {}, {"type": "RECONCILIATION", "reconciliationStrategy": "backfill"}),
    ],
)
def test_an_edit_is_unplanned_unless_git_made_it_or_it_was_there_before_init(circumstance, changes, expected):
    found = verdict(edit(**changes), circumstance)
    assert found is not None
    assert {name: found[name] for name in expected} == expected


def test_what_was_unplanned_names_both_sides_and_its_finder_and_what_was_answered_a_diff():
    rogue, answered = verdict(edit(), Circumstance.ORDINARY), verdict(edit(), Circumstance.BACKFILL)
    assert rogue is not None
    assert answered is not None
    assert (rogue["lastHash"], rogue["hash"], rogue["detectedBy"]) == (BEFORE, AFTER, "sage-git")
    assert answered["diffRef"] == f"{BEFORE}..{AFTER}"


@pytest.mark.parametrize("circumstance", Circumstance)
@pytest.mark.parametrize(
    "payload",
    [
        {"type": "FILE_ADDED", "filePath": "a.py", "hash": AFTER, "size": 1, "mode": "100644"},
        {"type": "FILE_REMOVED", "filePath": "a.py", "lastHash": BEFORE},
        {"type": "FILE_RENAMED", "oldPath": "a.py", "newPath": "b.py", "hash": AFTER},
    ],
)
def test_without_plans_nothing_but_an_edit_is_judged(payload, circumstance):
    assert verdict(Event.sealed(ENVELOPE | payload), circumstance) is None
