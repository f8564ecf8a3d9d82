"""Putting this clone's log where others may read it: leaves of all entries, bodies that may be seen, a checkpoint.

What is published is a commit in the store, made only when something is new. Not here: which bodies may be seen
(`disclosure`), and bringing the store to a remote (`sync`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, is_hex
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import meetings
from sage_git.operations.exchange.certifying import certificate
from sage_git.operations.exchange.disclosure import Audience, may_be_seen
from sage_git.operations.exchange.kept import PeerBook
from sage_git.operations.exchange.trees import own_tree
from sage_git.operations.judging.policies import Policies
from sage_git.operations.sealing import seal_full_segments, store_of
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof.checkpoint import Checkpoint
from sage_git.storage import log_queries
from sage_git.storage.keys import introduction, load_key, writer_id
from sage_git.storage.lock import held
from sage_git.storage.withholding import withheld

_PUBLISHED: Final = "published"
_LOG_TIMEOUT_MS: Final = 5_000
_PATIENCE_S: Final = 10.0
"""How long a push may be kept waiting."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What the store has of this clone's log now."""

    writer: str
    size: int


@dataclass(frozen=True, slots=True)
class _Terms:
    """What decides, beside the log itself, how much of it is published."""

    audience: Audience
    withheld: frozenset[EventId]
    trusts_anybody: bool


def publish_own(checkout: Checkout, pushing: Iterable[ObjectId] = ()) -> Publication | None:
    """Publish this clone's log; None while it has no entry. Commits in `pushing` are on their way to a remote.

    The caller holds log.lock. Raises GitFailed, StorageError.
    """
    writer = writer_id(checkout.sage)
    size = checkout.log.length()
    if writer is None or not size:
        return None
    seal_full_segments(checkout)
    audience = Audience.of(checkout.repository, Policies(checkout).publish_now(), pushing)
    terms = _Terms(audience, withheld(checkout.sage), PeerBook.read(checkout.sage).trusts_anybody)
    if checkout.index.value(_PUBLISHED) != _state(checkout, writer, terms):
        _publish(checkout, writer, terms)
        with checkout.index.transaction():
            checkout.index.keep(_PUBLISHED, _state(checkout, writer, terms))
    return Publication(writer, size)


def pushed_commits(lines: bytes) -> list[ObjectId]:
    """The commits that a push is to bring, as git tells a pre-push hook: `ref id ref id` a line (githooks(5))."""
    words = [line.split() for line in lines.decode("utf-8", "replace").splitlines()]
    named = [each[1] for each in words if len(each) == 4 and is_hex(each[1], 40, 64)]
    return [ObjectId(oid) for oid in named if oid.strip("0")]


def publish_to(checkout: Checkout, remote: str, url: str, pushed: bytes) -> str:
    """Why the log was not published to the `remote` at `url`, to which git pushes; empty if it was, or is not to be.

    `pushed` is what git tells a pre-push hook. Takes a few seconds at most. Raises SageError.
    """
    from sage_git.gitrepo.exchange import RemoteEnvironment, list_logs, push_logs
    from sage_git.operations.exchange.targets import Kind, found_out, named_targets
    from sage_git.operations.recording.record import bring_current

    if not checkout.has_begun() or remote not in Policies(checkout).publish_now().remotes:
        return ""
    bring_current(checkout)
    with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
        publication = publish_own(checkout, pushed_commits(pushed))
    if publication is None:
        return ""
    around = RemoteEnvironment.of(checkout.repository, checkout.sage, deadline_s=_PATIENCE_S)
    target = found_out(checkout, named_targets(checkout, PeerBook(), [remote])[0], around)
    if target.kind is not Kind.REMOTE:
        return ""  # somebody's clone, who reads it from here
    writer, store = publication.writer, store_of(checkout)
    commit = store.writers()[writer]
    there = list_logs(url, around).get(writer, "")
    if there == commit:
        meetings.gave(checkout, target.url, publication.size)
        return ""
    given = f"given to {url}"
    if there and there != checkout.index.value(given) and not store.has(there):
        return "the remote has another log under this clone's key; run `sage-git sync`"
    outcomes = push_logs(store, url, {writer: (commit, there)}, around)
    with checkout.index.transaction():
        checkout.index.keep(given, commit)
    if all(outcome.is_taken for outcome in outcomes):
        meetings.gave(checkout, target.url, publication.size)
    return "; ".join(outcome.reason for outcome in outcomes if not outcome.is_taken)


def _publish(checkout: Checkout, writer: str, terms: _Terms) -> None:
    store, log = store_of(checkout), checkout.log
    shown = store.revealed(writer)
    pending = {
        number: Event.trusted(identifier, line)
        for number, identifier, line in log_queries.own_entries(checkout.index.connection)
        if number not in shown
    }
    bodies = may_be_seen(pending, terms.audience, checkout.repository, terms.withheld)
    tree = own_tree(checkout)
    origin = checkpoints.origin_of(checkout.known_identity().repository, writer)
    note = checkpoints.issue(Checkpoint(origin, tree.size, tree.root()), load_key(checkout.sage))
    unsealed = [(entry.leaf, entry.body) for entry in log.read_tail()]
    if terms.trusts_anybody:
        store.keep_unsealed(writer, unsealed)
    store.publish(writer, unsealed, bodies, note, introduction(checkout.sage), certificate(checkout.sage))


def _state(checkout: Checkout, writer: str, terms: _Terms) -> str:
    """Everything that what is published follows from, and what is, in a few digits."""
    known: tuple[object, ...] = (
        store_of(checkout).writers().get(writer),
        checkout.log.length(),
        checkout.log.sealed(),
        terms.audience,
        sorted(terms.withheld),
        terms.trusts_anybody,
        certificate(checkout.sage),
    )
    return sha256(repr(known).encode()).hexdigest()
