"""What an edit is worth to somebody who reads: planned, answered for, or open. Not here: the rules (`judgement`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.judgement.standing import Ruling

if TYPE_CHECKING:
    from sage_git.judgement.plan import Plan
    from sage_git.operations.reading.opening import Reading


@dataclass(frozen=True, slots=True)
class Stands:
    """How one fact stands."""

    ruling: Ruling = Ruling.UNJUDGED
    is_uncovered: bool = False
    """True if nothing covers what it does itself: it is rogue, and not because it does a rogue edit again."""
    is_open: bool = False
    """True if nobody has answered for it."""
    plan: Plan | None = None
    """What covers it, or what it does again."""

    @property
    def is_rogue(self) -> bool:
        return self.ruling is Ruling.ROGUE


NOT_JUDGED: Final = Stands()


class Standings:
    """How facts stand, as seen from HEAD; each is looked up once."""

    def __init__(self, reading: Reading) -> None:
        self._judge = reading.readings.judge
        self._reach = reading.readings.reach
        self._known: dict[EventId, Stands] = {}

    def of(self, fact: Event) -> Stands:
        """How `fact` stands."""
        identifier = fact.event_id
        if identifier is None or self._reach is None:
            return NOT_JUDGED
        if identifier not in self._known:
            standing = self._judge.standing(identifier)
            is_open = bool(standing.origins) and self._is_open(identifier)
            is_uncovered = identifier in standing.origins
            plan = None if is_uncovered else self._plan(identifier)
            self._known[identifier] = Stands(standing.ruling, is_uncovered, is_open, plan)
        return self._known[identifier]

    def _is_open(self, fact: EventId) -> bool:
        return self._reach is not None and self._judge.is_open(fact, self._reach)

    def plans(self, used: Iterable[Plan]) -> tuple[Plan, ...]:
        """These plans, each once, as the policy for the next commit sees them; in order of id."""
        known = self._judge.plans
        by_name = {(plan.plan_id, plan.plan_hash): plan for plan in used}
        now = {(each.plan_id, each.plan_hash): each for name, _ in by_name for each in known.versions(name)}
        return tuple(now.get(name, plan) for name, plan in sorted(by_name.items(), key=lambda each: each[0]))

    def _plan(self, fact: EventId) -> Plan | None:
        """The plan that covers a fact, else one that covers what it does again, the newest first."""
        waiting, seen = [fact], {fact}
        while waiting:
            standing = self._judge.standing(waiting.pop())
            if standing.coverage is not None and standing.coverage.plan is not None:
                return standing.coverage.plan
            waiting.extend(each for each in standing.replayed if each not in seen)
            seen.update(standing.replayed)
        return None


class LineStandings(Standings):
    """How the edits stand that wrote lines which are there: that they were taken back once is no answer for these."""

    def _is_open(self, fact: EventId) -> bool:
        return self._judge.is_unanswered(fact)
