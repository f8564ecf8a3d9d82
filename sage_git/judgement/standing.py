"""How a fact stands (SPEC 6): the rules, over evidence, plans and answers. Pure; the same wherever it is computed.

A fact that nobody answers for has *roots*: the rogue edits that must be answered before it is. An unplanned edit is its
own root; what replays it has the same root, so that answering either answers both. Roots do not depend on answers,
which is why answers can be closed over them.

Not here: where evidence, plans and answers come from (`operations.judging`), and the event that tells it (`verdict`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from sage_git.chronicle.ids import EventId
from sage_git.judgement.coverage import Coverage
from sage_git.judgement.replay import Fit, Replay


class Circumstance(StrEnum):
    """How an edit came into its commit."""

    ORDINARY = "ordinary"
    """By a commit with one parent or none."""
    MERGE = "merge"
    """By a merge, in which git's automatic merge would have left something else."""
    AUTOMATIC_MERGE = "automatic merge"
    """By a merge, and git did it by itself."""
    BACKFILL = "backfill"
    """By whatever commit, on a branch that was there before `init`."""


class Treatment(Enum):
    """Whether policy wants an answer for a fact."""

    UNJUDGED = "none is wanted"
    JUDGED = "one is wanted"
    FORBIDDEN = "no plan can give one in advance"


class Reason(StrEnum):
    """What kind of change it is, as ROGUE_EDIT_DETECTED says it."""

    EDIT = "edit"
    ADD = "add"
    REMOVE = "remove"
    RENAME = "rename"
    MERGE = "merge"
    MODE = "mode"


