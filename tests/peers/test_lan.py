"""Finding peers in the local network: over loopback, and between two network namespaces that only a cable joins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sage_git.errors import NotHere
from sage_git.peers import discovery
from sage_git.peers.address import Address
from sage_git.peers.discovery import Found, announced, discover, discovery_id
from sage_git.peers.visits import Ending
from tests.kit import run_sage
from tests.peers.direct import PATIENCE_S, REPOSITORY, SCRIPTS, House
from tests.recorded import two_clones

KEY = "3b" * 32
LISTENING_S = 0.7
SEARCH = (
    "import sys; from sage_git.peers.discovery import discover\n"
    "for found in discover(sys.argv[1], float(sys.argv[2])): print(found.url)\n"
)


@pytest.fixture
def house(tmp_path):
    return House.build(tmp_path)


def test_a_server_is_found_by_who_knows_the_repository(house):
    with house.open() as server, announced(REPOSITORY, server.address, "127.0.0.1"):
        found = discover(REPOSITORY, LISTENING_S)
        assert server.ending() is Ending.LOOKED
        assert discover("cd" * 32, LISTENING_S) == []
        assert Found(server.address.key, "127.0.0.1", server.address.port) in found
        assert house.git("ls-remote", found[0].url).returncode == 0


def test_what_answers_no_call_is_not_found():
    with announced(REPOSITORY, Address(KEY, "127.0.0.1", 1), "127.0.0.1"):
        assert discover(REPOSITORY, LISTENING_S) == []


def test_the_id_does_not_tell_the_repository():
    assert re.fullmatch("[0-9a-f]{32}", discovery_id(REPOSITORY))
    assert discovery_id(REPOSITORY) not in REPOSITORY
    assert discovery_id(REPOSITORY) != discovery_id("cd" * 32)


def test_without_zeroconf_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(discovery, "find_spec", lambda _: None)
    with pytest.raises(NotHere, match="not installed") as missing:
        discover(REPOSITORY, 0)
    assert "sage-git[lan]" in missing.value.remedy


@dataclass(frozen=True)
class Cable:
    """Two network namespaces with a cable between them, and nothing else."""

    names: tuple[str, str]
    hosts: tuple[str, str] = ("198.18.7.1", "198.18.7.2")

    def inside(self, end: int, *command: str | Path) -> list[str]:
        """The command, as it is run at one end."""
        return ["ip", "netns", "exec", self.names[end], *map(str, command)]


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no network namespaces here: ip {' '.join(arguments)}: {done.stderr.decode().strip()}")


@contextmanager
def laid() -> Iterator[Cable]:
    cable = Cable((f"sage-a{os.getpid()}", f"sage-b{os.getpid()}"))
    made = []
    try:
        for name in cable.names:
            ip("netns", "add", name)
            made.append(name)
        first, second = cable.names
        ip("link", "add", "cable0", "netns", first, "type", "veth", "peer", "name", "cable0", "netns", second)
        for name, host in zip(cable.names, cable.hosts, strict=True):
            ip("-n", name, "address", "add", f"{host}/24", "dev", "cable0")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "cable0", "up")
        yield cable
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.fixture
def cable() -> Iterator[Cable]:
    try:
        can = os.geteuid() == 0 and subprocess.run(["ip", "-V"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        can = False
    if not can:
        pytest.skip("network namespaces need root, and `ip`")
    with laid() as between:
        yield between


def test_peers_meet_across_two_network_namespaces(cable, tmp_path):
    first, second = two_clones(tmp_path)
    keys = [run_sage("peer", "key", cwd=each.path).stdout.strip() for each in (first, second)]
    run_sage("peer", "allow", keys[1], cwd=first.path)
    serve = cable.inside(0, sys.executable, "-P", "-m", "sage_git", "-C", first.path, "serve", "--lan", "--port", "0")
    around = {**os.environ, "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    with subprocess.Popen(serve, env=around, stdout=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stdout
        assert server.stdout.readline().startswith(f"serving sage://{keys[0]}@")
        repository = re.search('"repository":"([^"]+)"', (second.path / ".git/sage/clone.json").read_text())
        assert repository
        search = cable.inside(1, sys.executable, "-P", "-c", SEARCH, repository[1], "1")
        found = subprocess.run(search, env=around, capture_output=True, encoding="utf-8", check=True).stdout.split()
        assert [url.rpartition(":")[0] for url in found] == [f"sage://{keys[0]}@{cable.hosts[0]}"]
        listed = subprocess.run(
            cable.inside(1, "git", "-C", second.path, "ls-remote", found[0]),
            env=around, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        server.terminate()
        server.communicate(timeout=PATIENCE_S)
    assert f"refs/sage/writers/{keys[0]}" in listed.stdout, listed.stderr
    assert server.returncode == 0
