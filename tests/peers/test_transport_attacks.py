"""Attacks on the way to a direct peer: each is refused or cut off, teaches nothing, and others are served on."""

from __future__ import annotations

import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sage_git.errors import PeerFailed, StorageError
from sage_git.operations.calling import call
from sage_git.peers import greeting
from sage_git.peers.address import Address, Share
from sage_git.peers.discovery import discovery_id
from sage_git.peers.doors import Limits
from sage_git.peers.greeting import Credentials
from sage_git.peers.tls import server_context
from sage_git.peers.visits import Admission, Ending
from tests.peers.direct import PATIENCE_S, PUBLISHED, REPOSITORY, House, Stranger, commit, git, packet

ACCEPTED, UNKNOWN = b"accepted\n", b"refused unknown\n"
LINUX = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="somebody else's child can be waited for on Linux only"
)
SOON = Limits(greeting_s=0.3, idle_s=0.3, farewell_s=0.3)


@pytest.fixture
def house(tmp_path):
    return House.build(tmp_path)


def plain(server):
    """A TCP connection."""
    return socket.create_connection((server.address.host, server.address.port), timeout=PATIENCE_S)


def until_closed(connection):
    """What comes before the other side closes."""
    content = b""
    try:
        while more := connection.recv(1 << 16):
            content += more
    except OSError:
        pass
    return content


def assert_no_child_is_left(house):
    assert [service._process.poll() for service in house.services if service._process.poll() is None] == []


# Before anybody is known.


def test_slow_handshake(house):
    with house.open(SOON) as server, plain(server) as silent, plain(server) as slow:
        slow.sendall(b"\x16\x03\x01")
        assert (until_closed(silent), until_closed(slow)) == (b"", b"")
        assert {server.ending(), server.ending()} <= {Ending.TOO_SLOW, Ending.CUT}
        house.assert_serves(server)


def test_a_call_that_never_ends(house):
    with house.open(SOON) as server, Stranger(server.address) as stranger:
        stranger.tls.sendall(struct.pack(">I", 300) + b"x")
        assert until_closed(stranger.tls) == b""
        assert server.ending() is Ending.TOO_SLOW
        house.assert_serves(server)


def test_no_tls_at_all(house):
    with house.open() as server, plain(server) as rude:
        rude.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until_closed(rude)
        assert server.ending() is Ending.CUT
        house.assert_serves(server)


def test_older_tls_is_refused(house):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with house.open() as server, plain(server) as old:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(old)
        assert server.ending() is Ending.CUT


@pytest.mark.parametrize("size", [513, 1 << 16, (1 << 32) - 1])
def test_oversized_frame(house, size):
    with house.open() as server, Stranger(server.address) as stranger:
        stranger.tls.sendall(struct.pack(">I", size))
        assert until_closed(stranger.tls) == b""
        visit = server.ended()
        assert (visit.ending, visit.words) == (Ending.CUT, f"a frame of {size} bytes, and 512 is the most")
        house.assert_serves(server)


@pytest.mark.parametrize("said", [b"", b"\n", b"\0" * 512, b"hello\n", b"3b" * 32 + b" x store\n"])
def test_what_is_no_call(house, said):
    with house.open() as server, Stranger(server.address) as stranger:
        stranger.send(said)
        assert until_closed(stranger.tls) == b""
        assert server.ending() is Ending.CUT
        house.assert_serves(server)


def test_200_connections(house):
    limits = Limits(visitors=64, visitors_of_a_place=16)
    with house.open(limits) as server, ExitStack() as all_of_them:
        crowd = [all_of_them.enter_context(plain(server)) for _ in range(200)]
        turned_away = [server.ending() for _ in range(200 - 16)]
        assert set(turned_away) == {Ending.TURNED_AWAY}
        with Stranger(server.address, source="127.0.0.2") as neighbour:  # somebody else comes in all the same
            assert neighbour.call(house.caller) == ACCEPTED
        assert server.ending() is Ending.CUT
        for connection in crowd:
            connection.close()
        assert {server.ending() for _ in range(16)} == {Ending.LOOKED}
        house.assert_serves(server)


# Who may come in.


