"""The oracle itself, on histories small enough to say by hand what must come out."""

from __future__ import annotations

import hashlib
from random import Random

import pytest
import rfc8785

from tests.generate import Histories
from tests.kit import GitRepository
from tests.oracle import Event, Oracle, Policy, observable_tips

FOUR = "one alpha alpha\ntwo bravo bravo\nthree charlie\nfour delta delta\n"


def derived(repository: GitRepository, since: str | None = None, *backfill: str) -> Oracle:
    scratch = repository.path.parent / "oracle"
    oracle = Oracle(repository.path / ".git", scratch, Policy("repository", since, backfill))
    return oracle.observe([*observable_tips(repository.path / ".git"), *backfill])


def short(event: Event) -> tuple[str, ...]:
    return event["type"], *(event[k] for k in ("oldPath", "newPath", "filePath", "reason") if k in event)


def facts_of(oracle: Oracle, commit: str) -> list[Event]:
    return sorted(oracle.facts[commit], key=short)


def test_an_event_is_named_by_its_canonical_bytes(repository: GitRepository) -> None:
    first = repository.commit("first", a="1\n")
    (fact,) = derived(repository).facts[first]
    body = {key: value for key, value in fact.items() if key != "eventId"}
    assert fact["eventId"] == hashlib.sha256(rfc8785.dumps(body)).hexdigest()
    blob = repository.git("rev-parse", "HEAD:a")
    actor = {"agent": "git", "id": "Ada Lovelace <ada@example.org>"}
    payload = {"filePath": "a", "hash": blob, "mode": "100644", "size": 2}
    assert body == {
        "type": "FILE_ADDED", "timestamp": "2026-01-01T00:00:00.000Z", "actor": actor, "graphCommit": first, **payload,
    }  # fmt: skip


def test_edits_of_one_path_are_a_chain_and_each_gets_a_verdict(repository: GitRepository) -> None:
    commits = [repository.commit("c", a=text) for text in ("1\n", "2\n", "3\n")]
    oracle = derived(repository)
    chain = [oracle.facts[commit][0] for commit in commits]
    assert [short(e) for e in chain] == [("FILE_ADDED", "a"), ("FILE_EDITED", "a"), ("FILE_EDITED", "a")]
    assert [e.get("prevEventId") for e in chain] == [None, chain[0]["eventId"], chain[1]["eventId"]]
    assert [short(e) for c in commits for e in oracle.verdicts[c]] == [("ROGUE_EDIT_DETECTED", "a", "edit")] * 2


def test_a_rename_goes_before_its_edit_and_leaves_nothing_behind(repository: GitRepository) -> None:
    first = repository.commit("first", old=FOUR)
    second = repository.commit("second", old=None, new=FOUR.replace("four", "FOUR"))
    third = repository.commit("third", old="quite something else\n")
    oracle = derived(repository)
    edit, rename = facts_of(oracle, second)
    assert (short(rename), short(edit)) == (("FILE_RENAMED", "old", "new"), ("FILE_EDITED", "new"))
    assert rename["prevEventId"] == oracle.facts[first][0]["eventId"]
    assert edit["prevEventId"] == rename["eventId"]
    assert (rename["hash"], edit["lastHash"]) == (oracle.tree(first)[b"old"].id,) * 2
    assert "prevEventId" not in oracle.facts[third][0]


def test_a_path_that_comes_back_goes_on(repository: GitRepository) -> None:
    repository.commit("first", a=FOUR, b="b\n")
    second = repository.commit("second", a=None)
    repository.commit("between", b="B\n")
    back = repository.commit("third", a="different\n")
    oracle = derived(repository)
    assert oracle.facts[back][0]["prevEventId"] == oracle.facts[second][0]["eventId"]
    assert len(oracle.sidecars(back)[b"a.sage"]) == 3


def branches(repository: GitRepository) -> tuple[str, str, str]:
    base = repository.commit("base", a=FOUR)
    repository.git("checkout", "-qb", "side")
    side = repository.commit("side", a=FOUR.replace("one", "ONE"))
    repository.git("checkout", "-q", "main")
    main = repository.commit("main", a=FOUR.replace("four", "FOUR"))
    return base, main, side


@pytest.mark.parametrize("evil", [False, True])
def test_a_merge_edits_what_equals_no_parent(repository: GitRepository, evil: bool) -> None:
    _, main, side = branches(repository)
    repository.git("merge", "-q", "--no-commit", "side")
    repository.commit("merge", **({"a": "evil\n"} if evil else {}))
    oracle = derived(repository)
    (edit,) = oracle.facts[repository.head]
    (verdict,) = oracle.verdicts[repository.head]
    assert edit["prevEventId"] == oracle.facts[main][0]["eventId"]
    assert edit["mergedEventIds"] == [oracle.facts[side][0]["eventId"]]
    expected = ("ROGUE_EDIT_DETECTED", "a", "merge") if evil else ("RECONCILIATION", "a")
    assert short(verdict) == expected


def test_an_edit_above_a_merge_without_facts_has_all_newest_facts_as_parents(repository: GitRepository) -> None:
    base = repository.commit("base", a=FOUR, b="b\n")
    repository.git("checkout", "-qb", "side")
    repository.commit("side", b="side\n", a=FOUR)
    repository.git("checkout", "-q", "main")
    main = repository.commit("main", a="main\n")
    repository.git("merge", "-q", "side", "-m", "merge")
    after = repository.commit("after", a="after\n")
    oracle = derived(repository)
    assert oracle.heads[base][b"a"] != oracle.heads[main][b"a"]
    assert [e["prevEventId"] for e in oracle.facts[after]] == [oracle.facts[main][0]["eventId"]]


def test_what_since_reaches_is_before_the_record(repository: GitRepository) -> None:
    _, main, side = branches(repository)
    oracle = derived(repository, main, side)
    assert main not in oracle.facts
    assert [short(e) for e in oracle.facts[side]] == [("FILE_EDITED", "a")]
    assert [e["reconciliationStrategy"] for e in oracle.verdicts[side]] == ["backfill"]
    repository.git("merge", "-q", "side", "-m", "merge")
    after = repository.commit("after", a="after\n")
    assert len(oracle.observe([after]).sidecars(after)[b"a.sage"]) == 6


@pytest.mark.parametrize("seed", range(3))
def test_wild_histories_are_derived_whole(repository: GitRepository, seed: int) -> None:
    tips = Histories(repository.path, Random(seed)).grow(40)
    oracle = Oracle(repository.path / ".git", repository.path.parent / "oracle", Policy("r", None)).observe(tips)
    ids = [event["eventId"] for event in oracle.events()]
    assert len(oracle.facts) == 40
    assert len(set(ids)) == len(ids) > 20
    for head in tips:
        tree = oracle.tree(head)
        assert {path.removesuffix(b".sage") for path in oracle.sidecars(head)} == set(tree)
