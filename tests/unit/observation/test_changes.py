"""The raw output of diff-tree: what git writes is read back field by field."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.ids import ObjectId
from sage_git.observation.changes import Change, ChangeKind, MergeChange, parse_changes, parse_merge_changes

ABSENT = ("000000", ObjectId("0" * 40))
WITH_SOURCE = {ChangeKind.RENAMED: b"R087", ChangeKind.COPIED: b"C100"}
NAMES = st.binary(min_size=1, max_size=8).map(lambda name: name.replace(b"\0", b":"))  # git's paths have no NUL
IDS = st.text("0123456789abcdef", min_size=40, max_size=40).map(ObjectId)
ENTRIES = st.tuples(st.sampled_from(("100644", "100755", "120000", "160000")), IDS)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    kind = draw(st.sampled_from(ChangeKind))
    old = ABSENT if kind is ChangeKind.ADDED else draw(ENTRIES)
    new = ABSENT if kind is ChangeKind.REMOVED else draw(ENTRIES)
    source = draw(NAMES) if kind in WITH_SOURCE else None
    return Change(kind, draw(NAMES), source, old[0], new[0], old[1], new[1])


@st.composite
def merge_changes(draw: st.DrawFn) -> MergeChange:
    old = tuple(draw(st.lists(st.one_of(ENTRIES, st.just(ABSENT)), min_size=2, max_size=4)))
    new = draw(st.one_of(ENTRIES, st.just(ABSENT)))
    return MergeChange(draw(NAMES), old, *new)


def fields_of(change: Change) -> list[bytes]:
    status = WITH_SOURCE.get(change.kind, change.kind.value.encode())
    words = f":{change.old_mode} {change.new_mode} {change.old_id} {change.new_id} ".encode() + status
    return [words, *([change.source] if change.source is not None else []), change.path]


def merge_fields_of(change: MergeChange) -> list[bytes]:
    modes = " ".join([mode for mode, _ in change.old] + [change.new_mode])
    ids = " ".join([oid for _, oid in change.old] + [change.new_id])
    return [f"{':' * len(change.old)}{modes} {ids} {'M' * len(change.old)}".encode(), change.path]


@given(st.lists(changes()))
def test_what_git_writes_of_a_commit_is_read_back(written):
    assert parse_changes([field for change in written for field in fields_of(change)]) == written


@given(st.lists(merge_changes()))
def test_what_git_writes_of_a_merge_is_read_back(written):
    assert parse_merge_changes([field for change in written for field in merge_fields_of(change)]) == written


def test_a_file_that_becomes_a_link_is_edited():
    (change,) = parse_changes([f":100644 120000 {'1' * 40} {'2' * 40} T".encode(), b"x"])
    assert (change.kind, change.old_mode, change.new_mode) == (ChangeKind.EDITED, "100644", "120000")


@given(merge_changes())
def test_new_to_the_first_parent_is_what_it_lacks_and_the_merge_has(change):
    assert change.is_new_to_first == (change.old[0] == ABSENT and (change.new_mode, change.new_id) != ABSENT)
