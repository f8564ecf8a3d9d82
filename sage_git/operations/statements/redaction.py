"""Dropping the body of an event for good: from logs, index and sidecars; its leaf stays, and why is a statement.

The statement EVENT_REDACTED comes first and is what everything else follows from: whoever meets the body afterwards (a
recorder that derives the fact anew, another work tree's sidecar, an index made from the log) drops it too, and a run
that was killed is finished by the next. Whose statement counts for what is `storage.index.events.redacted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, leaf
from sage_git.errors import NotHere, UsageError
from sage_git.operations.checkout import Checkout
from sage_git.operations.paths import raw_path
from sage_git.operations.sealing import store_of
from sage_git.operations.sidecars import views
from sage_git.operations.sidecars.adoption import is_statement
from sage_git.operations.sidecars.placing import subject_key
from sage_git.operations.statements.appending import Statement, append_statement
from sage_git.operations.subjects import is_subject_name, subject_source
from sage_git.storage.index.events import REDACTION
from sage_git.storage.keys import writer_id
from sage_git.storage.lock import held

_TIMEOUT_MS: Final = 10_000
_PATHS: Final = ("filePath", "newPath", "resultPath", "originalPath")


def redact(checkout: Checkout, identifier: EventId, why: str, actor: Mapping[str, str], clock_ms: int) -> Event:
    """The EVENT_REDACTED that says why the event's body is nowhere now. Raises NotHere, UsageError, StorageError."""
    events = checkout.index.events
    event = events.event(identifier)
    if event is None:
        if identifier not in events.redacted():
            raise NotHere(f"no event is known as {identifier}", remedy="sage-git log --all shows what there is")
        finish_redactions(checkout)
        raise UsageError(
            f"{identifier[:12]} was redacted already", remedy="sage-git log --type event-redacted says why"
        )
    if event.type == REDACTION:
        raise UsageError("what says why a body is gone cannot be redacted itself", remedy="add a note that corrects it")
    given = {"type": REDACTION, "actor": dict(actor), "redactedEventId": identifier, "reason": why}
    if not is_statement(event):
        fact = identifier if event.type not in ("ROGUE_EDIT_DETECTED", "RECONCILIATION") else event.parents[0]
        given["prevEventId"] = fact
    said = append_statement(checkout, Statement(_key(event), given, clock_ms), _TIMEOUT_MS)
    finish_redactions(checkout, frozenset((identifier,)))
    return said


def finish_redactions(checkout: Checkout, wanted: frozenset[EventId] | None = None) -> int:
    """How many entries of logs here lost the bodies that EVENT_REDACTED statements name. Safe to do again."""
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        identifiers = checkout.index.events.redacted() if wanted is None else wanted
        dropped = sum(_drop_from_log(checkout, each) for each in identifiers)
        dropped += _drop_from_other_logs(checkout, identifiers)
        checkout.index.scrub()
        _drop_from_sidecars(checkout, identifiers)
    return dropped


def entries_with_bodies(checkout: Checkout, identifier: EventId) -> list[int]:
    """The numbers of the unsealed entries that still have the body of an event."""
    wanted, digits = leaf(identifier), identifier.encode("ascii")
    number = checkout.index.events.entry(identifier)
    suspects = (
        each for each in checkout.log.read_tail() if each.body and (each.number == number or digits in each.line)
    )
    return [each.number for each in suspects if each.leaf == wanted]


def _drop_from_log(checkout: Checkout, identifier: EventId) -> int:
    numbers = entries_with_bodies(checkout, identifier)
    for number in numbers:
        checkout.log.redact(number)
    sealed = checkout.index.events.entry(identifier)
    writer = writer_id(checkout.sage)
    if sealed is None or writer is None:
        return len(numbers)
    store = store_of(checkout)
    if sealed < store.size(writer):  # what was published of the tail included
        entry = next(store.entries(writer, sealed))
        if entry.body and entry.leaf == leaf(identifier):
            store.redact(writer, sealed)
            return len(numbers) + 1
    return len(numbers)


def _drop_from_other_logs(checkout: Checkout, identifiers: frozenset[EventId]) -> int:
    store, writers = store_of(checkout), checkout.index.writers
    found: dict[str, list[int]] = {}
    for writer, number in (place for each in identifiers for place in writers.holders(each)):
        if any(entry.body for entry in store.entries(writer, number, number + 1)):
            found.setdefault(writer, []).append(number)
    for writer, numbers in found.items():
        store.redact(writer, *numbers)
    return sum(map(len, found.values()))


def _drop_from_sidecars(checkout: Checkout, identifiers: frozenset[EventId]) -> None:
    """Begin the sidecars of this work tree anew that may show the bodies, and have the other work trees do so."""
    index = checkout.index
    nodes = filter(None, map(index.events.node, identifiers))
    components = {index.events.component(lineage) for node in nodes for lineage in node.lineages}
    with index.transaction():
        for component in components:
            index.sidecars.look_again(component)
    if checkout.repository.work_tree is not None:
        head = checkout.repository.head()
        for left in list(index.sidecars.of_chronicles(checkout.worktree, components)):
            views.show_one(checkout, head, left.path, left.component)


def _key(event: Event) -> bytes:
    """The chronicle that the event stands in: its subject, or the source that it says something of."""
    subject = event.subject
    if subject is not None and is_subject_name(subject):
        return subject_key(subject)
    named = (
        subject_source(subject) if subject is not None else next((event[each] for each in _PATHS if each in event), "")
    )
    return raw_path(event, named)
