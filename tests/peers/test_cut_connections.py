"""The connection is cut anywhere: git says that it failed, nothing changed, no child is left, the next one is fine."""

from __future__ import annotations

import select
import socket
from threading import Thread

import pytest

from tests.peers.direct import PATIENCE_S, PUBLISHED, House, git

PLACES = 8


class Cutting:
    """A way to a server for one connection, cut once `most_bytes` went to the client (None: never)."""

    def __init__(self, address, most_bytes):
        self._address, self._most_bytes = address, most_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.carried_bytes = 0
        self._thread = Thread(target=self._carry)
        self._thread.start()

    def _carry(self):
        near, _ = self._listener.accept()
        with near, socket.create_connection((self._address.host, self._address.port)) as far:
            while True:
                for source in select.select([near, far], [], [], PATIENCE_S)[0]:
                    try:
                        content = source.recv(1 << 16)
                        if source is far and self._most_bytes is not None:
                            content = content[: self._most_bytes - self.carried_bytes]
                        if not content:
                            return
                        self.carried_bytes += len(content) if source is far else 0
                        (near if source is far else far).sendall(content)
                        if self.carried_bytes == self._most_bytes:
                            return
                    except OSError:
                        return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._thread.join(PATIENCE_S)
        self._listener.close()
        assert not self._thread.is_alive()


@pytest.fixture
def house(tmp_path):
    return House.build(tmp_path)


def fetched(house, server, copy, most_bytes=None):
    """A finished fetch into an empty repository, whose connection is cut, and how many bytes came."""
    git("init", "--quiet", "--bare", "--template=", copy)
    with Cutting(server.address, most_bytes) as way:
        url = f"sage://{server.address.key}@127.0.0.1:{way.port}/"
        done = house.git("fetch", "--quiet", url, f"+{PUBLISHED}:refs/x", cwd=copy)
    return done, way.carried_bytes


def cut_at(house, tmp_path, places):
    """Cut a fetch after each of these many bytes of all that it takes, which `places` is told."""
    with house.open() as server:
        whole, all_bytes = fetched(house, server, tmp_path / "whole")
        assert (whole.returncode, server.ended().words) == (0, "")
        for most_bytes in places(all_bytes):
            copy = tmp_path / f"copy{most_bytes}"
            done, _ = fetched(house, server, copy, most_bytes)
            assert done.returncode != 0
            assert done.stderr.startswith("sage-git: 127.0.0.1:"), done.stderr
            assert "Traceback" not in done.stderr
            assert git(f"--git-dir={copy}", "for-each-ref") == ""
            server.ended()
            assert all(service._process.poll() is not None for service in house.services)
        print(f"cut {len(places(all_bytes))} times within {all_bytes} bytes")
        house.assert_serves(server)


def test_connection_cut_at_every_stage(house, tmp_path):
    cut_at(house, tmp_path, lambda all_bytes: range(0, all_bytes, all_bytes // PLACES + 1))


@pytest.mark.soak
def test_connection_cut_in_and_between_all_frames(house, tmp_path):
    """The shortest frame of ours has 4 bytes, and TLS makes 26 of them."""
    cut_at(house, tmp_path, lambda all_bytes: range(0, all_bytes - 26, 13))
