"""A proxy that lets so many bytes pass in one direction, and then cuts the connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum


class Way(Enum):
    """In which direction the bytes are counted."""

    TO_CLIENT = "to client"
    TO_SERVER = "to server"


@dataclass
class Cut:
    """Where to cut, and what passed: the sizes of what was read at a time, a frame each on a quiet machine."""

    way: Way
    after_bytes: int | None
    passed: list[int] = field(default_factory=list)

    def allows(self, way: Way, content: bytes) -> bytes:
        """As much of `content` as may still pass."""
        if way is not self.way:
            return content
        left = len(content) if self.after_bytes is None else max(0, self.after_bytes - sum(self.passed))
        self.passed.append(min(left, len(content)))
        return content[:left]


@contextmanager
def cutting(port: int, cut: Cut) -> Iterator[int]:
    """The port of a proxy before `port` of this machine."""
    sockets: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket, way: Way) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                allowed = cut.allows(way, content)
                target.sendall(allowed)
                if len(allowed) < len(content):
                    close(source)
                    break
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection(("127.0.0.1", port))
                sockets.extend((client, server))
                for pair in ((client, server, Way.TO_SERVER), (server, client, Way.TO_CLIENT)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            close(listening)
            accepting.join(5)
            for each in sockets:
                close(each)
                each.close()


def close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
