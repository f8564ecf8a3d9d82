"""What adopted logs mean for this clone: the index, the redactions, the log of its own, the sidecars, the gate.

Not here: adopting (`receiving`), and how an event comes into the index (`entering`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import equivocations
from sage_git.operations.ledger.foreign import enter_logs
from sage_git.operations.recording.record import Progress, record
from sage_git.operations.statements.redaction import finish_redactions
from sage_git.proof.equivocation import Evidence
from sage_git.storage.lock import held

_TIMEOUT_MS: Final = 60_000


def settle(checkout: Checkout, found: Iterable[Evidence], clock_ms: int, progress: Progress | None = None) -> int:
    """How many events are new here, now that index, log and sidecars have what the stores have. Safe to do again.

    Raises StorageError, GitFailed, LockTimeout.
    """
    with held(checkout.sage / "record.lock", _TIMEOUT_MS), held(checkout.sage / "log.lock", _TIMEOUT_MS):
        entered = enter_logs(checkout)
    equivocations.report(checkout, found, clock_ms)
    if entered.redacted:
        finish_redactions(checkout, entered.redacted)
    record(checkout, progress)
    return entered.events