class Ruling(StrEnum):
    """Why a fact is answered for, by the name of its strategy; or that it is not."""

    PLAN = "plan"
    REWRITE = "rewrite"
    MERGE = "merge"
    RESOLUTION = "conflict-resolution"
    REVERTED = "reverted"
    BACKFILL = "backfill"
    ROGUE = "rogue"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What git objects say of a fact. `sides` are the edits that a settled conflict took its lines from."""

    circumstance: Circumstance = Circumstance.ORDINARY
    replays: tuple[Replay, ...] = ()
    sides: tuple[EventId, ...] | None = None
    undoes: EventId | None = None

    @property
    def chain(self) -> tuple[EventId, ...]:
        """The earlier edits that are done again."""
        return tuple(fact for replay in self.replays for fact in replay.chain)

    @property
    def fit(self) -> Fit | None:
        """How much of the fact the chain is."""
        return self.replays[-1].kind if self.replays else None


@dataclass(frozen=True, slots=True)
class Case:
    """A fact to be judged. `at` is its commit's effective time in seconds."""

    fact: EventId
    treatment: Treatment
    reason: Reason
    paths: tuple[str, ...]
    at: int

    @property
    def is_of_policy(self) -> bool:
        """True for what changes the policy, or who may sign."""
        return any(path.startswith(".sage/") for path in self.paths)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a fact stands. `origins` are the rogue edits to be answered for it; `replayed` is what it does again, and
    `linked` what of that, or of the sides of a merge, is rogue.
    """

    ruling: Ruling
    reason: Reason
    coverage: Coverage | None = None
    replayed: tuple[EventId, ...] = ()
    linked: tuple[EventId, ...] = ()
    origins: frozenset[EventId] = frozenset()
    undone: EventId | None = None

    @property
    def is_rogue(self) -> bool:
        return self.ruling is Ruling.ROGUE


class Docket(Protocol):
    """What the rules ask about facts."""

    def case(self, fact: EventId) -> Case | None:
        """The fact; None if it is not known."""
        ...

    def evidence(self, fact: EventId) -> Evidence: ...

    def coverage(self, fact: EventId) -> Coverage | None:
        """What became of the plans that its commit names; None if it names none."""
        ...

    def is_its_own_ground(self, fact: EventId) -> bool:
        """True if it rests on nothing that it does again: a plan covers it, or its policy wanted no answer."""
        ...

    def may_be_replayed(self, fact: EventId, case: Case) -> bool:
        """True unless its plan has not the new paths in its scope, or was denied since; of one that is a ground."""
        ...

    def undone_by(self, fact: EventId) -> Iterable[EventId]:
        """The facts that take it back."""
        ...

    def follows(self, later: EventId, earlier: EventId) -> bool:
        """True if the commit of `earlier` is in the history of that of `later`, or the same."""
        ...

    def answered_since(self, fact: EventId) -> int | None:
        """The second of the first statement that answers for this very fact; None if there is none."""
        ...


class Rules:
    """The rules over one docket; what was found is remembered."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered."""
        self._roots: dict[EventId, frozenset[EventId]] = {}
        self._counted: dict[EventId, tuple[EventId, ...]] = {}
        self._grounds: dict[EventId, frozenset[EventId]] = {}

    def roots(self, fact: EventId) -> frozenset[EventId]:
        """The rogue edits to be answered before `fact` is; none where it needs no answer, whatever was answered."""
        if fact in self._roots:
            return self._roots[fact]
        if self._docket.case(fact) is None:
            return frozenset()  # and not remembered: it may come
        waiting, opened = [fact], set[EventId]()
        while waiting:  # not by recursion: work may have been rebased a thousand times
            top = waiting[-1]
            missing = [each for each in self._depends_on(top) if each not in self._roots]
            if top in self._roots or not missing:
                waiting.pop()
                if top not in self._roots:
                    self._roots[top] = self._find_roots(top)
            else:
                opened.add(top)
                circle = [each for each in missing if each in opened]  # only forged evidence has one
                self._roots.update((each, frozenset[EventId]()) for each in circle)
                waiting.extend(each for each in missing if each not in opened)
        return self._roots[fact]

    def standing(self, fact: EventId, is_answered: Callable[[EventId], bool]) -> Standing:
        """By which rule `fact` is answered for; `is_answered` knows the roots that statements answer."""
        case = self._docket.case(fact)
        if case is None or case.treatment is Treatment.UNJUDGED:
            return Standing(Ruling.UNJUDGED, case.reason if case else Reason.EDIT)
        evidence, roots = self._docket.evidence(fact), self.roots(fact)
        if evidence.circumstance is Circumstance.BACKFILL:
            return Standing(Ruling.BACKFILL, case.reason)
        chain, coverage = self._counted.get(fact, ()), self._docket.coverage(fact)
        merged = evidence.circumstance in (Circumstance.MERGE, Circumstance.AUTOMATIC_MERGE)
        reason = Reason.MERGE if merged else case.reason
        is_open = any(not is_answered(root) for root in roots)
        undone = evidence.undoes if self._undoes_rogue(case, evidence) else None
        if is_open or (fact in roots):
            linked = tuple(each for each in evidence.chain or evidence.sides or () if self.roots(each))
            return Standing(Ruling.ROGUE, reason, coverage, chain, linked, roots)
        return Standing(self._ruling(case, evidence), reason, coverage, chain, (), roots, undone)

    def is_open(
        self, fact: EventId, is_answered: Callable[[EventId], bool], is_seen: Callable[[EventId], bool]
    ) -> bool:
        """True if nobody has answered for `fact`; taking it back counts where `is_seen` sees the fact that does."""
        if all(is_answered(root) for root in self.roots(fact)):
            return False
        return not any(is_seen(each) for each in self._docket.undone_by(fact) if self._takes_back(each))

    def counted(self, fact: EventId) -> tuple[EventId, ...]:
        """Those of the edits that `fact` does again that may be; for the others it stands by itself."""
        self.roots(fact)
        return self._counted.get(fact, ())

    def _ruling(self, case: Case, evidence: Evidence) -> Ruling:
        """Which rule answers for a fact that is not rogue."""
        if case.treatment is Treatment.JUDGED and self._is_covered(case.fact):
            return Ruling.PLAN
        if self._undoes_rogue(case, evidence):
            return Ruling.REVERTED
        if self._counted.get(case.fact):
            return Ruling.RESOLUTION if evidence.fit is Fit.RESOLVED else Ruling.REWRITE
        if evidence.circumstance is Circumstance.AUTOMATIC_MERGE:
            return Ruling.MERGE
        return Ruling.RESOLUTION if evidence.sides is not None else Ruling.REVERTED

    def _depends_on(self, fact: EventId) -> list[EventId]:
        evidence = self._docket.evidence(fact)
        return [*evidence.chain, *(evidence.sides or ()), *([evidence.undoes] if evidence.undoes else [])]

    def _find_roots(self, fact: EventId) -> frozenset[EventId]:
        case, evidence = self._docket.case(fact), self._docket.evidence(fact)
        chain = self._counted[fact] = () if case is None else self._find_counted(case, evidence.chain)
        grounds = (self._grounds.get(each, frozenset()) for each in chain)
        self._grounds[fact] = frozenset([fact]) if self._docket.is_its_own_ground(fact) else frozenset().union(*grounds)
        is_free = evidence.circumstance in (Circumstance.BACKFILL, Circumstance.AUTOMATIC_MERGE)
        if case is None or case.treatment is Treatment.UNJUDGED or is_free:
            return frozenset()
        carried = self._carried_roots(evidence.chain, evidence.chain[-1]) if evidence.chain else frozenset[EventId]()
        is_all = bool(chain) and len(chain) == len(evidence.chain)
        if self._undoes_rogue(case, evidence) and not (is_all and evidence.fit is Fit.WHOLE):
            return frozenset()  # which is all of it, whatever else some of it may look like
        if case.treatment is Treatment.FORBIDDEN:
            return carried | {fact}
        if self._is_covered(fact) or (is_all and evidence.fit in (Fit.WHOLE, Fit.RESOLVED)):
            return carried
        if evidence.sides is not None:
            return carried | self._carried_roots(evidence.sides, fact)
        return carried | {fact}

    def _is_covered(self, fact: EventId) -> bool:
        coverage = self._docket.coverage(fact)
        return coverage is not None and coverage.covers

    def _find_counted(self, case: Case, chain: Iterable[EventId]) -> tuple[EventId, ...]:
        """Those of a chain that may be done again: all that they rest on may be."""
        may_be = self._docket.may_be_replayed
        return tuple(each for each in chain if all(may_be(ground, case) for ground in self._grounds.get(each, ())))

    def _carried_roots(self, edits: Iterable[EventId], end: EventId) -> frozenset[EventId]:
        """The roots of edits that are done again, less those that were taken back before the last of them."""
        found: set[EventId] = set()
        for edit in edits:
            roots = self._roots[edit]
            if roots and not any(
                self._docket.follows(end, each) for each in self._docket.undone_by(edit) if self._takes_back(each)
            ):
                found |= roots
        return frozenset(found)

    def _takes_back(self, fact: EventId) -> bool:
        """True if it answers for what it undoes. A policy taken back leaves what was judged by it meanwhile."""
        case = self._docket.case(fact)
        if case is None or case.is_of_policy:
            return False
        return self._undoes_rogue(case, self._docket.evidence(fact))

    def _undoes_rogue(self, case: Case, evidence: Evidence) -> bool:
        """True if it takes back an edit that was open when it did."""
        if evidence.undoes is None:
            return False
        roots = self.roots(evidence.undoes)
        return not self._was_answered(evidence.undoes, case.at) and any(
            not self._was_answered(root, case.at) for root in roots
        )

    def _was_answered(self, fact: EventId, at: int) -> bool:
        since = self._docket.answered_since(fact)
        return since is not None and since <= at
