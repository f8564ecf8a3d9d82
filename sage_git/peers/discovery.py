"""Who of this repository serves in the local network, by multicast DNS (RFC 6762, 6763), with `zeroconf`.

What is announced lets nobody read anything, and whatever is found is only an address to call: anybody may announce
anything. Who looks must know the repository's id, and decides which of the keys found it will call.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from threading import Event
from typing import TYPE_CHECKING, Final

from sage_git.errors import NotHere, PeerFailed
from sage_git.peers.address import Address

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf

SERVICE: Final = "_sage-git._tcp.local."
MOST_FOUND: Final = 64
"""As many are looked at; a network that is full of them is somebody's joke."""

_KEY: Final = re.compile(rb"[0-9a-f]{64}")
_MOST_HOSTS: Final = 8
_ANSWER_MS: Final = 500
_KNOCK_S: Final = 0.5


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A server that says it has this repository. Nothing of it is proved before it is called."""

    key: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """Where to call it."""
        return str(Address(self.key, self.host, self.port))


def discovery_id(repository: str) -> str:
    """What stands for a repository in the local network, 32 hex digits: nobody learns the repository's id from it."""
    return sha256(b"sage-lan@v1" + repository.encode()).hexdigest()[:32]


@contextmanager
def announced(repository: str, address: Address, listens_on: str) -> Iterator[None]:
    """Announces a server until the block ends; `listens_on` is empty for every address. Raises NotHere, PeerFailed."""
    from zeroconf import ServiceInfo

    hosts = [listens_on] if listens_on else _own_hosts()
    name = f"{address.key[:32]}-{address.port}"  # nobody else's, so that nobody need be asked whether it is
    with _network(hosts) as network:
        info = ServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=address.port,
            properties={"id": discovery_id(repository), "key": address.key},
            server=f"{name}.local.",
            parsed_addresses=hosts,
        )
        network.register_service(info, cooperating_responders=True)
        try:
            yield
        finally:
            network.unregister_service(info)


def discover(repository: str, timeout_s: float) -> list[Found]:
    """Servers of this repository that answer within `timeout_s`, each once, at an address that takes connections.

    Raises NotHere (no zeroconf), PeerFailed (no network).
    """
    from zeroconf import ServiceBrowser

    with _network(None) as network:
        answers = _Answers(discovery_id(repository).encode())
        browser = ServiceBrowser(network, SERVICE, handlers=[answers.hear])
        Event().wait(timeout_s)
        browser.cancel()
    reachable = ((key, _first_open(hosts, port), port) for (key, port), hosts in answers.hosts.items())
    return sorted(Found(key, host, port) for key, host, port in reachable if host)


class _Answers:
    """What is heard of one repository's servers: their addresses by key and port."""

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted
        self.hosts: dict[tuple[str, int], list[str]] = {}

    def hear(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        """Look at a service that was heard of; the browser's thread calls this, with these names."""
        if len(self.hosts) >= MOST_FOUND or state_change.name == "Removed":
            return  # who says goodbye may still be there when it is called
        info = zeroconf.get_service_info(service_type, name, timeout=_ANSWER_MS)
        key = info.properties.get(b"key") if info else None
        if info is None or info.properties.get(b"id") != self._wanted or not key or not _KEY.fullmatch(key):
            return
        if info.port and 0 < info.port < 1 << 16:
            self.hosts[key.decode(), info.port] = info.parsed_scoped_addresses()[:_MOST_HOSTS]


@contextmanager
def _network(hosts: list[str] | None) -> Iterator[Zeroconf]:
    """Multicast DNS on these addresses of ours, or all. Raises NotHere, PeerFailed."""
    if find_spec("zeroconf") is None or find_spec("ifaddr") is None:
        remedy = "pip install 'sage-git[lan]'\nor, where pipx installed it: pipx inject sage-git zeroconf"
        raise NotHere("the local network is searched with zeroconf, which is not installed", remedy=remedy)
    from zeroconf import Error, InterfaceChoice, Zeroconf

    try:
        network = Zeroconf(interfaces=hosts or InterfaceChoice.All)
    except (OSError, Error) as problem:
        raise _no_network(problem) from None
    try:
        yield network
    except (OSError, Error) as problem:
        raise _no_network(problem) from None
    finally:
        network.close()


def _no_network(problem: Exception) -> PeerFailed:
    said = str(problem) or type(problem).__name__
    remedy = "name the peer's address instead: sage-git peer add NAME sage://KEY@HOST:PORT/"
    return PeerFailed(f"the local network cannot be asked: {said}", remedy=remedy)


def _own_hosts() -> list[str]:
    """The IPv4 addresses of this machine that others may see; that of the loopback if there is no other."""
    from ifaddr import get_adapters

    every = [ip.ip for adapter in get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return [host for host in every if not host.startswith("127.")] or ["127.0.0.1"]


def _first_open(hosts: list[str], port: int) -> str | None:
    """The first address that takes a connection: a machine may have some that we cannot reach."""
    for host in hosts:
        try:
            with socket.create_connection((host, port), timeout=_KNOCK_S):
                return host
        except OSError:
            continue
    return None
