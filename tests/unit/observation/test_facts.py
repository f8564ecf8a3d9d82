"""Which facts a commit establishes, and whom they follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from sage_git.chronicle.event import check_event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.observation.changes import SUBMODULE_MODE, Change, ChangeKind, MergeChange
from sage_git.observation.commit import Commit
from sage_git.observation.facts import Observation, observe, observe_merge
from sage_git.observation.moves import Merge, Split

OLD, NEW, OTHER = (ObjectId(digit * 40) for digit in "123")
NULL = ObjectId("0" * 40)
ABSENT = ("000000", NULL)
BEFORE = {b"a": (EventId("a" * 64),), b"b": (EventId("f" * 64), EventId("b" * 64))}
"""The newest facts of two paths before the commit."""


def commit(parents: int = 1) -> Commit:
    return Commit(ObjectId("c" * 40), (OLD, NEW, OTHER)[:parents], b"Ada <ada@example.org>", 0, b"")


def change(kind: ChangeKind, path: bytes, source: bytes | None = None, *, mode: str = "100644") -> Change:
    old = ABSENT if kind is ChangeKind.ADDED else ("100644", OLD)
    new = ABSENT if kind is ChangeKind.REMOVED else (mode, NEW)
    return Change(kind, path, source, old[0], new[0], old[1], new[1])


def observed(*changes: Change, moves: Sequence[Split | Merge] = ()) -> Observation:
    return checked(observe(commit(), changes, moves, {NEW: 7}, parents_in(BEFORE)))


def observed_merge(*changes: MergeChange, renames: Mapping[bytes, Change] | None = None) -> Observation:
    return checked(observe_merge(commit(2), changes, renames or {}, {NEW: 7}, parents_in(BEFORE)))


def parents_in(heads: Mapping[bytes, tuple[EventId, ...]]) -> Callable[[bytes], tuple[EventId, ...]]:
    return lambda path: heads.get(path, ())


def checked(observation: Observation) -> Observation:
    """`observation`, whose facts are valid events with true ids, parents first."""
    seen: set[EventId | None] = {fact for facts in BEFORE.values() for fact in facts}
    for fact in observation.facts:
        assert check_event(fact.event.fields) == []
        assert fact.event.has_true_id()
        assert seen.issuperset(fact.event.parents)
        seen.add(fact.event.event_id)
    return observation


def types(observation: Observation) -> list[str]:
    return [fact.event.type for fact in observation.facts]


def test_an_added_file_has_its_size_and_mode_and_begins_or_continues_a_life():
    first, again = observed(change(ChangeKind.ADDED, b"new"), change(ChangeKind.ADDED, b"a")).facts
    assert (first.event["size"], first.event["mode"], first.event.parents) == (7, "100644", ())
    assert again.event.parents == BEFORE[b"a"], "a path that was removed and comes back"


def test_a_copy_says_of_what_and_a_submodule_link_has_no_size():
    copy, link = observed(
        change(ChangeKind.COPIED, b"new", b"a"), change(ChangeKind.ADDED, b"sub", mode=SUBMODULE_MODE)
    ).facts
    assert (copy.event["copiedFrom"], copy.event.parents) == ("a", ())
    assert (link.event["size"], "copiedFrom" in link.event) == (0, False)


def test_an_edit_follows_all_that_was_newest_and_tells_modes_only_if_they_differ():
    plain, mode = observed(change(ChangeKind.EDITED, b"b"), change(ChangeKind.EDITED, b"a", mode="100755")).facts
    assert (plain.event["prevEventId"], plain.event["mergedEventIds"]) == ("f" * 64, ["b" * 64])
    assert "mode" not in plain.event
    assert (mode.event["lastMode"], mode.event["mode"]) == ("100644", "100755")


def test_a_rename_follows_its_source_and_leaves_nothing_there():
    found = observed(change(ChangeKind.RENAMED, b"new", b"a"))
    renamed, edited = (fact.event for fact in found.facts)
    assert (renamed.type, renamed["oldPath"], renamed["newPath"]) == ("FILE_RENAMED", "a", "new")
    assert (renamed["hash"], renamed.parents) == (OLD, BEFORE[b"a"])
    assert (edited.type, edited.parents) == ("FILE_EDITED", (renamed.event_id,))
    assert found.heads == {b"a": (), b"new": (edited.event_id,)}


def test_two_files_that_swap_their_names_are_both_there_afterwards():
    found = observed(change(ChangeKind.RENAMED, b"b", b"a"), change(ChangeKind.RENAMED, b"a", b"b"))
    assert all(len(found.heads[path]) == 1 for path in (b"a", b"b"))


def test_a_removal_stays_the_newest_fact_of_its_path():
    found = observed(change(ChangeKind.REMOVED, b"a"))
    assert found.heads == {b"a": (found.facts[0].event.event_id,)}
    assert found.facts[0].event["lastHash"] == OLD


def test_a_split_follows_the_facts_of_its_paths_and_is_their_last_one():
    split = Split(b"a", (b"x", b"y"))
    changes = (change(ChangeKind.EDITED, b"a"), change(ChangeKind.ADDED, b"x"), change(ChangeKind.ADDED, b"y"))
    found = observed(*changes, moves=[split])
    *facts, last = (fact.event for fact in found.facts)
    assert last["prevEventId"] == facts[0].event_id
    assert last["mergedEventIds"] == sorted(str(fact.event_id) for fact in facts[1:])
    assert last["originalHash"] == OLD
    assert set(found.heads.values()) == {(last.event_id,)}
    assert found.facts[-1].path is None


def test_several_moves_of_one_commit_are_last_together_and_follow_its_other_facts_only():
    changes = (change(ChangeKind.EDITED, b"a"), change(ChangeKind.EDITED, b"b"), change(ChangeKind.ADDED, b"x"))
    found = observed(*changes, moves=[Split(b"a", (b"x",)), Split(b"b", (b"x",))])
    first, second = (fact.event for fact in found.facts[-2:])
    assert found.heads[b"x"] == tuple(sorted(map(str, (first.event_id, second.event_id))))
    assert first.event_id not in second.parents


def test_a_merge_of_files_under_a_new_name_is_one_of_the_path_that_the_file_has_now():
    changes = (change(ChangeKind.RENAMED, b"new", b"a"), change(ChangeKind.REMOVED, b"b"))
    found = observed(*changes, moves=[Merge((b"a", b"b"), b"new")])
    last = found.facts[-1].event
    assert (last["sourcePaths"], last["resultPath"], last["resultHash"]) == (["a", "b"], "new", NEW)
    assert found.heads == {b"a": (), b"b": (last.event_id,), b"new": (last.event_id,)}


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ((ABSENT, ABSENT), ("100644", NEW), ("FILE_ADDED", None)),
        ((ABSENT, ("100644", OTHER)), ("100644", NEW), ("FILE_EDITED", OTHER)),
        ((("100644", OLD), ("100644", OTHER)), ("100644", NEW), ("FILE_EDITED", OLD)),
        ((("100644", OLD), ("100644", OTHER)), ABSENT, ("FILE_REMOVED", OLD)),
    ],
)
def test_a_merge_tells_the_difference_from_the_first_parent_that_has_the_path(old, new, expected):
    (fact,) = observed_merge(MergeChange(b"a", old, *new)).facts
    assert (fact.event.type, fact.event.get("lastHash")) == expected
    assert fact.event.parents == BEFORE[b"a"]


def test_a_merge_that_renames_what_the_first_parent_has_writes_no_removal():
    rename = Change(ChangeKind.RENAMED, b"new", b"a", "100644", "100644", OLD, OLD)
    arrived = MergeChange(b"new", (ABSENT, ABSENT), "100644", NEW)
    gone = MergeChange(b"a", (("100644", OLD), ("100644", OTHER)), *ABSENT)
    found = observed_merge(gone, arrived, renames={b"new": rename})
    assert types(found) == ["FILE_RENAMED", "FILE_EDITED"]
    assert found.heads[b"a"] == ()


def test_the_edit_after_a_rename_in_a_merge_joins_what_stood_at_the_new_path():
    rename = Change(ChangeKind.RENAMED, b"b", b"a", "100644", "100644", OLD, OLD)
    found = observed_merge(MergeChange(b"b", (ABSENT, ("100644", OTHER)), "100644", NEW), renames={b"b": rename})
    renamed, edited = (fact.event for fact in found.facts)
    assert edited["prevEventId"] == renamed.event_id
    assert edited["mergedEventIds"] == sorted(BEFORE[b"b"])
    assert edited["lastHash"] == OTHER


def test_one_path_that_is_not_utf_8_has_all_paths_of_its_event_encoded():
    odd, plain = observed(change(ChangeKind.RENAMED, b"\xff", b"50%"), change(ChangeKind.ADDED, b"50% more")).facts[::2]
    assert (odd.event["oldPath"], odd.event["newPath"], odd.event["pathEncoding"]) == ("50%25", "%FF", "percent")
    assert (plain.event["filePath"], "pathEncoding" in plain.event) == ("50% more", False)
