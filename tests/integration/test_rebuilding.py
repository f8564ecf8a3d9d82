"""An index that is made anew says what the old one said, whoever made which commits."""

from __future__ import annotations

import json
import os
from pathlib import Path

from sage_git import append_event
from tests.kit import GitRepository, run_here
from tests.recorded import keep_record, logged, sage, sidecars_on_disk

BUILD = {"type": "BUILD", "actor": {"agent": "ci", "id": "robot"}, "status": "success"}


def forget_views(where: Path) -> None:
    """Delete the index and every sidecar."""
    for path in [*(where / ".git/sage").glob("index.sqlite*"), *where.rglob("*.sage")]:
        if path.is_file():
            path.unlink()


def test_a_statement_about_a_file_that_others_made_stays_with_it(repository: GitRepository) -> None:
    keep_record(repository)
    repository.commit("theirs", **{"theirs.txt": "1\n"})
    clone = repository.clone("clone")
    keep_record(clone)
    said = append_event(clone.path / "theirs.txt.sage", BUILD)
    before = sidecars_on_disk(clone.path)
    assert said.line in before[b"theirs.txt.sage"]
    forget_views(clone.path)
    sage(clone.path, "record")
    assert sidecars_on_disk(clone.path) == before


def test_what_was_said_of_a_source_stays_with_it_when_another_takes_its_name(repository: GitRepository) -> None:
    """Whoever looks while the other is there, and whoever does not, come to the same."""
    repository.commit("first", **{"a.txt": "1\n" * 9})
    sage(repository.path, "init")
    said = append_event(repository.path / "a.txt.sage", BUILD)
    repository.git("mv", "a.txt", "b.txt")
    repository.commit("moved")
    repository.commit("another", **{"a.txt": "something else\n"})
    sage(repository.path, "record")
    shown = sidecars_on_disk(repository.path)
    assert said.line in shown[b"b.txt.sage"]
    assert said.line not in shown[b"a.txt.sage"]


def loses_its_index_on_the_way(repository: GitRepository) -> Path:
    """The sidecar of a source that HEAD ceased to have while no index remembered who wrote it."""
    repository.commit("base", **{"kept.txt": "1\n"})
    sage(repository.path, "init")
    repository.git("branch", "other")
    repository.commit("more", **{"folder/more.txt": "1\n"})
    sage(repository.path, "record")
    for index in (repository.path / ".git/sage").glob("index.sqlite*"):
        index.unlink()
    return repository.path / "folder/more.txt.sage"


def test_the_sidecar_of_a_source_that_went_while_the_index_was_lost_goes_too(repository: GitRepository) -> None:
    sidecar = loses_its_index_on_the_way(repository)
    repository.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "other")
    assert sidecar.exists()
    sage(repository.path, "record")
    assert not sidecar.parent.exists()
    sage(repository.path, "fsck")
    repository.git("checkout", "-q", "main")
    assert sidecar.exists()


def test_a_sidecar_that_says_more_than_the_record_stays_whoever_left_it(repository: GitRepository) -> None:
    sidecar = loses_its_index_on_the_way(repository)
    with sidecar.open("ab") as file:
        file.write(b"by hand\n")
    before = sidecar.read_bytes()
    repository.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "other")
    assert run_here("-C", str(repository.path), "record").returncode == 1
    assert sidecar.read_bytes() == before


def test_own_edits_of_files_that_others_made_stay_in_their_chronicles(repository: GitRepository) -> None:
    keep_record(repository)
    repository.commit("theirs", **{"theirs.txt": "1\n"})
    clone = repository.clone("clone")
    keep_record(clone)
    clone.commit("ours", **{"theirs.txt": "2\n"})
    sage(clone.path, "record")
    before, events = sidecars_on_disk(clone.path), logged(clone.path)
    forget_views(clone.path)
    sage(clone.path, "record")
    assert sidecars_on_disk(clone.path) == before
    assert logged(clone.path) == events


def test_a_statement_after_the_index_was_lost_finds_its_facts(repository: GitRepository) -> None:
    keep_record(repository)
    repository.commit("one", **{"a.txt": "1\n"})
    sage(repository.path, "record")
    fact = logged(repository.path)[0]
    forget_views(repository.path)
    said = append_event(repository.path / "a.txt.sage", BUILD)
    assert said["prevEventId"] == fact["eventId"]


def test_a_worktree_shows_what_another_began_to_tell_of_a_file(repository: GitRepository) -> None:
    repository.commit("before", **{"a.txt": "1\n"})
    keep_record(repository)
    linked = repository.worktree("linked", "-q", "-b", "other")
    sage(linked.path, "record")
    repository.commit("edit", **{"a.txt": "2\n"})
    sage(repository.path, "record")
    sage(linked.path, "record")
    assert sidecars_on_disk(linked.path)[b"a.txt.sage"] == sidecars_on_disk(repository.path)[b"a.txt.sage"]


def test_a_damaged_index_is_made_anew_and_nothing_is_missing(repository: GitRepository) -> None:
    keep_record(repository)
    for number in range(6):
        repository.commit("more", **{f"{number}.txt": f"{number}\n" * 50})
    events = logged(repository.path)
    index = repository.path / ".git/sage/index.sqlite"
    content = bytearray(index.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    index.write_bytes(content)
    for leftover in index.parent.glob("index.sqlite-*"):
        leftover.unlink()
    repository.commit("last", **{"last.txt": "\n"})
    assert [event for event in logged(repository.path) if event["filePath"] != "last.txt"] == events


def test_a_name_that_is_not_utf_8_is_found_again_in_another_worktree(repository: GitRepository) -> None:
    (repository.path / os.fsdecode(b"50%\xff.txt")).write_text("1\n")
    repository.commit("before")
    keep_record(repository)
    linked = repository.worktree("linked", "-q", "-b", "other")
    sage(linked.path, "record")
    (repository.path / os.fsdecode(b"50%\xff.txt")).write_text("2\n")
    repository.commit("edit")
    sage(linked.path, "record")
    assert b"50%\xff.txt.sage" in sidecars_on_disk(linked.path)


def test_a_commit_that_a_clone_joined_at_and_amends_at_once_is_recorded(repository: GitRepository) -> None:
    keep_record(repository)
    clone = repository.clone("clone")
    keep_record(clone)
    joined = clone.head
    clone.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "--amend", "-m", "amended")
    assert joined in {event["graphCommit"] for event in logged(clone.path)}


def test_what_was_said_of_subjects_elsewhere_is_adopted_with_the_rest_in_the_order_it_was_said(
    repository: GitRepository,
) -> None:
    keep_record(repository)
    repository.commit("one", **{"a.txt": "1\n"})
    clone = repository.clone("clone")
    said = [
        append_event(repository.path / name, {**BUILD, "timestamp": f"2026-02-0{day}T00:00:00.000Z"})
        for day, name in enumerate((".sage/plans.sage", "a.txt.sage", ".sage/plans.sage", ".sage/builds.sage"), 1)
    ]
    keep_record(clone)
    for name in (".sage/plans.sage", "a.txt.sage", ".sage/builds.sage"):
        (clone.path / name).write_bytes((repository.path / name).read_bytes())
    sage(clone.path, "record")
    entries = [json.loads(line) for line in (clone.path / ".git/sage/tail.ndjson").read_bytes().splitlines()]
    adopted = [entry["eventId"] for entry in entries if entry.get("type") == "BUILD"]
    assert adopted == [event.event_id for event in said]
    assert (clone.path / ".sage/plans.sage").read_bytes() == (repository.path / ".sage/plans.sage").read_bytes()
    sage(clone.path, "fsck")
