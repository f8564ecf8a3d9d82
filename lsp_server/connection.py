"""The client's messages in and ours out, each way by a thread of its own: the event loop never waits for a pipe.

pygls reads with the threads that its handlers run in, parses nested objects as messages, and says nothing to a request
that it cannot parse; hence this. Not here: what a message means (`protocol`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, Final

_LENGTH: Final = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,10})[ \t]*", re.IGNORECASE)
_LONGEST_HEADER: Final = 8_192
_LONGEST_BODY: Final = 256 * 1024 * 1024


class Unreadable(Exception):
    """What stands in the stream is no message; the next one may be."""


def messages(stream: IO[bytes]) -> Iterator[dict[str, Any] | Unreadable]:
    """Every message of a stream until it ends; in the place of one that cannot be read, why."""
    while (length := _length(stream)) is not None:
        if (message := _message(stream, length)) is None:
            return
        yield message
        del message  # it may be big, and the next one may be long in coming


def _message(stream: IO[bytes], length: int) -> dict[str, Any] | Unreadable | None:
    """The message that the next `length` bytes are; None if the stream ends before."""
    body = stream.read(length)
    if len(body) < length:
        return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return Unreadable("the message is not JSON in UTF-8")
    return message if isinstance(message, dict) else Unreadable("the message is no object")


def _length(stream: IO[bytes]) -> int | None:
    """The length of the next body; None at the end. Lines that are no header are passed over."""
    length: int | None = None
    while line := stream.readline(_LONGEST_HEADER):
        if line in (b"\r\n", b"\n"):
            if length is not None and length <= _LONGEST_BODY:
                return length
            length = None
        elif found := _LENGTH.fullmatch(line.rstrip(b"\r\n")):
            length = int(found[1])
    return None


class Outbox:
    """Writes messages to the client in the order that they came, from a thread. What pygls calls a writer."""

    def __init__(self, stream: IO[bytes], broken: Callable[[], None]) -> None:
        self._stream = stream
        self._broken = broken
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._write, name="outbox", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send this when it is its turn."""
        self._waiting.put(data)

    def close(self, timeout_s: float = 1.0) -> None:
        """Send what is waiting, if the client takes it in time."""
        self._waiting.put(None)
        self._thread.join(timeout_s)

    def _write(self) -> None:
        while (data := self._waiting.get()) is not None:
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, ValueError):
                self._broken()
                return
