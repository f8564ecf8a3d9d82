"""Events that are false, broken, or made to be written somewhere else; redactions by strangers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.peers.clones import Clone, Village
from tests.peers.forging import (
    NO_COMMIT,
    Files,
    Log,
    action,
    leaf_of,
    plant,
    point,
    sealed,
)
from tests.peers.mallory import alices, assert_each_refused, assert_not_believed, mallorys

# -- facts ------------------------------------------------------------------------------------------------------------


def a_fact(village: Village, **different: Any) -> dict[str, Any]:
    """A true fact of Bob's edit."""
    facts = [event for event in village["bob"].events() if event["type"] == "FILE_EDITED"]
    beside = ("chronicle", "inHead", "open", "incomplete")
    fact = next(event for event in facts if event["filePath"] == "bar.py")
    return {name: value for name, value in fact.items() if name not in beside} | different


@pytest.mark.parametrize(
    "lie",
    [
        {"hash": "ab" * 20},
        {"lastHash": "ab" * 20},
        {"filePath": "foo.py"},
        {"timestamp": "2020-01-01T00:00:00.000Z"},
        {"actor": {"agent": "git", "id": "Somebody Else <else@example.org>"}},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_forged_fact_of_a_commit_that_is_here_is_not_believed(village, lie):
    bob, log = village["bob"], Log(village["bob"].id)
    forged = json.loads(sealed(a_fact(village, **lie)))["eventId"]
    log.add(sealed(a_fact(village, **lie)))
    plant(village.remote, log.ref, log.files())
    done = assert_not_believed(bob, forged)
    assert done.returncode == 1
    assert '"forged-fact"' in done.stdout


def test_a_forged_fact_of_a_commit_that_is_to_come_is_found_out_when_it_comes(village):
    alice, bob, log = village["alice"], village["bob"], Log(village["bob"].id)
    commit = alice.repository.commit("to come", **{"foo.py": "later = 1\n"})
    alice.ok("record")
    (fact,) = [e for e in alice.events() if e["type"] == "FILE_EDITED" and e["graphCommit"] == commit]
    beside = ("chronicle", "inHead", "open", "incomplete", "eventId")
    log.add(sealed({**{n: v for n, v in fact.items() if n not in beside}, "hash": "ab" * 20}))
    forged = json.loads(log.bodies[0])["eventId"]
    plant(village.remote, log.ref, log.files())
    bob.sync("origin")
    assert bob.says(forged), "nobody here can know better yet"
    alice.git("push", "-q", "origin", "main")
    bob.git("pull", "-q", "--rebase")
    bob.sage("sync", "origin")
    assert forged not in {event["eventId"] for event in bob.events()}
    assert forged not in json.dumps([line.decode() for lines in bob.sidecars().values() for line in lines])


def test_a_verdict_that_somebody_made_up_closes_nothing(village):
    bob, log = village["bob"], Log(village["bob"].id)
    bob.ok("plan", "draft", "--id", "tidy", "--summary", "tidy", "--scope", "other.py")
    bob.ok("plan", "approve", "tidy", "-m", "fine")
    commit = bob.repository.commit("rogue", **{"bar.py": "rogue = 1\n"})
    bob.git("push", "-q", "origin", "main")
    bob.ok("sync", "origin")
    opened = json.loads(bob.ok("status", "--json"))["openRogueEdits"]
    edit = next(each for each in opened if each["commit"] == commit)
    rogue = next(e for e in bob.events() if e["eventId"] == edit["eventId"])
    log.add(
        sealed(
            {
                "type": "RECONCILIATION",
                "reconciliationStrategy": "plan",
                "planId": "tidy",
                "planHash": "ab" * 32,
                "filePath": "bar.py",
                "diffRef": f"{rogue['lastHash']}..{rogue['hash']}",
                **{name: rogue[name] for name in ("actor", "timestamp", "graphCommit", "prevEventId")},
            }
        )
    )
    plant(village.remote, log.ref, log.files())
    assert [outcome["received"] for outcome in bob.sync("origin")] == [1]
    assert json.loads(bob.ok("status", "--json"))["openRogueEdits"] == opened


def test_a_halt_by_a_stranger_halts_nobody(village):
    bob, log = village["bob"], Log(village["bob"].id)
    log.add(action("halt", type="HALT_AND_REPORT", invariant="mine", expected="1", actual="2", subject="bar.py"))
    plant(village.remote, log.ref, log.files())
    bob.sync("origin")
    assert bob.says('"invariant":"mine"')
    bob.repository.write("bar.py", "halted = 1\n")
    bob.git("add", "bar.py")
    assert bob.sage("gate", "--hook", "pre-commit").returncode == 0


# -- events -----------------------------------------------------------------------------------------------------------


def test_withheld_bodies_are_no_crime(village):
    bob, log = village["bob"], mallorys(village)
    log.withhold(action("a secret"))
    log.say("after the secret")
    plant(village.remote, log.ref, log.files())
    bob.ok("sync", "origin")
    assert bob.says("after the secret")
    assert not bob.says("a secret")


def test_a_body_that_was_public_and_is_missing_now_is_not_lost(village):
    bob, log = village["bob"], alices(village)
    number = next(n for n, body in enumerate(log.bodies) if b"alice was here" in body)
    log.bodies[number] = b""
    log.say("and on it goes")
    plant(village.remote, log.ref, log.files())
    bob.sage("sync", "origin")
    assert bob.says("alice was here")
    (bob.directory / "index.sqlite").unlink()
    assert bob.says("alice was here")


def altered(line: bytes) -> bytes:
    return line.replace(b"mallory says", b"MALLORY SAYS")


def respelled(line: bytes) -> bytes:
    return json.dumps(json.loads(line)).encode()


def doubled_key(line: bytes) -> bytes:
    return line.replace(b'{"action"', b'{"action":"first","action"', 1)


def under_another_id(line: bytes) -> bytes:
    return line.replace(json.loads(line)["eventId"].encode(), b"ab" * 32)


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "altered": altered,
    "respelled": respelled,
    "key twice": doubled_key,
    "another id": under_another_id,
    "nothing in it": lambda _: b"{}",
    "no text": lambda _: b"\xff\xfe",
}


def with_body(spoil: Callable[[bytes], bytes]) -> Callable[[Log], Files]:
    def files(log: Log) -> Files:
        log.bodies[1] = spoil(log.bodies[1])
        return log.files()

    return files


def test_bodies_that_are_not_what_their_leaves_say_are_refused(village):
    assert_each_refused(village, {name: with_body(spoil) for name, spoil in BODIES.items()}, "body-not-its-leaf")


LEAF = leaf_of(action("a leaf"))


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "line",
    [
        action("deep", meta=deep(70)),
        action("huge " + "x" * (1 << 20)),
        action("integer", meta=2**53),
        sealed({"type": "lower case", "actor": {"agent": "m", "id": "m"}, "timestamp": "2026-01-02T03:04:05.000Z"}),
        sealed({"type": "AGENT_ACTION", "actor": {"agent": "m", "id": "m"}, "timestamp": "yesterday", "action": "a"}),
        sealed({"type": "AGENT_ACTION", "actor": None, "timestamp": None}),
    ],
    ids=["deep", "huge", "integer", "type", "timestamp", "nulls"],
)
def test_an_event_that_breaks_the_rules_is_not_believed_though_its_id_is_right(village, line):
    bob, log = village["bob"], Log(village["bob"].id)
    log.add(line)
    plant(village.remote, log.ref, log.files())
    done = assert_not_believed(bob, json.loads(line)["eventId"])
    assert done.returncode == 1, "and somebody is told"


