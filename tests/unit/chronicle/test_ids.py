"""Ids and the bytes that they are made of."""

import hashlib

import pytest

from sage_git.chronicle.ids import (
    EventId,
    ObjectId,
    RepositoryId,
    event_id,
    is_hex,
    is_plan_id,
    leaf,
    lineage_name,
    plan_hash,
)

PLAN = {"planId": "fix-1", "summary": "s", "steps": ["a"], "scope": ["src/**"]}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_event_id_covers_everything_but_itself():
    assert event_id({"b": 1, "a": "é", "eventId": "whatever"}) == sha256('{"a":"é","b":1}')


def test_a_leaf_is_canonical_json():
    assert leaf(EventId("ab" * 32)) == b'{"eventId":"%s"}' % (b"ab" * 32)


def test_a_lineage_is_named_after_its_birth():
    repository, birth = RepositoryId("6f1c"), ObjectId("c" * 40)
    assert lineage_name(repository, "src/foo.py", birth) == sha256(f'["6f1c","src/foo.py","{birth}"]')
    assert lineage_name(repository, "src/foo.py", None) == sha256('["6f1c","src/foo.py",null]')


def test_a_plan_hash_covers_what_is_intended_and_nothing_else():
    assert plan_hash(PLAN) == sha256('{"planId":"fix-1","scope":["src/**"],"steps":["a"],"summary":"s"}')
    assert plan_hash({**PLAN, "type": "PLAN_DRAFTED", "timestamp": "now"}) == plan_hash(PLAN)


def test_a_plan_that_expires_is_another_plan():
    expiring = {**PLAN, "expiresAt": "2026-12-31T00:00:00.000Z"}
    assert plan_hash(expiring) == sha256(
        '{"expiresAt":"2026-12-31T00:00:00.000Z","planId":"fix-1","scope":["src/**"],"steps":["a"],"summary":"s"}'
    )


def test_a_plan_without_scope_has_no_hash():
    with pytest.raises(KeyError):
        plan_hash({name: value for name, value in PLAN.items() if name != "scope"})


@pytest.mark.parametrize("text", ["a", "A.b_c-9" * 9, ".", "0"])
def test_a_plan_id_is_short_and_plain(text):
    assert is_plan_id(text)


@pytest.mark.parametrize("text", ["", "a" * 65, "a/b", "a\n", "é", "a b"])
def test_nothing_else_is_a_plan_id(text):
    assert not is_plan_id(text)


@pytest.mark.parametrize("text", ["0AF9", "0af", "0af\n", "٣٣٣٣", ""])
def test_hex_is_lower_case_and_of_full_length(text):
    assert is_hex("0af9", 4, 6)
    assert not is_hex(text, 4, 6)
