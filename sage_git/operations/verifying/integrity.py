"""The record against itself: lines, ids, links, bodies. What `fsck` finds, found without writing, and the graph.

Not here: whether what is whole is also true (truth), and reading the log (claimed).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sage_git.chronicle.dag import cycles
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.errors import StorageError
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.fsck import check_index
from sage_git.operations.checking.fsck_sidecars import check_sidecars
from sage_git.operations.verifying.claimed import Claims
from sage_git.operations.verifying.derivation import Derivation
from sage_git.operations.verifying.report import Finding, Verification
from sage_git.operations.verifying.workspace import Workspace
from sage_git.storage.index.events import REDACTION

_FETCH = "fetch the log that has it; `sage-git fsck --repair` puts back what this clone's index still has"


def check_files(workspace: Workspace, derivation: Derivation, verification: Verification) -> None:
    """Hold the index, as far as there is one, and the sidecars of the work tree against the record."""
    witness = workspace.witness if workspace.has_index else derivation.checkout
    if workspace.has_index:
        flaws, _ = check_index(witness)
        verification.add(map(Finding.of_flaw, flaws))
    if not workspace.has_joined:
        return
    try:
        report = check_sidecars(witness)
    except StorageError as problem:
        verification.add([Finding("sidecar-unreadable", str(problem), problem.remedy)])
        return
    verification.add(map(Finding.of_flaw, report.flaws))
    verification.checked.update(report.checked)


def check_links(derivation: Derivation, claims: Claims) -> Iterator[Finding]:
    """Parents that nobody has, circles, and bodies that are gone."""
    known = derivation.checkout.index.events
    for identifier, entry in claims.entries.items():
        for parent in entry.event.parents:
            is_known = parent in claims.entries or parent in claims.bare or (_is_id(parent) and known.node(parent))
            if not is_known and not derivation.deferred:
                message = f"{entry.event.type} {identifier[:12]} follows {parent[:12]}, which nobody here has"
                path, line = claims.place(identifier)
                yield Finding("parent-missing", message, _FETCH, path=path, line=line, event_id=identifier)
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
    redactions = _named(entry.event for entry in claims.entries.values() if entry.event.type == REDACTION)
    for identifier in claims.bare:
        path, line = claims.place(identifier)
        if identifier in redactions:
            message = f"the body of {identifier[:12]} was redacted: {redactions[identifier]}"
            yield Finding("body-redacted", message, "", Severity.NOTE, path, line, None, identifier)
        else:
            message = f"the body of {identifier[:12]} is gone, and nobody said why"
            yield Finding("body-missing", message, _FETCH, path=path, line=line, event_id=identifier)


def _named(redactions: Iterable[Event]) -> dict[str, str]:
    return {str(event.get("redactedEventId")): str(event.get("reason")) for event in redactions}
