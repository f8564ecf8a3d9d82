"""Peers that meet through ssh: git's own ssh to a clone, and a direct peer at the end of a forwarded port."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import pytest

from tests.kit import run_sage
from tests.peers.direct import PATIENCE_S, SCRIPTS, House
from tests.recorded import two_clones

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Ssh:
    """A server on loopback that lets one throw-away key in, and how to reach it."""

    port: int
    command: tuple[str, ...]
    words: Path

    @property
    def url(self) -> str:
        return f"ssh://{getuser()}@127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        path = f"{SCRIPTS}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "GIT_SSH_COMMAND": shlex.join(self.command)}

    def said(self) -> str:
        return self.words.read_text(errors="replace")


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    if SSHD is None or not shutil.which("ssh"):
        pytest.skip("needs OpenSSH: openssh-server, openssh-client")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nPidFile none\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nLogLevel INFO\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd gives up its rights
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    options = (f"UserKnownHostsFile={known}", "IdentitiesOnly=yes", "BatchMode=yes")
    command = ("ssh", "-F", "none", "-i", str(folder / "user"), *(w for o in options for w in ("-o", o)))
    with subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.PIPE) as server:
        assert server.stderr
        said = server.stderr.readline()
        if b"listening" not in said:
            server.kill()
            pytest.skip(f"sshd does not start here: {said.decode()}{server.stderr.read().decode()}")
        with (folder / "words").open("wb") as words, subprocess.Popen(["cat"], stdin=server.stderr, stdout=words):
            yield Ssh(port, command, folder / "words")
            server.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_clones_sync_through_ssh(ssh, tmp_path):
    first, second = two_clones(tmp_path)
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "between.git"], check=True)
    for clone in (first, second):
        synced = run_sage("sync", f"{ssh.url}{tmp_path}/between.git", cwd=clone.path, env=ssh.environment)
        assert synced.returncode == 0, synced.stdout + synced.stderr + ssh.said()
    writer = run_sage("peer", "key", cwd=first.path).stdout.strip()
    assert f"refs/sage/writers/{writer}" in second.git("--git-dir=.git/sage/store.git", "for-each-ref")


def test_a_direct_peer_is_called_through_a_forwarded_port(ssh, tmp_path):
    house = House.build(tmp_path)
    with house.open() as server:
        near = free_port()
        forward = ["-v", "-N", "-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{near}:{server.address.place}"]
        command = [*ssh.command, *forward, "-p", str(ssh.port), f"{getuser()}@127.0.0.1"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", errors="replace") as tunnel:
            assert tunnel.stderr
            said = next((line for line in tunnel.stderr if "Entering interactive session" in line), None)
            assert said, ssh.said()
            listed = house.git("ls-remote", f"sage://{server.address.key}@127.0.0.1:{near}/")
            tunnel.terminate()
            tunnel.communicate(timeout=PATIENCE_S)
    assert "refs/sage/writers/" in listed.stdout, listed.stderr


def test_a_clone_that_ssh_reaches_is_read_from_its_store_and_never_written_to(ssh, tmp_path):
    first, second = two_clones(tmp_path)
    for clone in (first, second):
        run_sage("note", "action", "-m", f"from {clone.path.name}", cwd=clone.path)
        run_sage("sync", cwd=clone.path)
    run_sage("peer", "add", "laptop", f"{ssh.url}{first.path}", cwd=second.path)
    for peer in ("laptop", "laptop", f"{ssh.url}{first.path}/.git"):
        synced = run_sage("sync", peer, cwd=second.path, env=ssh.environment)
        assert synced.returncode == 0, synced.stdout + synced.stderr + ssh.said()
    assert '"from first"' in run_sage("log", "--all", "--json", cwd=second.path).stdout
    assert "refs/sage" not in first.git("for-each-ref")
