"""What Mallory makes, and how a test sees that nobody believed it.

Mallory can write to the remote, has a key of her own, and has stolen Alice's. Bob meets what she made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from tests.peers.clones import Clone, Done, Village
from tests.peers.forging import Files, Log, plant, read_log


def alices(village: Village) -> Log:
    """What the remote has of Alice, with her key stolen."""
    alice = village["alice"]
    return read_log(village.remote, alice.writer, alice.key)


def mallorys(village: Village) -> Log:
    """A log of Mallory's own with three true entries, not yet planted."""
    log = Log(village["bob"].id)
    for words in ("one", "two", "three"):
        log.say(f"mallory says {words}")
    return log


def refusals(done: Done) -> list[str]:
    """Each refusal that `sync --json` tells of, as text: its code and its reason."""
    peers = [json.loads(line) for line in done.stdout.splitlines()]
    return [json.dumps(refused) for peer in peers for refused in peer["refused"]]


def assert_refused(clone: Clone, *codes: str, peer: str = "origin") -> None:
    """A sync refuses what it is offered, for one of these reasons, and changes nothing."""
    before = clone.snapshot()
    done = clone.sage("sync", "--json", peer)
    said = refusals(done)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert any(f'"{code}"' in each for each in said for code in codes), (codes, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert clone.snapshot() == before


def assert_each_refused(village: Village, spoils: Mapping[str, Callable[[Log], Files]], *codes: str) -> None:
    """Of many logs of Mallory's, each spoilt in its own way, one sync refuses each, and changes nothing."""
    bob, names = village["bob"], {}
    for name, spoil in spoils.items():
        log = mallorys(village)
        plant(village.remote, log.ref, spoil(log))
        names[log.writer] = name
    before = bob.snapshot()
    done = bob.sage("sync", "--json", "origin")
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    refused = {names[each["writer"]]: each for each in map(json.loads, refusals(done))}
    assert refused.keys() == spoils.keys()
    assert {name: each["code"] for name, each in refused.items() if each["code"] not in codes} == {}
    assert all(each["reason"] for each in refused.values())
    assert bob.snapshot() == before


def assert_not_believed(clone: Clone, words: str, peer: str = "origin") -> Done:
    """A sync may end any way but badly; `words` are known nowhere after it, and what was known still is."""
    before = clone.events()
    done = clone.sage("sync", "--json", peer)
    assert done.returncode in (0, 1), (done.stdout, done.stderr)
    after = clone.events()
    assert not clone.says(words)
    assert words.encode() not in b"".join(line for lines in clone.sidecars().values() for line in lines)
    assert [event for event in before if event not in after] == []
    return done
