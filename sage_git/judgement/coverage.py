"""Which plan covers a change (SPEC 6.1): what its commit claims, held against the plans that are known.

A claim is never an authority: what it lacks is said as a `Problem`. Not here: the life of a plan (plan), and what is
made of a change that nothing covers (standing).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.judgement.plan import Plan, plans_in
from sage_git.judgement.policy import Approval
from sage_git.judgement.terms import Life, Term, person, terms_of

MOST_CLAIMS: Final = 64
LEAST_DIGITS: Final = 16
_LINE: Final = re.compile(
    rb"^[ \t]*Sage-Plan: (?P<plan>[A-Za-z0-9._-]{1,64}) (?P<approval>[0-9a-f]{16,64})[ \t\r]*$", re.MULTILINE
)


class Flaw(StrEnum):
    """Why a claim does not cover; also the code of the finding."""

    UNKNOWN_PLAN = "UNKNOWN_PLAN"
    NOT_APPROVED = "NOT_APPROVED"
    NOT_IN_FORCE = "NOT_IN_FORCE"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    OWN_APPROVAL = "OWN_APPROVAL"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a line `Sage-Plan: PLANID APPROVAL` says; `approval` has 16 to 64 hex digits of an eventId."""

    plan_id: str
    approval: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a claim does not cover, as a code and as a sentence."""

    code: Flaw
    plan_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The plan and term that cover a change, if any do, and what is wrong with the claims that were made.

    That a plan's scope lacks a path is no problem where another plan covers it.
    """

    plan: Plan | None = None
    term: Term | None = None
    problems: tuple[Problem, ...] = ()
    by_time: bool = False
    """True if no commit named the plan: it was in force, which the policy lets count."""

    @property
    def covers(self) -> bool:
        """True if a plan covers the change."""
        return self.plan is not None


NOTHING: Final = Coverage()
"""No plan covers it, and none was claimed to."""


def claims_in(message: bytes) -> tuple[Claim, ...]:
    """The claims in a commit's message, each once, in order; the first 64 of them."""
    if b"Sage-Plan: " not in message:
        return ()
    found: dict[Claim, None] = {}
    for line in _LINE.finditer(message):
        found.setdefault(Claim(line["plan"].decode("ascii"), line["approval"].decode("ascii")))
        if len(found) == MOST_CLAIMS:
            break
    return tuple(found)


def always(_: Event) -> bool:
    """True: every answer counts, signed or not."""
    return True


def plans_of(events: Iterable[Event], rules: Approval, counts: Callable[[Event], bool] = always) -> Plans:
    """The plans that `events`, in any order, tell of, under the policy's `rules`; `counts` says which answers do."""
    return Plans(plans_in(events, rules, counts))


