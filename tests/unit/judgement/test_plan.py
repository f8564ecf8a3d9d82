"""The life of a plan: what its events make of it, and when it is in force."""

from __future__ import annotations

from typing import Any

import pytest

from sage_git.chronicle.event import Event
from sage_git.judgement.coverage import plans_of
from sage_git.judgement.plan import Plan, State
from sage_git.judgement.policy import Approval
from sage_git.judgement.terms import Term, person
from tests.plan_events import ADA, BOB, EVE, approved, completed, denied, drafted, forced, said, second

OPEN = Approval()
TWO = Approval(required=2)
STRICT = Approval(self_approval=False)


def plan(*events: Event, rules: Approval = OPEN) -> Plan:
    (found,) = plans_of(events, rules).values()
    return found


def spans(found: Plan) -> list[tuple[int, int | None]]:
    """The terms in seconds of the morning."""
    return [(term.start - second(0), term.end and term.end - second(0)) for term in found.terms]


def test_a_draft_is_what_it_says_and_not_in_force():
    draft = drafted(0, expires=60, steps=["a", "b"], scope=["src/*.py", "!gen.py"])
    found = plan(draft)
    assert (found.plan_id, found.plan_hash, found.summary) == ("tidy", draft["planHash"], "tidy up")
    assert (found.steps, found.expires_at, found.drafted_by) == (("a", "b"), second(60), ADA)
    assert (found.has("src/a.py"), found.has("src/gen.py"), found.has("b.py")) == (True, False, False)
    assert found.terms == ()
    assert found.state(second(10)) is State.DRAFTED


def test_a_plan_is_in_force_from_the_second_of_its_approval():
    draft = drafted()
    found = plan(draft, approval := approved(draft, 10.9))
    assert approval.event_id
    assert found.terms == (Term(approval.event_id, second(10), None, is_unsafe=False),)
    assert found.term_at(second(9)) is None
    assert found.term_at(second(10)) == found.term_at(second(10**8)) == found.terms[0]
    assert [found.state(second(at)) for at in (9, 10)] == [State.DRAFTED, State.APPROVED]


def test_a_plan_expires_after_its_last_second():
    draft = drafted(expires=60.5)
    found = plan(draft, approved(draft, 10))
    assert found.term_at(second(60)) is not None
    assert found.term_at(second(61)) is None
    assert [found.state(second(at)) for at in (60, 61)] == [State.APPROVED, State.EXPIRED]


def test_a_draft_nobody_approved_in_time_has_expired():
    assert plan(drafted(expires=60)).state(second(61)) is State.EXPIRED


def test_an_approval_after_the_end_puts_nothing_in_force():
    draft = drafted(expires=60)
    found = plan(draft, approved(draft, 61))
    assert (found.terms, found.state(second(61))) == ((), State.EXPIRED)


@pytest.mark.parametrize("end, state", [(denied, State.DENIED), (completed, State.COMPLETED)])
def test_a_later_denial_or_completion_ends_it_in_its_own_second(end, state):
    draft = drafted()
    yes = approved(draft, 10)
    found = plan(draft, yes, end(draft, 20.7, yes))
    assert spans(found) == [(10, 20)]
    assert found.term_at(second(20)) is not None, "a commit may have been made earlier in that second"
    assert [found.state(second(at)) for at in (19, 20)] == [State.APPROVED, state]


def test_of_what_ended_it_in_one_second_the_last_tells_how_it_stands():
    draft = drafted()
    no = denied(draft, 5.1)
    force = forced(draft, 5.2, no)
    assert plan(draft, no, force, completed(draft, 5.3, force)).state(second(5)) is State.COMPLETED
    yes = approved(draft, 5.2, no)
    assert plan(draft, no, yes, denied(draft, 5.3, yes)).state(second(5)) is State.DENIED


def test_a_denial_that_did_not_know_the_approval_wins_over_it():
    draft = drafted()
    assert spans(plan(draft, approved(draft, 10), denied(draft, 5))) == []
    assert spans(plan(draft, approved(draft, 10), denied(draft, 15))) == [(10, 15)]
    assert plan(draft, approved(draft, 10), denied(draft, 5)).state(second(10)) is State.DENIED


def test_an_approval_that_knew_the_denial_holds():
    draft = drafted()
    no = denied(draft, 5)
    between = said(6, (no,), type="AGENT_ACTION", action="talked about it")
    assert spans(plan(draft, no, between, approved(draft, 10, between))) == [(10, None)]


def test_a_plan_may_be_approved_again_after_its_end():
    draft = drafted()
    first = approved(draft, 10)
    done = completed(draft, 20, first)
    found = plan(draft, first, done, approved(draft, 30, done))
    assert spans(found) == [(10, 20), (30, None)]
    assert [found.state(second(at)) for at in (25, 30)] == [State.COMPLETED, State.APPROVED]


