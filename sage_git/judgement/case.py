"""What is judged: a fact, what git objects say of it, what the rules ask of it. Not here: the rules (`standing`)."""

from __future__ import annotations

from collections.abc import Iterable
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What git objects say of a fact. A settled conflict is of edits of both `sides`; `undoes` is all that it does."""

    circumstance: Circumstance = Circumstance.ORDINARY
    replays: tuple[Replay, ...] = ()
    sides: tuple[EventId, ...] | None = None
    undoes: tuple[EventId, ...] = ()

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
