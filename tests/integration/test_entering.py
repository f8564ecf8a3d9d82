"""What the logs of other writers bring: what is true is there for all to read, and nothing false is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sage_git import append_event
from sage_git.chronicle.event import Event
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import is_complete
from sage_git.operations.sealing import store_of
from tests.kit import GitRepository
from tests.recorded import keep_record, logged, sage, sidecars_on_disk
from tests.told import ADA, BOB, altered, entered, redaction_of, said, tell

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
HALT: dict[str, Any] = {"type": "HALT_AND_REPORT", "invariant": "no more", "expected": 0, "actual": 1}


def ids(where: Path) -> list[str]:
    return [event["eventId"] for event in logged(where)]


def of_type(where: Path, *types: str) -> list[Event]:
    """The events of these types that are known here, oldest first."""
    return [Event.sealed(event) for event in reversed(logged(where)) if event["type"] in types]


def status(where: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sage(where, "status", "--json"))
    return found


def two_clones(repository: GitRepository) -> GitRepository:
    """A clone of a repository with a record and one commit of it."""
    keep_record(repository)
    repository.commit("theirs", **{"a.txt": "1\n" * 20})
    sage(repository.path, "record")
    clone = repository.clone("clone")
    keep_record(clone)
    return clone


def test_what_others_said_is_in_log_and_sidecar(repository: GitRepository) -> None:
    clone = two_clones(repository)
    fact = of_type(repository.path, "FILE_ADDED")[-1]
    event = said("a.txt", parents=[fact["eventId"]])
    tell(clone.path, ADA, [event])
    assert event["eventId"] in ids(clone.path)
    assert event.line in sidecars_on_disk(clone.path)[b"a.txt.sage"]


def test_facts_of_commits_that_are_not_here_are_read_and_not_in_heads_history(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("more", **{"b.txt": "1\n"})
    told = of_type(repository.path, "FILE_ADDED", "ROGUE_EDIT_DETECTED")
    tell(clone.path, ADA, told)
    assert sorted(ids(clone.path)) == sorted(ids(repository.path))
    assert sage(clone.path, "log", "--json").count("b.txt") == 0


def test_a_fact_comes_true_when_its_commit_comes(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("more", **{"b.txt": "1\n"})
    tell(clone.path, ADA, of_type(repository.path, "FILE_ADDED"))
    assert not entered(clone.path).findings
    clone.git(*NO_HOOKS, "pull", "--quiet")
    sage(clone.path, "record")
    assert sage(clone.path, "log", "--json", "--all") == sage(repository.path, "log", "--json", "--all")


def test_a_forged_fact_is_refused_and_told_of(repository: GitRepository) -> None:
    clone = two_clones(repository)
    sage(clone.path, "record")
    fact = of_type(clone.path, "FILE_ADDED")[-1]
    forged = altered(fact, hash="12" * 20)
    tell(clone.path, ADA, [said("builds"), forged])
    found = entered(clone.path)
    assert found.events == 1
    assert [each.code for each in found.findings] == ["forged-fact"]
    assert f"writer {ADA[:12]}, entry 1:" in found.findings[0].message
    assert forged["eventId"] not in ids(clone.path)
    assert "forged-fact" in {each["code"] for each in status(clone.path)["deferred"]}


def test_hundreds_of_commits_of_another_are_believed_whether_they_are_here_or_not(repository: GitRepository) -> None:
    clone = two_clones(repository)
    imported = "".join(
        f"commit refs/heads/main\ncommitter Ada <ada@example.org> {1767225600 + number} +0000\ndata 0\n"
        f"{'from refs/heads/main^0' if number == 0 else ''}\n"
        f"M 100644 inline {number % 40}.txt\ndata <<END\n{number}\nEND\n"
        for number in range(400)
    )
    repository.git("fast-import", "--quiet", stdin=imported)
    repository.git("reset", "-q", "--hard")
    told = of_type(repository.path, "FILE_ADDED", "FILE_EDITED", "ROGUE_EDIT_DETECTED")
    assert len(told) > 600
    tell(clone.path, ADA, told)
    assert not entered(clone.path).findings
    clone.git(*NO_HOOKS, "pull", "--quiet")
    assert logged(clone.path) == logged(repository.path)
    assert status(clone.path)["deferred"] == []
    late = repository.clone("late")
    sage(late.path, "init")
    sage(late.path, "record")
    tell(late.path, ADA, told)
    assert not entered(late.path).findings
    assert logged(late.path) == logged(repository.path)


def test_any_number_of_facts_that_were_told_otherwise_is_looked_at(repository: GitRepository) -> None:
    """As by another way to tell renames: what is true is believed, and what is not is named, each of it."""
    clone = two_clones(repository)
    repository.commit("many", **{f"old/{number}.txt": f"{number}\n" for number in range(300)})
    repository.git("mv", "old", "new")
    repository.commit("moved")
    clone.git(*NO_HOOKS, "pull", "--quiet")
    sage(clone.path, "record")
    told = []
    for rename in of_type(clone.path, "FILE_RENAMED"):
        kept = {name: rename[name] for name in ("actor", "graphCommit", "timestamp", "prevEventId")}
        removal = {"type": "FILE_REMOVED", "filePath": rename["oldPath"], "lastHash": rename["hash"], **kept}
        told.append(Event.sealed(removal))
    told[-1] = altered(told[-1], lastHash="12" * 20)
    tell(clone.path, ADA, told)
    found = entered(clone.path)
    assert (found.events, [each.code for each in found.findings]) == (299, ["forged-fact"])


def test_a_forged_fact_that_came_before_its_commit_goes_with_what_it_joined(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("more", **{"b.txt": "1\n"})
    *_, theirs, added = of_type(repository.path, "FILE_ADDED")
    forged = altered(added, type="FILE_EDITED", lastHash="12" * 20, prevEventId=theirs["eventId"])
    forged = altered({k: v for k, v in forged.items() if k not in ("size", "mode", "eventId")})
    tell(clone.path, ADA, [forged])
    assert forged["eventId"] in ids(clone.path)
    clone.git(*NO_HOOKS, "pull", "--quiet")
    assert "forged-fact" in {each["code"] for each in status(clone.path)["deferred"]}
    assert ids(clone.path) == ids(repository.path)
    assert sidecars_on_disk(clone.path)[b"a.txt.sage"] == sidecars_on_disk(repository.path)[b"a.txt.sage"]


def test_a_verdict_that_was_made_here_gives_way_to_one_that_a_log_has(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("edit", **{"a.txt": "2\n"})
    clone.git(*NO_HOOKS, "pull", "--quiet")
    sage(clone.path, "record")
    (ours,) = of_type(clone.path, "ROGUE_EDIT_DETECTED")
    theirs = altered(ours, tags=["seen there"])
    tell(clone.path, ADA, [theirs])
    assert of_type(clone.path, "ROGUE_EDIT_DETECTED") == [theirs]
    assert sage(clone.path, "record", "--complete")
    assert theirs["eventId"] not in (clone.path / ".git/sage/tail.ndjson").read_text()


def test_a_verdict_that_a_log_has_is_kept_and_no_other_made(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("edit", **{"a.txt": "2\n"})
    (made,) = of_type(repository.path, "ROGUE_EDIT_DETECTED")
    theirs = altered(made, tags=["seen there"])
    tell(clone.path, ADA, [theirs])
    clone.git(*NO_HOOKS, "pull", "--quiet")
    assert of_type(clone.path, "ROGUE_EDIT_DETECTED") == [theirs]


def test_a_verdict_that_somebody_answered_stays(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("edit", **{"a.txt": "2\n"})
    clone.git(*NO_HOOKS, "pull", "--quiet")
    (ours,) = of_type(clone.path, "ROGUE_EDIT_DETECTED")
    sage(clone.path, "reconcile", ours["eventId"], "-m", "looked at")
    tell(clone.path, ADA, [altered(ours, tags=["seen there"])])
    assert ours in of_type(clone.path, "ROGUE_EDIT_DETECTED")
    assert status(clone.path)["openRogueEdits"] == []


def test_a_body_goes_when_the_log_that_has_it_says_so(repository: GitRepository) -> None:
    clone = two_clones(repository)
    secret = said("builds", buildId="hunter2")
    tell(clone.path, ADA, [secret])
    assert secret["eventId"] in ids(clone.path)
    tell(clone.path, ADA, [secret, redaction_of(secret["eventId"])])
    found = entered(clone.path)
    assert found.redacted == {secret["eventId"]}
    assert "hunter2" not in sage(clone.path, "log", "--all", "--json")


def test_nobody_redacts_what_others_said_not_even_by_copying_the_leaf(repository: GitRepository) -> None:
    clone = two_clones(repository)
    theirs = said("builds", buildId="kept")
    ours = append_event(
        clone.path / ".sage/builds.sage", {"type": "BUILD", "status": "failed", "actor": {"agent": "ci", "id": "x"}}
    )
    tell(clone.path, ADA, [theirs])
    attacks = [redaction_of(event["eventId"]) for event in (theirs, ours)]
    tell(clone.path, BOB, [theirs, ours, *attacks], withheld=(0, 1))
    assert entered(clone.path).redacted == frozenset()
    assert {theirs["eventId"], ours["eventId"], *(each["eventId"] for each in attacks)} <= set(ids(clone.path))
    assert "kept" in sage(clone.path, "log", "--all", "--json")


def test_to_go_on_from_a_log_gives_no_right_over_it_unless_a_person_vouches_for_both(repository: GitRepository) -> None:
    clone = two_clones(repository)
    theirs = said("builds", buildId="kept")
    tell(clone.path, ADA, [theirs])
    tell(clone.path, BOB, [redaction_of(theirs["eventId"])], supersedes=ADA)
    assert entered(clone.path).redacted == frozenset()


def test_an_index_made_anew_knows_the_logs_of_others_again(repository: GitRepository) -> None:
    clone = two_clones(repository)
    repository.commit("more", **{"b.txt": "1\n", "a.txt": "2\n"})
    fact = of_type(repository.path, "FILE_ADDED")[-1]
    tell(clone.path, ADA, [*of_type(repository.path, "FILE_ADDED", "FILE_EDITED"), said("plans")])
    tell(clone.path, BOB, [said("b.txt", parents=[fact["eventId"]]), said("a.txt")])
    before = sage(clone.path, "log", "--json", "--all")
    assert "b.txt" in before
    for part in (clone.path / ".git/sage").glob("index.sqlite*"):
        part.unlink()
    assert sage(clone.path, "log", "--json", "--all") == before


def test_who_looks_notices_that_a_log_grew_without_starting_git(repository: GitRepository) -> None:
    clone = two_clones(repository)
    sage(clone.path, "record")
    with Checkout.open(clone.path, os.environ) as checkout:
        assert is_complete(checkout)
    tell(clone.path, ADA, [said("builds")])
    with Checkout.open(clone.path, os.environ) as checkout:
        assert not is_complete(checkout)
    sage(clone.path, "log")
    with Checkout.open(clone.path, os.environ) as checkout:
        assert is_complete(checkout)


def test_a_halt_of_somebody_else_is_shown_and_binds_nobody(repository: GitRepository) -> None:
    clone = two_clones(repository)
    halt = said("builds", **HALT)
    tell(clone.path, ADA, [halt])
    assert halt["eventId"] in ids(clone.path)
    assert status(clone.path)["halts"] == []
    own = append_event(clone.path / ".sage/builds.sage", {**HALT, "actor": {"agent": "ci", "id": "x"}})
    assert [each["eventId"] for each in status(clone.path)["halts"]] == [own["eventId"]]


def test_nothing_that_a_log_has_is_written_into_another(repository: GitRepository) -> None:
    clone = two_clones(repository)
    sage(clone.path, "record")
    tell(clone.path, ADA, of_type(clone.path, "FILE_ADDED")[:-1])
    lacking = len(of_type(clone.path, "FILE_ADDED")) - len(of_type(clone.path, "FILE_ADDED")[:-1])
    sage(clone.path, "record", "--complete")
    with Checkout.open(clone.path, os.environ) as checkout:
        own = [entry for entry in checkout.log.read_tail() if b'"FILE_ADDED"' in entry.line]
        assert len(own) == lacking
        assert set(store_of(checkout).writers()) == {ADA}


def test_a_deferred_commit_is_read_by_the_logs_that_tell_of_it(repository: GitRepository) -> None:
    keep_record(repository)
    for number in range(3):
        repository.commit("more", **{"a.txt": f"{number}\n"})
    told = of_type(repository.path, "FILE_ADDED", "FILE_EDITED", "ROGUE_EDIT_DETECTED")
    shallow = GitRepository(repository.path.parent / "shallow")
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(shallow.path))
    keep_record(shallow)
    tell(shallow.path, ADA, told)
    head = shallow.head
    shown = [json.loads(line) for line in sage(shallow.path, "log", "--json").splitlines()]
    assert head in {event.get("graphCommit") for event in shown}
