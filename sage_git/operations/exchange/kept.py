"""`sage/peers.json`: whom this clone exchanges logs with, and which keys may read what it serves.

Local and never published. Not here: the remotes that the policy publishes to, which need no entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from sage_git.chronicle.canonical import canonical_json, parse_json
from sage_git.chronicle.ids import is_hex
from sage_git.errors import StorageError, UsageError, ValidationError
from sage_git.storage.durable import make_directory, replace_file, told_as

FILE_NAME: Final = "peers.json"
_FORMAT: Final = 1
_MOST_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_KEY_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Peer:
    """Where logs are exchanged. A trusted one is asked for withheld bodies too, and given ours if it is pushed to."""

    url: str
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """Whose key may read what is served; a trusted one may read withheld bodies too."""

    name: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class PeerBook:
    """Peers by name and allowed keys (hex of Ed25519 public keys)."""

    peers: Mapping[str, Peer] = field(default_factory=dict)
    allowed: Mapping[str, Allowed] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The book in `directory` (sage/); an empty one if there is none. Raises StorageError."""
        path = directory / FILE_NAME
        try:
            with told_as(path, "read"):
                content = path.read_bytes()
        except StorageError as problem:
            if problem.error == "ENOENT":
                return cls()
            raise
        try:
            return cls._parsed(content)
        except (ValidationError, UsageError, TypeError, KeyError, AttributeError) as problem:
            remedy = "correct it, or delete it and add the peers again with `sage-git peer add`"
            raise StorageError(str(path), "read", f"it is damaged ({problem})", remedy=remedy) from None

    @classmethod
    def _parsed(cls, content: bytes) -> Self:
        if len(content) > _MOST_BYTES:
            raise TypeError("too long")
        value = parse_json(content)
        if value["format"] != _FORMAT:
            raise TypeError(f"format {value['format']!r}")
        peers = {checked_name(name): _peer(row) for name, row in value["peers"].items()}
        allowed = {checked_key(key): _allowed(row) for key, row in value["allowed"].items()}
        return cls(peers, allowed)

    def write(self, directory: Path) -> None:
        """Keep this book in `directory`. Raises StorageError."""
        make_directory(directory)
        value: dict[str, Any] = {
            "format": _FORMAT,
            "peers": {name: {"url": peer.url, "trusted": peer.trusted} for name, peer in self.peers.items()},
            "allowed": {key: {"name": each.name, "trusted": each.trusted} for key, each in self.allowed.items()},
        }
        replace_file(directory / FILE_NAME, canonical_json(value) + b"\n", 0o600)

    @property
    def trusts_anybody(self) -> bool:
        """True if somebody may read what is withheld from everybody else."""
        return any(peer.trusted for peer in self.peers.values()) or any(key.trusted for key in self.allowed.values())

    def with_peer(self, name: str, peer: Peer) -> Self:
        """The book with this peer in it, in the place of one of this name. Raises UsageError."""
        return replace(self, peers={**self.peers, checked_name(name): peer})

    def without_peer(self, name: str) -> Self:
        """The book without this peer. Raises UsageError if it is not there."""
        if name not in self.peers:
            raise UsageError(f"no peer is called {name}", remedy="sage-git peer list shows them")
        return replace(self, peers={each: peer for each, peer in self.peers.items() if each != name})

    def with_key(self, key: str, allowed: Allowed) -> Self:
        """The book in which this key may read. Raises UsageError."""
        return replace(self, allowed={**self.allowed, checked_key(key): allowed})

    def without_key(self, key: str) -> Self:
        """The book in which this key may not read any more. Raises UsageError if it never might."""
        if key not in self.allowed:
            raise UsageError(f"{key} is not an allowed key", remedy="sage-git peer list shows them")
        return replace(self, allowed={each: row for each, row in self.allowed.items() if each != key})


def checked_name(name: str) -> str:
    """`name`, which may stand for a peer. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a peer", remedy="use letters, digits, dots, dashes: laptop, office-2"
        )
    return name


def checked_key(key: str) -> str:
    """`key`, which is the hex of an Ed25519 public key. Raises UsageError."""
    if not is_hex(key, _KEY_DIGITS):
        raise UsageError(f"{key!r} is no key", remedy="64 hex digits, as `sage-git peer key` prints them over there")
    return key


def _peer(row: Mapping[str, object]) -> Peer:
    url, trusted = row["url"], row["trusted"]
    if not isinstance(url, str) or not isinstance(trusted, bool):
        raise TypeError("a peer has a url and is trusted or not")
    return Peer(url, trusted)


def _allowed(row: Mapping[str, object]) -> Allowed:
    name, trusted = row["name"], row["trusted"]
    if not isinstance(name, str) or not isinstance(trusted, bool):
        raise TypeError("an allowed key has a name and is trusted or not")
    return Allowed(name, trusted)
