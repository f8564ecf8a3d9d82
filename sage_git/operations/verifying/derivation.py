"""Everything derived anew from commits, in the fresh checkout, and what the log says beyond it.

It goes the way of a recording that begins with no index, so that whatever is recorded is judged by the same rules. Not
here: what to think of the difference (truth, gaps, judged).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import is_fact
from sage_git.errors import SageError
from sage_git.operations import findings as recording
from sage_git.operations.checkout import Checkout
from sage_git.operations.identity import is_object_id
from sage_git.operations.ledger import Entry, Occasion, enter
from sage_git.operations.recording.observing import observe_commits
from sage_git.operations.recording.outstanding import find_outstanding
from sage_git.operations.sidecars.adoption import is_adoptable, is_statement
from sage_git.operations.verifying.claimed import Claims
from sage_git.operations.verifying.workspace import Workspace

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Derivation:
    """What the commits say. `strangers` are the logs' facts and verdicts that no commit brought."""

    checkout: Checkout
    derived: frozenset[EventId]
    strangers: tuple[Entry, ...]
    deferred: Collection[ObjectId]
    findings: tuple[recording.Finding, ...]


def derive(workspace: Workspace, claims: Claims, tips: Collection[ObjectId], progress: Progress | None) -> Derivation:
    """Observe all that HEAD, reflogs, the log and `tips` name; then take in what people said. Raises GitFailed."""
    fresh = workspace.fresh
    identity = fresh.known_identity()
    events = [entry.event for entry in claims.entries.values()]
    named = (commit for event in events if (commit := event.graph_commit) and is_object_id(commit))
    also = list(dict.fromkeys((*named, *tips)))  # in the log's order: what was rewritten before what it became
    outstanding = find_outstanding(fresh, workspace.repository.head(), identity.reflog_marks, _known(workspace, also))
    outstanding = replace(outstanding, logged=dict(_said_or_seen(claims)))
    told: list[recording.Finding] = []
    done = 0
    for batch in observe_commits(fresh, outstanding, told):
        done += batch.commits
        if progress is not None:
            progress(done, len(outstanding.commits))
    rows = fresh.index.connection.execute("SELECT event_id FROM events WHERE commit_id IS NOT NULL")
    derived = frozenset(EventId(identifier.hex()) for (identifier,) in rows)
    _take_in(fresh, outstanding.logged)
    strange = (entry for identifier, entry in claims.entries.items() if identifier not in derived)
    strangers = tuple(entry for entry in strange if not is_statement(entry.event))
    return Derivation(fresh, derived, strangers, tuple(dict.fromkeys(outstanding.deferred)), tuple(told))


def _said_or_seen(claims: Claims) -> Iterator[tuple[EventId, Entry]]:
    """The statements and facts of all logs, as if they were one: this clone's first.

    Verdicts are left out, so that each is made anew; and redactions, so that no edit can hide behind one.
    """
    for number, (identifier, entry) in enumerate(claims.entries.items()):
        if is_fact(entry.event.type) or is_adoptable(entry.event):
            yield identifier, Entry(number, entry.event)


def _known(workspace: Workspace, commits: Collection[ObjectId]) -> list[ObjectId]:
    """Those of `commits` that are here."""
    return [each for each, found in zip(commits, workspace.repository.named(*commits), strict=True) if found == each]


def _take_in(fresh: Checkout, logged: Mapping[EventId, Entry]) -> None:
    """Enter the statements among `logged`, oldest first."""
    with fresh.index.transaction():
        for entry in sorted(logged.values(), key=lambda entry: entry.number):
            if is_adoptable(entry.event):
                _enter(fresh, entry)


def _enter(fresh: Checkout, entry: Entry) -> None:
    try:
        enter(fresh.index, fresh.known_identity(), entry.event, Occasion(), entry.number)
    except (SageError, TypeError, ValueError, LookupError):  # hostile: it breaks the rules of its type, and is told of
        return


def enter_true(fresh: Checkout, entries: Collection[Entry]) -> None:
    """Take in facts and verdicts that turned out to be true of their commits."""
    with fresh.index.transaction():
        for entry in entries:
            commit = entry.event.graph_commit
            known = fresh.index.commits.known(commit) if commit else None
            enter(fresh.index, fresh.known_identity(), entry.event, Occasion(known), None)
