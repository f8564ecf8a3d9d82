"""From the first byte to the exit status: standard streams, threads, the event loop, and the client's death.

Nothing but the protocol reaches standard output: whatever is printed by anybody goes to standard error. Not here:
messages (`connection`, `protocol`) and what is done for them (`server`).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final

from lsprotocol.types import ErrorCodes

from lsp_server.connection import Outbox, Unreadable, messages
from lsp_server.features import register
from lsp_server.memory import keep_together
from lsp_server.server import Server

_LOOKED_FOR_S: Final = 5.0
"""How often it is looked for whether the client lives."""
_READ, _WRITE, _ERRORS = 0, 1, 2


def serve(environment: Mapping[str, str]) -> int:
    """Serve one client on standard input and output; 0 if it shut us down, else 1."""
    logging.disable(logging.CRITICAL)  # pygls logs every message at length
    keep_together()
    incoming = os.fdopen(os.dup(_READ), "rb")
    outgoing = os.fdopen(os.dup(_WRITE), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _READ)
    os.dup2(_ERRORS, _WRITE)
    sys.stdout = sys.stderr
    server = Server(environment)
    register(server)
    server.protocol.set_writer(outbox := Outbox(outgoing, _client_is_gone))
    Thread(target=_watch_client, args=(server, os.getppid()), name="watch", daemon=True).start()
    gc.freeze()
    gc.set_threshold(700, 10, 10)  # as it is by default
    status = asyncio.run(_converse(server, incoming))
    outbox.close()
    _leave(status)
    return status


async def _converse(server: Server, incoming: object) -> int:
    """Take in messages until `exit` or the end of the stream; gives the exit status."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    server.begin(loop)

    def take(message: object) -> None:
        if ended.done():
            return
        if message is None or (isinstance(message, dict) and message.get("method") == "exit" and "id" not in message):
            ended.set_result(None)
        elif isinstance(message, Unreadable):
            server.protocol.refuse(None, ErrorCodes.ParseError, str(message))
        elif isinstance(message, dict):
            server.protocol.receive(message)

    Thread(target=read_into, args=(loop, incoming, take), name="inbox", daemon=True).start()
    await ended
    server.end()
    return 0 if server.protocol.has_shut_down else 1


def read_into(loop: asyncio.AbstractEventLoop, incoming: object, take: Callable[[object], None]) -> None:
    """Have `loop` take each message that comes, one at a time, and None at the end of the stream."""
    room = Event()
    try:
        for message in messages(incoming):  # type: ignore[arg-type]
            room.clear()
            loop.call_soon_threadsafe(take, message)
            del message  # the loop has it
            loop.call_soon_threadsafe(room.set)
            room.wait()  # what was sent waits in the pipe, not in our memory
        loop.call_soon_threadsafe(take, None)
    except RuntimeError:  # the loop ended before it was told of room: whoever ended it leaves, and knows the status
        return
    except (OSError, ValueError):  # the stream broke
        _client_is_gone()


def _watch_client(server: Server, parent: int) -> None:
    """End the process when the client that started it is there no more, whoever else holds the pipes."""
    pause = Event()
    watched: int | None = None
    while not pause.wait(_LOOKED_FOR_S):
        if watched is None and server.process_id is not None and _lives(server.process_id):
            watched = server.process_id  # of another machine or container, it never was
        if os.getppid() != parent or (watched is not None and not _lives(watched)):
            _client_is_gone()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _client_is_gone() -> None:
    _leave(1)


def _leave(status: int) -> None:
    """End at once: threads that wait for git must not keep us, and what they write is safe whenever it ends."""
    sys.stderr.flush()
    os._exit(status)
