"""What people decide about a plan: approve it, deny it, force it, end it; each only where it means something.

Not here: what a decision does (`judgement.plan`), and plans in use (`gating.in_use`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sage_git.errors import UsageError
from sage_git.judgement.plan import Plan, State
from sage_git.judgement.terms import Life, person
from sage_git.operations.planning.drafting import KEY
from sage_git.operations.planning.known import IN_FORCE

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.planning.known import KnownPlans
    from sage_git.operations.statements.speaker import Voice


def approve(checkout: Checkout, known: KnownPlans, plan: Plan, why: str, voice: Voice) -> Event:
    """The PLAN_APPROVED of `plan`. Raises UsageError, and as `Voice.say`."""
    state, reviewer = known.state(plan), voice.reviewer
    if _is_past(plan, known):
        raise UsageError(f"plan {plan.plan_id} has expired", remedy=_again(plan))
    if not known.policy.approval.self_approval and person(reviewer) in map(person, plan.drafters):
        remedy = f"somebody else: sage-git plan approve {plan.plan_id} -m WHY"
        raise UsageError(f"the policy does not let who drafted plan {plan.plan_id} approve it", remedy=remedy)
    if any(person(life.reviewer) == person(reviewer) for life in _standing(plan)):
        raise UsageError(f"plan {plan.plan_id} has the approval of {reviewer} already", remedy=_next(plan, state))
    said = {"type": "PLAN_APPROVED", "reviewerId": reviewer, "justification": why}
    return _say(checkout, plan, said, voice)


def deny(checkout: Checkout, known: KnownPlans, plan: Plan, why: str, voice: Voice) -> Event:
    """The PLAN_DENIED of `plan`. Raises UsageError, and as `Voice.say`."""
    state = known.state(plan)
    if state is State.DENIED:
        raise UsageError(f"plan {plan.plan_id} is denied already", remedy=_next(plan, state))
    if state in (State.COMPLETED, State.EXPIRED):
        raise UsageError(f"plan {plan.plan_id} is {state}; there is nothing left to deny", remedy=_next(plan, state))
    return _say(checkout, plan, {"type": "PLAN_DENIED", "reviewerId": voice.reviewer, "reason": why}, voice)


def force(checkout: Checkout, known: KnownPlans, plan: Plan, why: str, voice: Voice) -> Event:
    """The PLAN_UNSAFE of `plan`, with what it overrides. Raises UsageError, and as `Voice.say`."""
    state = known.state(plan)
    if state in IN_FORCE:
        raise UsageError(f"plan {plan.plan_id} is in force already, {state}", remedy=_next(plan, state))
    if _is_past(plan, known):
        raise UsageError(f"plan {plan.plan_id} has expired, which cannot be forced", remedy=_again(plan))
    said = {
        "type": "PLAN_UNSAFE",
        "forcedBy": voice.reviewer,
        "overriddenWarnings": warnings_against(known, plan),
        "justification": why,
    }
    return _say(checkout, plan, said, voice)


def complete(checkout: Checkout, known: KnownPlans, plan: Plan, why: str, voice: Voice) -> Event:
    """The RECONCILIATION that ends `plan`. Raises UsageError, and as `Voice.say`."""
    state = known.state(plan)
    if state not in IN_FORCE:
        already = state in (State.COMPLETED, State.EXPIRED, State.DENIED)
        said = f"is {state} already" if already else "was never approved, so it cannot be done"
        raise UsageError(f"plan {plan.plan_id} {said}", remedy=_next(plan, state))
    given = {"type": "RECONCILIATION", "reconciliationStrategy": "completed", "reviewerId": voice.reviewer}
    return _say(checkout, plan, given | ({"justification": why} if why else {}), voice)


def check_usable(known: KnownPlans, plan: Plan) -> None:
    """Raises UsageError unless `plan` is in force, so that commits may name it."""
    state = known.state(plan)
    if state not in IN_FORCE:
        said = "is not approved yet" if state is State.DRAFTED else f"is {state}"
        raise UsageError(f"plan {plan.plan_id} {said}, so no commit can be under it", remedy=_next(plan, state))


def warnings_against(known: KnownPlans, plan: Plan) -> list[str]:
    """What stands against taking `plan` as approved, in sentences."""
    rules = known.policy.approval
    found = []
    for event in plan.closings:
        if event.type == "PLAN_DENIED":
            found.append(f"denied by {event['reviewerId']}: {event['reason']}")
        else:
            found.append("it was done before")
    people = {person(life.reviewer) for life in _standing(plan)}
    if not rules.self_approval and people & set(map(person, plan.drafters)):
        people -= set(map(person, plan.drafters))
        found.append("approved by who drafted it, which does not count")
    if len(people) < rules.required:
        found.append(f"{len(people)} of {rules.required} approvals" if people else "nobody's approval stands")
    uncounted = [life for life in plan.lives if not life.counts]
    if uncounted:
        found.append(f"{len(uncounted)} of its approvals are not signed as the policy wants")
    return found


def approvals_missing(known: KnownPlans, plan: Plan) -> tuple[int, int]:
    """How many people's approvals stand, and how many the policy wants."""
    excluded = set() if known.policy.approval.self_approval else set(map(person, plan.drafters))
    return len({person(life.reviewer) for life in _standing(plan)} - excluded), known.policy.approval.required


def _say(checkout: Checkout, plan: Plan, said: Mapping[str, Any], voice: Voice) -> Event:
    named = {"planId": plan.plan_id, "planHash": plan.plan_hash}
    return voice.say(checkout, KEY, {**said, **named})


def _standing(plan: Plan) -> list[Life]:
    """The approvals that count and that nothing has ended."""
    return [life for life in plan.lives if not life.is_barren and not life.is_unsafe and life.ended_by is None]


def _is_past(plan: Plan, known: KnownPlans) -> bool:
    return plan.expires_at is not None and plan.expires_at < known.now_s


def _again(plan: Plan) -> str:
    return f"draft it anew; sage-git plan show {plan.plan_id} has what it said"


def _next(plan: Plan, state: State) -> str:
    """What may be done with a plan in this state."""
    name = plan.plan_id
    match state:
        case State.APPROVED | State.UNSAFE:
            return f"sage-git plan use {name} takes it into use"
        case State.DRAFTED:
            return f"sage-git plan approve {name} -m WHY, or sage-git plan deny {name} -m WHY"
        case State.DENIED | State.COMPLETED:
            return f"sage-git plan approve {name} -m WHY puts it in force again"
        case State.EXPIRED:
            return _again(plan)
