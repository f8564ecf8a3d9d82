"""Where a peer is, who it is and what is asked of it: `sage://<server key>@<host>:<port>/[private]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

from sage_git.errors import UsageError

PORT: Final = 7243
"""Where `sage-git serve` listens unless told otherwise: SAGE on a telephone's keys."""

_HOST: Final = (
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))|\[(?P<six>[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,32})?)\]"
)
_URL: Final = re.compile(
    rf"sage://(?P<key>[0-9a-f]{{64}})@(?:{_HOST})(?::(?P<port>[0-9]{{1,5}}))?/?(?P<share>private)?/?"
)


class Share(Enum):
    """Which repository is asked for."""

    STORE = "store"
    """The sealed logs, with the bodies that were published."""
    PRIVATE = "private"
    """The bodies that were not, for trusted keys."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server's public key (64 hex digits), where it listens, and the repository that is meant."""

    key: str
    host: str
    port: int = PORT
    share: Share = Share.STORE

    @classmethod
    def parse(cls, url: str) -> Self:
        """The address that `url` states. Raises UsageError."""
        found = _URL.fullmatch(url)
        port = int(found["port"] or PORT) if found else 0
        if not found or not 0 < port < 1 << 16:
            remedy = "sage://KEY@HOST:PORT/, as `sage-git serve` prints it over there"
            raise UsageError(f"{url!r} is no address of a peer", remedy=remedy)
        share = Share.PRIVATE if found["share"] else Share.STORE
        return cls(found["key"], found["name"] or found["six"], port, share)

    def __str__(self) -> str:
        share = "" if self.share is Share.STORE else self.share.value
        return f"sage://{self.key}@{self.place}/{share}"

    @property
    def place(self) -> str:
        """HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
