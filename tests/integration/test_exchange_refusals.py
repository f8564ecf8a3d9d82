"""What peers, URLs and settings may not do to the exchange of logs."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sage_git.errors import PeerFailed, UsageError, ValidationError
from sage_git.gitrepo import quarantine
from sage_git.gitrepo.exchange import Quarantine, clone_store_of, list_logs
from sage_git.gitrepo.log_tree import Half, check_shape
from sage_git.gitrepo.remote_environment import RemoteEnvironment
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.store import Store

WRITER = "ab" * 32
REF = f"refs/sage/writers/{WRITER}"
LEAF = b'{"eventId":"%064x"}\n' % 7


class Here:
    """A clone's store and ways to others, in the repository that a test has."""

    def __init__(self, repository, **limits: Any) -> None:
        self.sage = repository.path / ".git" / "sage"
        self.sage.mkdir(exist_ok=True)
        users = Repository.discover(repository.path, os.environ)
        self.store = Store(self.sage, users.object_format, {"PATH": os.environ["PATH"]})
        self.remote = RemoteEnvironment.of(users, self.sage, **limits)

    def list(self, url: str) -> dict[str, str]:
        return list_logs(url, self.remote)

    def look_at(self, url: Path, half: Half = Half.PUBLIC) -> dict[str, str]:
        """The files of the log of WRITER at `url`, once it is in quarantine."""
        with Quarantine(self.sage, self.store, half) as incoming:
            came = incoming.fetch(str(url), {WRITER: ""}, self.remote)
            return dict(incoming.files(came[WRITER]))


