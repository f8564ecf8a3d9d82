"""`fsck`: store, log, sidecars and index against one another. Changes nothing that a recording would not.

What is new in history is recorded first, so that no true line looks false; only the sidecars stay as they are, to be
looked at. If the log itself is damaged, nothing is recorded. Not here: mending (operations.repair).
"""

from __future__ import annotations

from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.errors import StorageError, ValidationError
from sage_git.operations.checking.flaws import Flaw, Report, Severity
from sage_git.operations.checking.fsck_exchange import check_exchange
from sage_git.operations.checking.fsck_log import TAIL, check_log, compare_with_index
from sage_git.operations.checking.fsck_sidecars import check_sidecars
from sage_git.operations.checkout import Checkout
from sage_git.operations.recording.record import observe
from sage_git.operations.statements.redaction import entries_with_bodies

INDEX: Final = ".git/sage/index.sqlite"
_MAGIC: Final = b"SQLite format 3\0"


def inspect(checkout: Checkout) -> Report:
    """Everything that is wrong here. Raises NotHere, GitFailed, LockTimeout."""
    checkout.known_identity()
    report = Report()
    report.add(check_index_file(checkout))
    log = check_log(checkout)
    report.add(log.flaws, entries=log.length, sealed=log.sealed)
    if not report.flaws:
        report.add(compare_with_index(checkout, log))
    if log.is_sound and report.is_clean:
        try:
            observe(checkout)
        except StorageError as problem:
            report.add([Flaw("log-damaged", str(problem), path=TAIL)])
    flaws, events = check_index(checkout)
    report.add(flaws, events=events)
    report.add(_unfinished_redactions(checkout))
    report.add(check_exchange(checkout, log))
    sidecars = check_sidecars(checkout)
    report.add(sidecars.flaws, **sidecars.checked)
    return report


def check_index_file(checkout: Checkout) -> list[Flaw]:
    """Whether the index is a database at all. Asked before it is opened, since opening replaces what is none."""
    try:
        with (checkout.sage / "index.sqlite").open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError:
        return []
    if start in (b"", _MAGIC):
        return []
    return [Flaw("index-damaged", "the index is no database", path=INDEX)]


def check_index(checkout: Checkout) -> tuple[list[Flaw], int]:
    """What is wrong with the index, and how many events it has."""
    said = checkout.index.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        return [Flaw("index-damaged", f"the index is damaged: {said}", path=INDEX)], 0
    flaws, count = [], 0
    rows = checkout.index.connection.execute("SELECT event_id, line FROM events ORDER BY number")
    for count, (key, line) in enumerate(rows, 1):  # noqa: B007  the last one is wanted
        if line is not None and _true_id(line) != key.hex():
            message = "an event in the index is not the one that its id names"
            flaws.append(Flaw("index-altered", message, path=INDEX, event_id=EventId(key.hex())))
    return flaws, count


def _true_id(line: bytes) -> EventId | None:
    try:
        return event_id(Event.from_line(line).fields)
    except ValidationError:
        return None


def _unfinished_redactions(checkout: Checkout) -> list[Flaw]:
    """Bodies in the log that were to be dropped."""
    message = "the body of this event was redacted, and is still in the log"
    return [
        Flaw("redaction-unfinished", message, Severity.ERROR, path=TAIL, event_id=identifier)
        for identifier in sorted(checkout.index.events.redacted())
        if entries_with_bodies(checkout, identifier)
    ]
