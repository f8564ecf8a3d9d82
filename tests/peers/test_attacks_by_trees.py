"""Trees, objects and refs that no log has: refused with a reason, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.clones import refs
from tests.peers.forging import (
    NO_COMMIT,
    SEGMENT,
    Files,
    Log,
    Odd,
    action,
    git,
    plant,
    point,
    read_log,
    write_commit,
    write_object,
    write_tree,
)
from tests.peers.mallory import assert_each_refused, assert_refused, mallorys

# -- trees and objects ------------------------------------------------------------------------------------------------

Spoil = Callable[[Log], Files]


def with_files(**more: bytes | Odd) -> Spoil:
    return lambda log: {**log.files(), **{name.replace("__", "/"): content for name, content in more.items()}}


def named(name: str, content: bytes | Odd = b"x\n") -> Spoil:
    return lambda log: {**log.files(), name: content}


def without(name: str) -> Spoil:
    return lambda log: {each: content for each, content in log.files().items() if each != name}


def as_mode(name: str, mode: bytes) -> Spoil:
    return lambda log: {**log.files(), name: Odd(mode, log.files()[name])}  # type: ignore[arg-type]


def short_by_a_newline(log: Log) -> Files:
    return {**log.files(), "leaves/000": b"\n".join(log.leaves)}


def with_more_events(log: Log) -> Files:
    return {**log.files(), "events/000": b"\n".join(log.bodies) + b"\n\n"}


def with_fewer_events(log: Log) -> Files:
    return {**log.files(), "events/000": b"\n".join(log.bodies[:-1]) + b"\n"}


def with_a_segment_too_long(log: Log) -> Files:
    for number in range(SEGMENT):
        log.say(str(number))
    joined = {"leaves/000": b"\n".join(log.leaves) + b"\n", "events/000": b"\n".join(log.bodies) + b"\n"}
    return {**{name: content for name, content in log.files().items() if not name.endswith("001")}, **joined}


def with_a_gap(log: Log) -> Files:
    for number in range(2 * SEGMENT):
        log.say(str(number))
    return {name: content for name, content in log.files().items() if not name.endswith("/001")}


TREES: dict[str, Spoil] = {
    "a hook": named("hooks/post-update", Odd(b"100755", b"#!/bin/sh\ntouch /tmp/pwned\n")),
    "a config": named("config", b"[core]\n\tfsmonitor = touch /tmp/pwned\n"),
    "surplus file": named("surplus"),
    "surplus folder": named("surplus/file"),
    "file beside segments": named("leaves/surplus"),
    "segment too many": named("leaves/001"),
    "events too many": named("events/001"),
    "folder up": named("..", Odd(b"100644", b"x")),
    "git folder": named(".git/config"),
    "git folder in capitals": named(".GIT/config"),
    "empty name": named("", Odd(b"100644", b"x")),
    "backslashes": named("..\\..\\x"),
    "newline": named("a\nb"),
    "other number": named("leaves/0", b"x\n"),
    "padded number": named("leaves/x000/000", b"x\n"),
    "symlink": as_mode("leaves/000", b"120000"),
    "symlinked checkpoint": named("checkpoint", Odd(b"120000", b"/etc/passwd")),
    "executable": as_mode("leaves/000", b"100755"),
    "submodule": named("leaves/001", Odd(b"160000", NO_COMMIT.encode())),
    "folder for a file": lambda log: {**without("checkpoint")(log), "checkpoint/000": b"x"},
    "no leaves": without("leaves/000"),
    "no events": without("events/000"),
    "no introduction": without("writer.json"),
    "no newline at the end": short_by_a_newline,
    "more events than leaves": with_more_events,
    "fewer events than leaves": with_fewer_events,
    "a segment too long": with_a_segment_too_long,
    "a gap": with_a_gap,
    "nothing": lambda _: {},
}


def test_trees_that_are_not_those_of_a_log_are_refused(village):
    assert_each_refused(village, TREES, "bad-log-tree", "bad-checkpoint")
    assert not Path("/tmp/pwned").exists()


def test_a_ref_that_is_no_commit_is_refused(village):
    log = mallorys(village)
    point(village.remote, log.ref, write_object(village.remote, "blob", b"no commit\n"))
    assert_refused(village["bob"], "bad-log-tree", "unreachable", "bad-checkpoint")


def test_an_object_that_is_not_what_its_id_says_is_refused(village):
    log = mallorys(village)
    files = log.files()
    commit = plant(village.remote, log.ref, files)
    oid = git(village.remote, "rev-parse", f"{commit}:events/000").strip()
    other = b"".join(line + b"\n" for line in [*log.bodies[:2], action("not what it was")])
    write_object(village.remote, "blob", other, oid)
    assert_refused(village["bob"], "unreachable", "bad-log-tree", "body-not-its-leaf")


def test_a_pack_with_a_bit_turned_over_is_refused(village):
    log = mallorys(village)
    plant(village.remote, log.ref, log.files())
    git(village.remote, "repack", "-adq")
    (pack,) = village.remote.glob("objects/pack/*.pack")
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(content)
    before = village["bob"].snapshot()
    assert village["bob"].sage("sync", "--json", "origin").returncode in (1, 4)
    assert village["bob"].snapshot() == before


def test_a_log_with_an_object_missing_is_refused(village):
    log = mallorys(village)
    commit = plant(village.remote, log.ref, log.files())
    oid = git(village.remote, "rev-parse", f"{commit}:leaves/000").strip()
    (village.remote / "objects" / oid[:2] / oid[2:]).unlink()
    before = village["bob"].snapshot()
    assert village["bob"].sage("sync", "--json", "origin").returncode in (1, 4)
    assert village["bob"].snapshot() == before


def test_a_commit_with_an_endless_past_is_judged_by_its_tree_alone(village):
    bob, log = village["bob"], mallorys(village)
    tree = write_tree(village.remote, log.files())
    junk = write_tree(village.remote, {"junk": b"never to be kept\n"})
    commit = write_commit(village.remote, tree, [write_commit(village.remote, junk)])
    point(village.remote, log.ref, commit)
    assert bob.sage("sync", "origin").returncode in (0, 1)
    assert "junk" not in git(bob.store, "log", "--all", "--format=", "--name-only")


@pytest.mark.parametrize("spoil", [TREES["folder up"], TREES["symlink"]], ids=["by git", "by us"])
def test_one_log_that_is_refused_keeps_no_other_out(village, spoil):
    """Nor does it keep Bob from being heard, whether git refuses it or we do."""
    bob, good, bad = village["bob"], mallorys(village), mallorys(village)
    plant(village.remote, bad.ref, spoil(bad))
    plant(village.remote, good.ref, good.files())
    bob.ok("note", "action", "-m", "bob is heard")
    assert bob.sage("sync", "origin").returncode == 1
    assert good.writer in bob.writers()
    assert bad.writer not in bob.writers()
    assert b"bob is heard" in b"".join(read_log(village.remote, bob.writer).bodies)


# -- refs -------------------------------------------------------------------------------------------------------------


def test_only_refs_of_writers_are_taken_and_none_touches_the_user(village):
    bob, log = village["bob"], mallorys(village)
    commit = plant(village.remote, log.ref, log.files())
    for ref in (
        "refs/sage/other", "refs/sage/incoming/x", "refs/heads/evil", "refs/tags/evil", "refs/replace/" + "ab" * 20,
        "refs/sage/writers/nobody", f"refs/sage/writers/{log.writer.upper()}", f"refs/sage/writers/{'ab' * 31}",
        f"refs/sage/writers/{'ab' * 33}", f"refs/sage/writers/{'cd' * 32}/deeper", f"refs/sage/writers/{'zz' * 32}",
    ):  # fmt: skip
        point(village.remote, ref, commit)
    users = refs(bob.path / ".git")
    assert bob.sage("sync", "origin").returncode in (0, 1)
    assert set(refs(bob.store)) == {f"refs/sage/writers/{writer}" for writer in bob.writers()}
    assert set(bob.writers()) == {village["alice"].writer, bob.writer, log.writer}
    assert refs(bob.path / ".git") == users
