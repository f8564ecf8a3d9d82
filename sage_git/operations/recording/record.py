"""Recording: observe what is new in the repository's history, judge it, enter it, and bring the sidecars up to date.

Hooks only ask for this to happen; what is new follows from the repository itself, so that a run that was killed,
disabled or forgotten is made up for by the next. One recorder runs at a time. Every reader asks first whether there is
something to record, so that what records is imported only where there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.ids import ObjectId
from sage_git.gitrepo import reflog
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import SAID_SINCE, has_other_logs, is_complete
from sage_git.operations.findings import Finding
from sage_git.operations.findings import keep as keep_findings
from sage_git.operations.ledger import enter_missing, missing_entries
from sage_git.operations.sidecars import views
from sage_git.storage.index import IndexDamaged, damage_told
from sage_git.storage.lock import held

if TYPE_CHECKING:
    from sage_git.operations.recording.outstanding import Outstanding

Progress = Callable[[int, int], None]
"""Told how many commits of how many are recorded."""

_RECORD_TIMEOUT_MS: Final = 60_000
_LOG_TIMEOUT_MS: Final = 10_000
_REFLOGS: Final = "reflogs"
_DEFERRED: Final = "deferred"


class RecordState(Enum):
    """How a recording ended."""

    CURRENT = "current"
    BEHIND = "behind"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What a recording did, and the HEAD that it saw. `deferred` commits cannot be observed yet.

    DISABLED means that no config is committed.
    """

    state: RecordState
    commits: int = 0
    events: int = 0
    deferred: tuple[ObjectId, ...] = ()
    findings: tuple[Finding, ...] = ()
    head: ObjectId | None = None


def bring_current(checkout: Checkout, progress: Progress | None = None) -> RecordOutcome:
    """Record what is not recorded yet, so that nobody reads a stale chronicle. What every reading command calls first.

    Raises NotHere, GitFailed, StorageError, LockTimeout.
    """
    try:
        with damage_told():
            head, is_enabled = checkout.head_and_state()
            if not is_enabled:
                return RecordOutcome(RecordState.DISABLED, head=head)
            if _is_current(checkout, head):
                return RecordOutcome(RecordState.CURRENT, head=head)
    except IndexDamaged:
        pass  # `record` makes it anew
    return record(checkout, progress)


def record(checkout: Checkout, progress: Progress | None = None) -> RecordOutcome:
    """Record what is not recorded yet, and make every sidecar of this work tree whole. Raises as `bring_current`.

    An index that turns out to be damaged is made anew.
    """
    try:
        with damage_told():
            return _record(checkout, progress)
    except IndexDamaged:
        locks = checkout.sage / "record.lock", checkout.sage / "log.lock"
        with held(locks[0], _RECORD_TIMEOUT_MS), held(locks[1], _LOG_TIMEOUT_MS):
            checkout.discard_index()
    return _record(checkout, progress)


def _record(checkout: Checkout, progress: Progress | None) -> RecordOutcome:
    from sage_git.operations.gating.compiling import compile_gate
    from sage_git.operations.sealing import seal_full_segments

    checkout.known_identity()
    with held(checkout.sage / "record.lock", _RECORD_TIMEOUT_MS):
        head, is_enabled = checkout.head_and_state()
        if not is_enabled:
            return RecordOutcome(RecordState.DISABLED, head=head)
        outstanding = _outstanding(checkout, head)
        commits, events, findings = _observe(checkout, outstanding, progress)
        _judge_again(checkout)
        with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
            findings.extend(views.bring_current(checkout, head, outstanding.deferred))
            with checkout.index.transaction():
                checkout.index.keep(_REFLOGS, json.dumps(dict(_read_up_to(checkout, outstanding))))
                checkout.index.keep(_DEFERRED, json.dumps(outstanding.deferred))
                keep_findings(checkout.index, findings)
            seal_full_segments(checkout)
        outstanding.rewritten.forget()
    compile_gate(checkout)
    state = RecordState.BEHIND if outstanding.deferred else RecordState.CURRENT
    return RecordOutcome(state, commits, events, tuple(outstanding.deferred), tuple(findings), head)


def observe(checkout: Checkout) -> None:
    """Record what is new, but leave the sidecars as they are, so that they can be looked at. Raises as `record`."""
    head, is_enabled = checkout.head_and_state()
    if is_enabled:
        with held(checkout.sage / "record.lock", _RECORD_TIMEOUT_MS):
            _observe(checkout, _outstanding(checkout, head), None)


def _outstanding(checkout: Checkout, head: ObjectId | None) -> Outstanding:
    """What is to be observed, once the index has all that the log has. Holds the record's lock."""
    from sage_git.operations.recording.outstanding import find_outstanding

    checkout.index.commits.forget()
    checkout.index.events.forget()
    with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
        _enter_other_logs(checkout)
        missing = missing_entries(checkout)
    return replace(find_outstanding(checkout, head, _marks(checkout)), logged=missing)


def _enter_other_logs(checkout: Checkout) -> None:
    if not has_other_logs(checkout):
        from sage_git.operations.ledger.foreign import enter_logs  # seldom did anybody else's log change

        enter_logs(checkout)


def _judge_again(checkout: Checkout) -> None:
    if checkout.index.value(SAID_SINCE) is not None:
        from sage_git.operations.recording.rejudging import judge_again  # seldom did anybody else say something

        judge_again(checkout)


def _observe(checkout: Checkout, outstanding: Outstanding, progress: Progress | None) -> tuple[int, int, list[Finding]]:
    from sage_git.gitrepo.merges import swift_merge_bases
    from sage_git.operations.recording.observing import observe_commits

    findings: list[Finding] = []
    done = events = 0
    with swift_merge_bases(checkout.scratch, outstanding.commits):
        for batch in observe_commits(checkout, outstanding, findings):
            done += batch.commits
            events += batch.events
            if progress is not None:
                progress(done, len(outstanding.commits))
    with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
        enter_missing(checkout, outstanding.logged)
    return done, events, findings


def _read_up_to(checkout: Checkout, outstanding: Outstanding) -> Mapping[str, str]:
    """How far the reflogs need not be read again: while commits are deferred, no farther than before."""
    return _marks(checkout) if outstanding.deferred else outstanding.marks


def _is_current(checkout: Checkout, head: ObjectId | None) -> bool:
    """True if nothing can have happened since the last recording: HEAD, reflogs, log and index are as it left them."""
    index = checkout.index
    return (
        views.is_current(checkout, head)
        and reflog.marks(checkout.repository) == _marks(checkout)
        and is_complete(checkout)
        and index.value(_DEFERRED) == "[]"
        and (head is None or index.commits.known(head) is not None or head == checkout.known_identity().since)
        and not (checkout.sage / "rewritten").exists()
    )


def _marks(checkout: Checkout) -> dict[str, str]:
    kept = checkout.index.value(_REFLOGS)
    if kept is None:
        return dict(checkout.known_identity().reflog_marks)
    marks: dict[str, str] = json.loads(kept)
    return marks
