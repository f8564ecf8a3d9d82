"""How a fact stands (SPEC 6): the rules, over evidence, plans and answers. Pure; the same wherever it is computed.

A fact that nobody answers for has *roots*: the rogue edits that must be answered before it is. An unplanned edit is its
own root; what replays it has the same root, so that answering either answers both. Roots do not depend on answers,
which is why answers can be closed over them.

Not here: where evidence, plans and answers come from (`operations.judging`), and the event that tells it (`verdict`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sage_git.chronicle.ids import EventId
from sage_git.judgement.case import Case, Circumstance, Docket, Evidence, Reason, Treatment
from sage_git.judgement.coverage import Coverage
from sage_git.judgement.replay import Fit

__all__ = [
    "Case", "Circumstance", "Docket", "Evidence", "Reason", "Rules", "Ruling", "Standing", "Treatment",
]  # fmt: skip


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
class Standing:
    """How a fact stands. `origins` are the rogue edits to be answered for it; `replayed` is what it does again, and
    `linked` what of that, or of the sides of a merge, is rogue; `undone` are the open edits that it answers for.
    """

    ruling: Ruling
    reason: Reason
    coverage: Coverage | None = None
    replayed: tuple[EventId, ...] = ()
    linked: tuple[EventId, ...] = ()
    origins: frozenset[EventId] = frozenset()
    undone: tuple[EventId, ...] = ()

    @property
    def is_rogue(self) -> bool:
        return self.ruling is Ruling.ROGUE


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
        if fact in roots or not all(map(is_answered, roots)):
            linked = tuple(each for each in evidence.chain or evidence.sides or () if self.roots(each))
            return Standing(Ruling.ROGUE, reason, coverage, chain, linked, roots)
        return Standing(
            self._ruling(case, evidence), reason, coverage, chain, (), roots, self._taken_back(case, evidence)
        )

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
        sides = evidence.sides or ()
        undoers = [*self._undoers(evidence.chain, evidence.chain[-1:]), *self._undoers(sides, [fact])]
        return [*evidence.chain, *sides, *evidence.undoes, *undoers]

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
            if roots and not any(map(self._takes_back, self._undoers([edit], [end]))):
                found |= roots
        return frozenset(found)

    def _undoers(self, edits: Iterable[EventId], ends: Iterable[EventId]) -> list[EventId]:
        """What takes some of `edits` back, or would, in the history of one of `ends`."""
        undoers = dict.fromkeys(each for edit in edits for each in self._docket.undone_by(edit))
        return [each for each in undoers if any(self._docket.follows(end, each) for end in ends)]

    def _takes_back(self, fact: EventId) -> bool:
        """True if it answers for what it undoes. A policy taken back leaves what was judged by it meanwhile."""
        case = self._docket.case(fact)
        return bool(case and not case.is_of_policy and self._taken_back(case, self._docket.evidence(fact)))

    def _taken_back(self, case: Case, evidence: Evidence) -> tuple[EventId, ...]:
        """The open edits that it takes back; none if others go with them, and no plan lets them."""
        if not evidence.undoes or not (self._undoes_rogue(case, evidence) or self._is_covered(case.fact)):
            return ()
        return tuple(each for each in evidence.undoes if self._was_open(each, case.at))

    def _undoes_rogue(self, case: Case, evidence: Evidence) -> bool:
        """True if it takes back nothing but edits that were open when it did; what git merged by itself is no edit."""
        automatic = Circumstance.AUTOMATIC_MERGE
        edits = [each for each in evidence.undoes if self._docket.evidence(each).circumstance is not automatic]
        return bool(edits) and all(self._was_open(each, case.at) for each in edits)

    def _was_open(self, fact: EventId, at: int) -> bool:
        roots = self.roots(fact)
        return not self._was_answered(fact, at) and any(not self._was_answered(root, at) for root in roots)

    def _was_answered(self, fact: EventId, at: int) -> bool:
        since = self._docket.answered_since(fact)
        return since is not None and since <= at