LEAVES = (b"{}", b'{"eventId":"XY"}', LEAF.replace(b":", b": "), b"", b"\0" * 78, LEAF.upper(), LEAF + b" ")


def with_leaf(leaf: bytes) -> Callable[[Log], Files]:
    def files(log: Log) -> Files:
        log.leaves[1], log.bodies[1] = leaf, b""
        return log.files()

    return files


def test_leaves_that_are_none_are_refused(village):
    assert_each_refused(village, {str(leaf): with_leaf(leaf) for leaf in LEAVES}, "bad-log-tree")


SUBJECTS = (
    "../outside", "/etc/passwd", ".git/hooks/post-commit", "a/../../outside", "link/inside", "C:\\x", "a//b", "",
    ".sage/../../outside", "x\0y", "\x1b[2J",
)  # fmt: skip


def test_no_subject_lets_a_line_be_written_elsewhere(village, tmp_path):
    bob = village["bob"]
    outside = tmp_path / "outside-the-repository"
    outside.mkdir()
    (bob.path / "link").symlink_to(outside)
    before = set(tmp_path.rglob("*.sage"))
    for subject in SUBJECTS:
        log = Log(bob.id)
        log.say("escaped", subject=subject)
        plant(village.remote, log.ref, log.files())
    assert bob.sage("sync", "origin").returncode in (0, 1)
    bob.log()
    new = set(tmp_path.rglob("*.sage")) - before
    inside = [path for path in new if ".git" not in path.relative_to(tmp_path).parts and path.is_relative_to(bob.path)]
    assert new == set(inside)
    assert not any(outside.iterdir())