def test_unknown_key(house):
    stranger = Credentials(Ed25519PrivateKey.generate(), REPOSITORY)
    with house.open() as server:
        with Stranger(server.address) as caller:
            assert caller.call(stranger) == UNKNOWN
            assert until_closed(caller.tls) == b""
        assert server.ending() is Ending.REFUSED
    assert house.services == []


def test_an_outsider_cannot_tell_which_keys_are_allowed(house):
    allowed, somebody = house.caller, Credentials(Ed25519PrivateKey.generate(), REPOSITORY)
    asked = []
    house.freshen = lambda: asked.append("fresh")
    with house.open() as server:
        answers = []
        for key, signature in ((allowed.key, b"\0" * 64), (somebody.key, b"\0" * 64), ("00" * 32, b"\0" * 64)):
            with Stranger(server.address) as caller:
                answers.append(caller.say(f"{key} {signature.hex()} store\n".encode()) + until_closed(caller.tls))
            visit = server.ended()
            assert (visit.ending, visit.key) == (Ending.REFUSED, None)
    assert (set(answers), asked) == ({UNKNOWN}, [])


def test_the_repository_is_nowhere_in_what_an_outsider_hears(house):
    with house.open() as server, Stranger(server.address) as caller:
        heard = greeting.hello(caller.nonce) + caller.say(b"00" * 32 + b" " + b"00" * 64 + b" store\n")
        certificate = caller.tls.getpeercert(binary_form=True) or b""
    assert REPOSITORY.encode() not in heard + certificate
    assert bytes.fromhex(REPOSITORY) not in heard + certificate


def test_replayed_signature(house, tmp_path):
    other = House.build(tmp_path / "other")
    other.admissions = house.admissions
    with house.open() as server, other.open() as elsewhere, Stranger(server.address) as first:
        said = greeting.call(house.caller, server.address.key, first.nonce, Share.STORE)
        assert first.say(said) == ACCEPTED
        for target in (server, elsewhere):  # on another connection, and at another server
            with Stranger(target.address) as second:
                assert second.say(said) == UNKNOWN


def test_a_server_cannot_use_what_a_client_signed_for_it(house, tmp_path):
    """It relays the nonce of the server that it wants into; the client signs for the one that it called."""
    villain = House.build(tmp_path / "villain")
    with house.open() as server, Stranger(server.address) as relay:
        signed = greeting.call(house.caller, villain.host.key, relay.nonce, Share.STORE)
        assert relay.say(signed) == UNKNOWN


def test_a_key_that_another_repository_allows(house):
    elsewhere = Credentials(house.caller.private_key, "cd" * 32)
    with house.open() as server, Stranger(server.address) as caller:
        assert caller.call(elsewhere) == UNKNOWN


def test_stolen_discovery_id_is_not_enough_to_read(house):
    thief = Ed25519PrivateKey.generate()
    with house.open() as server:
        for guess in (discovery_id(REPOSITORY), REPOSITORY):
            with Stranger(server.address) as caller:
                assert caller.call(Credentials(thief, guess)) == UNKNOWN
    assert house.services == []


def test_private_store_asked_by_untrusted(house):
    with house.open() as server:
        with Stranger(server.address) as caller:
            assert caller.call(house.caller, Share.PRIVATE) == b"refused trusted\n"
        assert server.ending() is Ending.REFUSED
    assert house.services == []


def test_a_key_that_is_denied_is_out_at_its_next_visit(house):
    with house.open() as server:
        house.assert_serves(server)
        house.admissions.clear()
        with Stranger(server.address) as caller:
            assert caller.call(house.caller) == UNKNOWN


def test_a_damaged_peer_book_lets_nobody_in(house):
    def damaged(key):
        raise StorageError("peers.json", "read", "it is damaged")

    with house.open(admit=damaged) as server, Stranger(server.address) as caller:
        caller.send(greeting.call(house.caller, server.address.key, caller.nonce, Share.STORE))
        assert until_closed(caller.tls) == b""
        visit = server.ended()
    assert (visit.ending, "damaged" in visit.words) == (Ending.FAULT, True)


# The client's side.


