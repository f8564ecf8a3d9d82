"""Which plan covers a change: what commits claim, held against the plans that are known."""

from __future__ import annotations

import pytest

from sage_git.chronicle.event import Event
from sage_git.judgement.coverage import MOST_CLAIMS, NOTHING, Claim, Coverage, Flaw, claims_in, plans_of
from sage_git.judgement.policy import Approval
from tests.plan_events import ADA, BOB, EVE, NOBODY, approved, claim, completed, denied, drafted, forced, second

DRAFT = drafted(0, expires=100)
YES = approved(DRAFT, 10)
ID = "a1" * 8


def covering(
    *events: Event, of: Claim | None = None, path: str = "src/a.py", at: float = 20, rules: Approval | None = None
) -> Coverage:
    plans = plans_of(events, rules or Approval())
    return plans.covering([of or claim(YES)], [path], second(at), NOBODY)


def flaws(coverage: Coverage) -> list[Flaw]:
    assert not coverage.covers
    return [problem.code for problem in coverage.problems]


@pytest.mark.parametrize(
    "message, claims",
    [
        (f"fix\n\nSage-Plan: tidy {ID}\n", [("tidy", ID)]),
        (f"* one\n\n    Sage-Plan: tidy {ID}\r\n\n* two\n\nSage-Plan: b.2 {ID}ff", [("tidy", ID), ("b.2", ID + "ff")]),
        (f"Sage-Plan: tidy {ID}\nSage-Plan: tidy {ID}", [("tidy", ID)]),
        (f"Sage-Plan: tidy {ID[1:]}", []),
        (f"Sage-Plan: tidy {ID.upper()}", []),
        (f"Sage-Plan: tidy {ID} really", []),
        (f"Sage-Plan:tidy {ID}\nNot-Sage-Plan: tidy {ID}", []),
        (f"Sage-Plan: ../x {ID}", []),
        ("nothing\x00\xff", []),
    ],
)  # fmt: skip
def test_claims_are_whole_lines_anywhere_in_the_message(message, claims):
    assert [(each.plan_id, each.approval) for each in claims_in(message.encode("latin-1"))] == claims


def test_no_more_claims_are_read_than_can_be_looked_at():
    message = "\n".join(f"Sage-Plan: p{number} {ID}" for number in range(100))
    assert len(claims_in(message.encode())) == MOST_CLAIMS


def test_a_named_plan_in_force_covers_what_its_scope_has():
    found = covering(DRAFT, YES)
    assert found.plan is not None
    assert found.term is not None
    assert (found.plan.plan_id, found.term.approval, found.problems) == ("tidy", YES.event_id, ())


@pytest.mark.parametrize("at", [10, 100])
def test_the_first_and_the_last_second_are_covered(at):
    assert covering(DRAFT, YES, at=at).covers


@pytest.mark.parametrize("at", [9, 101])
def test_what_is_made_before_or_after_is_not_in_force(at):
    assert flaws(covering(DRAFT, YES, at=at)) == [Flaw.NOT_IN_FORCE]


def test_a_claim_on_what_nobody_knows_says_so():
    assert flaws(covering()) == [Flaw.UNKNOWN_PLAN]
    assert flaws(covering(DRAFT)) == [Flaw.NOT_APPROVED]
    assert flaws(covering(DRAFT, YES, of=Claim("tidy", "0" * 16))) == [Flaw.NOT_APPROVED]
    assert flaws(covering(DRAFT, YES, of=claim(DRAFT))) == [Flaw.NOT_APPROVED]


def test_too_few_digits_name_nothing():
    assert flaws(covering(DRAFT, YES, of=claim(YES, digits=15))) == [Flaw.NOT_APPROVED]


def test_a_path_outside_the_scope_is_not_covered_and_every_path_must_be_in_it():
    assert flaws(covering(DRAFT, YES, path="docs/a.md")) == [Flaw.OUT_OF_SCOPE]
    plans = plans_of([DRAFT, YES], Approval())
    assert not plans.covering([claim(YES)], ["src/a.py", "docs/a.md"], second(20), NOBODY).covers