class Peer:
    """A bare repository, filled behind the back of everything that looks at what it is given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "--bare", "--quiet", path], check=True)

    def git(self, *arguments: str, given: bytes = b"") -> str:
        environment = os.environ | {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, input=given, capture_output=True, check=True, env=environment
        )
        return done.stdout.decode().strip()

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", given=content)

    def tree(self, **entries: str) -> str:
        """A tree of "MODE TYPE ID" by name."""
        rows = "".join(f"{entry}\t{name}\n" for name, entry in sorted(entries.items()))
        return self.git("mktree", "--missing", given=rows.encode())

    def file(self, content: bytes) -> str:
        return f"100644 blob {self.blob(content)}"

    def folder(self, **entries: str) -> str:
        return f"040000 tree {self.tree(**entries)}"

    def log(self, **entries: str) -> dict[str, str]:
        """The entries of a log of one event, and these."""
        return {
            "checkpoint": self.file(b"note"),
            "writer.json": self.file(b"{}"),
            "leaves": self.folder(**{"000": self.file(LEAF)}),
            "events": self.folder(**{"000": self.file(b"\n")}),
        } | entries

    def offers(self, entries: dict[str, str]) -> Path:
        self.git("update-ref", REF, self.git("commit-tree", "-m", "x", self.tree(**entries)))
        return self.path


def git_config(home: Path, more: str) -> None:
    path = home / ".gitconfig"
    path.write_text(path.read_text() + more)


@pytest.fixture
def here(repository) -> Here:
    return Here(repository)


@pytest.fixture
def peer(tmp_path) -> Peer:
    return Peer(tmp_path / "peer.git")


def test_a_log_that_is_laid_out_as_one_passes(here, peer):
    assert sorted(here.look_at(peer.offers(peer.log()))) == ["checkpoint", "events/000", "leaves/000", "writer.json"]


def odd_trees(peer: Peer) -> Iterator[tuple[str, dict[str, str]]]:
    one, script = peer.file(b"x\n"), peer.file(b"#!/bin/sh\n")
    yield "a file beside", peer.log(HEAD=one)
    yield "a folder beside", peer.log(hooks=peer.folder(**{"post-update": script.replace("100644", "100755")}))
    yield "an executable", peer.log(checkpoint=script.replace("100644", "100755"))
    yield "a symbolic link", peer.log(checkpoint=script.replace("100644", "120000"))
    yield "a submodule", peer.log(vendored=f"160000 commit {'1' * 40}")
    yield "no checkpoint", {name: entry for name, entry in peer.log().items() if name != "checkpoint"}
    yield "missing bodies", peer.log(leaves=peer.folder(**{"000": peer.file(LEAF), "001": peer.file(LEAF)}))
    yield "a gap", peer.log(**{each: peer.folder(**{"001": peer.file(b"\n")}) for each in ("leaves", "events")})
    yield "another number", peer.log(events=peer.folder(**{"0": peer.file(b"\n")}))
    yield "deeper numbers", peer.log(events=peer.folder(x000=peer.folder(**{"000": peer.file(b"\n")})))
    yield "a file for a folder", peer.log(events=one)
    yield "long leaves", peer.log(leaves=peer.folder(**{"000": peer.file(LEAF * 257)}))
    yield "long bodies", peer.log(events=peer.folder(**{"000": peer.file(b"x" * 30_000)}))
    yield "a long checkpoint", peer.log(checkpoint=peer.file(b"x" * 70_000))


def test_a_tree_that_is_no_log_is_refused(here, peer, monkeypatch):
    monkeypatch.setattr(quarantine, "LONGEST_LINE_BYTES", 100)  # a real one would take long to make
    for name, entries in odd_trees(peer):
        with pytest.raises(ValidationError):
            pytest.fail(f"{name}: {here.look_at(peer.offers(entries))}")
    assert not (here.sage / "store.git").exists()


def test_a_tree_without_end_is_refused(here, peer):
    folder = peer.folder(**{"000": peer.file(b"\n")})
    for _ in range(12):
        folder = peer.folder(**{f"x{number:03d}": folder for number in range(16)})
    with pytest.raises(ValidationError):
        here.look_at(peer.offers(peer.log(events=folder)))


def test_what_is_no_commit_is_refused(here, peer):
    peer.offers(peer.log())
    peer.git("tag", "-a", "-m", "x", "tag", REF)
    peer.git("update-ref", REF, "refs/tags/tag")
    with pytest.raises(ValidationError, match="no commit"):
        here.look_at(peer.path)


def test_a_private_half_is_bodies_alone(here, peer):
    events = peer.folder(**{"000": peer.file(b"x\n")})
    assert list(here.look_at(peer.offers({"events": events}), Half.PRIVATE)) == ["events/000"]
    with pytest.raises(ValidationError):
        here.look_at(peer.offers({"events": events, "writer.json": peer.file(b"{}")}), Half.PRIVATE)
    with pytest.raises(ValidationError):
        check_shape(["leaves/000"], Half.PRIVATE)


def test_only_refs_of_writers_are_seen(here, peer):
    commit = peer.git("rev-parse", REF) if peer.offers(peer.log()) else ""
    for ref in ("refs/heads/main", "refs/sage/incoming/x", f"{REF}/below", "refs/sage/writers/AB", f"{REF[:-1]}g"):
        with suppress(subprocess.CalledProcessError):
            peer.git("update-ref", ref, commit)
    assert here.list(str(peer.path)) == {WRITER: commit}


def test_objects_that_are_not_what_their_ids_say_do_not_come(here, peer):
    peer.offers(peer.log())
    blob = peer.git("rev-parse", f"{REF}:checkpoint")
    other = peer.git("rev-parse", f"{REF}:writer.json")
    place = peer.path / "objects"
    (place / blob[:2] / blob[2:]).unlink()
    (place / blob[:2] / blob[2:]).write_bytes((place / other[:2] / other[2:]).read_bytes())
    with pytest.raises(PeerFailed):
        here.look_at(peer.path)


@pytest.mark.parametrize("url", ["--upload-pack=touch ran", "-u", "", "a\nb", "a\0b"])
def test_an_address_is_no_option(here, url):
    with pytest.raises(UsageError):
        here.list(url)


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% {}", "fd::3", "ssh://-oProxyCommand=touch {}/x", "blue:sh", "nosuch::x"]
)
def test_an_address_runs_nothing(sealed, tmp_path, repository, url):
    ran = tmp_path / "ran"
    repository.git("config", "url.ext::sh -c touch% .insteadOf", "blue:")
    git_config(sealed, '[protocol "ext"]\n\tallow = always\n')
    with pytest.raises(PeerFailed):
        Here(repository).list(url.format(ran))
    assert not ran.exists()


def test_the_users_ways_to_reach_others_are_used_once(sealed, repository):
    git_config(sealed, "[http]\n\textraHeader = X-Everywhere: 1\n")
    repository.git("config", "http.https://forge.example/.extraHeader", "X-Here: 2")
    repository.git("config", "core.sshCommand", "ssh -x")
    repository.git("config", "core.hooksPath", "/somewhere")
    repository.git("config", "remote.origin.url", "x")
    here = Here(repository)
    here.list(str(repository.path))
    listed = subprocess.run(
        ["git", f"--git-dir={here.remote.home}", "config", "--list"],
        env=dict(here.remote.variables), capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert [line for line in listed if "extraheader" in line] == [
        "http.extraheader=X-Everywhere: 1", "http.https://forge.example/.extraheader=X-Here: 2",
    ]  # fmt: skip
    assert "core.sshcommand=ssh -x" in listed
    assert [line for line in listed if line.startswith(("core.hookspath", "remote"))] == ["core.hookspath=/dev/null"]


def test_hooks_of_the_users_do_not_run(sealed, repository, peer, tmp_path):
    hooks, ran = tmp_path / "hooks", tmp_path / "ran"
    hooks.mkdir()
    url = peer.offers(peer.log())
    for name in ("reference-transaction", "post-checkout", "pre-push"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    git_config(sealed, f"[core]\n\thooksPath = {hooks}\n")
    Here(repository).look_at(url)
    assert not ran.exists()


def test_a_peer_that_never_answers_is_left_with_all_that_was_started(repository, tmp_path):
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    waiting = Thread(target=alive.read_bytes, daemon=True)  # until nobody has it open for writing
    waiting.start()
    repository.git("config", "core.sshCommand", f"sh -c 'exec 3>{alive}; sleep 300'")
    with pytest.raises(PeerFailed, match=r"0\.5 seconds"):
        Here(repository, deadline_s=0.5).list("ssh://nobody.example/x")
    waiting.join(10)
    assert not waiting.is_alive()


def test_more_than_may_be_sent_at_once_is_refused(repository, peer):
    noise = os.urandom(600_000).hex().encode()
    events = peer.folder(**{"000": peer.file(noise + b"\n")})
    peer.offers(peer.log(events=events))
    with pytest.raises(PeerFailed, match="too large"):
        Here(repository, file_bytes=1 << 18).look_at(peer.path)
    Here(repository).look_at(peer.path)


def test_refs_without_end_are_cut_off(repository):
    here = Here(repository, deadline_s=1.5)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(1 << 12)
            number = 0
            while True:
                lines = [b"%040x refs/sage/writers/%064x\n" % (number + at, number + at) for at in range(500)]
                connection.sendall(b"".join(b"%04x%s" % (len(line) + 4, line) for line in lines))
                number += 500

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        began = time.monotonic()
        with pytest.raises(PeerFailed):
            here.list(f"git://127.0.0.1:{listener.getsockname()[1]}/x")
    assert time.monotonic() - began < 60


def test_the_store_of_a_clone_is_found_wherever_its_folder_is(repository, tmp_path):
    assert clone_store_of(repository.path) is None
    repository.commit("first")
    (repository.path / ".git/sage").mkdir()
    linked, bare = repository.worktree("linked"), tmp_path / "bare"
    repository.git("clone", "--quiet", "--bare", ".", str(bare))
    store = repository.path / ".git/sage/store.git"
    assert [clone_store_of(each) for each in (repository.path, repository.path / ".git")] == [store, store]
    found = clone_store_of(linked.path)
    assert found is not None
    assert found.resolve() == store.resolve()
    assert clone_store_of(bare) is None
    (bare / "sage").mkdir()
    assert clone_store_of(bare) == bare / "sage/store.git"
    assert clone_store_of(tmp_path / "nothing") is None
    (tmp_path / ".git").write_bytes(b"gitdir: " + b"x" * 100_000)
    assert clone_store_of(tmp_path) is None
