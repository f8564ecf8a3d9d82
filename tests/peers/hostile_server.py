"""A server of git's own protocol (`git://`) that does not end: with its refs, with its pack, or by answering nothing.

with serving(endless_refs()) as url: ...          refs of writers, for ever
with serving(endless_pack(ref, oid)) as url: ...  one ref, and a valid pack of ever new objects
with serving(silence()) as url: ...               takes the call and says nothing
"""

from __future__ import annotations

import itertools
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random

Talk = Callable[[socket.socket, "Count"], None]
FLUSH = b"0000"


class Count:
    """How much a server has sent, in bytes, and to how many callers."""

    def __init__(self) -> None:
        self.sent = self.calls = 0

    def send(self, connection: socket.socket, content: bytes) -> None:
        connection.sendall(content)
        self.sent += len(content)


def packet(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


def read_packets(connection: socket.socket, until: bytes) -> bytes:
    """What the client says, up to and with `until`."""
    said = b""
    while until not in said:
        more = connection.recv(4096)
        if not more:
            break
        said += more
    return said


def endless_refs() -> Talk:
    def talk(connection: socket.socket, count: Count) -> None:
        connection.recv(4096)
        count.send(connection, packet(b"%040x HEAD\0side-band-64k ofs-delta\n" % 1))
        for number in itertools.count(1):  # as long as a packet may be, so that it is soon too much
            name = b"refs/sage/writers/%064x/%s" % (number, b"x" * 60_000)
            count.send(connection, packet(b"%040x %s\n" % (number, name)))

    return talk


def endless_pack(ref: str, oid: str) -> Talk:
    def talk(connection: socket.socket, count: Count) -> None:
        connection.recv(4096)
        count.send(connection, packet(f"{oid} {ref}\0ofs-delta shallow\n".encode()) + FLUSH)
        read_packets(connection, b"deepen 1" + FLUSH)
        count.send(connection, packet(f"shallow {oid}".encode()) + FLUSH)
        if b"done" not in read_packets(connection, b"done"):
            return
        count.send(connection, packet(b"NAK\n") + b"PACK" + (2).to_bytes(4) + (1 << 24).to_bytes(4))
        random = Random(1)
        while True:
            size = 1 << 20
            # Type 3 (blob) and the size, seven bits a byte, the lowest four first: gitformat-pack(5).
            header = bytes([0x80 | 3 << 4 | size & 15, 0x80 | size >> 4 & 127, 0x80 | size >> 11 & 127, size >> 18])
            count.send(connection, header + zlib.compress(random.randbytes(size), 0))

    return talk


def silence() -> Talk:
    def talk(connection: socket.socket, count: Count) -> None:
        while connection.recv(4096):
            pass

    return talk


@contextmanager
def serving(talk: Talk, count: Count | None = None) -> Iterator[str]:
    """The URL under which `talk` is held with every caller, each in a thread of its own."""
    counted = count or Count()
    open_connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talk(connection, counted)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                counted.calls += 1
                open_connections.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"git://127.0.0.1:{server.getsockname()[1]}/store"
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for connection in open_connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