def test_of_two_claims_either_may_cover_and_the_scope_of_the_other_is_no_problem():
    docs = drafted(1, YES, plan="docs", scope=["docs/**"])
    also = approved(docs, 12)
    plans = plans_of([DRAFT, YES, docs, also], Approval())
    both = [claim(YES), claim(also), Claim("lost", ID)]
    for path, name in (("src/a.py", "tidy"), ("docs/a.md", "docs")):
        found = plans.covering(both, [path], second(20), NOBODY)
        assert found.plan is not None
        assert found.plan.plan_id == name
        assert [problem.code for problem in found.problems] == [Flaw.UNKNOWN_PLAN]
    assert flaws(plans.covering(both, ["x"], second(20), NOBODY)) == [
        Flaw.OUT_OF_SCOPE, Flaw.OUT_OF_SCOPE, Flaw.UNKNOWN_PLAN,
    ]  # fmt: skip


@pytest.mark.parametrize("end", [denied, completed])
def test_what_ended_is_told_by_how(end):
    found = covering(DRAFT, YES, end(DRAFT, 15, YES))
    assert flaws(found) == [Flaw.NOT_IN_FORCE]
    word = "denied" if end is denied else "done"
    assert found.problems[0].sentence == f"the commit was made after plan tidy was {word}"


def test_the_old_approval_does_not_serve_a_plan_that_was_approved_again():
    no = denied(DRAFT, 15, YES)
    again = approved(DRAFT, 30, no)
    assert flaws(covering(DRAFT, YES, no, again, at=40)) == [Flaw.NOT_IN_FORCE]
    assert covering(DRAFT, YES, no, again, of=claim(again), at=40).covers


def test_an_approval_denied_beside_it_is_no_approval():
    assert flaws(covering(DRAFT, YES, denied(DRAFT, 5))) == [Flaw.NOT_APPROVED]


def test_too_few_approvals_are_told_with_their_number():
    found = covering(DRAFT, YES, rules=Approval(required=2))
    assert flaws(found) == [Flaw.NOT_APPROVED]
    assert found.problems[0].sentence == "plan tidy lacks approvals: the policy wants 2"


def test_neither_drafter_nor_author_may_be_who_approved():
    strict = Approval(self_approval=False)
    own = approved(DRAFT, 10, by=ADA)
    assert flaws(covering(DRAFT, own, of=claim(own), rules=strict)) == [Flaw.OWN_APPROVAL]
    plans = plans_of([DRAFT, YES], strict)
    assert plans.covering([claim(YES)], ["src/a.py"], second(20), EVE).covers
    assert flaws(plans.covering([claim(YES)], ["src/a.py"], second(20), BOB)) == [Flaw.OWN_APPROVAL]


def test_an_author_among_more_reviewers_than_needed_does_not_matter():
    strict = Approval(required=2, self_approval=False)
    three = [approved(DRAFT, at, by=who) for at, who in ((10, BOB), (12, EVE), (14, "Mo <mo@x>"))]
    plans = plans_of([DRAFT, *three], strict)
    assert plans.covering([claim(three[1])], ["src/a.py"], second(20), BOB).covers
    assert flaws(plans.covering([claim(three[0])], ["src/a.py"], second(20), BOB)) == [Flaw.OWN_APPROVAL]
    assert flaws(plans.covering([claim(three[1])], ["src/a.py"], second(13), BOB)) == [Flaw.NOT_IN_FORCE]


def test_a_forced_plan_covers_and_is_marked():
    force = forced(DRAFT, 10)
    found = covering(DRAFT, force, of=claim(force), rules=Approval(required=3, self_approval=False))
    assert found.term is not None
    assert found.term.is_unsafe


def test_a_plan_covers_unnamed_by_time_alone():
    later = drafted(1, plan="later")
    plans = plans_of([DRAFT, YES, later, approved(later, 15)], Approval(implicit=True))
    found = plans.implicitly_covering(["src/a.py"], second(20), NOBODY)
    assert found.plan is not None
    assert (found.plan.plan_id, found.by_time) == ("tidy", True)
    assert plans.implicitly_covering(["b.py"], second(20), NOBODY) is NOTHING
    assert plans.implicitly_covering(["src/a.py"], second(9), NOBODY) is NOTHING


def test_claims_on_two_plans_of_one_name_are_told_apart_by_their_approvals():
    wide = drafted(2, scope=["**"])
    also = approved(wide, 12)
    plans = plans_of([DRAFT, YES, wide, also], Approval())
    assert flaws(plans.covering([claim(YES)], ["b.py"], second(20), NOBODY)) == [Flaw.OUT_OF_SCOPE]
    assert plans.covering([claim(also)], ["b.py"], second(20), NOBODY).covers
