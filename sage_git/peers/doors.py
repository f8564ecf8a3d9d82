"""How many may be in at once: in all, and from one place. Not here: sockets, and who may stay."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address


@dataclass(frozen=True, slots=True)
class Limits:
    """What one visitor, and all of them together, may take."""

    visitors: int = 64
    visitors_of_a_place: int = 16
    greeting_s: float = 10.0
    """From the first byte of TLS to the end of the call."""
    idle_s: float = 60.0
    """Without a frame in either direction; git itself says something every 5 seconds."""
    visit_s: float = 3600.0
    asked_bytes: int = 1 << 26
    """What a visitor may send: git's wants and haves are 50 bytes each."""
    farewell_s: float = 5.0
    """From our end to the visitor's."""


class Doors:
    """Counts who is in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inside: Counter[str] = Counter()

    def enter(self, host: str) -> bool:
        """True if there is room for somebody from `host`, who is in now."""
        place = place_of(host)
        limits = self._limits
        if self._inside.total() >= limits.visitors or self._inside[place] >= limits.visitors_of_a_place:
            return False
        self._inside[place] += 1
        return True

    def leave(self, host: str) -> None:
        """Somebody from `host` is out."""
        place = place_of(host)
        self._inside[place] -= 1
        if not self._inside[place]:
            del self._inside[place]


def place_of(host: str) -> str:
    """What one machine can have only one of: an IPv4 address, or the first 64 bits of an IPv6 one."""
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
