"""A key that somebody else writes with too: the log elsewhere is left as it is, and this clone goes on under a new key.

A copied clone or a restored backup shows when a peer has a longer or another log under this clone's key (SPEC 11). That
log is adopted like anybody's; what this clone said beyond it begins a new log, whose writer.json says `supersedes`.
`sage/succession.json` and `sage/carried.ndjson` are there from before the adoption until all is done, so that a crash
between any two steps is made up for. Not here: noticing it (`receiving`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sage_git.chronicle.canonical import canonical_json, parse_json
from sage_git.chronicle.ids import EventId, event_id
from sage_git.gitrepo.store import Store
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.certifying import CERTIFICATE
from sage_git.operations.ledger import entries_from
from sage_git.operations.sealing import store_of
from sage_git.proof.checkpoint import Checkpoint, claimed
from sage_git.storage.durable import replace_file
from sage_git.storage.keys import adopt_successor, prepare_successor, writer_id
from sage_git.storage.writerlog import leaf_id

PENDING: Final = "succession.json"
_CARRIED: Final = "carried.ndjson"


def begin(checkout: Checkout, elsewhere: Checkpoint, told: frozenset[EventId]) -> None:
    """Prepare to go on under a new key with what is not among `told`, once the store has the log of `elsewhere`.

    The caller holds log.lock, has that log adopted, and then calls `finish`. Raises StorageError, GitFailed.
    """
    carried = [line for _, line in entries_from(checkout, 0) if line is not None and _id_of(line) not in told]
    replace_file(checkout.sage / _CARRIED, b"".join(line + b"\n" for line in carried), 0o600)
    old = writer_id(checkout.sage)
    new = prepare_successor(checkout.sage, checkout.known_identity().repository)
    said = canonical_json({"elsewhere": elsewhere.text, "new": new, "old": old})
    replace_file(checkout.sage / PENDING, said + b"\n")


def finish(checkout: Checkout) -> str | None:
    """The new key, if a change of key was under way and is done now. The caller holds log.lock.

    One that had not come as far as the adoption is forgotten, to be begun anew. Raises StorageError, GitFailed.
    """
    pending = checkout.sage / PENDING
    if not pending.exists():
        return None
    said = parse_json(pending.read_bytes())
    store = store_of(checkout)
    note = store.checkpoint(said["old"])
    if not note or claimed(note).text != said["elsewhere"]:
        pending.unlink()
        return None
    carried = (checkout.sage / _CARRIED).read_bytes().split(b"\n")[:-1]
    checkout.log.rewrite(0, [*carried, *_said_since(checkout, store, said["old"], frozenset(carried))], ())
    adopt_successor(checkout.sage)
    (checkout.sage / CERTIFICATE).unlink(missing_ok=True)  # it was for the old key
    checkout.discard_index()  # which knows the entries by their old numbers
    pending.unlink()
    (checkout.sage / _CARRIED).unlink(missing_ok=True)
    return str(said["new"])


def _said_since(checkout: Checkout, store: Store, old: str, carried: frozenset[bytes]) -> Iterator[bytes]:
    """What was appended after a crash, before anybody came to finish."""
    told = {leaf_id(entry.leaf) for entry in store.entries(old)}
    for entry in checkout.log.read_tail():
        if entry.body and entry.line not in carried and leaf_id(entry.leaf) not in told:
            yield entry.line


def _id_of(line: bytes) -> EventId:
    value = parse_json(line)
    return event_id(value) if isinstance(value, dict) else EventId("")
