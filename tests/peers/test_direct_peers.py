"""Two clones that speak git over TLS: what comes through, who is let in, and what is said when it does not work."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from sage_git.errors import NotHere, PeerFailed, StorageError
from sage_git.operations.calling import call
from sage_git.peers.visits import Admission, Ending
from tests.kit import run_sage
from tests.peers.direct import PATIENCE_S, PUBLISHED, SCRIPTS, House, commit, git
from tests.recorded import two_clones


@pytest.fixture
def house(tmp_path):
    return House.build(tmp_path)


def test_git_fetches_what_is_served(house, tmp_path):
    git("init", "--quiet", "--bare", tmp_path / "copy")
    with house.open() as server:
        done = house.git("fetch", "--quiet", str(server.address), "+refs/sage/*:refs/sage/*", cwd=tmp_path / "copy")
        visit = server.ended()
    assert (done.returncode, done.stderr) == (0, "")
    assert git(f"--git-dir={tmp_path / 'copy'}", "show", f"{PUBLISHED}:content") == "published"
    assert visit.words == ""
    assert (visit.ending, visit.key, visit.share.value) == (Ending.SERVED, house.caller.key, "store")
    assert visit.sent_bytes > visit.received_bytes > 0


def test_only_the_writers_are_shown(house):
    store = house.sage / "store.git"
    for ref in ("refs/heads/main", "refs/sage/incoming/1", "refs/sage/writersish", "refs/tags/v1"):
        commit(store, ref, ref.encode())
    with house.open() as server:
        listed = house.git("ls-remote", str(server.address)).stdout.splitlines()
    assert [line.partition("\t")[2] for line in listed] == [PUBLISHED]


def test_a_large_log_comes_whole(house, tmp_path):
    content = random.Random(1).randbytes(3 << 20)
    commit(house.sage / "store.git", PUBLISHED, content)
    git("init", "--quiet", "--bare", tmp_path / "copy")
    with house.open() as server:
        done = house.git("fetch", "--quiet", str(server.address), f"{PUBLISHED}:refs/x", cwd=tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(["git", "show", "refs/x:content"], cwd=tmp_path / "copy", capture_output=True, check=True)
    assert shown.stdout == content


def test_many_logs_are_negotiated(house, tmp_path):
    copy = tmp_path / "copy"
    git("init", "--quiet", "--bare", copy)
    for number in range(40):  # more than git asks about at once
        commit(copy, f"refs/mine/{number}", b"%d" % number)
    with house.open() as server:
        for content in (b"1", b"2"):
            commit(house.sage / "store.git", PUBLISHED, content)
            done = house.git("fetch", "--quiet", str(server.address), f"+{PUBLISHED}:refs/x", cwd=copy)
            assert done.returncode == 0, done.stderr
            assert git(f"--git-dir={copy}", "show", "refs/x:content").encode() == content


def test_an_empty_store_has_nothing_and_says_so(house):
    git(f"--git-dir={house.sage / 'store.git'}", "update-ref", "-d", PUBLISHED)
    with house.open() as server:
        listed = house.git("ls-remote", str(server.address))
    assert (listed.returncode, listed.stdout) == (0, "")


def test_nothing_can_be_pushed(house, tmp_path):
    commit(tmp_path / "server/sage/private.git", "refs/heads/x", b"x")
    with house.open() as server:
        done = house.git("push", str(server.address), "refs/heads/x:refs/heads/x", cwd=house.sage / "private.git")
    assert done.returncode != 0
    assert "takes nothing" in done.stderr


def test_trusted_keys_have_the_private_store_too(house):
    house.admissions[house.caller.key] = Admission.TRUSTED
    with house.open() as server:
        listed = house.git("ls-remote", f"{server.address}private")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.startswith(git(f"--git-dir={house.sage / 'private.git'}", "rev-parse", PUBLISHED))


def test_what_is_served_is_made_fresh_before(house):
    house.freshen = lambda: commit(house.sage / "store.git", f"refs/sage/writers/{'4c' * 32}", b"new") and None
    with house.open() as server:
        assert "4c4c" in house.git("ls-remote", str(server.address)).stdout


def test_what_cannot_be_made_fresh_is_served_as_it_was(house):
    def full():
        raise StorageError("tail.ndjson", "append to", "ENOSPC")

    house.freshen = full
    with house.open() as server:
        house.assert_serves(server)
        visit = server.ended()
    assert (visit.ending, visit.words) == (Ending.SERVED, "cannot append to tail.ndjson: ENOSPC")


def test_an_unknown_key_is_told_what_to_ask_for(house):
    house.admissions.clear()
    with house.open() as server:
        refused = house.git("ls-remote", str(server.address))
    assert refused.returncode != 0
    assert "refused our key" in refused.stderr
    assert f"sage-git peer allow {house.caller.key}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_peer_that_is_not_there_is_named(house):
    with house.open() as server:
        pass
    refused = house.git("ls-remote", str(server.address))
    assert f"{server.address.place} cannot be reached: connection refused" in refused.stderr


def test_whoever_keeps_no_record_calls_nobody(house, tmp_path):
    with house.open() as server, pytest.raises(NotHere, match="no record is kept"):
        call(str(server.address), tmp_path / "nowhere")


def test_a_clone_without_a_key_makes_one_to_call(house):
    for name in ("writer.key", "writer.json"):
        (house.client / name).unlink()
    with house.open() as server, pytest.raises(PeerFailed, match="refused our key"):
        call(str(server.address), house.client)
    assert (house.client / "writer.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "commands, said",
    [
        (b"capabilities\n\n", b"connect\n\n"),
        (b"", b""),
    ],
)
def test_git_is_told_what_the_remote_program_can_do(house, commands, said):
    done = remote_program("origin", "sage://x/", stdin=commands)
    assert (done.returncode, done.stdout, done.stderr) == (0, said, b"")


@pytest.mark.parametrize(
    "commands, complaint",
    [
        (b"x" * 5_000, b"too long"),
        (b"list\n", b"unknown"),
        (b"connect git-upload-archive\n", b"takes nothing"),
        (b"connect git-upload-pack\n", b"no address of a peer"),
        (b"\xff\x1b[2J\n", rb"\xff\x1b[2J"),
    ],
)
def test_what_git_never_says_is_one_sentence(commands, complaint):
    done = remote_program("origin", "sage://x/", stdin=commands)
    assert (done.returncode, done.stdout) == (128, b"")
    assert complaint in done.stderr
    assert b"Traceback" not in done.stderr


def test_whoever_starts_the_remote_program_alone_is_told_what_it_is_for():
    done = remote_program()
    assert b"started by git" in done.stderr


@pytest.fixture
def served(tmp_path):
    """A recorded clone that has allowed another one, whose own record `sage-git serve` serves."""
    first, second = two_clones(tmp_path)
    key = run_sage("peer", "key", cwd=second.path).stdout.strip()
    assert run_sage("peer", "allow", key, cwd=first.path).returncode == 0
    return first, second


@contextmanager
def serving(first):
    """`sage-git serve`, which listens, and its address."""
    command = [sys.executable, "-P", "-m", "sage_git", "serve", "--host", "127.0.0.1", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=first.path, encoding="utf-8", stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        try:
            said = re.fullmatch(r"serving (sage://[0-9a-f]{64}@127\.0\.0\.1:\d+/)\n", process.stdout.readline())
            assert said, process.stderr.read()
            yield process, said[1]
        finally:
            process.kill()


@pytest.mark.parametrize("how, status", [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_serve_serves_what_was_recorded_just_now_until_it_is_told_to_end(served, how, status):
    first, second = served
    around = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    writer = run_sage("peer", "key", cwd=first.path).stdout.strip()
    with serving(first) as (process, url):
        before = second.git("ls-remote", url, env=around)
        first.commit("more", **{"foo.py": "x = 2\n"})
        after = second.git("ls-remote", url, env=around)
        process.send_signal(how)
        said, complaints = process.communicate(timeout=PATIENCE_S)
    assert f"refs/sage/writers/{writer}" in before
    assert before != after
    assert (process.returncode, complaints) == (status, "")
    assert [line.split("  ")[2].partition(",")[0] for line in said.splitlines()] == ["store: served"] * 2


def test_serve_says_once_that_the_clone_goes_on_under_another_key(served):
    first, second = served
    around = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    with serving(first) as (process, url):
        for name in ("writer.key", "writer.json"):
            (first.path / ".git/sage" / name).unlink()
        key = run_sage("peer", "key", cwd=first.path).stdout.strip()
        for _ in range(2):
            second.git("ls-remote", url, env=around)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert key not in url
    assert said.count(f"this clone goes on under a new key, {key}: start `sage-git serve` again\n") == 1


def test_serve_says_that_a_port_is_taken(served):
    first, _ = served
    with serving(first) as (_, url):
        port = url.rpartition(":")[2].strip("/")
        refused = run_sage("serve", "--host", "127.0.0.1", "--port", port, cwd=first.path)
    assert refused.returncode == 4
    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr


def test_serve_needs_a_record(repository, sage):
    refused = sage("serve", "--port", "0")
    assert (refused.returncode, refused.stdout) == (3, "")


def remote_program(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([SCRIPTS / "git-remote-sage", *arguments], input=stdin, capture_output=True, check=False)
