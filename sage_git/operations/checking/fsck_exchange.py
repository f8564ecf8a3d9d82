"""What is exchanged with peers, against itself and against the index: logs of others, what was left of meetings, peers.

Not here: what makes a log one that its writer signed (`signed_logs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sage_git.errors import LockTimeout, SageError, StorageError
from sage_git.gitrepo.exchange import Quarantine
from sage_git.gitrepo.log_tree import Half, ref_of
from sage_git.operations.checking.flaws import Flaw, Severity
from sage_git.operations.checking.fsck_log import LogInspection
from sage_git.operations.checking.signed_logs import (
    STORE,
    SignedLogs,
    against_own,
    against_seen,
    check_signed_logs,
    equivocating,
)
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.kept import FILE_NAME, PeerBook
from sage_git.operations.sealing import store_of
from sage_git.storage.keys import writer_id
from sage_git.storage.lock import held
from sage_git.storage.writerlog import leaf_id

INCOMING: Final = "incoming.git"
_LOST: Final = "refs/sage/lost/"


def check_exchange(checkout: Checkout, own: LogInspection) -> list[Flaw]:
    """What is wrong with the logs that came from others or went to them, and with what is known of peers."""
    logs = check_signed_logs(checkout)
    flaws = [*logs.flaws, *against_own(checkout, logs, own), *against_seen(checkout, logs), *equivocating(checkout)]
    try:
        flaws += _not_entered(checkout, logs)
    except SageError as problem:
        flaws.append(Flaw("sealed-unreadable", str(problem), remedy=problem.remedy, path=STORE))
    return [*flaws, *_peers(checkout), *_left_over(checkout)]


def set_bad_logs_aside(checkout: Checkout) -> None:
    """Take the logs that cannot be relied on out of the way, so that they are fetched or published anew.

    Their refs stay under `refs/sage/lost/`. The caller holds log.lock. Raises GitFailed, StorageError.
    """
    bad = {flaw.writer for flaw in check_signed_logs(checkout).flaws if flaw.writer is not None}
    for half in Half if bad else ():
        repository = store_of(checkout).repository(half)
        for writer, commit in repository.writers().items():
            if writer in bad and (half is Half.PUBLIC or writer != writer_id(checkout.sage)):
                lost = f"{_LOST}{writer}"
                repository.swap({ref_of(writer): (commit, ""), lost: (repository.tip(lost).commit, commit)})
    if bad:
        with checkout.index.transaction():
            checkout.index.writers.forget(sorted(bad))


def clear_left_over(checkout: Checkout) -> None:
    """Throw away what a killed sync left in quarantine, unless one is at work."""
    if any(_left_over(checkout)):
        with held(checkout.sage / "sync.lock", 0):
            Quarantine(checkout.sage, store_of(checkout)).clear()


def _not_entered(checkout: Checkout, logs: SignedLogs) -> Iterator[Flaw]:
    """The logs of which the index lacks an event that is neither refused nor redacted, each named by the first."""
    index, store = checkout.index, store_of(checkout)
    refused = {(each.writer, each.number) for each in index.writers.refused()}
    gone = index.events.redacted()
    for writer, log in logs.sound.items():
        if writer == writer_id(checkout.sage):
            continue
        for entry in store.entries(writer, 0, log.size):
            identifier = leaf_id(entry.leaf)
            is_known = index.events.node(identifier) is not None or identifier in gone
            if entry.body and not is_known and (writer, entry.number) not in refused:
                message = f"entry {entry.number} of the log of {writer[:16]} is not in the index"
                yield Flaw("index-altered", message, event_id=identifier, writer=writer)
                break


def _peers(checkout: Checkout) -> Iterator[Flaw]:
    try:
        PeerBook.read(checkout.sage)
    except StorageError as problem:
        yield Flaw("peers-damaged", str(problem), remedy=problem.remedy, path=f".git/sage/{FILE_NAME}")


def _left_over(checkout: Checkout) -> Iterator[Flaw]:
    """What a sync that was killed left in quarantine; nothing while one is at work."""
    packs = (checkout.sage / INCOMING / "objects/pack").glob("*")
    if not any(packs):
        return
    try:
        with held(checkout.sage / "sync.lock", 0):
            message = "a sync that was killed left what it had fetched; nobody believes it"
            yield Flaw("quarantine-left", message, Severity.WARNING, path=f".git/sage/{INCOMING}")
    except LockTimeout:
        return
