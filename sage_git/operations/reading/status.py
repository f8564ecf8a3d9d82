"""The state of the record in one answer: open edits, halts, what is not recorded yet and why (SPEC 8.1).

Not here: how it stands with peers (`exchange.relations`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import ObjectId
from sage_git.chronicle.kinds import timestamp
from sage_git.errors import GitFailed
from sage_git.judgement.plan import State
from sage_git.operations.gating.places import plan_in_use
from sage_git.operations.judging.policies import Policies
from sage_git.operations.reading.history import Readings
from sage_git.operations.reading.open_lines import OpenEdit, placed
from sage_git.operations.reading.opening import Reading
from sage_git.operations.recording.record import Progress, RecordOutcome, RecordState
from sage_git.storage import log_queries, queries
from sage_git.storage.keys import writer_id

if TYPE_CHECKING:
    from sage_git.gitrepo.repository import Repository
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.reading.history import AsksGit

_HOOK: Final = "post-commit"


class Recording(Enum):
    """How far the record is."""

    CURRENT = "current"
    BEHIND = "behind"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Deferred:
    """A commit that could not be recorded yet, with the reason."""

    commit: ObjectId | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PlanInForce:
    """A plan that commits may name now; `is_in_use` if those of this work tree do. `expires_at` is in seconds."""

    plan_id: str
    plan_hash: str
    state: str
    summary: str
    scope: tuple[str, ...]
    expires_at: int | None
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What `status` tells. `remedy` is what to do next, if anything."""

    repository: str
    branch: str
    head: ObjectId | None
    writer: str | None
    recording: Recording
    open_edits: tuple[OpenEdit, ...]
    halts: tuple[Event, ...]
    plans: tuple[PlanInForce, ...]
    deferred: tuple[Deferred, ...]
    remedy: str


class Detail(Enum):
    """How much is told of open edits. Lines cost a diff of each file that has one."""

    EDITS = "that they are there"
    LINES = "and which lines of HEAD's files they are"


def state_of(start: Path, environment: Mapping[str, str], detail: Detail, progress: Progress | None = None) -> Status:
    """The state of the record around `start`, brought up to date first. Raises NotHere."""
    with Reading.open(start, environment, progress) as reading:
        readings, checkout = reading.readings, reading.checkout
        recording = _recording(checkout, reading.outcome)
        edits = open_edits(readings)
        if detail is Detail.LINES and reading.head:
            edits = placed(reading, reading.head, edits)
        return Status(
            repository=checkout.known_identity().repository,
            branch=_branch(reading.repository),
            head=reading.head,
            writer=writer_id(checkout.sage),
            recording=recording,
            open_edits=tuple(edits),
            halts=tuple(open_halts(readings)),
            plans=tuple(_plans(reading)),
            deferred=(*_unreadable(checkout), *waiting(reading)),
            remedy=_next_step(recording, reading, edits),
        )


def as_json(state: Status) -> dict[str, Any]:
    """The object of SPEC 8.1, less what it has of peers."""
    return {
        "repository": state.repository,
        "head": state.head,
        "writer": state.writer,
        "recording": state.recording.value,
        "openRogueEdits": [
            {
                "eventId": edit.event.event_id,
                "filePath": edit.path,
                "commit": edit.event.graph_commit,
                "lines": [list(several) for several in edit.lines],
            }
            for edit in state.open_edits
        ],
        "halts": [dict(halt.fields) for halt in state.halts],
        "plansInForce": [_plan_as_json(plan) for plan in state.plans],
        "deferred": [{"commit": each.commit, "code": each.code, "message": each.message} for each in state.deferred],
    }


def _plan_as_json(plan: PlanInForce) -> dict[str, Any]:
    found: dict[str, Any] = {
        "planId": plan.plan_id,
        "planHash": plan.plan_hash,
        "state": plan.state,
        "summary": plan.summary,
        "scope": list(plan.scope),
        "inUse": plan.is_in_use,
    }
    return found if plan.expires_at is None else found | {"expiresAt": timestamp(plan.expires_at * 1000)}