def test_forcing_holds_against_denials_before_and_beside_it_and_falls_to_one_that_knows_it():
    draft = drafted()
    no, beside = denied(draft, 5), denied(draft, 30)
    force = forced(draft, 10, no)
    found = plan(draft, no, beside, force)
    assert [(term.is_unsafe, term.end) for term in found.terms] == [(True, None)]
    assert found.state(second(40)) is State.UNSAFE
    assert spans(plan(draft, no, force, denied(draft, 20, force))) == [(10, 20)]
    assert spans(plan(draft, no, force, completed(draft, 25, force))) == [(10, 25)]


def test_as_many_different_people_must_approve_as_the_policy_wants():
    draft = drafted()
    one = approved(draft, 10, by=BOB)
    again, other = approved(draft, 20, one, by="Robert <BOB@example.org>"), approved(draft, 30, one, by=EVE)
    assert plan(draft, one, again, rules=TWO).terms == ()
    found = plan(draft, one, again, other, rules=TWO)
    assert {term.approval for term in found.terms} == {one.event_id, again.event_id, other.event_id}
    assert spans(found) == [(30, None)] * 3


def test_a_joint_term_ends_when_one_of_those_it_needs_does():
    draft = drafted()
    one = approved(draft, 10, by=BOB)
    no = denied(draft, 20, one)
    late = approved(draft, 30, no, by=EVE)
    assert plan(draft, one, no, late, rules=TWO).terms == ()
    assert spans(plan(draft, one, no, late, approved(draft, 40, late, by=BOB), rules=TWO)) == [(40, None)] * 2


def test_forcing_needs_nobody_else():
    draft = drafted()
    assert spans(plan(draft, forced(draft, 10), rules=Approval(required=3, self_approval=False))) == [(10, None)]


def test_who_drafted_it_may_not_approve_it_where_the_policy_says_so():
    draft = drafted(by=ADA)
    own = approved(draft, 10, by="A. Lovelace <ADA@example.org>")
    assert plan(draft, own).terms != ()
    assert plan(draft, own, rules=STRICT).terms == ()
    assert spans(plan(draft, own, approved(draft, 20, own, by=BOB), rules=STRICT)) == [(20, None)]


def test_an_approval_of_another_hash_puts_nothing_in_force():
    draft, other = drafted(scope=["src/**"]), drafted(scope=["**"])
    assert plan(draft, approved(other, 10)).terms == ()


def test_of_two_plans_with_one_name_each_has_its_own_approvals_and_the_approved_one_is_shown():
    here, there = drafted(0, scope=["src/**"]), drafted(1, scope=["**"])
    plans = plans_of([here, there, approved(here, 10)], OPEN)
    assert [each.plan_hash for each in plans.versions("tidy")] == [here["planHash"], there["planHash"]]
    assert [bool(each.terms) for each in plans.versions("tidy")] == [True, False]
    assert plans["tidy"].plan_hash == here["planHash"]


def test_a_draft_that_its_hash_does_not_fit_is_no_plan():
    assert dict(plans_of([said(0, type="PLAN_DRAFTED", **{**_content(), "planHash": "0" * 64})], OPEN)) == {}


def test_what_is_malformed_forged_or_said_of_something_else_plays_no_part():
    draft = drafted()
    yes = approved(draft, 10)
    forged = Event.from_fields({**yes.fields, "reviewerId": EVE})
    elsewhere = Event.sealed({**{k: v for k, v in yes.fields.items() if k != "eventId"}, "subject": "builds"})
    for false in (forged, elsewhere):
        assert plan(draft, false).lives == ()


def test_what_does_not_count_puts_nothing_in_force_and_ends_nothing():
    draft = drafted()
    yes = approved(draft, 10)
    no = denied(draft, 20, yes)

    def found(*kinds: str) -> Plan:
        return plans_of([draft, yes, no], OPEN, lambda event: event.type in kinds)["tidy"]

    assert found().terms == found("PLAN_DENIED").terms == ()
    assert spans(found("PLAN_APPROVED")) == [(10, None)]


def test_plans_were_first_approved_when_the_first_was_whatever_became_of_it():
    draft = drafted()
    assert plans_of([draft], OPEN).first_approval is None
    assert plans_of([draft, approved(draft, 10)], TWO).first_approval is None
    assert plans_of([draft, approved(draft, 10), denied(draft, 5)], OPEN).first_approval == second(10)


@pytest.mark.parametrize(
    "identity, same",
    [("Ada <ada@x>", "A <ADA@x>"), ("ada@x", "Ada <ada@x>"), ("Ada", "ADA"), ("<ada@x>", "ada@x")],
)
def test_people_are_told_apart_by_their_address(identity, same):
    assert person(identity) == person(same)


def _content() -> dict[str, Any]:
    return {"planId": "tidy", "summary": "tidy up", "steps": [], "scope": ["**"]}
