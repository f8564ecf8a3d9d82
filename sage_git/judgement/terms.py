"""How long approvals put a plan in force: each by itself, and as many together as the policy wants (SPEC 6.1, 6.3).

Whole seconds since 1970, both ends inclusive. Not here: what closes an approval (plan).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from sage_git.chronicle.ids import EventId

_FOR_EVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Term:
    """When a plan is in force for commits that name `approval`: from `start` to `end`, both in it; None: open."""

    approval: EventId
    start: int
    end: int | None
    is_unsafe: bool
    ended_by: EventId | None = None
    """The denial or completion that ended it; None if nothing has, or it expired."""

    def has(self, at_s: int) -> bool:
        """True if the plan is in force at that second."""
        return self.start <= at_s and (self.end is None or at_s <= self.end)


@dataclass(frozen=True, slots=True)
class Life:
    """One approval, or forcing, by itself: whose it is, and from when to when it would hold."""

    approval: EventId
    reviewer: str
    start: int
    end: int | None
    ended_by: EventId | None
    is_unsafe: bool
    counts: bool

    @property
    def is_barren(self) -> bool:
        """True if it never held: it does not count, or was closed before it began."""
        return not self.counts or (self.end is not None and self.end < self.start)

    def term(self) -> Term:
        """The time it holds if nobody else is needed."""
        return Term(self.approval, self.start, self.end, self.is_unsafe, self.ended_by)


def person(identity: str) -> str:
    """What tells people apart: the mail address in `identity`, or, if it has none, all of it; whatever the case."""
    _, bracket, rest = identity.rpartition("<")
    address = rest.removesuffix(">").strip()
    return (address if bracket and address else identity).strip().casefold()


def terms_of(lives: Sequence[Life], required: int, without: Iterable[str] = ()) -> tuple[Term, ...]:
    """The terms that approvals of `required` different people make, those of the people `without` left out.

    Each approval names the time in which enough of them hold, itself among them. Forcing needs nobody else.
    """
    excluded = set(map(person, without))
    holding = [
        life for life in lives if not life.is_barren and (life.is_unsafe or person(life.reviewer) not in excluded)
    ]
    ordinary = [life for life in holding if not life.is_unsafe]
    if required > 1:
        quorums = list(_quorums(ordinary, required))
        terms = [term for life in ordinary if (term := _joint(life, quorums)) is not None]
    else:
        terms = [life.term() for life in ordinary]
    terms += [life.term() for life in holding if life.is_unsafe]
    return tuple(sorted(terms, key=lambda term: (term.start, term.approval)))


def _quorums(lives: Sequence[Life], required: int) -> Iterator[Term]:
    """From each beginning at which enough people's approvals hold, how long enough of just these do."""
    beginning = sorted(((life.term(), person(life.reviewer)) for life in lives), key=lambda each: each[0].start)
    longest: dict[str, Term] = {}
    ends: list[tuple[int, EventId, Term]] = []  # of the longest, in order
    for start, together in groupby(beginning, key=lambda each: each[0].start):
        del ends[: bisect_left(ends, (start,))]
        for term, who in together:
            before = longest.get(who)
            if before is None or _rank(before) < _rank(term):
                longest[who] = term
                if before is not None and _end(before) >= start:
                    del ends[bisect_left(ends, _rank(before))]
                insort(ends, (*_rank(term), term))
        if len(ends) >= required:
            yield replace(ends[-required][2], start=start)


def _joint(life: Life, quorums: Sequence[Term]) -> Term | None:
    """The part of a life in which enough others hold too; from the first moment on at which they do."""
    own = life.term()
    for quorum in quorums[bisect_left(quorums, life.start, key=lambda each: each.start) :][:1]:
        if own.has(quorum.start):
            shorter = min(own, quorum, key=_end)
            return replace(shorter, approval=life.approval, start=quorum.start)
    return None


def _rank(term: Term) -> tuple[int, EventId]:
    """The longer a term, the higher."""
    return _end(term), term.approval


def _end(term: Term) -> int:
    return _FOR_EVER if term.end is None else term.end
