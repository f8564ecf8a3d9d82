"""Moving full segments of this clone's log from its tail into the store (docs/decisions/0003)."""

from __future__ import annotations

from collections.abc import Iterator

from sage_git.gitrepo.store import SealedEntry, Store
from sage_git.operations.checkout import Checkout
from sage_git.storage.keys import introduction, writer_id
from sage_git.storage.writerlog import SEGMENT_ENTRIES


def seal_full_segments(checkout: Checkout) -> int:
    """How many entries are sealed now. Holds the log's lock. Raises GitFailed, StorageError."""
    log = checkout.log
    if log.length() - log.sealed() < SEGMENT_ENTRIES:
        return log.sealed()
    writer = writer_id(checkout.sage)
    assert writer is not None, "a log with entries has a writer"
    entries = log.sealable()
    pairs = [(entry.leaf, entry.body) for entry in entries]
    sealed = store_of(checkout).seal(writer, entries[0].number, pairs, introduction(checkout.sage))
    log.drop_sealed(sealed)
    return sealed


def sealed_bodies(checkout: Checkout, first: int) -> Iterator[tuple[int, bytes | None]]:
    """Number and event of the sealed entries from `first` on; None for a body that was redacted."""
    return ((entry.number, entry.body or None) for entry in sealed_entries(checkout, first))


def sealed_entries(checkout: Checkout, first: int = 0) -> Iterator[SealedEntry]:
    """The sealed entries from number `first` on."""
    writer = writer_id(checkout.sage)
    if writer is not None:
        store = store_of(checkout)
        yield from store.entries(writer, first, store.length(writer))


def store_of(checkout: Checkout) -> Store:
    """The sealed logs of this clone."""
    repository = checkout.repository
    path_only = {name: value for name, value in repository.environment.items() if name in ("PATH", "TMPDIR")}
    return Store(checkout.sage, repository.object_format, path_only)
