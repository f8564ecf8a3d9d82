"""`fsck --repair`: log, index and sidecars are made to agree again, and nothing that anybody said is lost.

In this order, so that each rests on what is sound: the log's unsealed end, the logs of others (bad ones are set aside,
to be fetched anew), the index (made anew from logs and git), redactions that were not finished, statements that
stand in a sidecar only, the sidecars. Damaged lines are kept in `sage/lost/`. Not here: what only a backup can mend,
which stays a finding.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sage_git.chronicle.ids import EventId, event_id, leaf
from sage_git.chronicle.ndjson import LineState, check_line
from sage_git.errors import SageError
from sage_git.operations.checking.flaws import Report, Severity
from sage_git.operations.checking.fsck import check_index, check_index_file, inspect
from sage_git.operations.checking.fsck_exchange import check_exchange, clear_left_over, set_bad_logs_aside
from sage_git.operations.checking.fsck_log import LogInspection, check_log, compare_with_index
from sage_git.operations.checking.fsck_sidecars import Inspection, inspections
from sage_git.operations.checkout import Checkout
from sage_git.operations.recording.record import observe, record
from sage_git.operations.sidecars.adoption import adopt
from sage_git.operations.statements.redaction import finish_redactions
from sage_git.storage.durable import set_aside
from sage_git.storage.lock import held
from sage_git.storage.shown import WorkTree

_TIMEOUT_MS: Final = 10_000


def repair(checkout: Checkout) -> Report:
    """What is still wrong when all was mended that can be. Raises NotHere, GitFailed, StorageError, LockTimeout."""
    checkout.known_identity()
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        must_rebuild = bool(check_index_file(checkout)) or bool(check_index(checkout)[0])
        log = check_log(checkout)
        flaws = [*log.flaws, *([] if must_rebuild else compare_with_index(checkout, log))]
        if any(flaw.code.startswith("log-") for flaw in flaws):
            _mend_log(checkout, log, {} if must_rebuild else _indexed(checkout))
            must_rebuild = True
        set_bad_logs_aside(checkout)
        flaws += check_exchange(checkout, log)
        if must_rebuild or any(flaw.code.startswith("index-") for flaw in flaws):
            checkout.discard_index()
    clear_left_over(checkout)
    observe(checkout)
    if checkout.index.events.redacted():
        finish_redactions(checkout)
    _mend_sidecars(checkout)
    record(checkout)
    return inspect(checkout)


def _indexed(checkout: Checkout) -> dict[int, tuple[EventId, bytes]]:
    """Id and line, or leaf, of every entry of the log as the index has it."""
    rows = checkout.index.connection.execute("SELECT entry, event_id, line FROM events WHERE entry IS NOT NULL")
    found = ((number, EventId(identifier.hex()), line) for number, identifier, line in rows)
    return {number: (identifier, line if line is not None else leaf(identifier)) for number, identifier, line in found}


def _mend_log(checkout: Checkout, log: LogInspection, indexed: dict[int, tuple[EventId, bytes]]) -> None:
    """Write the unsealed end anew: every entry once, altered ones as the index has them, lost ones put back."""
    salvage = checkout.log.salvage()
    sealed = {identifier for number, identifier in log.ids.items() if number < log.sealed}
    lines, first = salvage.lines, salvage.first
    lost = [salvage.torn] if salvage.torn else []
    if first is None:  # what was sealed and not dropped yet stands before the rest
        first = log.sealed
        lines = [line for line in [salvage.header, *lines] if line and _id_of(line) not in sealed]
    kept: dict[EventId, bytes] = {}
    for number, line in enumerate(lines, first):
        identifier = _id_of(line)
        known = indexed.get(number)
        if known is not None and identifier != known[0] and not _is_true(line):
            lost.append(line)
            kept.setdefault(*known)
        elif identifier is None:
            lost.append(line)
        else:
            kept.setdefault(identifier, line)
    for number in sorted(each for each in indexed if each >= first):
        kept.setdefault(*indexed[number])
    checkout.log.rewrite(first, list(kept.values()), lost)


def _id_of(line: bytes) -> EventId | None:
    """The id that a line of the log has by right; None if it is neither event nor leaf."""
    event = check_line(line, 1, 0).event
    if event is None:
        return None
    return event.event_id if set(event) == {"eventId"} else event_id(event.fields)


def _is_true(line: bytes) -> bool:
    return check_line(line, 1, 0).state is LineState.VALID


def restore_sidecar(checkout: Checkout, file: bytes) -> None:
    """Make one sidecar, by its path from the root, what the record says; nothing that stands in it is lost.

    Raises StorageError, LockTimeout.
    """
    _mend_sidecars(checkout, file)


def _mend_sidecars(checkout: Checkout, only: bytes | None = None) -> None:
    """Adopt what only a sidecar has, keep what is damaged elsewhere, and write what is not right anew."""
    if checkout.repository.work_tree is None:
        return
    tree = WorkTree(checkout.repository.work_tree)
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        wrong = [(key, found) for key, found in inspections(checkout, only) if _needs_mending(found)]
        for _, found in wrong:
            adopt(checkout, found.unknown)
            for line in found.strangers:
                set_aside(line, checkout.sage / "lost" / "sidecars.ndjson")
        for key, found in wrong:
            with suppress(SageError):  # it stays a finding
                _write_anew(checkout, tree, key, found)


def _needs_mending(found: Inspection) -> bool:
    codes = {flaw.code for flaw in found.flaws if flaw.severity is not Severity.NOTE}
    return bool(codes - {"sidecar-unreadable"})


def _write_anew(checkout: Checkout, tree: WorkTree, key: bytes, found: Inspection) -> None:
    """Make a sidecar what the record says; one without a source goes, for the record has all that was in it."""
    index = checkout.index
    left = index.sidecars.get(checkout.worktree, key)
    if left is not None:
        lines = [line for _, _, line in index.events.lines(left.component)]
        stamp = tree.replace(found.file, lines)
        with index.transaction():
            number = index.commits.path_number(key)
            index.sidecars.put(checkout.worktree, number, left.component, stamp, index.events.last_number())
    elif any(flaw.code == "sidecar-stray" for flaw in found.flaws):
        tree.remove(found.file)
    else:
        tree.replace(found.file, [*found.expected.values(), *(event.line for event in found.unknown)])
