"""The record against itself: lines, ids, links, bodies. What `fsck` finds, found without writing, and the graph.

Not here: whether what is whole is also true (truth), and reading the log (claimed).
"""

from __future__ import annotations

from collections.abc import Iterator

from sage_git.chronicle.dag import cycles
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.errors import StorageError
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.fsck import check_index
from sage_git.operations.checking.fsck_sidecars import check_sidecars
from sage_git.operations.ledger.entering import withdraw
from sage_git.operations.verifying.claimed import Claims, Log
from sage_git.operations.verifying.derivation import Derivation
from sage_git.operations.verifying.report import Finding, Unchecked, Verification
from sage_git.operations.verifying.workspace import Workspace
from sage_git.storage import queries

_FETCH = "fetch the log that has it; `sage-git fsck --repair` puts back what this clone's index still has"


def check_files(workspace: Workspace, derivation: Derivation, claims: Claims, verification: Verification) -> None:
    """Hold the index, as far as there is one, and the sidecars of the work tree against the record.

    Where there is none, the derived one is as good, without the verdicts that no log has; so this comes last.
    """
    witness = workspace.witness if workspace.has_index else derivation.checkout
    if workspace.has_index:
        flaws, _ = check_index(witness)
        verification.add(map(Finding.of_flaw, flaws))
    if not workspace.has_joined:
        return
    if not workspace.has_index:
        _withdraw_verdicts(derivation, claims)
    try:
        report = check_sidecars(witness)
    except StorageError as problem:
        verification.add([Finding("sidecar-unreadable", str(problem), problem.remedy)])
        return
    verification.add(map(Finding.of_flaw, report.flaws))
    verification.checked.update(report.checked)


def _withdraw_verdicts(derivation: Derivation, claims: Claims) -> None:
    """Take out the verdicts that were made anew and no log has: some are others by what is known now."""
    fresh = derivation.checkout
    rows = queries.of_types(fresh.index.connection, *VERDICT_TYPES)
    made = [row.event_id for row in rows if row.commit is not None and not claims.has(row.event_id)]
    with fresh.index.transaction():
        withdraw(fresh.index, fresh.known_identity(), made)


def check_links(derivation: Derivation, claims: Claims) -> Iterator[Finding]:
    """Parents that nobody has, circles, and bodies that are gone."""
    known = derivation.checkout.index.events
    for identifier, entry in claims.entries.items():
        for parent in entry.event.parents:
            is_known = parent in claims.entries or parent in claims.bare or (_is_id(parent) and known.node(parent))
            if not is_known and not derivation.deferred:
                message = f"{entry.event.type} {identifier[:12]} follows {parent[:12]}, which nobody here has"
                path, line = claims.home(identifier).place(identifier)
                writer = None if claims.home(identifier).is_own else claims.home(identifier).writer
                yield Finding(
                    "parent-missing", message, _FETCH, path=path, line=line, event_id=identifier, writer=writer
                )
    yield from _circles(claims)
    yield from _bodies(claims)


def _is_id(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _circles(claims: Claims) -> Iterator[Finding]:
    """Events that follow themselves, by the ids that they claim; true ids cannot."""
    claimed = [entry.event for entry in claims.entries.values() if not entry.event.has_true_id()]
    if not claimed:
        return
    own = {event.fields.get("eventId"): event for event in claimed}
    told = [Event.trusted(EventId(str(name)), event.line, event.fields) for name, event in own.items() if name]
    for event in cycles(told):
        yield Finding(
            "cycle", f"{event.type} {str(event.event_id)[:12]} follows itself", _FETCH, event_id=event.event_id
        )


def _bodies(claims: Claims) -> Iterator[Finding]:
    """The bodies that were redacted, and those of this clone's own log that are gone though nobody said so."""
    for log in claims.logs:
        for identifier in log.bare.keys() & claims.bare:
            path, line = log.place(identifier)
            why, writer = claims.redaction(log, identifier), None if log.is_own else log.writer
            if why is not None:
                message = f"the body of {identifier[:12]} was redacted: {why}"
                yield Finding("body-redacted", message, "", Severity.NOTE, path, line, None, identifier, writer)
            elif log.is_own:
                message = f"the body of {identifier[:12]} is gone, and nobody said why"
                yield Finding("body-missing", message, _FETCH, path=path, line=line, event_id=identifier)


def withheld(derivation: Derivation, claims: Claims) -> Iterator[Unchecked]:
    """What has no body here of others' logs: nobody can look at it. What commits tell all the same is no secret."""
    for log in claims.others:
        hidden = (log.bare.keys() & claims.bare) - derivation.derived
        hidden = {each for each in hidden if claims.redaction(log, each) is None}
        redacted = hidden & claims.own.redacted.keys()
        if count := len(hidden - redacted):
            why = "they are not shown to everybody: private, or of commits that are not public"
            remedy = "a peer that trusts this clone gives them to `sage-git sync`"
            yield Unchecked(_entries(count, log), why, remedy, is_in_range=False)
        if count := len(redacted):
            remedy = "whoever did not redact them can look; `sage-git log --type EVENT_REDACTED` says why they went"
            yield Unchecked(_entries(count, log), "they were redacted in this clone", remedy, is_in_range=False)


def _entries(count: int, log: Log) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'} of the log of {log.writer[:16]}"
