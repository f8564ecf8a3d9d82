"""Laws of plans: for every history of drafts, approvals, denials, forcings and ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.judgement.coverage import Claim, plans_of
from sage_git.judgement.plan import State
from sage_git.judgement.policy import Approval
from tests.plan_events import ADA, BOB, EVE, NOBODY, approved, claim, completed, denied, drafted, forced, second

PEOPLE = (ADA, BOB, EVE)
PATH = "src/a.py"


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """A draft and what was said of it, each hanging on any of what came before, at any time."""
    events = [drafted(draw(st.integers(0, 3)), expires=draw(st.none() | st.integers(5, 30)))]
    for _ in range(draw(st.integers(0, 7))):
        say = draw(st.sampled_from((approved, denied, forced, completed)))
        known = draw(st.lists(st.sampled_from(events), min_size=1, max_size=2, unique=True))
        events.append(say(events[0], draw(st.integers(0, 30)), *known, by=draw(st.sampled_from(PEOPLE))))
    return events


RULES = st.builds(Approval, required=st.integers(1, 3), self_approval=st.booleans())
MOMENTS = st.integers(-1, 32)


def ancestors(events: list[Event], event: Event) -> set[str]:
    by_id = {each.event_id: each for each in events}
    found: set[str] = set()
    left = list(event.parents)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += by_id[name].parents
    return found


def holds(events: list[Event], approval: Event, at: int) -> bool:
    """By the words of SPEC 6.1 alone: `approval`, taken by itself, is in force at that second."""
    end = events[0].get("expiresAt")
    begins = Event.trusted(None, b"", approval.fields).timestamp
    moment = f"2026-01-01T08:00:{at:02}" if at >= 0 else "2026-01-01T07:59:59"
    if moment < begins[:19] or (end is not None and moment > end[:19]):
        return False
    for each in events:
        if each.type not in ("PLAN_DENIED", "RECONCILIATION"):
            continue
        if approval.type == "PLAN_UNSAFE" and each.type == "PLAN_DENIED":
            closes = approval.event_id in ancestors(events, each)
        else:
            closes = each.event_id not in ancestors(events, approval)
        if closes and each.timestamp[:19] < moment:
            return False
        if closes and each.timestamp[:19] < begins[:19]:
            return False
    return True


@given(histories(), st.randoms(use_true_random=False), RULES, MOMENTS)
def test_the_order_in_which_events_arrive_does_not_matter(events, random, rules, at):
    shuffled = [*events, *events]
    random.shuffle(shuffled)
    first, other = plans_of(events, rules)["tidy"], plans_of(shuffled, rules)["tidy"]
    assert first == other
    assert first.state(second(at)) == other.state(second(at))


@given(histories(), MOMENTS)
def test_a_claim_covers_exactly_while_the_approval_that_it_names_holds(events, at):
    plans = plans_of(events, Approval())
    for event in events:
        covers = plans.covering([claim(event)], [PATH], second(at), NOBODY).covers
        assert covers == (event.type in ("PLAN_APPROVED", "PLAN_UNSAFE") and holds(events, event, at))


@given(histories(), st.integers(2, 3), MOMENTS)
def test_more_approvals_wanted_never_cover_more(events, required, at):
    few, many = plans_of(events, Approval()), plans_of(events, Approval(required=required))
    for event in events:
        wide = few.covering([claim(event)], [PATH], second(at), NOBODY).covers
        narrow = many.covering([claim(event)], [PATH], second(at), NOBODY).covers
        assert wide or not narrow


@given(histories(), RULES, MOMENTS)
def test_as_many_people_as_wanted_hold_their_approvals_whenever_one_that_is_not_forced_covers(events, rules, at):
    plans = plans_of(events, rules)
    for event in events:
        found = plans.covering([claim(event)], [PATH], second(at), EVE)
        if found.term is not None and not found.term.is_unsafe:
            holding = {
                each["reviewerId"] for each in events if each.type == "PLAN_APPROVED" and holds(events, each, at)
            }
            assert len(holding if rules.self_approval else holding - {ADA, EVE}) >= rules.required


@given(histories(), RULES, MOMENTS)
def test_what_is_not_named_does_not_cover(events, rules, at):
    plans = plans_of(events, rules)
    assert not plans.covering([], [PATH], second(at), NOBODY).covers
    assert not plans.covering([Claim("tidy", "0" * 16)], [PATH], second(at), NOBODY).covers


@given(histories(), RULES, MOMENTS)
def test_a_plan_in_force_is_approved_or_unsafe_and_no_other_is(events, rules, at):
    found = plans_of(events, rules)["tidy"]
    state = found.state(second(at))
    ends_now = any(term.end == second(at) for term in found.terms)
    if not ends_now:
        assert (state in (State.APPROVED, State.UNSAFE)) == (found.term_at(second(at)) is not None)


@given(histories(), RULES, MOMENTS)
def test_what_covers_unnamed_covers_named(events, rules, at):
    plans = plans_of(events, rules)
    found = plans.implicitly_covering([PATH], second(at), NOBODY)
    if found.term is not None:
        assert plans.covering([Claim("tidy", found.term.approval)], [PATH], second(at), NOBODY).covers
