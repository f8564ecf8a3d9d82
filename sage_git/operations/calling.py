"""Calling a direct peer with this clone's key. Not here: what is said to it (peers), and by which git."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sage_git.errors import NotHere
from sage_git.operations.identity import Identity
from sage_git.peers.address import Address
from sage_git.peers.client import Call
from sage_git.peers.greeting import Credentials
from sage_git.storage.keys import ensure_writer, load_key, writer_id
from sage_git.storage.lock import held

_PATIENCE_MS: Final = 10_000


def call(url: str, sage: Path) -> Call:
    """The server at `url`, which has accepted the clone with this `sage/` directory.

    Raises UsageError (no such address), NotHere (no record here), StorageError, LockTimeout, PeerFailed.
    """
    address = Address.parse(url)
    identity = Identity.read(sage)
    if identity is None:
        raise NotHere(f"no record is kept in {sage}", remedy="run `sage-git init`")
    if writer_id(sage) is None:
        with held(sage / "log.lock", _PATIENCE_MS):
            ensure_writer(sage, identity.repository)
    return Call(address, Credentials(load_key(sage), identity.repository))
