"""The calling side: reach a server, see that it has the key that we were told, prove ours, and carry git's bytes.

Not here: how git asks for that (cli.remote_helper), and where our key comes from.
"""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import IO, Final, NoReturn, Self

from sage_git.errors import PeerFailed
from sage_git.peers import greeting
from sage_git.peers.address import Address
from sage_git.peers.frames import CLOSING_S, LONGEST_BYTES, Cut, Frames, inward, outward, reading, words_of, writing
from sage_git.peers.greeting import Credentials, Refusal
from sage_git.peers.tls import client_context, key_shown

REACHING_S: Final = 10.0
"""How long a server may take to answer, and then to greet."""
IDLE_S: Final = 120.0
"""How long nothing may move; a server says something every few seconds while it works."""


class Call:
    """A server that has accepted us, to speak git with. Close it, or use it in a `with`."""

    def __init__(self, address: Address, credentials: Credentials) -> None:
        """Raises PeerFailed if it cannot be reached, has another key, or refuses us."""
        self._address = address
        self._runner = asyncio.Runner()
        try:
            self._runner.get_loop().set_exception_handler(lambda *_: None)  # whatever matters is raised
            self._frames = self._runner.run(self._open(credentials))
        except BaseException:
            self._runner.close()
            raise

    def relay(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Send what the pipe `source` has, write what comes to `sink`, until the server ends. Raises PeerFailed."""
        self._runner.run(self._relay(source, sink))

    def close(self) -> None:
        """Close; safe to call twice."""
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _open(self, credentials: Credentials) -> Frames:
        place = self._address.place
        try:
            async with asyncio.timeout(REACHING_S):
                frames = await self._reached()
                try:
                    refusal = await self._greeted(frames, credentials)
                except BaseException:
                    frames.abort()
                    raise
        except TimeoutError:
            remedy = "see that `sage-git serve` runs there, and that no firewall is between"
            raise PeerFailed(f"{place} does not answer", remedy=remedy) from None
        except Cut as cut:
            self._fail(cut)
        if refusal is not None:
            await frames.close()
            raise _refused(refusal, self._address, credentials)
        return frames

    async def _reached(self) -> Frames:
        """The server, which has the key that we were told; nothing is said to any other. Raises PeerFailed."""
        address = self._address
        try:
            reader, writer = await asyncio.open_connection(
                address.host, address.port, limit=LONGEST_BYTES, ssl=client_context(), ssl_shutdown_timeout=CLOSING_S
            )
        except (OSError, ssl.SSLError) as problem:
            remedy = "see that `sage-git serve` runs there, and that no firewall is between"
            raise PeerFailed(f"{address.place} cannot be reached: {words_of(problem)}", remedy=remedy) from None
        key = key_shown(writer.get_extra_info("ssl_object"))
        if key != address.key:
            writer.transport.abort()
            remedy = (
                "ask over there what `sage-git peer key` says, and name that; if it is this one, somebody is between"
            )
            raise PeerFailed(f"{address.place} has another key than {address.key}", remedy=remedy)
        return Frames(reader, writer)

    async def _greeted(self, frames: Frames, credentials: Credentials) -> Refusal | None:
        nonce = greeting.nonce_of(await frames.receive(greeting.LONGEST_BYTES))
        await frames.send(greeting.call(credentials, self._address.key, nonce, self._address.share))
        return greeting.refusal_of(await frames.receive(greeting.LONGEST_BYTES))

    async def _relay(self, source: IO[bytes], sink: IO[bytes]) -> None:
        frames, clock = self._frames, asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(IDLE_S) as patience, reading(source) as asked, writing(sink) as answered:
                frames.stirred = lambda: patience.reschedule(clock() + IDLE_S)
                outgoing = asyncio.create_task(outward(asked, frames))
                await inward(frames, answered)
                if not outgoing.done():
                    outgoing.cancel()
                    await frames.end()
                await frames.close()
        except TimeoutError:
            self._fail(Cut("it has not said anything for a while"))
        except Cut as cut:
            self._fail(cut)

    def _fail(self, cut: Cut) -> NoReturn:
        remedy = "try again; `sage-git serve` over there says what it knows of it"
        raise PeerFailed(f"{self._address.place}: {cut}", remedy=remedy) from None


def _refused(refusal: Refusal, address: Address, credentials: Credentials) -> PeerFailed:
    """The error for a refusal, with what somebody over there can do."""
    match refusal:
        case Refusal.UNKNOWN:
            remedy = f"over there, in a clone of this repository: sage-git peer allow {credentials.key}"
            return PeerFailed(f"{address.place} refused our key", remedy=remedy)
        case Refusal.TRUSTED_ONLY:
            remedy = f"over there: sage-git peer allow {credentials.key} --trusted"
            return PeerFailed(f"{address.place} does not trust our key with what is withheld", remedy=remedy)
        case Refusal.UNREADY | Refusal.OTHER:
            remedy = "`sage-git serve` over there says what it knows of it"
            return PeerFailed(f"{address.place} cannot serve us", remedy=remedy)
