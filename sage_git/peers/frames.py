"""A stream of frames over a stream of bytes: u32 length (big endian), then as many bytes; length 0 ends a direction.

TLS streams cannot be closed one way, and Python's hides whether its end was cut off; a frame of no bytes says both.
Not here: what is in a frame.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ssl import SSLError
from typing import IO, Final

LONGEST_BYTES: Final = 1 << 16
CLOSING_S: Final = 2.0
"""How long the other side may take to say goodbye."""

_LENGTH_BYTES: Final = 4


class Cut(Exception):
    """The other side went away before its end, or does not speak as agreed; the text says how."""


class Frames:
    """Both directions of one connection, and how many bytes of content went each way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.received_bytes = self.sent_bytes = 0
        self.most_received_bytes: int | None = None
        """How much may come in all; None: without a limit."""
        self.stirred: Callable[[], None] = lambda: None
        """Called whenever something came or went."""

    async def send(self, content: bytes) -> None:
        """Send one frame; waits while the other side reads too slowly. Raises Cut."""
        await self._send(content)
        self.sent_bytes += len(content)

    async def end(self) -> None:
        """Say that nothing more is sent. Raises Cut."""
        await self._send(b"")

    async def receive(self, longest_bytes: int = LONGEST_BYTES) -> bytes:
        """The next frame; empty if the other side has ended its direction. Raises Cut."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES))
            if length > longest_bytes:
                raise Cut(f"a frame of {length} bytes, and {longest_bytes} is the most")
            if self.most_received_bytes is not None and self.received_bytes + length > self.most_received_bytes:
                raise Cut(f"more than {self.most_received_bytes} bytes")
            content = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise Cut("the connection was cut") from None
        except (OSError, SSLError) as problem:
            raise Cut(f"the connection broke: {words_of(problem)}") from None
        self.received_bytes += length
        self.stirred()
        return content

    async def close(self) -> None:
        """Say goodbye and close; TLS waits `CLOSING_S` for it to be said back."""
        self._writer.close()
        with suppress(OSError, SSLError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Close at once, whatever was not sent yet, unless it is closed or about to be."""
        if not self._writer.is_closing():
            self._writer.transport.abort()

    async def _send(self, content: bytes) -> None:
        try:
            self._writer.write(len(content).to_bytes(_LENGTH_BYTES) + content)
            await self._writer.drain()
        except (OSError, SSLError) as problem:
            raise Cut(f"the connection broke: {words_of(problem)}") from None
        self.stirred()


def words_of(problem: OSError) -> str:
    """What happened, in the system's words: asyncio has its own, and repeats addresses in them."""
    if problem.errno is not None and problem.errno > 0 and not isinstance(problem, SSLError):
        return os.strerror(problem.errno).lower()
    if isinstance(problem, ConnectionError) and not problem.errno:
        return "the connection was cut"
    return problem.strerror or str(problem) or type(problem).__name__


async def outward(source: asyncio.StreamReader, frames: Frames) -> None:
    """Send all of `source`, and its end. Raises Cut."""
    while content := await source.read(LONGEST_BYTES):
        await frames.send(content)
    await frames.end()


async def inward(frames: Frames, sink: asyncio.StreamWriter) -> None:
    """Write all that is received to `sink`, and end it; what comes for a sink that is gone is dropped. Raises Cut."""
    while content := await frames.receive():
        with suppress(OSError):
            sink.write(content)
            await sink.drain()
    with suppress(OSError):
        sink.close()
        await sink.wait_closed()  # all of it is written


@asynccontextmanager
async def reading(pipe: IO[bytes]) -> AsyncIterator[asyncio.StreamReader]:
    """A pipe to read from, closed afterwards."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(LONGEST_BYTES)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        yield reader
    finally:
        transport.close()


@asynccontextmanager
async def writing(pipe: IO[bytes]) -> AsyncIterator[asyncio.StreamWriter]:
    """A pipe to write to, closed afterwards, whatever it would still have been given."""
    loop, nothing = asyncio.get_running_loop(), asyncio.StreamReader()
    transport, protocol = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(nothing), pipe)
    try:
        yield asyncio.StreamWriter(transport, protocol, nothing, loop)
    finally:
        if not pipe.closed:
            transport.abort()
