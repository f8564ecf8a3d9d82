"""`sync`: meet peers one after the other, settle what came, then give each what it lacks.

Everything that comes is taken before anything is given, so that one meeting passes on what another brought. One sync
runs at a time; it holds the log's lock only while it changes something. Not here: what a peer's log must be to be
believed (`vetting`), and going on for ever (`watch`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.errors import NotHere, SageError
from sage_git.gitrepo.exchange import RemoteEnvironment
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import meetings, succession
from sage_git.operations.exchange.kept import PeerBook
from sage_git.operations.exchange.outcomes import Outcome, Refusal, State
from sage_git.operations.exchange.publishing import publish_own
from sage_git.operations.exchange.receiving import Received, Receiving
from sage_git.operations.exchange.sending import Sent, send
from sage_git.operations.exchange.settling import settle
from sage_git.operations.exchange.targets import (
    Target,
    bundle_target,
    default_targets,
    found_out,
    named_targets,
    nearby_targets,
)
from sage_git.operations.judging.policies import Policies
from sage_git.operations.recording.completing import adopt_new
from sage_git.operations.recording.record import Progress, bring_current
from sage_git.storage.lock import held

_SYNC_TIMEOUT_MS: Final = 300_000
_LOG_TIMEOUT_MS: Final = 60_000


class Direction(Enum):
    """Which way logs go."""

    BOTH = "both"
    IN = "in"


class Search(Enum):
    """Where peers are looked for that nobody named."""

    KEPT = "kept"
    NEARBY = "nearby"
    """In the local network."""


def targets_of(
    checkout: Checkout, names: Sequence[str], bundles: Mapping[str, Path], where: Search = Search.KEPT
) -> list[Target]:
    """The peers that are named, bundle files, those nearby; all that are kept if nothing is asked for.

    Raises UsageError; NotHere, PeerFailed where the local network cannot be searched.
    """
    book = PeerBook.read(checkout.sage)
    found = named_targets(checkout, book, names)
    found += [bundle_target(name, path) for name, path in bundles.items()]
    if where is Search.NEARBY:
        return [*found, *nearby_targets(checkout, book)]
    return found or default_targets(checkout, book, Policies(checkout).publish_now())


def sync(
    checkout: Checkout, targets: Sequence[Target], direction: Direction, progress: Progress | None = None
) -> list[Outcome]:
    """What came of meeting each of `targets`. Raises NotHere, StorageError, LockTimeout, GitFailed for faults here."""
    checkout.known_identity()
    if not checkout.has_begun():
        raise NotHere("nothing is recorded in this repository yet", remedy="commit .sage/config.toml first")
    bring_current(checkout, progress)
    remote = RemoteEnvironment.of(checkout.repository, checkout.sage)
    with held(checkout.sage / "sync.lock", _SYNC_TIMEOUT_MS):
        with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
            succession.finish(checkout)
        refused_before = frozenset(checkout.index.writers.refused())
        receiving = Receiving(checkout, remote)
        received = [receiving.receive(found_out(checkout, target, remote)) for target in targets]
        settle(checkout, (found for each in received for found in each.evidence), _now_ms(), progress)
        _tell_of_entries(checkout, received, refused_before)
        if direction is Direction.IN:
            return _kept(checkout, [(each, _outcome(each, Sent())) for each in received], None)
        if received and all(each.is_whole for each in received):
            adopt_new(checkout)  # else what looks untold may only not have come
        with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
            publish_own(checkout)
        given = checkout.log.length()
        return _kept(checkout, [(each, _outcome(each, send(checkout, each, remote))) for each in received], given)


def _kept(checkout: Checkout, met: Sequence[tuple[Received, Outcome]], given: int | None) -> list[Outcome]:
    """The outcomes, which `status` tells from here on; `given` is how much of this clone's log the peers may have."""
    told = [(outcome, None if each.listed is None else len(each.listed)) for each, outcome in met]
    meetings.remember(checkout, told, given, _now_ms())
    return [outcome for _, outcome in met]


def _tell_of_entries(checkout: Checkout, received: Sequence[Received], before: frozenset[object]) -> None:
    """Add to what each peer is told to have offered the entries that were not believed."""
    for entry in checkout.index.writers.refused():
        if entry not in before:
            for each in received:
                if entry.writer in (each.listed or {}):
                    reason = f"entry {entry.number}: {entry.message}"
                    each.refused.append(Refusal(entry.writer, entry.code, reason))


def _outcome(received: Received, sent: Sent) -> Outcome:
    target, problem = received.target, received.problem or sent.problem
    reason = str(problem) if problem else "; ".join(sent.rejected)
    if received.listed is None:
        state = State.UNREACHABLE
    elif received.refused or received.problem:
        state = State.REFUSED
    elif reason:
        state = State.BEHIND
    else:
        state = State.CURRENT
    remedy = problem.remedy if isinstance(problem, SageError) else ""
    refused = tuple(received.refused)
    return Outcome(target.name, target.url, state, received.entries, sent.entries, refused, reason, remedy)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
