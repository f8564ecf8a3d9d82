"""The life of a plan as its events tell it (SPEC 6.1): drafted, approved, denied, forced, done.

A denial or the end of a plan closes every approval that was not made knowing it. Not here: how long approvals make a
plan hold (terms), what it covers (coverage), and whether a signature is good: whoever asks says which events count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sage_git.chronicle.dag import order
from sage_git.chronicle.event import Event, check_event
from sage_git.chronicle.ids import EventId, PlanHash, plan_hash
from sage_git.judgement.patterns import Patterns
from sage_git.judgement.policy import Approval
from sage_git.judgement.terms import Life, Term, terms_of

SUBJECT: Final = "plans"
"""What the events of plans are about."""
_APPROVALS: Final = ("PLAN_APPROVED", "PLAN_UNSAFE")
_DRAFT, _DENIAL, _UNSAFE, _ENDING = "PLAN_DRAFTED", "PLAN_DENIED", "PLAN_UNSAFE", "RECONCILIATION"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """How a plan stands at some moment."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    DENIED = "denied"
    UNSAFE = "unsafe"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as one draft states it, and what became of it. Times are seconds since 1970."""

    plan_id: str
    plan_hash: PlanHash
    summary: str
    steps: tuple[str, ...]
    scope: Patterns
    expires_at: int | None
    drafters: tuple[str, ...]
    """Who drafted exactly this, first come first."""
    events: tuple[Event, ...]
    """Parents before children."""
    lives: tuple[Life, ...]
    closings: tuple[Event, ...]
    """The denials and completions that count."""
    terms: tuple[Term, ...]
    rules: Approval

    @property
    def drafted_by(self) -> str:
        """Who drafted it first."""
        return self.drafters[0]

    def has(self, path: str) -> bool:
        """True if the source at `path`, as git has it, is in the plan's scope."""
        return self.scope.matches(path)

    def terms_for(self, author: str) -> tuple[Term, ...]:
        """The terms for a commit of `author`, whose own approval may not count."""
        if self.rules.self_approval:
            return self.terms
        return terms_of(self.lives, self.rules.required, (*self.drafters, author))

    def term_at(self, at_s: int) -> Term | None:
        """The term that the plan is in at that second, the oldest; one that is not unsafe if there is one."""
        return min((term for term in self.terms if term.has(at_s)), key=_by_merit, default=None)

    def state(self, now_s: int) -> State:
        """How the plan stands now. What ended it in this very second has ended it, though commits still fit in."""
        live = [term for term in self.terms if term.has(now_s) and (term.ended_by is None or term.end != now_s)]
        if live:
            return State.UNSAFE if any(term.is_unsafe for term in live) else State.APPROVED
        expired = [term.end for term in self.terms if term.ended_by is None and term.end is not None]
        ends = [(end, -1, State.EXPIRED) for end in expired if end < now_s]
        closed = ((_second(event), at, event) for at, event in enumerate(self.closings))
        ends += [(second, at, _state_after(event)) for second, at, event in closed if second <= now_s]
        if ends:
            return max(ends, key=lambda end: end[:2])[2]
        return State.EXPIRED if self.expires_at is not None and self.expires_at < now_s else State.DRAFTED


def plans_in(events: Iterable[Event], rules: Approval, counts: Callable[[Event], bool]) -> Iterator[Plan]:
    """Each plan that was drafted, as often as its content differs, in the order of the drafts.

    `counts` is asked of every event but drafts. What is malformed, carries an id that is not its own, or is not said of
    plans plays no part.
    """
    sound = [event for event in order(events) if _is_sound(event)]
    causes = _Causes(sound)
    by_plan: dict[str, list[Event]] = {}
    for event in sound:
        if _is_said_of_a_plan(event):
            by_plan.setdefault(event["planId"], []).append(event)
    for several in by_plan.values():
        for wanted in dict.fromkeys(event["planHash"] for event in several if event.type == _DRAFT):
            own = [event for event in several if event.get("planHash", wanted) == wanted]
            yield _plan(own, rules, counts, causes)


