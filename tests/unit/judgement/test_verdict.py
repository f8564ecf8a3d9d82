"""The verdict on a fact: a leaf that repeats what its fact says of when, who and where, and tells how it stands."""

from __future__ import annotations

import pytest

from sage_git.chronicle.event import Event, check_event
from sage_git.chronicle.ids import EventId
from sage_git.judgement.coverage import Coverage
from sage_git.judgement.patterns import Patterns
from sage_git.judgement.plan import Plan
from sage_git.judgement.policy import Approval
from sage_git.judgement.standing import Reason, Ruling, Standing
from sage_git.judgement.verdict import verdict

BEFORE, AFTER, NULL = "1" * 40, "2" * 40, "0" * 40
EARLIER, NAMED = EventId("e" * 64), EventId("f" * 64)
ENVELOPE = {
    "timestamp": "2026-01-01T00:00:00.000Z",
    "actor": {"agent": "codex", "id": "Ada <ada@example.org>", "session": "s1"},
    "graphCommit": "c" * 40,
}
PLAN = Plan("p", "d" * 64, "", (), Patterns(("**",)), None, ("Ada",), (), (), (), (), Approval())  # type: ignore[arg-type]


def fact(kind: str, **fields: object) -> Event:
    return Event.sealed({**ENVELOPE, "type": kind, **fields})


def edit(**fields: object) -> Event:
    return fact("FILE_EDITED", **{"filePath": "a.py", "lastHash": BEFORE, "hash": AFTER, **fields})


def named(fact: EventId) -> EventId:
    return NAMED if fact == EARLIER else fact


FACTS = {
    "edit": (edit(), BEFORE, AFTER),
    "bytes": (edit(filePath="%FF", pathEncoding="percent"), BEFORE, AFTER),
    "joined": (edit(prevEventId="a" * 64, mergedEventIds=["b" * 64]), BEFORE, AFTER),
    "mode": (edit(hash=BEFORE, lastMode="100644", mode="100755"), BEFORE, BEFORE),
    "add": (fact("FILE_ADDED", filePath="a.py", hash=AFTER, size=1, mode="100644"), NULL, AFTER),
    "remove": (fact("FILE_REMOVED", filePath="a.py", lastHash=BEFORE), BEFORE, NULL),
    "rename": (fact("FILE_RENAMED", oldPath="a.py", newPath="b.py", hash=AFTER), AFTER, AFTER),
}


@pytest.mark.parametrize("ruling", [each for each in Ruling if each is not Ruling.UNJUDGED])
@pytest.mark.parametrize("name", FACTS)
def test_a_verdict_is_a_valid_leaf_on_its_fact_with_both_sides_of_the_change(name, ruling):
    told, last, new = FACTS[name]
    found = verdict(told, Standing(ruling, Reason.EDIT), named)
    assert found is not None
    assert check_event(found.fields) == []
    assert found.has_true_id()
    assert found.parents == (told.event_id,)
    for copied in ("timestamp", "actor", "graphCommit", "pathEncoding"):
        assert found.get(copied) == told.get(copied)
    assert found["filePath"] == told.get("newPath", told.get("filePath"))
    if ruling is Ruling.ROGUE:
        assert (found["lastHash"], found["hash"], found["detectedBy"]) == (last, new, "sage-git")
    else:
        assert (found["reconciliationStrategy"], found["diffRef"]) == (ruling, f"{last}..{new}")


def test_what_nobody_judges_has_none():
    assert verdict(edit(), Standing(Ruling.UNJUDGED, Reason.EDIT), named) is None


def test_a_rogue_edit_names_the_verdicts_on_what_it_does_again():
    standing = Standing(Ruling.ROGUE, Reason.MERGE, replayed=(EARLIER, EventId("a" * 64)), linked=(EARLIER,))
    found = verdict(edit(), standing, named)
    assert found is not None
    assert (found["reason"], found["replayOf"]) == ("merge", [NAMED])


def test_an_answer_names_the_plan_the_earlier_facts_or_what_it_takes_back():
    planned = verdict(edit(), Standing(Ruling.PLAN, Reason.EDIT, Coverage(PLAN), replayed=(EARLIER,)), named)
    rewritten = verdict(edit(), Standing(Ruling.REWRITE, Reason.EDIT, replayed=(EARLIER,)), named)
    reverted = verdict(edit(), Standing(Ruling.REVERTED, Reason.EDIT, undone=(EARLIER,)), named)
    assert planned is not None
    assert (planned["planId"], planned["planHash"], "rewriteOf" in planned) == ("p", "d" * 64, False)
    assert rewritten is not None
    assert (rewritten["rewriteOf"], "planId" in rewritten) == ([EARLIER], False)
    assert reverted is not None
    assert reverted["resolves"] == [NAMED]
