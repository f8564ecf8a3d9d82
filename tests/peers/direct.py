"""A server of ours in a thread, what it serves, real git as its client, and whoever does not play by the rules.

house = House.build(tmp_path)                       a store with one writer's ref, and things that nobody may have
with house.open() as server:                        listens on loopback; server.ended() gives a visit
    house.git("ls-remote", str(server.address))     real git, through git-remote-sage
    with Stranger(server.address) as stranger: …            TLS and frames by hand
"""

from __future__ import annotations

import os
import queue
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Self

from sage_git.chronicle.ids import RepositoryId
from sage_git.gitrepo.command import Service
from sage_git.operations.identity import Identity
from sage_git.operations.serving import started
from sage_git.peers import greeting
from sage_git.peers.address import Address, Share
from sage_git.peers.doors import Limits
from sage_git.peers.greeting import Credentials
from sage_git.peers.server import Server
from sage_git.peers.visits import Admission, Ending, Visit
from sage_git.peers.visits import House as ServedHouse
from sage_git.storage.keys import ensure_writer, load_key

REPOSITORY = RepositoryId("ab" * 32)
WRITER = "3b" * 32
PUBLISHED = f"refs/sage/writers/{WRITER}"
PATIENCE_S = 20
SCRIPTS = Path(sys.executable).parent


@dataclass
class House:
    """What is served from `sage`, and by whom; `client` is another clone's sage/ directory."""

    sage: Path
    client: Path
    admissions: dict[str, Admission] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    freshen: Callable[[], None] = lambda: None

    @classmethod
    def build(cls, folder: Path, content: bytes = b"published\n") -> Self:
        """A house whose store has one published log, and a client that is allowed."""
        house = cls(clone(folder / "server"), clone(folder / "client"))
        house.admissions[house.caller.key] = Admission.ALLOWED
        for name in ("store.git", "private.git"):
            git("init", "--quiet", "--bare", "--template=", house.sage / name)
        commit(house.sage / "store.git", PUBLISHED, content)
        commit(house.sage / "private.git", PUBLISHED, b"withheld\n")
        return house

    @property
    def host(self) -> Credentials:
        """Whose key the server has."""
        return Credentials(load_key(self.sage), REPOSITORY)

    @property
    def caller(self) -> Credentials:
        """Whose key the client has."""
        return Credentials(load_key(self.client), REPOSITORY)

    @contextmanager
    def open(
        self, limits: Limits | None = None, *, admit: Callable[[str], Admission] | None = None
    ) -> Iterator[Listening]:
        """The server, which serves until the block ends."""
        visits: queue.SimpleQueue[Visit] = queue.SimpleQueue()
        served = ServedHouse(
            self.host,
            admit=admit or (lambda key: self.admissions.get(key, Admission.STRANGER)),
            freshen=self._freshen,
            start=self._start,
        )
        server = Server(served, "127.0.0.1", 0, visits.put, limits)
        thread = Thread(target=server.run)
        thread.start()
        try:
            yield Listening(server.address, visits)
        finally:
            server.stop()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _freshen(self) -> None:
        self.freshen()

    def _start(self, share: Share) -> Service:
        service = started(self.sage, share, os.environ)
        self.services.append(service)
        return service

    def git(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A finished git that may call sage:// with the client's key."""
        around = {"SAGE_DIRECTORY": str(self.client), "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
        return subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**os.environ, **around},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def assert_serves(self, server: Listening) -> None:
        """The server still gives an allowed client what it asks for."""
        listed = self.git("ls-remote", str(server.address))
        assert listed.returncode == 0, listed.stderr
        assert PUBLISHED in listed.stdout


@dataclass(frozen=True)
class Listening:
    """A server that listens, and its visits as they end."""

    address: Address
    visits: queue.SimpleQueue[Visit]

    def ended(self) -> Visit:
        """The next visit that is over."""
        return self.visits.get(timeout=PATIENCE_S)

    def ending(self) -> Ending:
        """How the next one ended."""
        return self.ended().ending


class Stranger:
    """A client made by hand. What it does not send it does not send."""

    def __init__(self, address: Address, source: str = "127.0.0.1", *, receive_bytes: int | None = None) -> None:
        self.address = address
        plain = socket.socket()
        if receive_bytes is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.settimeout(PATIENCE_S)
        plain.bind((source, 0))
        plain.connect((address.host, address.port))
        self.tls = trusting_context().wrap_socket(plain)
        self.nonce = greeting.nonce_of(self.receive())

    def call(self, credentials: Credentials, share: Share = Share.STORE) -> bytes:
        """What the server answers to a true call."""
        return self.say(greeting.call(credentials, self.address.key, self.nonce, share))

    def say(self, content: bytes) -> bytes:
        """What the server answers to this frame."""
        self.send(content)
        return self.receive()

    def send(self, content: bytes) -> None:
        self.tls.sendall(len(content).to_bytes(4) + content)

    def receive(self) -> bytes:
        """The next frame. Raises EOFError."""
        return self._exactly(int.from_bytes(self._exactly(4)))

    def everything(self) -> bytes:
        """What comes until the server's end, without frames around it."""
        return b"".join(iter(self.receive, b""))

    def _exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            more = self.tls.recv(size - len(content))
            if not more:
                raise EOFError
            content += more
        return content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tls.close()


def trusting_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def clone(folder: Path) -> Path:
    """A sage/ directory of a clone with a key of its own."""
    sage = folder / "sage"
    Identity(REPOSITORY, None).write(sage)
    ensure_writer(sage, REPOSITORY)
    return sage


def git(*arguments: str | Path, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def commit(git_dir: Path, ref: str, content: bytes) -> str:
    """The commit that `ref` names now; its tree has one file."""
    header = f"feature done\nreset {ref}\ncommit {ref}\nmark :1\ncommitter a <a> 0 +0000\ndata 0\n"
    file = f"M 100644 inline content\ndata {len(content)}\n".encode() + content
    script = header.encode() + file + b"\n\nget-mark :1\ndone\n"
    return git(f"--git-dir={git_dir}", "fast-import", "--quiet", "--force", "--depth=0", stdin=script)


def packet(text: str) -> bytes:
    """A line as git's protocol frames it (gitprotocol-common(5))."""
    return f"{len(text) + 4:04x}{text}".encode()