def _plan(own: Sequence[Event], rules: Approval, counts: Callable[[Event], bool], causes: _Causes) -> Plan:
    draft = next(event for event in own if event.type == _DRAFT)
    drafters = tuple(dict.fromkeys(event.actor["id"] for event in own if event.type == _DRAFT))
    expires_at = _seconds(draft["expiresAt"]) if "expiresAt" in draft else None
    approvals = [event for event in own if event.type in _APPROVALS]
    closings = tuple(event for event in own if event.type in (_DENIAL, _ENDING) and counts(event))
    by_time = sorted(closings, key=lambda event: (_second(event), _id(event)))
    ends = _Ends(by_time, approvals, causes)
    lives = tuple(_life(event, ends.of(event), expires_at, counts) for event in approvals)
    return Plan(
        plan_id=draft["planId"],
        plan_hash=PlanHash(draft["planHash"]),
        summary=draft["summary"],
        steps=tuple(draft["steps"]),
        scope=Patterns(draft["scope"]),
        expires_at=expires_at,
        drafters=drafters,
        events=tuple(own),
        lives=lives,
        closings=closings,
        terms=terms_of(lives, rules.required, () if rules.self_approval else drafters),
        rules=rules,
    )


def _life(event: Event, first: Event | None, expires_at: int | None, counts: Callable[[Event], bool]) -> Life:
    end, ended_by = expires_at, None
    if first is not None and (expires_at is None or _second(first) <= expires_at):
        end, ended_by = _second(first), _id(first)
    is_unsafe = event.type == _UNSAFE
    reviewer = event["forcedBy" if is_unsafe else "reviewerId"]
    return Life(_id(event), reviewer, _second(event), end, ended_by, is_unsafe, counts(event))


class _Ends:
    """What closes approvals: all but what they were made knowing; what was forced, only a denial that knows of that."""

    def __init__(self, closings: Sequence[Event], approvals: Sequence[Event], causes: _Causes) -> None:
        self._closings = closings  # the first in time first; so are their bits
        bits = {_id(event): 1 << at for at, event in enumerate((*closings, *approvals))}
        self._known = causes.among(bits)
        self._every = (1 << len(closings)) - 1
        self._completions = sum(bits[_id(event)] for event in closings if event.type != _DENIAL)
        self._denial_of: dict[EventId, int] = {}
        forced = {bits[_id(event)]: _id(event) for event in approvals if event.type == _UNSAFE}
        left = sum(forced)
        for event in closings if forced else ():
            if event.type == _DENIAL:
                met = self._known[_id(event)] & left
                left ^= met
                while met:
                    lowest = met & -met
                    self._denial_of[forced[lowest]] = bits[_id(event)]
                    met ^= lowest

    def of(self, approval: Event) -> Event | None:
        """The first in time that closes an approval."""
        identifier = _id(approval)
        closing = self._every & ~self._known[identifier]
        if approval.type == _UNSAFE:
            closing = (closing & self._completions) | self._denial_of.get(identifier, 0)
        return self._closings[(closing & -closing).bit_length() - 1] if closing else None


class _Causes:
    """What was known to whom, by parent links among events in causal order."""

    def __init__(self, ordered: Sequence[Event]) -> None:
        self._parents = {_id(event): event.parents for event in ordered}
        self._places = {_id(event): at for at, event in enumerate(ordered)}

    def among(self, bits: Mapping[EventId, int]) -> dict[EventId, int]:
        """For each event that has a bit, the bits of those that it descends from."""
        lowest = min(map(self._places.__getitem__, bits), default=0)
        known: dict[EventId, int] = {}
        waiting, seen = list(bits), set(bits)
        while waiting:
            found = [each for each in self._parents[waiting.pop()] if self._places.get(each, -1) >= lowest]
            waiting += (new := set(found) - seen)
            seen |= new
        for event in sorted(seen, key=self._places.__getitem__):
            known[event] = 0
            for parent in self._parents[event]:
                known[event] |= known.get(parent, 0) | bits.get(parent, 0)
        return known


def _is_sound(event: Event) -> bool:
    return event.subject == SUBJECT and event.has_true_id() and not check_event(event.fields)


def _is_said_of_a_plan(event: Event) -> bool:
    """True for what makes a plan's life; a draft only if it is what its hash says."""
    match event.type:
        case "PLAN_DRAFTED":
            return bool(event["planHash"] == plan_hash(event))
        case "RECONCILIATION":
            return event["reconciliationStrategy"] == "completed" and "planId" in event
        case _:
            return event.type in (_DENIAL, *_APPROVALS)


def _state_after(closing: Event) -> State:
    return State.DENIED if closing.type == _DENIAL else State.COMPLETED


def _by_merit(term: Term) -> tuple[bool, int, EventId]:
    return term.is_unsafe, term.start, term.approval


def _id(event: Event) -> EventId:
    assert event.event_id is not None, "only events with true ids are looked at"
    return event.event_id


def _second(event: Event) -> int:
    return _seconds(event.timestamp)


def _seconds(timestamp: str) -> int:
    """The whole second in which a moment lies."""
    return (datetime.fromisoformat(timestamp) - _EPOCH) // timedelta(seconds=1)
