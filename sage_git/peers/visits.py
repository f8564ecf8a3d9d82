"""One visit: TLS, the greeting, and then bytes between the visitor and a git of ours, within limits.

Of what the visitor sends only the greeting is understood here. What the git is, and which keys are allowed, is the
`House`'s to say.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import IO, Protocol

from sage_git.errors import SageError
from sage_git.peers import greeting
from sage_git.peers.address import Share
from sage_git.peers.doors import Limits
from sage_git.peers.frames import CLOSING_S, LONGEST_BYTES, Frames, inward, outward, reading, writing
from sage_git.peers.greeting import Credentials, Refusal


class Admission(Enum):
    """What a key may read."""

    STRANGER = "stranger"
    ALLOWED = "allowed"
    TRUSTED = "trusted"


class Service(Protocol):
    """A process that speaks git: what it is asked, and what it answers, both pipes."""

    requests: IO[bytes]
    answers: IO[bytes]

    def close(self) -> None:
        """End it and all that it started; safe to call twice."""


@dataclass(frozen=True, slots=True)
class House:
    """Who serves, and what the server asks of whoever knows. These raise SageError only."""

    credentials: Credentials
    admit: Callable[[str], Admission]
    """What a key may read, as of now."""
    freshen: Callable[[], None]
    """Brings what is served up to date; called in a thread."""
    start: Callable[[Share], Service]
    """Starts git on what is shared."""


class Ending(Enum):
    """How a visit ended."""

    SERVED = "served"
    REFUSED = "refused"
    LOOKED = "looked whether anybody is here"
    """The visitor went away before it said anything, as who searches the local network does."""
    TURNED_AWAY = "turned away"
    """Too many were in."""
    TOO_SLOW = "too slow"
    CUT = "cut"
    """The visitor went away, or did not speak as agreed."""
    STOPPED = "stopped"
    """The server ended."""
    FAULT = "fault"
    """Something of ours failed."""


@dataclass(slots=True)
class Visit:
    """What is known of one connection, filled in as it goes on; `key` is None until it is proved."""

    host: str
    key: str | None = None
    share: Share | None = None
    ending: Ending = Ending.CUT
    words: str = ""
    sent_bytes: int = 0
    received_bytes: int = 0
    seconds: float = 0.0


async def receive(
    house: House, connection: socket.socket, context: ssl.SSLContext, visit: Visit, limits: Limits
) -> None:
    """Receive one visitor, to the end. Raises Cut, OSError, TimeoutError, SageError."""
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(limits.greeting_s) as patience:
        try:
            frames = await _secured(connection, context, limits)
        except ConnectionResetError:
            visit.ending = Ending.LOOKED
            return
        try:
            refusal = await _greet(house, frames, visit)
            # From here on time runs out only while nothing moves.
            frames.most_received_bytes = limits.asked_bytes
            frames.stirred = lambda: patience.reschedule(clock() + limits.idle_s)
            frames.stirred()
            if refusal is None:
                refusal = await _serve(house, frames, visit, limits)
            if refusal is not None:
                await frames.send(greeting.answer(refusal))
                visit.words = visit.words or refusal.value
            visit.ending = Ending.SERVED if refusal is None else Ending.REFUSED
            patience.reschedule(None)  # closing has a limit of its own
            await frames.close()
        finally:
            visit.sent_bytes, visit.received_bytes = frames.sent_bytes, frames.received_bytes
            frames.abort()


async def _secured(connection: socket.socket, context: ssl.SSLContext, limits: Limits) -> Frames:
    """The connection with TLS around it. Raises OSError, SSLError, TimeoutError."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(LONGEST_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(
        lambda: protocol,
        connection,
        ssl=context,
        ssl_handshake_timeout=limits.greeting_s,
        ssl_shutdown_timeout=CLOSING_S,
    )
    return Frames(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


async def _greet(house: House, frames: Frames, visit: Visit) -> Refusal | None:
    """Why the visitor may not have what it asks for. Raises Cut, SageError.

    Both questions are asked of everybody: how long the answer takes says nothing of which keys are allowed.
    """
    mine, nonce = house.credentials, secrets.token_bytes(greeting.NONCE_BYTES)
    await frames.send(greeting.hello(nonce))
    call = greeting.call_of(await frames.receive(greeting.LONGEST_BYTES))
    admission = house.admit(call.key)
    is_signed = greeting.is_signed(call, mine.key, mine.repository, nonce)
    if not is_signed:
        return Refusal.UNKNOWN
    visit.key, visit.share = call.key, call.share
    if admission is Admission.STRANGER:
        return Refusal.UNKNOWN
    if call.share is Share.PRIVATE and admission is not Admission.TRUSTED:
        return Refusal.TRUSTED_ONLY
    return None


async def _serve(house: House, frames: Frames, visit: Visit, limits: Limits) -> Refusal | None:
    """Let the visitor speak with git; why not if git cannot be started. Raises Cut."""
    assert visit.share is not None
    try:
        await asyncio.to_thread(house.freshen)
    except SageError as problem:
        visit.words = str(problem)  # what there was before is served
    try:
        service = house.start(visit.share)
    except SageError as problem:
        visit.words = str(problem)  # for us; the visitor is told that it is our fault
        return Refusal.UNREADY
    try:
        await frames.send(greeting.answer(None))
        await _relay(frames, service, limits)
    finally:
        service.close()
    return None


async def _relay(frames: Frames, service: Service, limits: Limits) -> None:
    """Carry bytes both ways until git has ended and the visitor has everything. Raises Cut."""
    async with reading(service.answers) as answers, writing(service.requests) as requests:
        incoming = asyncio.create_task(inward(frames, requests))
        outgoing = asyncio.create_task(outward(answers, frames))
        try:
            await asyncio.wait({incoming, outgoing}, return_when=asyncio.FIRST_COMPLETED)
            if incoming.done():
                incoming.result()
            await outgoing
            # Who closes with something unread cuts off what it wrote itself (TCP, RST): let the visitor end first.
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.farewell_s):
                    await incoming
        finally:
            incoming.cancel()
            outgoing.cancel()