class Impostor:
    """A TLS server with a key of its own, that does `then` with whoever comes."""

    def __init__(self, then):
        self.key = Credentials(Ed25519PrivateKey.generate(), REPOSITORY)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address(self.key.key, "127.0.0.1", self._listener.getsockname()[1])
        self.heard = b""
        self._thread = Thread(target=self._receive, args=(then,))
        self._thread.start()

    def _receive(self, then):
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE_S)
        try:
            with server_context(self.key.private_key).wrap_socket(connection, server_side=True) as tls:
                self.heard = then(tls)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._thread.join(PATIENCE_S)
        self._listener.close()
        assert not self._thread.is_alive()


def framed(*contents):
    return b"".join(struct.pack(">I", len(content)) + content for content in contents)


def test_wrong_server_key(house):
    """The client has not said a byte when it finds out."""
    with Impostor(until_closed) as impostor:
        expected = Address(house.host.key, impostor.address.host, impostor.address.port)
        with pytest.raises(PeerFailed, match="has another key"):
            call(str(expected), house.client)
    assert impostor.heard == b""


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n" * 9,
        framed(b"x" * 500),
        framed(b"sage-peer 9 " + b"00" * 32 + b"\n"),
        framed(b"sage-peer 1 " + b"00" * 32 + b"\n", b"perhaps\n"),
        framed(b"sage-peer 1 " + b"00" * 32 + b"\n", b"refused \x1b[2J\n"),
        struct.pack(">I", (1 << 32) - 1),
        b"",
    ],
)
def test_a_server_that_speaks_something_else(house, said):
    def speak(tls):
        tls.sendall(said)
        return b"" if len(said) < 80 else tls.recv(1 << 16)

    with Impostor(speak) as impostor, pytest.raises(PeerFailed) as failed:
        call(str(impostor.address), house.client)
    assert "\x1b" not in str(failed.value)


def test_truncated_tls_stream(house, tmp_path):
    """TLS is closed as it should be, in the middle of what git waits for: that is no end."""

    def half(tls):
        tls.sendall(framed(greeting.hello(b"n" * 32)))
        tls.recv(1 << 16)
        tls.sendall(framed(ACCEPTED, packet(f"{'1' * 40} {PUBLISHED}\0ofs-delta\n") + b"0000")[:-9])
        return b""

    with Impostor(half) as impostor:
        listed = house.git("ls-remote", str(impostor.address))
    assert listed.returncode != 0
    assert "the connection was cut" in listed.stderr
    assert "Traceback" not in listed.stderr


# Once inside.


def wanted(oid):
    """What asks upload-pack for this object."""
    return packet(f"want {oid} side-band-64k\n") + b"0000" + packet("done\n")


def test_hidden_object_requested_by_id(house):
    """One that a hidden ref names, one that none does, and one that a shown ref reaches without naming it."""
    store = house.sage / "store.git"
    hidden = commit(store, "refs/sage/incoming/1", b"not vetted yet")
    dangling = git(f"--git-dir={store}", "hash-object", "-w", "--stdin", stdin=b"redacted")
    published = git(f"--git-dir={store}", "rev-parse", f"{PUBLISHED}^{{tree}}")
    with house.open() as server:
        for oid in (hidden, dangling, published):
            with Stranger(server.address) as caller:
                assert caller.call(house.caller) == ACCEPTED
                caller.send(wanted(oid))
                assert f"not our ref {oid}".encode() in caller.everything()


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_hidden_object_requested_by_id_through_git(house, tmp_path, version):
    store = house.sage / "store.git"
    for setting in ("allowAnySHA1InWant", "allowTipSHA1InWant", "allowReachableSHA1InWant", "allowFilter"):
        git(f"--git-dir={store}", "config", f"uploadpack.{setting}", "true")
    hidden = commit(store, "refs/heads/main", b"not vetted yet")
    git("init", "--quiet", "--bare", tmp_path / "copy")
    with house.open() as server:
        where = ("-c", f"protocol.version={version}", "fetch", str(server.address))
        done = house.git(*where, f"{hidden}:refs/x", cwd=tmp_path / "copy")
    assert done.returncode != 0
    assert git(f"--git-dir={tmp_path / 'copy'}", "for-each-ref") == ""


