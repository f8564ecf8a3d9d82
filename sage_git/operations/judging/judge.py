"""The judge: how every fact in an index stands now, from what is known now. Reads only, and remembers while it lives.

Responsible for putting evidence, plans, answers and policies before the rules (`judgement.standing`). Not here: finding
evidence (`searching`), and the verdict that is kept beside a fact (`verdicts`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import FACT_TYPES, PLAN_TYPES
from sage_git.judgement.coverage import Plans
from sage_git.judgement.policy import Policy
from sage_git.judgement.replay import Replay
from sage_git.judgement.standing import Evidence, Rules, Standing
from sage_git.operations.checkout import Checkout
from sage_git.operations.judging.about import facts_of_verdict
from sage_git.operations.judging.answers import Answers
from sage_git.operations.judging.docket import Docket
from sage_git.operations.judging.policies import Policies
from sage_git.storage import queries

ROGUE: Final = "ROGUE_EDIT_DETECTED"
_ENDS_A_PLAN: Final = ("PLAN_DENIED", "RECONCILIATION")
_LATE: Final = ("FILE_ADDED", "FILE_REMOVED", "FILE_RENAMED")
"""What is judged from the first approval on."""


class Reach(Protocol):
    """Which commits are in a history (storage.index)."""

    def has(self, chain: int, position: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class OpenFact:
    """A fact that nobody answers for: its event, the verdict kept beside it, if there is one, and how it stands."""

    event: Event
    verdict: Event | None
    standing: Standing

    @property
    def event_id(self) -> EventId:
        """What an answer names: the verdict, or the fact where none is kept."""
        return (self.verdict or self.event).event_id or EventId("")

    @property
    def origins(self) -> frozenset[EventId]:
        """The fact, and the rogue edits that it does again."""
        return self.standing.origins | {self.event.event_id or EventId("")}


class Judge:
    """Knows how facts stand at `now` (seconds). `extra` are statements that count and are not in the index yet."""

    def __init__(
        self, checkout: Checkout, now: int, extra: Iterable[Event] = (), policies: Policies | None = None
    ) -> None:
        self.now = now
        self._index = checkout.index
        statements = list(extra)
        self._docket = Docket(checkout, now, statements, policies)
        self._rules = Rules(self._docket)
        self._answers = Answers(self._docket, self._rules, checkout.index, statements)
        self._docket.answers = self._answers

    @classmethod
    def of(cls, checkout: Checkout, extra: Iterable[Event] = ()) -> Judge:
        """The judge over what `checkout` has recorded, now."""
        return cls(checkout, int(time.time()), extra)

    @cached_property
    def has_work(self) -> bool:
        """True once anything was ever approved or answered, so that edits can stand otherwise than alone."""
        return self._answers.exist or self.plans.first_approval is not None

    @cached_property
    def plans(self) -> Plans:
        """The plans, under the policy in force for the next commit."""
        return self._docket.plans_now()

    def policy_for(self, commit: ObjectId) -> Policy:
        """The policy in force for an observed commit."""
        return self._docket.policies.before(commit)

    def policy_now(self) -> Policy:
        """The policy in force for the next commit on HEAD."""
        return self._docket.policies.now()

    def evidence(self, fact: EventId) -> Evidence:
        """What git objects say of a fact beyond the fact."""
        return self._docket.evidence(fact)

    def replays(self, fact: EventId) -> tuple[Replay, ...]:
        """What a fact does again, whether or not it may be."""
        return self._docket.evidence(fact).replays

    def counted(self, fact: EventId) -> tuple[EventId, ...]:
        """Those of the edits that a fact does again whose plans let it; it stands by itself for the others."""
        return self._rules.counted(fact)

    def standing(self, fact: EventId) -> Standing:
        """How a fact stands."""
        return self._rules.standing(fact, self._answered_for(fact))

    def is_open(self, fact: EventId, reach: Reach) -> bool:
        """True if nobody has answered for a fact, as seen from a commit with this history."""
        return self._rules.is_open(fact, self._answered_for(fact), lambda each: self._is_in(each, reach))

    def follows(self, later: EventId, earlier: EventId) -> bool:
        """True if the commit of `earlier` is in the history of that of `later`, or the same."""
        return self._docket.follows(later, earlier)

    def is_rogue(self, fact: EventId) -> bool:
        """True if a fact is, or does again, what somebody has to answer for, or had to."""
        return bool(self._rules.roots(fact))

    def is_unanswered(self, fact: EventId) -> bool:
        """True if no statement answers for a fact, taken back or not; for lines that are there all the same."""
        return self._rules.is_open(fact, self._answered_for(fact), lambda _: False)

    def is_answered(self, fact: EventId, reach: Reach) -> bool:
        """True if a fact was rogue, and somebody has answered for it."""
        return self.is_rogue(fact) and not self.is_open(fact, reach)

    def open_edits(self, reach: Reach) -> list[OpenFact]:
        """The facts in a history that nobody answered for, newest first."""
        connection, verdicts = self._index.connection, self._suspects()
        rows = sorted([*verdicts, *self.untold.values()], key=lambda row: -row.time_ms) if self.untold else verdicts
        found = []
        for row in rows:
            if row.place is None or not reach.has(*row.place):
                continue
            is_told = row.type not in FACT_TYPES
            for fact in facts_of_verdict(connection, row) if is_told else [row.event_id]:
                event = self._docket.fact(fact)
                if event is not None and self.is_open(fact, reach):
                    found.append(OpenFact(event, row.event if row.line and is_told else None, self.standing(fact)))
        return found

    @cached_property
    def untold(self) -> Mapping[EventId, queries.Row]:
        """The facts that have no verdict and want one: they were recorded before an earlier approval was known."""
        first = self.plans.first_approval
        lives = (
            life for each in self.plans for plan in self.plans.versions(each) for life in plan.lives if life.counts
        )
        nodes = ((self._index.events.node(life.approval), life.start) for life in lives)
        earliest, found = 1 << 62, list[queries.Row]()
        for number, start in sorted((node.number, start) for node, start in nodes if node is not None):
            if first is not None and first < earliest:
                found += queries.recorded_before(self._index.connection, number, first, earliest, _LATE)
            earliest = min(earliest, start)
        told = {row.event_id for row in found if queries.verdicts_on(self._index.connection, row.event_id)}
        return {row.event_id: row for row in found if row.event_id not in told}

    @cached_property
    def overturned(self) -> frozenset[EventId]:
        """The verdicts that call facts answered for and may be wrong by now: a plan ended, something was redacted."""
        ended: dict[object, int] = {}
        is_shorn = False  # of a plan, an approval or an answer, which covered something once
        for row in queries.of_types(self._index.connection, *PLAN_TYPES, "RECONCILIATION"):
            is_shorn |= row.line is None and row.commit is None
            if row.type in _ENDS_A_PLAN and row.place is None and (plan := row.event.get("planId")) is not None:
                ended[plan] = max(ended.get(plan, 0), row.number)
        if not (ended or is_shorn):
            return frozenset()
        rows = queries.of_types(self._index.connection, "RECONCILIATION")
        return frozenset(row.event_id for row in rows if row.place and (is_shorn or _came_before_an_end(row, ended)))

    def forget(self) -> None:
        """Drop what is remembered of facts; what policies, plans and answers say stays."""
        self._docket.forget()
        self._rules.forget()

    def prepare(self, fact: Event, evidence: Evidence) -> None:
        """Take what was just found out of a fact that is being entered."""
        self._docket.prepare(fact, evidence)

    def _answered_for(self, fact: EventId) -> Callable[[EventId], bool]:
        """Whether roots are answered for, as far as that counts where `fact` is."""
        event = self._docket.fact(fact)
        commit = None if event is None else event.graph_commit
        return lambda root: commit is not None and self._answers.has(root, commit)

    def _suspects(self) -> list[queries.Row]:
        """The verdicts whose facts may be open, newest first."""
        if not self.overturned:
            return queries.of_types(self._index.connection, ROGUE)
        rows = queries.of_types(self._index.connection, ROGUE, "RECONCILIATION")
        return [row for row in rows if row.type == ROGUE or row.event_id in self.overturned]

    def _is_in(self, fact: EventId, reach: Reach) -> bool:
        event = self._docket.fact(fact)
        place = None if event is None else self._index.commits.place(event.graph_commit)
        return place is not None and reach.has(place.chain, place.position)


def _came_before_an_end(verdict: queries.Row, ended: Mapping[object, int]) -> bool:
    """True if the plan that a verdict names, or any, if it names none, ended after it."""
    plan = verdict.event.get("planId")
    return verdict.number < (max(ended.values(), default=0) if plan is None else ended.get(plan, 0))


def is_judged(event: Event) -> bool:
    """True for the facts that can be answered for: a split or merge of files only tells of others."""
    return event.type in FACT_TYPES and event.type not in ("FILE_SPLIT", "FILE_MERGED")
