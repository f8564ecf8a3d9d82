"""Serving this clone's logs to the keys that its peer book allows: here key, store, peer book and sockets meet.

Not here: what is published (exchange.publishing), how git serves it (gitrepo.command), and how it gets there (peers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final

from sage_git.errors import PeerFailed, SageError, StorageError
from sage_git.gitrepo.command import Service
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange.kept import PeerBook
from sage_git.operations.exchange.publishing import publish_own
from sage_git.operations.recording.record import bring_current
from sage_git.operations.sealing import store_of
from sage_git.peers.address import Share
from sage_git.peers.greeting import Credentials
from sage_git.peers.server import Server
from sage_git.peers.visits import Admission, House, Visit
from sage_git.storage.keys import ensure_writer, load_key, writer_id
from sage_git.storage.lock import held

_DIRECTORIES: Final = {Share.STORE: "store.git", Share.PRIVATE: "private.git"}
_PATIENCE_MS: Final = 10_000


def server_of(checkout: Checkout, host: str, port: int, report: Callable[[Visit], None]) -> Server:
    """A server of this clone's logs that listens, and publishes what is new before it serves it.

    `report` is told of each visit. Raises NotHere, StorageError, LockTimeout, PeerFailed (the port is taken).
    """
    repository = checkout.known_identity().repository
    with held(checkout.sage / "log.lock", _PATIENCE_MS):
        ensure_writer(checkout.sage, repository)
        store_of(checkout).ensure()
    house = House(
        Credentials(load_key(checkout.sage), repository),
        admit=lambda key: admission(checkout.sage, key),
        freshen=_Freshening(checkout),
        start=lambda share: started(checkout.sage, share, checkout.repository.environment),
    )
    try:
        return Server(house, host, port, report)
    except OSError as problem:
        remedy = "name another port with --port, or an address of this machine with --host"
        raise PeerFailed(f"cannot listen on {host or '*'}:{port}: {problem.strerror}", remedy=remedy) from None


def key_instead_of(key: str, sage: Path) -> str | None:
    """The key that the clone goes on under, after the one that its server proves to have; None: it is that."""
    try:
        now = writer_id(sage)
    except SageError:  # which serves nobody less than before
        return None
    return None if now == key else now


def admission(sage: Path, key: str) -> Admission:
    """What the peer book lets `key` read, as it is now. Raises StorageError."""
    allowed = PeerBook.read(sage).allowed.get(key)
    if allowed is None:
        return Admission.STRANGER
    return Admission.TRUSTED if allowed.trusted else Admission.ALLOWED


def started(sage: Path, share: Share, environment: Mapping[str, str]) -> Service:
    """git on the repository that is shared. Raises NotHere; StorageError for one that gives out what is not its own."""
    git_dir = sage / _DIRECTORIES[share]
    alternates = git_dir / "objects/info/alternates"
    if alternates.exists():
        remedy = f"delete {alternates}, and run `sage-git fsck`"
        raise StorageError(str(git_dir), "serve", "it borrows objects from another repository", remedy=remedy)
    return Service(git_dir, environment)


class _Freshening:
    """Records and publishes what is new, called from any thread. Raises SageError."""

    def __init__(self, checkout: Checkout) -> None:
        repository = checkout.repository
        self._start, self._environment = repository.work_tree or repository.git_dir, repository.environment
        self._lock, self._began = Lock(), 0.0

    def __call__(self) -> None:
        asked = monotonic()
        with self._lock:
            if self._began > asked:  # somebody else's, while we waited, had all that we are to have
                return
            self._began = monotonic()
            # An index belongs to one thread, and this is not the one that opened the caller's.
            with Checkout.open(self._start, self._environment) as checkout:
                if checkout.has_begun():
                    bring_current(checkout)
                    with held(checkout.sage / "log.lock", _PATIENCE_MS):
                        publish_own(checkout)
