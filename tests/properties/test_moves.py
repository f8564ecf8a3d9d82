"""Laws of splits and merges, over commits that deal lines out at random, against the definition taken literally."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_git.chronicle.ids import ObjectId
from sage_git.observation.changes import Change, ChangeKind
from sage_git.observation.moves import MAX_FILES, Merge, Split, blobs_to_compare, find_moves

NULL = ObjectId("0" * 40)
NEW_KINDS = (ChangeKind.ADDED, ChangeKind.COPIED)
LINES = [b"line %d" % number for number in range(60)]
NOISE = [b"}", b"else:", b"return", b"", b"\tline 3", b"line 14\r", b"line 25", b"import line 5", b"@line"]
PASSAGES = [b"\n".join(LINES[first : first + length]) for first in range(0, 60, 10) for length in (3, 5, 7, 10)]

Commit = tuple[list[Change], dict[ObjectId, bytes | None]]


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    """Up to six changes, and the contents of their blobs; lines wander between the files."""
    passages, noise = st.lists(st.sampled_from(PASSAGES), max_size=3), st.lists(st.sampled_from(NOISE), max_size=3)
    content = st.tuples(noise, passages, noise).map(lambda parts: b"\n".join(chain.from_iterable(parts)))
    changes: list[Change] = []
    contents: dict[ObjectId, bytes | None] = {}
    for number in range(draw(st.integers(2, 6))):
        kind = draw(st.sampled_from(ChangeKind))
        before, after = draw(content), draw(content)
        old, new = ObjectId(f"{2 * number + 1:040x}"), ObjectId(f"{2 * number + 2:040x}")
        contents |= {old: before, new: after}
        source = b"old%d" % number if kind in (ChangeKind.RENAMED, ChangeKind.COPIED) else None
        has_old, has_new = kind is not ChangeKind.ADDED, kind is not ChangeKind.REMOVED
        changes.append(
            Change(
                kind,
                b"new%d" % number,
                source,
                "100644" if has_old else "000000",
                "100644" if has_new else "000000",
                old if has_old else NULL,
                new if has_new else NULL,
            )
        )
    return changes, contents


def telling(content: bytes) -> set[bytes]:
    stripped = {line.strip() for line in content.split(b"\n")}
    return {
        line
        for line in stripped
        if re.search(rb"\w\w\w", line) and line not in (b"else:", b"return", b"import line 5", b"@line")
    }


def literal_moves(changes: Sequence[Change], contents: dict[ObjectId, bytes | None]) -> list[Split | Merge]:
    """The definition in the docstring of `moves`, word by word and pair by pair."""
    lost, gained = {}, {}
    for change in changes:
        before = b"" if change.kind in NEW_KINDS else contents[change.old_id] or b""
        after = b"" if change.kind is ChangeKind.REMOVED else contents[change.new_id] or b""
        lost[change], gained[change] = telling(before) - telling(after), telling(after) - telling(before)

    def has_part(origin: Change, target: Change, whole: set[bytes]) -> bool:
        common = lost[origin] & gained[target]
        own = {
            line
            for line in common
            if sum(line in lines for lines in lost.values()) == 1
            and sum(line in lines for lines in gained.values()) == 1
        }
        return len(common) >= max(5, 0.2 * len(whole)) and len(own) >= max(2.5, 0.1 * len(whole))

    splits, merges = [], []
    for origin in changes:
        results = {t.path for t in changes if t.kind in NEW_KINDS and has_part(origin, t, gained[t])}
        if results and origin.kind is ChangeKind.RENAMED:
            results.add(origin.path)
        if len(results) > (origin.kind is ChangeKind.REMOVED):
            splits.append(Split(origin.source or origin.path, tuple(sorted(results))))
    for target in changes:
        sources = {s.path for s in changes if s.kind is ChangeKind.REMOVED and has_part(s, target, lost[s])}
        if sources and target.kind not in NEW_KINDS:
            sources.add(target.source or target.path)
        if len(sources) > 1:
            merges.append(Merge(tuple(sorted(sources)), target.path))
    return [*sorted(splits, key=lambda s: s.original), *sorted(merges, key=lambda m: m.result)]


def check_laws(commit: Commit, order: Sequence[int]) -> None:
    changes, contents = commit
    moves = find_moves(changes, contents)
    assert moves == literal_moves(changes, contents)
    assert moves == find_moves([changes[number] for number in order if number < len(changes)], contents)
    assert moves == find_moves(changes, {blob: contents[blob] for blob in blobs_to_compare(changes)})

    born = {change.path for change in changes if change.kind in (*NEW_KINDS, ChangeKind.RENAMED)}
    gone = {change.source or change.path for change in changes if change.kind not in NEW_KINDS}
    alive = {change.path for change in changes if change.kind is not ChangeKind.REMOVED}
    for move in moves:
        match move:
            case Split(original, results):
                assert original in gone
                assert results
                assert set(results) <= born
            case Merge(sources, result):
                assert result in alive
                assert len(sources) > 1
                assert set(sources) <= gone


@settings(max_examples=150)
@given(commits(), st.permutations(range(6)))
def test_moves_are_those_of_the_definition_in_any_order_of_changes(commit: Commit, order: list[int]) -> None:
    check_laws(commit, order)


@pytest.mark.soak
@settings(max_examples=20_000)
@given(commits(), st.permutations(range(6)))
def test_moves_are_those_of_the_definition_in_many_more_commits(commit: Commit, order: list[int]) -> None:
    check_laws(commit, order)


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_at_all_are_compared_without_an_error(before: bytes, after: bytes, added: bytes) -> None:
    old, new, fresh = (ObjectId(digit * 40) for digit in "123")
    changes = [
        Change(ChangeKind.EDITED, b"a", None, "100644", "100644", old, new),
        Change(ChangeKind.ADDED, b"b", None, "000000", "100644", NULL, fresh),
        Change(ChangeKind.REMOVED, b"c", None, "100644", "000000", fresh, NULL),
    ]
    find_moves(changes, {old: before, new: after, fresh: added})


def test_hundreds_of_files_that_trade_lines_stay_linear() -> None:
    """Every removed file deals its lines out to every added one: the worst case for comparing pairs."""
    count = MAX_FILES // 2
    grid = [[b"line %d to %d number %d" % (*pair, n) for n in range(3)] for pair in product(range(count), repeat=2)]
    contents: dict[ObjectId, bytes | None] = {}
    changes = []
    for number in range(count):
        old, new = ObjectId(f"{number:040x}"), ObjectId(f"{number + count:040x}")
        contents[old] = b"\n".join(line for cell in grid[number * count : (number + 1) * count] for line in cell)
        contents[new] = b"\n".join(line for cell in grid[number::count] for line in cell)
        changes.append(Change(ChangeKind.REMOVED, b"old%d" % number, None, "100644", "000000", old, NULL))
        changes.append(Change(ChangeKind.ADDED, b"new%d" % number, None, "000000", "100644", NULL, new))
    assert find_moves(changes, contents) == []
