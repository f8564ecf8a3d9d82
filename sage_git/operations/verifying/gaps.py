"""What happened and no known log tells: each change must have its fact, and its verdict, from a log (SPEC 9).

Not here: whether what a log tells is true (truth).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import FACT_TYPES, VERDICT_TYPES
from sage_git.operations.paths import paths_of
from sage_git.operations.verifying.claimed import Claims, Log
from sage_git.operations.verifying.derivation import Derivation
from sage_git.operations.verifying.report import Finding
from sage_git.operations.verifying.scope import Scope

_REMEDY = "run `sage-git record --complete` where the commit is trusted, or fetch the log of whoever made it"


def find_gaps(derivation: Derivation, claims: Claims, scope: Scope, accepted: Iterable[Event]) -> Iterator[Finding]:
    """The commits of which something is in no log; `accepted` are the log's other true descriptions of changes."""
    told: dict[ObjectId, set[str]] = {}
    for fact in accepted:
        if fact.graph_commit is not None:
            told.setdefault(fact.graph_commit, set()).update(paths_of(fact))
    judged = {
        entry.event.parents[0]
        for entry in claims.entries.values()
        if entry.event.type in VERDICT_TYPES and entry.event.graph_commit and entry.event.parents
    }
    # In the others, a verdict may be among what is withheld or was redacted.
    telling = [log for log in claims.logs if derivation.derived.issuperset(log.bare)]

    def is_unjudged(fact: Event, verdict: EventId | None) -> bool:
        if verdict is None or fact.event_id in judged or claims.has(verdict):
            return False
        return any(_must_judge(log, fact) for log in telling)

    for commit, facts in _by_commit(derivation, scope):
        lacking = [
            fact
            for fact, verdict in facts
            if not _is_told(fact, claims, told.get(commit, set())) or is_unjudged(fact, verdict)
        ]
        if lacking:
            yield _gap(commit, lacking, len(facts), has_log=not claims.is_empty)


def _is_told(fact: Event, claims: Claims, otherwise: set[str]) -> bool:
    assert fact.event_id is not None
    return claims.has(fact.event_id) or otherwise.issuperset(paths_of(fact))


def _must_judge(log: Log, fact: Event) -> bool:
    """True if the writer of a log that has the fact must have judged it, whatever came to be known later.

    Only edits are before any plan was approved.
    """
    assert fact.event_id is not None
    return log.has(fact.event_id) and (fact.type == "FILE_EDITED" or log.is_after_approval(fact.event_id))


def _gap(commit: ObjectId, lacking: list[Event], count: int, *, has_log: bool) -> Finding:
    paths = list(dict.fromkeys(path for fact in lacking for path in paths_of(fact)[:1]))
    rest = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    which = "no log known here holds" if has_log else "no log is known here, so none holds"
    what = "this commit" if len(lacking) == count else f"{len(lacking)} of the {count} changes of this commit"
    path = paths[0] if len(paths) == 1 else None
    return Finding("gap", f"{which} {what}: {paths[0]}{rest}", _REMEDY, path=path, commit=commit)


def _by_commit(derivation: Derivation, scope: Scope) -> Iterator[tuple[ObjectId, list[tuple[Event, EventId | None]]]]:
    """The derived facts of each commit that is asked for, each with its derived verdict."""
    rows = derivation.checkout.index.connection.execute(
        "SELECT e.event_id, e.type, e.line, c.oid FROM events e JOIN commits c ON c.id = e.commit_id ORDER BY e.number"
    )
    facts: dict[ObjectId, dict[EventId, Event]] = {}
    verdicts: dict[tuple[EventId, ObjectId], EventId] = {}
    for key, kind, line, oid in rows:
        commit, identifier = ObjectId(oid.hex()), EventId(key.hex())
        if identifier not in derivation.derived or commit not in scope.commits or line is None:
            continue
        event = Event.trusted(identifier, line)
        if kind in FACT_TYPES:
            if scope.has(event):
                facts.setdefault(commit, {})[identifier] = event
        elif event.parents:
            verdicts[event.parents[0], commit] = identifier
    for commit, several in facts.items():
        yield commit, [(event, verdicts.get((identifier, commit))) for identifier, event in several.items()]
