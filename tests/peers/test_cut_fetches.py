"""Connections that are cut anywhere: the sync says so, nothing changed, and the next one does it all."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.clones import Clone, Village
from tests.peers.cutting import Cut, Way, cutting
from tests.peers.forging import git, plant
from tests.peers.mallory import mallorys


@pytest.fixture
def offered(village: Village) -> Iterator[tuple[Clone, int]]:
    """Bob, and the port of a git daemon that has a log for him."""
    log = mallorys(village)
    plant(village.remote, log.ref, log.files())
    with git_daemon(village.folder) as port:
        yield village["bob"], port


@contextmanager
def git_daemon(folder: Path) -> Iterator[int]:
    """The port of git's own server of everything in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [f"--base-path={folder}", "--export-all", "--listen=127.0.0.1", f"--port={port}", "--reuseaddr"]
    daemon = subprocess.Popen(
        ["git", "daemon", "--verbose", *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert daemon.stderr is not None
    hearing = threading.Thread(target=daemon.stderr.read)  # a full pipe would stop it
    try:
        assert "Ready to rumble" in daemon.stderr.readline()
        hearing.start()
        yield port
    finally:
        daemon.terminate()
        hearing.join(10)
        daemon.stderr.close()
        daemon.wait(10)


def meet(clone: Clone, port: int, cut: Cut) -> int:
    with cutting(port, cut) as through:
        return clone.sage("sync", "--json", "--fetch-only", f"git://127.0.0.1:{through}/remote.git").returncode


def strike(offered: tuple[Clone, int], cut: Cut) -> None:
    """Cut, look, and meet again."""
    bob, port = offered
    before = bob.snapshot()
    status = meet(bob, port, cut)
    if status != 0:  # what was cut may have been the last good-bye
        assert status in (1, 4)
        assert bob.snapshot() == before
        git(bob.store, "fsck", "--strict")
    assert meet(bob, port, Cut(cut.way, None)) == 0
    assert bob.says("mallory says three")


exec_path = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip())
needs_daemon = pytest.mark.skipif(not (exec_path / "git-daemon").exists(), reason="git has no daemon here")


@needs_daemon
@pytest.mark.parametrize(
    "way, after_bytes", [(Way.TO_CLIENT, 0), (Way.TO_CLIENT, 700), (Way.TO_CLIENT, 1500), (Way.TO_SERVER, 200)]
)
def test_a_connection_that_is_cut_changes_nothing_and_the_next_one_brings_it_all(offered, way, after_bytes):
    strike(offered, Cut(way, after_bytes))


@needs_daemon
@pytest.mark.soak
@pytest.mark.parametrize("way", Way)
def test_no_place_is_bad_to_be_cut_off_at(village, tmp_path, way):
    log = mallorys(village)
    plant(village.remote, log.ref, log.files())
    whole = Cut(way, None)
    with git_daemon(village.folder) as port:
        twin = village.moved(tmp_path / "twin")
        assert meet(twin["bob"], port, whole) == 0
        total = sum(whole.passed)
        for after_bytes in sorted({*range(0, total, 37), *range(max(0, total - 50), total)}):
            other = village.moved(tmp_path / str(after_bytes))
            strike((other["bob"], port), Cut(way, after_bytes))
            shutil.rmtree(other.folder)
    print(f"{way.value}: {total} bytes")
