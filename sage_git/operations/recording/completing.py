"""`record --complete`: this clone's log takes in what was made elsewhere and no known log holds (SPEC 11)."""

from __future__ import annotations

from typing import Final

from sage_git.operations.checkout import Checkout
from sage_git.operations.sealing import seal_full_segments
from sage_git.storage import log_queries
from sage_git.storage.keys import ensure_writer
from sage_git.storage.lock import held

_TIMEOUT_MS: Final = 10_000
_PORTION: Final = 4_096
_LOOKED_AT: Final = "looked at, whether in no log"


def adopt_new(checkout: Checkout) -> int:
    """As `adopt_everything`, of what came since this was done last."""
    return _adopt_after(checkout, int(checkout.index.value(_LOOKED_AT) or 0))


def adopt_everything(checkout: Checkout) -> int:
    """How many events were taken into this clone's log: every one that was in no log. Safe to do again.

    Raises NotHere, LockTimeout, StorageError, GitFailed.
    """
    return _adopt_after(checkout, 0)


def _adopt_after(checkout: Checkout, last: int) -> int:
    adopted = 0
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        while lines := log_queries.in_no_log(checkout.index.connection, last, _PORTION):
            ensure_writer(checkout.sage, checkout.known_identity().repository)
            numbers = checkout.log.append([line for _, _, line in lines])
            with checkout.index.transaction():
                for number, (_, event_id, _) in zip(numbers, lines, strict=True):
                    checkout.index.events.set_entry(event_id, number)
            adopted += len(lines)
            last = lines[-1][0]
        newest = str(checkout.index.events.last_number())
        if checkout.index.value(_LOOKED_AT) != newest:
            with checkout.index.transaction():
                checkout.index.keep(_LOOKED_AT, newest)
        seal_full_segments(checkout)
    return adopted
