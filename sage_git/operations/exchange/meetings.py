"""What came of the last meeting with each peer, kept for those who ask how things stand.

Kept in the index, by URL: it goes with the index, and the next meeting tells it again. Not here: meeting (`sync`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Meeting:
    """How the last one ended, and when (ms since 1970). `given` is how long this clone's log was when it was given.

    `reached_ms` is when the peer was last read from, if ever; `refused` are the codes of what was not believed.
    """

    state: str
    at_ms: int
    reached_ms: int | None
    logs: int
    given: int | None
    refused: tuple[str, ...] = ()
    reason: str = ""


def remember(
    checkout: Checkout, outcomes: Iterable[tuple[Outcome, int | None]], given: int | None, now_ms: int
) -> None:
    """Keep each outcome; beside it, how many logs the peer has, None if it was not read. Raises StorageError."""
    with checkout.index.transaction():
        for outcome, logs in outcomes:
            before = last(checkout, outcome.url)
            known = before if logs is None else None
            is_given = logs is not None and given is not None and not outcome.reason
            value = {
                "state": outcome.state.value,
                "at": now_ms,
                "reached": now_ms if logs is not None else known.reached_ms if known else None,
                "logs": logs if logs is not None else known.logs if known else 0,
                "given": given if is_given else before.given if before else None,
                "refused": sorted({each.code for each in outcome.refused}),
                "reason": outcome.reason,
            }
            checkout.index.keep(_key(outcome.url), json.dumps(value))


def gave(checkout: Checkout, url: str, length: int) -> None:
    """Remember that the peer at `url`, if it was met, was given `length` entries of this clone. Raises StorageError."""
    text = checkout.index.value(_key(url))
    if text is not None:
        with checkout.index.transaction():
            checkout.index.keep(_key(url), json.dumps(json.loads(text) | {"given": length}))


def last(checkout: Checkout, url: str) -> Meeting | None:
    """The last meeting with the peer at `url`; None if none is known."""
    text = checkout.index.value(_key(url))
    if text is None:
        return None
    kept = json.loads(text)
    refused = tuple(kept["refused"])
    return Meeting(kept["state"], kept["at"], kept["reached"], kept["logs"], kept["given"], refused, kept["reason"])


def _key(url: str) -> str:
    return f"last meeting at {url}"
