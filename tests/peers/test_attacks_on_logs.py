"""Logs that lie about how they went on: refused with a reason, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.peers.forging import (
    Files,
    Log,
    action,
    canonical,
    git,
    leaf_of,
    plant,
    read_log,
)
from tests.peers.mallory import alices, assert_each_refused, assert_not_believed, assert_refused, mallorys, refusals

# -- checkpoints ------------------------------------------------------------------------------------------------------


def test_an_older_state_of_a_log_is_no_news_and_the_remote_is_given_the_newer_one(village):
    bob, log = village["bob"], alices(village)
    before = bob.snapshot()
    plant(village.remote, log.ref, log.files(size=2))
    bob.ok("sync", "origin")
    assert bob.snapshot() == before
    assert read_log(village.remote, log.writer).leaves == log.leaves


def test_a_log_that_is_gone_from_the_remote_is_put_back(village):
    bob, log = village["bob"], alices(village)
    before = bob.snapshot()
    git(village.remote, "update-ref", "-d", log.ref)
    bob.ok("sync", "origin")
    assert bob.snapshot() == before
    assert read_log(village.remote, log.writer).leaves == log.leaves


def test_a_replayed_old_checkpoint_does_not_pass_for_a_grown_log(village):
    log = alices(village)
    old = log.checkpoint()
    log.say("grown")
    plant(village.remote, log.ref, log.files(checkpoint=old))
    assert_refused(village["bob"], "bad-checkpoint", "bad-log-tree", "log-rewritten")


def test_a_checkpoint_of_another_repository_is_refused(village):
    log = mallorys(village)
    other = Log("ab" * 32, log.key, log.leaves, log.bodies)
    plant(village.remote, log.ref, other.files())
    assert_refused(village["bob"], "wrong-origin")


def test_a_checkpoint_of_another_repository_is_refused_whatever_writer_json_says(village):
    log = mallorys(village)
    other = Log("ab" * 32, log.key, log.leaves, log.bodies)
    plant(village.remote, log.ref, log.files(checkpoint=other.checkpoint()))
    assert_refused(village["bob"], "wrong-origin", "bad-checkpoint")


def test_a_checkpoint_of_another_writer_is_refused(village):
    bob, log = village["bob"], alices(village)
    mallory = Log(bob.id)
    plant(village.remote, mallory.ref, log.files())
    assert_refused(bob, "wrong-origin", "bad-checkpoint")


def test_a_log_signed_by_a_key_that_is_not_its_writers_is_refused(village):
    log = alices(village)
    log.say("in the name of alice")
    forged = Log(log.repository, leaves=log.leaves, bodies=log.bodies)
    plant(village.remote, log.ref, log.files(checkpoint=log.checkpoint(key=forged.key)))
    assert_refused(village["bob"], "bad-checkpoint")


def test_a_log_without_a_checkpoint_is_refused(village):
    log = mallorys(village)
    files = log.files()
    del files["checkpoint"]
    plant(village.remote, log.ref, files)
    assert_refused(village["bob"], "bad-checkpoint", "bad-log-tree")


SIZES = ("04", "+3", "-1", " 3", "3.0", "18446744073709551616", "1" * 5000, "")


def with_size(size: str) -> Callable[[Log], Files]:
    return lambda log: log.files(checkpoint=log.checkpoint(size))


def test_checkpoints_whose_size_is_no_plain_number_are_refused(village):
    assert_each_refused(village, {size: with_size(size) for size in SIZES}, "bad-checkpoint")


NOTES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda signed: signed[:-1],
    "signed twice": lambda signed: signed + signed.splitlines(keepends=True)[-1][:-9] + b"AAAAAAA=\n",
    "carriage returns": lambda signed: signed.replace(b"\n", b"\r\n"),
    "unsigned": lambda signed: signed.partition(b"\n\n")[0] + b"\n",
    "no blank line": lambda signed: signed.replace(b"\n\n", b"\n"),
    "no text": lambda signed: b"\xff" + signed,
    "hyphen": lambda signed: signed.replace("—".encode(), b"-"),
    "empty": lambda _: b"",
    "newlines": lambda _: b"\n" * 100_000,
    "many signatures": lambda signed: signed + "— other AAAA\n".encode() * 100_000,
}


def with_note(damage: Callable[[bytes], bytes]) -> Callable[[Log], Files]:
    return lambda log: log.files(checkpoint=damage(log.checkpoint()))


def test_checkpoints_that_are_no_signed_notes_are_refused(village):
    spoils = {name: with_note(damage) for name, damage in NOTES.items()}
    assert_each_refused(village, spoils, "bad-checkpoint", "bad-log-tree")


# -- growth -----------------------------------------------------------------------------------------------------------


def test_a_shrunk_log_is_refused(village):
    log = alices(village)
    log.say("then there was less")
    files = log.files()
    shorter = log.fork(len(log.leaves) - 2).files()
    plant(village.remote, log.ref, {**shorter, "checkpoint": files["checkpoint"]})
    assert_refused(village["bob"], "log-shrunk", "bad-log-tree", "bad-checkpoint")


def test_a_rewritten_log_under_its_old_checkpoint_is_refused(village):
    log = alices(village)
    old = log.checkpoint()
    log.bodies[1] = action("it never happened")
    log.leaves[1] = leaf_of(log.bodies[1])
    plant(village.remote, log.ref, log.files(checkpoint=old))
    assert_refused(village["bob"], "log-rewritten", "bad-checkpoint", "bad-log-tree")


def test_a_log_whose_root_is_not_that_of_its_leaves_is_refused(village):
    log = alices(village)
    log.say("more")
    plant(village.remote, log.ref, log.files(checkpoint=log.checkpoint(root=b"\0" * 32)))
    assert_refused(village["bob"], "bad-checkpoint", "log-rewritten")


def test_of_two_writers_the_true_one_is_taken_and_the_false_one_refused(village):
    bob, log, false = village["bob"], mallorys(village), Log(village["bob"].id)
    false.say("false")
    plant(village.remote, log.ref, log.files())
    plant(village.remote, false.ref, false.files(checkpoint=log.checkpoint()))
    done = bob.sage("sync", "--json", "origin")
    assert done.returncode == 1
    assert len(refusals(done)) == 1
    assert log.writer in bob.writers()
    assert false.writer not in bob.writers()
    assert bob.says("mallory says three")
    assert not bob.says('"false"')


# -- the own log ------------------------------------------------------------------------------------------------------


def test_a_longer_log_under_ones_own_key_that_nobody_signed_moves_nobody_to_another_key(village):
    bob = village["bob"]
    writer, log = bob.writer, read_log(village.remote, bob.writer, bob.key)
    log.say("bob never said that")
    plant(village.remote, log.ref, log.files(checkpoint=log.checkpoint(key=Log(log.repository).key)))
    assert_not_believed(bob, "bob never said that")
    assert bob.writer == writer


def test_a_longer_log_under_ones_own_key_is_adopted_and_a_new_key_made(village):
    """What a copied clone looks like: nobody but Bob, or who has his key, could have signed it."""
    bob = village["bob"]
    old, log = bob.writer, read_log(village.remote, bob.writer, bob.key)
    log.say("said in a copy of bob's clone")
    plant(village.remote, log.ref, log.files())
    bob.ok("note", "action", "-m", "said here meanwhile")
    (met,) = bob.meet("origin")
    assert [refused["code"] for refused in met["refused"]] == ["own-log-elsewhere"]
    assert bob.writer != old
    assert json.loads(git(bob.store, "show", f"refs/sage/writers/{bob.writer}:writer.json"))["supersedes"] in (
        old,
        [old],
    )
    assert bob.says("said in a copy of bob's clone")
    alice = village["alice"]
    alice.ok("sync", "origin")
    for words in ("said here meanwhile", "said in a copy of bob's clone"):
        assert alice.log().count(words) == 1
    assert not (alice.directory / "equivocations").exists()


# -- who a writer is --------------------------------------------------------------------------------------------------


ABOUTS = {
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "object": b"{}",
    "bytes": b"\xff",
    "deep": b"[" * 100_000,
    "types": b'{"key":1,"repository":2}\n',
    "long": b"x" * (1 << 20),
}


def with_introduction(about: bytes) -> Callable[[Log], Files]:
    return lambda log: log.files(writer_json=about)


def of_somebody_else(**lie: str) -> Callable[[Log], Files]:
    return lambda log: log.files(
        writer_json=canonical({"key": log.writer, "repository": log.repository, **lie}) + b"\n"
    )


def test_garbled_introductions_and_those_of_somebody_else_are_refused(village):
    spoils = {name: with_introduction(about) for name, about in ABOUTS.items()}
    lies = {"key": of_somebody_else(key="ab" * 32), "repository": of_somebody_else(repository="ab" * 32)}
    assert_each_refused(village, spoils | lies, "bad-log-tree", "wrong-origin")


def test_writers_that_supersede_one_another_in_a_circle_hang_nobody(village):
    bob, one, other = village["bob"], mallorys(village), Log(village["bob"].id)
    other.say("other")
    one.about["supersedes"], other.about["supersedes"] = other.writer, one.writer
    itself = Log(bob.id)
    itself.say("itself")
    itself.about["supersedes"] = itself.writer
    for log in (one, other, itself):
        plant(village.remote, log.ref, log.files())
    assert bob.sage("sync", "origin").returncode in (0, 1)
    assert bob.sage("status").returncode == 0
    assert bob.sage("verify", "--allow-unchecked").returncode in (0, 1)
    assert bob.sage("fsck").returncode == 0
