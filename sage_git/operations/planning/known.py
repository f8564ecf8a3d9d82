"""The plans that are known here, as the policy for the next commit sees them, and the one that a word means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from sage_git.errors import UsageError
from sage_git.judgement.plan import Plan, State

if TYPE_CHECKING:
    from sage_git.judgement.coverage import Plans
    from sage_git.judgement.policy import Policy
    from sage_git.operations.checkout import Checkout

_LEAST_DIGITS: Final = 4
_NAMED: Final = 5
IN_FORCE: Final = (State.APPROVED, State.UNSAFE)
OPEN_STATES: Final = (*IN_FORCE, State.DRAFTED)
"""Those of plans that somebody may still work under."""
_ORDER: Final = (*OPEN_STATES, State.COMPLETED, State.DENIED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class KnownPlans:
    """All plans, the policy they are seen under, and the second in which they are looked at."""

    plans: Plans
    policy: Policy
    now_s: int

    @classmethod
    def of(cls, checkout: Checkout, now_s: int) -> Self:
        """What `checkout` knows of plans now. Raises NotHere, GitFailed."""
        from sage_git.operations.judging.judge import Judge

        judge = Judge(checkout, now_s)
        return cls(judge.plans, judge.policy_now(), now_s)

    def __iter__(self) -> Iterator[Plan]:
        for plan_id in self.plans:
            yield from self.plans.versions(plan_id)

    def sorted(self) -> list[Plan]:
        """All plans: those in force first, the newest of each state first."""
        newest = sorted(self, key=lambda plan: plan.events[0].timestamp, reverse=True)
        return sorted(newest, key=lambda plan: _ORDER.index(plan.state(self.now_s)))

    def state(self, plan: Plan) -> State:
        """How `plan` stands now."""
        return plan.state(self.now_s)

    def as_json(self, plan: Plan, *, in_use: str | None) -> dict[str, Any]:
        """The object of SPEC 8.1, and more."""
        draft = plan.events[0]
        return {
            "planId": plan.plan_id,
            "planHash": plan.plan_hash,
            "state": self.state(plan).value,
            "scope": list(plan.scope.texts),
            "summary": plan.summary,
            "steps": list(plan.steps),
            **({"expiresAt": draft["expiresAt"]} if "expiresAt" in draft else {}),
            "inUse": plan.plan_id == in_use,
            "events": [dict(event.fields) for event in plan.events],
        }

    def named(self, word: str) -> Plan:
        """The plan that `word` means: an id, the beginning of one, or the first digits of a hash. Raises UsageError."""
        everything = list(self)
        for found in (
            [plan for plan in everything if plan.plan_id == word],
            [plan for plan in everything if word and plan.plan_id.startswith(word)],
            [plan for plan in everything if len(word) >= _LEAST_DIGITS and plan.plan_hash.startswith(word.lower())],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                raise _ambiguous(word, found)
        raise self._unknown(word)

    def _unknown(self, word: str) -> UsageError:
        from difflib import get_close_matches

        known = list(self.plans)
        if not known:
            remedy = "sage-git plan draft --summary WHAT --scope PATTERN drafts one"
            return UsageError(f"no plan '{word}' is known here; there is none at all", remedy=remedy)
        nearest = get_close_matches(word[:64], known, 1, 0.5)
        said = f"; the nearest is {nearest[0]}" if nearest else ""
        return UsageError(f"no plan '{word}' is known here{said}", remedy="sage-git plan list --all shows every plan")


def _ambiguous(word: str, found: list[Plan]) -> UsageError:
    if len({plan.plan_id for plan in found}) == 1:
        digits = ", ".join(plan.plan_hash[:12] for plan in found[:_NAMED])
        remedy = f"name it by its hash: {digits}"
        return UsageError(f"plan {found[0].plan_id} was drafted {len(found)} times, and differently", remedy=remedy)
    names = ", ".join(sorted({plan.plan_id for plan in found})[:_NAMED])
    return UsageError(f"'{word}' may be any of {names}", remedy="write more of it")
