"""One key that signs two histories: found out by whoever meets both, and proved to anybody."""

from __future__ import annotations

import json
from typing import Any

from tests.peers.clones import Clone, Village
from tests.peers.forging import (
    Log,
    action,
    is_signed,
    leaf_of,
    plant,
    read_log,
)
from tests.peers.mallory import alices, assert_refused, refusals

# -- equivocation -----------------------------------------------------------------------------------------------------


def two_faces(village: Village) -> tuple[Log, Log, int]:
    """Two continuations of Alice's log, both signed by her key, and the size of what they have in common."""
    log = alices(village)
    size = len(log.leaves)
    one, other = log.fork(size), log.fork(size)
    one.say("what bob is told")
    other.say("what carol is told")
    other.say("and more of it")
    return one, other, size


def told_differently(village: Village) -> tuple[Clone, Clone, int]:
    """Bob and Carol, who were told different things under Alice's key, and the size of what both were told."""
    bob, carol = village["bob"], village.join("carol")
    carol.ok("note", "action", "-m", "carol was here")
    carol.ok("sync", "origin")
    one, other, size = two_faces(village)
    plant(village.remote, one.ref, one.files())
    bob.ok("sync", "origin", "--fetch-only")
    plant(village.remote, other.ref, other.files())
    carol.ok("sync", "origin", "--fetch-only")
    bob.ok("peer", "add", "carol", str(carol.path))
    carol.ok("peer", "add", "bob", str(bob.path))
    assert bob.says("what bob is told")
    assert carol.says("what carol is told")
    return bob, carol, size


def test_who_was_told_different_things_finds_it_out_when_they_meet(village):
    bob, carol, size = told_differently(village)
    alice = village["alice"].writer
    meetings = ((bob, "carol", "what bob is told"), (carol, "bob", "what carol is told"))
    for halted, (clone, peer, told) in enumerate(meetings, 1):
        before = clone.events()
        done = clone.sage("sync", "--json", peer)
        assert done.returncode == 1, (done.stdout, done.stderr)
        assert any('"equivocation"' in each and alice in each for each in refusals(done)), done.stdout
        assert clone.says(told), "what was known is not known any more"
        after = [event["eventId"] for event in clone.events()]
        assert [event["eventId"] for event in before if event["eventId"] not in after] == []
        assert_proves_equivocation(clone, alice, size)
        halts = [event for event in clone.events() if event["type"] == "HALT_AND_REPORT"]
        assert len(halts) == halted, "who finds it out says so, and hears what others said"
        assert all(alice in json.dumps(halt) for halt in halts)
        assert json.loads(clone.ok("status", "--json"))["halts"], "the halt is open"


def assert_proves_equivocation(clone: Clone, writer: str, size: int) -> None:
    """The proof that a clone kept is good for anybody who has the writer's key, and nothing else."""
    proof = json.loads((clone.directory / "equivocations" / f"{writer}.json").read_text())
    notes = [text.encode() for text in every_text(proof) if "\n\n— " in text]
    assert len(set(notes)) >= 2
    origin = f"sage/{clone.id}/{writer}"
    assert all(is_signed(each, origin, writer) for each in notes)
    heads = [each.split(b"\n")[1:3] for each in notes]
    assert all(int(said) > size for said, _ in heads)
    assert len({root for _, root in heads}) == len(set(notes))


def every_text(value: Any) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, dict | list):
        return [text for each in (value.values() if isinstance(value, dict) else value) for text in every_text(each)]
    return [value] if isinstance(value, str) else []


def test_a_log_that_equivocated_stays_frozen_and_a_second_meeting_says_nothing_new(village):
    bob, _, _ = told_differently(village)
    bob.sage("sync", "carol")
    known = bob.snapshot()
    log = read_log(bob.store, village["alice"].writer, village["alice"].key)
    log.say("as if nothing had happened")
    plant(village.remote, log.ref, log.files())
    for peer in ("origin", "carol"):
        assert bob.sage("sync", "--json", peer).returncode == 1
        assert not bob.says("as if nothing had happened")
    after = bob.snapshot()
    assert (after.log, after.sidecars) == (known.log, known.sidecars)


def test_two_true_checkpoints_that_agree_are_no_equivocation(village):
    bob, log = village["bob"], alices(village)
    for words in ("a", "b", "c"):
        log.say(words)
    for size in (len(log.leaves), len(log.leaves) - 1, len(log.leaves) - 2, len(log.leaves)):
        plant(village.remote, log.ref, log.files(size))
        bob.ok("sync", "origin", "--fetch-only")
    assert not (bob.directory / "equivocations").exists()
    assert len([event for event in bob.events() if event["type"] == "HALT_AND_REPORT"]) == 0


def test_nobody_but_the_writer_can_make_a_proof_of_equivocation(village):
    """Mallory without the key: an unsigned other history is a refusal, and never a halt."""
    bob, log = village["bob"], alices(village)
    log.bodies[-1] = action("another history")
    log.leaves[-1] = leaf_of(log.bodies[-1])
    plant(village.remote, log.ref, log.files(checkpoint=log.checkpoint(key=Log(log.repository).key)))
    assert_refused(bob, "bad-checkpoint", "log-rewritten")
    assert not (bob.directory / "equivocations").exists()