class Plans(Mapping[str, Plan]):
    """Every plan by its id. Of plans that share one, the last that was ever in force, else the last drafted."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._versions: dict[str, tuple[Plan, ...]] = {}
        for plan in plans:
            self._versions[plan.plan_id] = (*self._versions.get(plan.plan_id, ()), plan)
        approved = [start for each in self._versions.values() for plan in each for start in _approvals(plan)]
        self.first_approval = min(approved, default=None)
        """The second in which a plan was first approved, denied later or not; None if never. What adds, removes or
        renames a source is judged from then on."""

    def __getitem__(self, plan_id: str) -> Plan:
        several = self._versions[plan_id]
        return next((plan for plan in reversed(several) if plan.terms), several[-1])

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)

    def versions(self, plan_id: str) -> tuple[Plan, ...]:
        """Every plan with this id, in the order of their drafts; two clones may have drafted one each."""
        return self._versions.get(plan_id, ())

    def covering(self, claims: Iterable[Claim], paths: Sequence[str], at_s: int, author: str) -> Coverage:
        """How the first of `claims` that covers all `paths` does, for a commit of `author` at that second."""
        covered: Coverage | None = None
        problems: list[Problem] = []
        for claim in claims:
            found = self._held_against(claim, paths, at_s, author)
            if isinstance(found, Problem):
                problems.append(found)
            elif covered is None:
                covered = found
        if covered is None:
            return Coverage(problems=tuple(problems)) if problems else NOTHING
        return replace(covered, problems=tuple(each for each in problems if each.code is not Flaw.OUT_OF_SCOPE))

    def implicitly_covering(self, paths: Sequence[str], at_s: int, author: str) -> Coverage:
        """How a plan that nobody named covers all `paths`, by being in force; the one that has been longest."""
        found = [
            (term.is_unsafe, term.start, term.approval, plan, term)
            for several in self._versions.values()
            for plan in several
            if all(map(plan.has, paths))
            for term in plan.terms_for(author)
            if term.has(at_s)
        ]
        if not found:
            return NOTHING
        *_, plan, term = min(found, key=lambda each: each[:3])
        return Coverage(plan, term, by_time=True)

    def _held_against(self, claim: Claim, paths: Sequence[str], at_s: int, author: str) -> Coverage | Problem:
        several = self._versions.get(claim.plan_id)
        if several is None:
            return Problem(Flaw.UNKNOWN_PLAN, claim.plan_id, f"plan {claim.plan_id} is not known here")
        found = [
            (plan, life)
            for plan in several
            for life in plan.lives
            if life.approval.startswith(claim.approval) and len(claim.approval) >= LEAST_DIGITS
        ]
        if not found:
            sentence = f"{claim.approval[:LEAST_DIGITS]} is no approval of plan {claim.plan_id} that is known here"
            return Problem(Flaw.NOT_APPROVED, claim.plan_id, sentence)
        plan, life = found[0]
        term = next((term for term in plan.terms_for(author) if term.approval == life.approval), None)
        if term is None:
            return _without_term(plan, life)
        if not term.has(at_s):
            when = "before it was approved" if at_s < term.start else _after(plan, term)
            return Problem(Flaw.NOT_IN_FORCE, plan.plan_id, f"the commit was made {when}")
        outside = [path for path in paths if not plan.has(path)]
        if outside:
            sentence = f"{outside[0]} is not in the scope of plan {plan.plan_id}"
            return Problem(Flaw.OUT_OF_SCOPE, plan.plan_id, sentence)
        return Coverage(plan, term)


def _without_term(plan: Plan, life: Life) -> Problem:
    """Why an approval did not put its plan in force."""
    name = plan.plan_id
    if not life.counts:
        return Problem(
            Flaw.NOT_APPROVED, name, f"the policy does not let approval {life.approval[:12]} of plan {name} count"
        )
    if life.is_barren:
        expired = life.ended_by is None
        why = f"plan {name} had expired when it was approved" if expired else f"plan {name} was denied or done by then"
        return Problem(Flaw.NOT_APPROVED, name, why)
    if any(term.approval == life.approval for term in terms_of(plan.lives, plan.rules.required)):
        own = "who drafted it" if person(life.reviewer) in set(map(person, plan.drafters)) else "the commit's author"
        sentence = f"plan {name} needs the approval of {own}, which the policy does not let count"
        return Problem(Flaw.OWN_APPROVAL, name, sentence)
    needed = plan.rules.required
    return Problem(Flaw.NOT_APPROVED, name, f"plan {name} lacks approvals: the policy wants {needed}")


def _after(plan: Plan, term: Term) -> str:
    if term.ended_by is None:
        return f"after plan {plan.plan_id} expired"
    ending = next(event for event in plan.closings if event.event_id == term.ended_by)
    return f"after plan {plan.plan_id} was {'denied' if ending.type == 'PLAN_DENIED' else 'done'}"


def _approvals(plan: Plan) -> list[int]:
    """The seconds in which enough had approved the plan, whatever became of it."""
    lives = [replace(life, end=None, ended_by=None) for life in plan.lives]
    without = () if plan.rules.self_approval else plan.drafters
    return [term.start for term in terms_of(lives, plan.rules.required, without)]