def test_nothing_that_a_stranger_wrote_reaches_the_terminal_as_it_is(village):
    bob, log, broken = village["bob"], Log(village["bob"].id), Log(village["bob"].id)
    log.say("\x1b]0;owned\x07 \u202e", actor={"agent": "\x1b[31m", "id": "\x9b31m"})
    broken.add(log.bodies[0].replace(b"}", b' "\x1b[2J"}', 1), b'{"eventId":"' + b"ab" * 32 + b'"}')
    for each in (log, broken):
        plant(village.remote, each.ref, each.files())
    point(village.remote, "refs/sage/writers/\x1b[2J", NO_COMMIT)
    for arguments in (("sync", "origin"), ("status",), ("log", "--all"), ("peer",), ("fsck",)):
        done = bob.sage(*arguments)
        assert ("owned" in done.stdout) == (arguments[0] == "log")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.stdout + done.stderr), arguments


# -- redaction --------------------------------------------------------------------------------------------------------


def redaction(identifier: str) -> bytes:
    return action("", type="EVENT_REDACTED", redactedEventId=identifier, reason="because I say so")


def said_by_alice(log: Log) -> int:
    return next(number for number, body in enumerate(log.bodies) if b"alice was here" in body)


def assert_kept(clone: Clone) -> None:
    assert clone.says("alice was here")
    (clone.directory / "index.sqlite").unlink(missing_ok=True)
    assert clone.says("alice was here")
    assert any(b"alice was here" in line for line in clone.sidecars()[".sage/actions.sage"])


def test_a_stranger_can_redact_nothing(village):
    log, alice = Log(village["bob"].id), alices(village)
    log.add(redaction(json.loads(alice.leaves[said_by_alice(alice)])["eventId"]))
    plant(village.remote, log.ref, log.files())
    for name in ("bob", "alice"):
        village[name].sage("sync", "origin")
        assert_kept(village[name])


def test_a_stranger_who_copies_a_leaf_can_redact_nothing_either(village):
    log, alice = Log(village["bob"].id), alices(village)
    leaf = alice.leaves[said_by_alice(alice)]
    log.leaves.append(leaf)
    log.bodies.append(b"")
    log.add(redaction(json.loads(leaf)["eventId"]))
    plant(village.remote, log.ref, log.files())
    for name in ("bob", "alice"):
        village[name].sage("sync", "origin")
        assert_kept(village[name])


@pytest.mark.parametrize("several", [False, True])
def test_a_stranger_who_says_that_he_supersedes_somebody_can_redact_nothing_either(village, several):
    alice = alices(village)
    log = Log(village["bob"].id, about={"supersedes": [alice.writer] if several else alice.writer})
    leaf = alice.leaves[said_by_alice(alice)]
    log.add(redaction(json.loads(leaf)["eventId"]))
    plant(village.remote, log.ref, log.files())
    for name in ("bob", "alice"):
        village[name].sage("sync", "origin")
        assert_kept(village[name])