def test_hooks_and_config_smuggled_in(house, tmp_path, monkeypatch):
    """Whatever the repository, the server's environment and the caller say: nothing runs, and nothing more is shown."""
    store, ran = house.sage / "store.git", tmp_path / "ran"
    (tmp_path / "villain").write_text(f'#!/bin/sh\ntouch {ran}\nexec "$@"\n')
    (tmp_path / "villain").chmod(0o755)
    commit(store, "refs/heads/main", b"hidden")
    for name, value in {
        "uploadpack.packObjectsHook": str(tmp_path / "villain"),
        "core.fsmonitor": str(tmp_path / "villain"),
        "core.hooksPath": str(tmp_path),
        "core.sshCommand": str(tmp_path / "villain"),
        "uploadpack.hideRefs": "!refs/heads",
        "transfer.hideRefs": "!HEAD",
    }.items():
        git(f"--git-dir={store}", "config", name, value)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'uploadpack.packobjectshook={tmp_path / 'villain'}'")
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(house.sage / "private.git/objects"))
    monkeypatch.setenv("GIT_PROTOCOL", "version=2")
    git("init", "--quiet", "--bare", tmp_path / "copy")
    with house.open() as server, Stranger(server.address) as caller:
        assert caller.call(house.caller) == ACCEPTED
        assert caller.receive().count(b" refs/") == 1
        asked = "--upload-pack=touch x", "-c", "uploadpack.packObjectsHook=x"
        for words in asked:
            with Stranger(server.address) as other:
                other.send(f"{house.caller.key} {'00' * 64} store {words}\n".encode())
                assert until_closed(other.tls) == b""
        monkeypatch.delenv("GIT_CONFIG_PARAMETERS")
        done = house.git("fetch", "--quiet", str(server.address), f"{PUBLISHED}:refs/x", cwd=tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    assert not ran.exists()


def test_a_store_that_borrows_objects_is_not_served(house):
    (house.sage / "store.git/objects/info").mkdir(exist_ok=True)
    (house.sage / "store.git/objects/info/alternates").write_text(str(house.sage / "private.git/objects"))
    with house.open() as server:
        with Stranger(server.address) as caller:
            assert caller.call(house.caller) == b"refused unready\n"
        visit = server.ended()
    assert (visit.ending, "borrows objects" in visit.words) == (Ending.REFUSED, True)


def send_for_ever(caller, content):
    while True:
        caller.send(content)


def test_endless_frames(house):
    """More haves than anybody needs: upload-pack would go on reading for ever."""
    with house.open(Limits(asked_bytes=1 << 18)) as server, Stranger(server.address) as caller:
        assert caller.call(house.caller) == ACCEPTED
        oid = caller.receive()[4:44].decode()
        caller.send(wanted(oid)[:-8])
        haves = packet(f"have {'1' * 40}\n") * 1_000
        with pytest.raises((ConnectionError, ssl.SSLError)):
            send_for_ever(caller, haves)
        visit = server.ended()
        assert (visit.ending, visit.words) == (Ending.CUT, f"more than {1 << 18} bytes")
        assert_no_child_is_left(house)
        house.assert_serves(server)


def test_frames_after_the_end(house):
    with house.open(SOON) as server:
        with Stranger(server.address) as caller:
            assert caller.call(house.caller) == ACCEPTED
            caller.send(b"")
            caller.send(b"x" * 1_000)
            assert until_closed(caller.tls) != b""
        assert server.ending() in (Ending.SERVED, Ending.CUT)
        assert_no_child_is_left(house)
        house.assert_serves(server)


def test_garbage_for_git(house):
    with house.open(SOON) as server, Stranger(server.address) as caller:
        assert caller.call(house.caller) == ACCEPTED
        caller.send(b"\xff" * 60_000)
        until_closed(caller.tls)
        server.ended()
        assert_no_child_is_left(house)
        house.assert_serves(server)


def test_a_visitor_that_says_nothing(house):
    with house.open(SOON) as server, Stranger(server.address) as caller:
        assert caller.call(house.caller) == ACCEPTED
        until_closed(caller.tls)
        assert server.ending() is Ending.TOO_SLOW
        assert_no_child_is_left(house)


def test_a_visitor_that_does_not_read(tmp_path):
    house = House.build(tmp_path, os.urandom(8 << 20))
    with house.open(SOON) as server, Stranger(server.address, receive_bytes=4_096) as caller:
        assert caller.call(house.caller) == ACCEPTED
        caller.send(wanted(caller.receive()[4:44].decode()))
        assert server.ending() is Ending.TOO_SLOW
        assert_no_child_is_left(house)
        house.assert_serves(server)


def members(group):
    """The processes of a group."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if group_of(pid) == group]


def group_of(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def ends(child):
    """True once the process is gone."""
    is_gone, _, _ = select.select([child], [], [], PATIENCE_S)
    os.close(child)
    return bool(is_gone)


@LINUX
def test_child_left_behind(tmp_path):
    """The visitor vanishes while git packs: git and what it started are gone when the visit is over."""
    house = House.build(tmp_path, os.urandom(8 << 20))
    with house.open() as server, Stranger(server.address, receive_bytes=4_096) as caller:
        assert caller.call(house.caller) == ACCEPTED
        caller.send(wanted(caller.receive()[4:44].decode()))
        while b"PACK" not in caller.receive():
            pass
        children = [os.pidfd_open(pid) for pid in members(house.services[0]._process.pid)]
        # Closed with something unread and nothing said: the worst way to go.
        caller.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        caller.tls.close()
        assert server.ending() is Ending.CUT
        assert len(children) == 2
        assert all(map(ends, children))
        house.assert_serves(server)


@LINUX
def test_no_child_outlives_a_server_that_was_killed(house, tmp_path):
    script = (
        "import sys; from pathlib import Path; from tests.peers.direct import House, PATIENCE_S\n"
        "folder = Path(sys.argv[1])\n"
        "house = House(folder / 'server/sage', folder / 'client/sage')\n"
        "from sage_git.peers.visits import Admission\n"
        "house.admissions[house.caller.key] = Admission.ALLOWED\n"
        "with house.open() as server:\n"
        "    print(server.address, flush=True); sys.stdin.readline()\n"
        "    print(house.services[0]._process.pid, flush=True); sys.stdin.readline()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as serving:
        assert serving.stdin
        assert serving.stdout
        address = Address.parse(serving.stdout.readline().strip())
        with Stranger(address) as caller:
            assert caller.call(house.caller) == ACCEPTED
            caller.receive()
            serving.stdin.write("\n")
            serving.stdin.flush()
            child = os.pidfd_open(int(serving.stdout.readline()))
            serving.send_signal(signal.SIGKILL)
            assert ends(child)


def test_a_server_that_is_stopped_leaves_no_child(house):
    with ExitStack() as inside:
        with house.open() as server:
            caller = inside.enter_context(Stranger(server.address))
            assert caller.call(house.caller) == ACCEPTED
            caller.receive()
        assert server.ending() is Ending.STOPPED
    assert_no_child_is_left(house)


def test_what_fails_in_one_visit_ends_no_other(house):
    """'A replication error that kills the process' is one of the six mistakes."""

    def faulty():
        raise RuntimeError("a fault of ours")

    with house.open() as server:
        with Stranger(server.address) as patient:
            assert patient.call(house.caller) == ACCEPTED
            house.freshen = faulty
            with Stranger(server.address) as caller:
                caller.send(greeting.call(house.caller, server.address.key, caller.nonce, Share.STORE))
                assert until_closed(caller.tls) == b""
            visit = server.ended()
            assert (visit.ending, visit.words) == (Ending.FAULT, "RuntimeError: a fault of ours")
            house.freshen = lambda: None
            patient.send(wanted(patient.receive()[4:44].decode()))
            assert b"PACK" in patient.everything()
        house.assert_serves(server)


def test_whoever_is_trusted_by_mistake_has_only_the_two_stores(house):
    house.admissions[house.caller.key] = Admission.TRUSTED
    with house.open() as server:
        for path in ("..", "private/../store", "incoming.git", "%2e%2e"):
            assert house.git("ls-remote", f"{server.address}{path}").returncode != 0
    assert house.services == []