def _recording(checkout: Checkout, outcome: RecordOutcome) -> Recording:
    if outcome.state is RecordState.DISABLED or not _has_hooks(checkout.repository):
        return Recording.DISABLED
    return Recording(outcome.state.value)


def _has_hooks(repository: Repository) -> bool:
    """True if git, or who owns its hooks here, starts the recorder after a commit."""
    from sage_git.operations.setup.install import hooking_of
    from sage_git.operations.setup.shims import effective_shim

    hooking = hooking_of(repository)
    return effective_shim(hooking.folder, _HOOK) is not None or _HOOK in hooking.called_by_lines()


def _branch(repository: AsksGit) -> str:
    """The branch that HEAD is on; empty if it is on none."""
    try:
        return repository.git("symbolic-ref", "--quiet", "--short", "HEAD").decode("utf-8", "replace").strip()
    except GitFailed:
        return ""


def _next_step(recording: Recording, reading: Reading, edits: Sequence[OpenEdit]) -> str:
    outcome = reading.outcome
    if outcome.state is RecordState.DISABLED:
        return "commit .sage/config.toml; until then nothing is recorded"
    match recording:
        case Recording.DISABLED:
            return "sage-git init puts the hooks back; until then commands that read record what is new"
        case Recording.BEHIND if not outcome.deferred:
            return "you may not write here, so this is what was recorded before; in a clone of your own all of it is"
        case Recording.BEHIND if reading.repository.is_shallow:
            return "git fetch --unshallow brings what is missing, then sage-git record"
        case Recording.BEHIND:
            return "git fetch brings what is missing, then sage-git record"
        case Recording.CURRENT:
            return _next_step_with(reading, edits) if edits else ""


def _next_step_with(reading: Reading, edits: Sequence[OpenEdit]) -> str:
    """What to do about open edits. Those that stand in no log yet others made, and may have planned."""
    connection = reading.readings.connection
    facts = [edit.fact.event_id for edit in edits if edit.fact.event_id]
    if not all(log_queries.is_logged(connection, fact) for fact in facts) and reading.repository.remotes():
        return "sage-git sync may bring what others planned for them; sage-git log --unplanned shows them"
    return "sage-git log --unplanned shows them, sage-git reconcile answers for them"


def open_edits(readings: Readings) -> list[OpenEdit]:
    """The unplanned edits in HEAD's history that nobody answered for, newest first."""
    found = readings.judge.open_edits(readings.reach) if readings.reach is not None else []
    return [OpenEdit(each.verdict or each.event, each.event, each.origins) for each in found]


def _plans(reading: Reading) -> Iterator[PlanInForce]:
    """The plans that commits may name now, those forced as unsafe among them."""
    in_use = plan_in_use(reading.checkout)
    judge = reading.readings.judge
    for plan_id in judge.plans:
        for plan in judge.plans.versions(plan_id):
            state = plan.state(judge.now)
            if state in (State.APPROVED, State.UNSAFE):
                is_in_use = plan.plan_id == in_use
                scope = plan.scope.texts
                yield PlanInForce(plan_id, plan.plan_hash, state.value, plan.summary, scope, plan.expires_at, is_in_use)


def open_halts(readings: Readings) -> list[Event]:
    """The halts that nobody lifted, newest first."""
    rows = queries.of_types(readings.connection, "HALT_AND_REPORT")
    return [row.event for row in rows if readings.halts_here(row)]


def _unreadable(checkout: Checkout) -> Iterator[Deferred]:
    """What is wrong with HEAD's config, if it cannot be read."""
    problem = Policies(checkout).problem_now()
    if problem is not None:
        yield Deferred(None, "config", f"the policy cannot be read, so the defaults hold: {problem}")


def waiting(reading: Reading) -> list[Deferred]:
    """The commits that are not recorded, with the reason: what is missing first, then what went wrong."""
    is_shallow = reading.repository.is_shallow
    missing = "parents are missing in this shallow clone" if is_shallow else "objects of it are missing here"
    found = [Deferred(*finding) for finding in log_queries.findings(reading.readings.connection)]
    return [*(Deferred(commit, "deferred", missing) for commit in reading.outcome.deferred), *found]
