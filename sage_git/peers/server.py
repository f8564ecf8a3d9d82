"""Listens, and has each visitor received; nothing that one of them does ends it, or keeps another one waiting.

Not here: what is said in a visit (visits), how many may be in (doors), and how a visit is shown.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sage_git.peers.address import Address
from sage_git.peers.doors import Doors, Limits
from sage_git.peers.frames import Cut, words_of
from sage_git.peers.tls import server_context
from sage_git.peers.visits import Ending, House, Visit, receive

_WAITING: Final = 128
"""Connections that the system keeps until we accept them."""
_ANY: Final = "0.0.0.0"  # noqa: S104 - whoever starts a server wants to be reached, and strangers learn nothing
_PAUSE_S: Final = 0.05
"""Until the system may have descriptors again."""
_ELSEWHERE: Final = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737): which of ours would we use to go there?"""


class Server:
    """A listening socket and its visitors. `report` is told of each visit that is over, and must not raise."""

    def __init__(
        self, house: House, host: str, port: int, report: Callable[[Visit], None], limits: Limits | None = None
    ) -> None:
        """Listens at once, at every address of this machine if `host` is empty. Raises OSError."""
        self._house, self._report = house, report
        self._limits = limits or Limits()
        self._doors = Doors(self._limits)
        self._tls = server_context(house.credentials.private_key)
        self._listener = _listening(host, port)
        self.address = Address(house.credentials.key, host or _own_address(), self._listener.getsockname()[1])
        self._visits: set[asyncio.Task[None]] = set()
        self._stopping = threading.Event()
        self._wake: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Serve until `stop`, SIGTERM, or KeyboardInterrupt, which is raised; then nothing of ours is left running."""
        with self._listener, suppress(asyncio.CancelledError):
            asyncio.run(self._serve())

    def stop(self) -> None:
        """Let `run` return; from any thread."""
        self._stopping.set()
        with suppress(RuntimeError):  # it has returned
            self._wake()

    async def _serve(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        # What asyncio would complain of is a visitor that broke off in the middle of something.
        loop.set_exception_handler(lambda *_: None)
        if threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        self._wake = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            while not self._stopping.is_set():
                await self._accept()
        finally:
            for visit in self._visits:
                visit.cancel()
            await asyncio.gather(*self._visits, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, where = await loop.sock_accept(self._listener)
        except OSError:  # it went away before we looked, or we have too much open
            await asyncio.sleep(_PAUSE_S)
            return
        visit = Visit(where[0])
        if not self._doors.enter(visit.host):
            connection.close()
            visit.ending = Ending.TURNED_AWAY
            self._report(visit)
            return
        task = loop.create_task(self._receive(connection, visit))
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)

    async def _receive(self, connection: socket.socket, visit: Visit) -> None:
        """One visit. A front door: whatever fails is the end of this visit only."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._limits.visit_s):
                await receive(self._house, connection, self._tls, visit, self._limits)
        except TimeoutError:
            visit.ending = Ending.TOO_SLOW
        except Cut as cut:
            visit.ending, visit.words = Ending.CUT, str(cut)
        except OSError as problem:
            visit.ending, visit.words = Ending.CUT, words_of(problem)
        except asyncio.CancelledError:
            visit.ending = Ending.STOPPED
        except Exception as fault:  # noqa: BLE001
            visit.ending, visit.words = Ending.FAULT, f"{type(fault).__name__}: {fault}"
        finally:
            self._doors.leave(visit.host)
            visit.seconds = clock() - began
            self._report(visit)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError."""
    if not host and socket.has_dualstack_ipv6():
        listener = socket.create_server(("", port), family=socket.AF_INET6, backlog=_WAITING, dualstack_ipv6=True)
    else:
        family, _, _, _, where = socket.getaddrinfo(host or _ANY, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(where, family=family, backlog=_WAITING)
    listener.setblocking(False)  # noqa: FBT003 - what it is called
    return listener


def _own_address() -> str:
    """Our address as others see it, if there are others; else that of the loopback. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(asking.getsockname()[0])
