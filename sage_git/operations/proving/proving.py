"""`prove`: one file with which a stranger can check that an event is in a log (C2SP tlog-proof@v1).

The extra line of the file has the event's canonical JSON, so that nothing else is needed: the event gives its id, the
id the leaf, the proof the root, and the checkpoint says who signed that. Not here: checking (`checking`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sage_git.chronicle.ids import EventId, event_id
from sage_git.errors import NotHere, UsageError
from sage_git.operations.proving.checking import Proved, check_proof
from sage_git.operations.proving.logs import Logs
from sage_git.operations.reading import explain

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.reading.opening import Reading


@dataclass(frozen=True, slots=True)
class ProofFile:
    """The content of a proof file, and what whoever gets it will find proved."""

    content: bytes
    proved: Proved


def prove(reading: Reading, name: str) -> ProofFile:
    """The proof of the event that `name` means. Raises UsageError, NotHere, GitFailed, StorageError, ProofFailed."""
    event, identifier = _event(reading, name)
    logs = Logs(reading.checkout)
    place = logs.places([identifier]).get(identifier)
    if place is None:
        remedy = "`sage-git sync` brings the log of whoever wrote it; `sage-git record --complete` writes it into yours"
        raise NotHere(f"no log that is known here has the event {identifier[:12]}", remedy=remedy)
    content = logs.signed(place.writer).prove(place.number, event.line).content
    return ProofFile(content, check_proof(content, identifier))  # as strangers will


def _event(reading: Reading, name: str) -> tuple[Event, EventId]:
    """The event that `name` means, and the id that its content has."""
    found = explain.find(reading.readings, name)
    event = found[0].event
    if len(found) > 1 or event.event_id is None or not event.event_id.startswith(name.strip().lower()):
        raise UsageError(f"'{name}' is a commit, not an event", remedy=f"sage-git show {name} lists its events")
    if not event.line:
        raise NotHere(f"the body of {event.event_id[:12]} was redacted, so that nothing is left to be shown")
    return event, event_id(event.fields)
