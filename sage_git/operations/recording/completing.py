"""`record --complete`: this clone's log takes in what was made elsewhere and no known log holds (SPEC 11)."""

from __future__ import annotations

import json
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.operations.checkout import Checkout
from sage_git.operations.sealing import seal_full_segments
from sage_git.storage import log_queries, queries
from sage_git.storage.index import Index
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
    adopted, index = 0, checkout.index
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        answered = log_queries.answered(index.connection)  # an answer must not hang on nothing
        while events := log_queries.in_no_log(index.connection, last, _PORTION):
            last = events[-1][0]
            untold = [each for _, each in events if each.event_id in answered or not _is_left_to_others(index, each)]
            if untold:
                ensure_writer(checkout.sage, checkout.known_identity().repository)
                numbers = checkout.log.append([event.line for event in untold])
                with index.transaction():
                    for number, event in zip(numbers, untold, strict=True):
                        assert event.event_id is not None
                        index.events.set_entry(event.event_id, number)
            adopted += len(untold)
        newest = str(index.events.last_number())
        if index.value(_LOOKED_AT) != newest:
            with index.transaction():
                index.keep(_LOOKED_AT, newest)
        seal_full_segments(checkout)
    return adopted


def _is_left_to_others(index: Index, event: Event) -> bool:
    """True for a verdict on what somebody else knows more of than is known here.

    It follows from what is known: a log that has a commit's facts has its verdicts too, if withheld; and a commit that
    names an approval which is not here was made where it is.
    """
    if event.type not in VERDICT_TYPES or event.graph_commit is None or not event.parents:
        return False
    fact, commit = index.events.event(event.parents[0]), index.commits.known(event.graph_commit)
    if fact is not None and fact.graph_commit == event.graph_commit and index.writers.holders(event.parents[0]):
        return True
    claims = index.evidence.claims(commit.number) if commit is not None else None
    named = (approval for _, approval in json.loads(claims or "[]"))
    return any(not queries.by_event_prefix(index.connection, approval, 1) for approval in named)
