"""Work that is done again is held against the edits themselves: not against merges, nor against copies elsewhere."""

from __future__ import annotations

import os

import pytest

from sage_git.chronicle.ids import ObjectId
from sage_git.judgement.standing import Ruling
from sage_git.operations.checkout import Checkout
from sage_git.operations.judging.judge import Judge
from sage_git.storage import queries
from tests.judged import Desk
from tests.kit import GitRepository

LINES = [f"line {n}\n" for n in range(30)]


def with_line(text: str, at: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:at], f"{new}\n", *lines[at:]])


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    repository.commit("first", f="".join(LINES))
    return Desk.begin(repository)


def test_rogue_work_that_a_merge_brought_in_stays_rogue_when_it_is_rebased(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    start, text = repository.head, repository.read("f")
    repository.git("switch", "-q", "-c", "theirs")
    unplanned = repository.commit("unplanned", f=with_line(text, 20, "U"))
    repository.git("switch", "-q", "-c", "other", start)
    repository.commit(f"planned\n\n{claim}", f=with_line(text, 3, "P"))
    repository.git("switch", "-q", "main")
    repository.git("reset", "-q", "--hard", "other")
    repository.git("merge", "-q", "--no-edit", "theirs")
    desk.sage("record")
    repository.git("switch", "-q", "theirs")
    repository.git("rebase", "-q", "other")
    assert repository.head != unplanned
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["U"]


def test_planned_work_stays_planned_though_an_evil_merge_brought_it_in_before(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    start, text = repository.head, repository.read("f")
    repository.git("switch", "-q", "-c", "work")
    repository.commit(f"planned\n\n{claim}", f=with_line(text, 3, "P"))
    repository.git("switch", "-q", "-c", "evil", start)
    repository.commit(f"more\n\n{claim}", f=with_line(text, 28, "M"))
    repository.git("merge", "-q", "--no-commit", "work")
    repository.commit("evil", f=with_line(repository.read("f"), 15, "E"))
    desk.sage("record")
    repository.git("switch", "-q", "-c", "again", start)
    repository.git("cherry-pick", "--no-commit", "work")
    repository.commit("planned, said otherwise")
    assert desk.open_edits() == []
    assert not [line for line in desk.lines("f") if line["rogue"]]


def test_bringing_back_what_was_reverted_is_a_change_of_its_own_though_a_copy_is_elsewhere(desk: Desk) -> None:
    repository = desk.repository
    desk.approve("p", "**")
    start = repository.head
    unplanned = repository.commit("unplanned", f=with_line(repository.read("f"), 9, "U"))
    repository.git("switch", "-q", "-c", "side", start)
    repository.commit("theirs", g="side\n")
    repository.git("cherry-pick", unplanned)
    repository.git("switch", "-q", "main")
    repository.git("revert", "--no-edit", unplanned)
    desk.sage("record")
    repository.git("revert", "--no-edit", "HEAD")
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["U"]


def test_an_evil_merge_stays_rogue_when_its_commit_is_amended_to_name_a_plan_though_it_was_squashed_before(
    desk: Desk,
) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    text = repository.read("f")
    repository.git("branch", "other")
    repository.git("switch", "-q", "-c", "side")
    repository.commit(f"side\n\n{claim}", f=with_line(text, 27, "P2"))
    repository.git("switch", "-q", "main")
    repository.commit(f"main\n\n{claim}", f=with_line(text, 3, "P1"))
    repository.git("merge", "-q", "--no-commit", "--no-ff", "side")
    repository.commit("merge", f=with_line(repository.read("f"), 15, "EVIL"))
    repository.git("switch", "-q", "other")
    repository.git("merge", "-q", "--squash", "main")
    repository.git("commit", "-q", "-m", "all of it")
    desk.sage("record")
    repository.git("switch", "-q", "main")
    repository.git("commit", "-q", "--amend", "-m", f"planned now\n\n{claim}")
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["EVIL"]


def settled_by_both(text: str) -> str:
    """The text of a conflict as an editor's "accept both changes" leaves it."""
    markers = ("<<<<<<< ", "=======\n", ">>>>>>> ")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(markers))


def conflicted_twice(desk: Desk, distance: int) -> GitRepository:
    """A merge of planned work that stopped at two conflicts, so many lines of the source apart."""
    repository, claim = desk.repository, desk.approve("p", "**")
    text, start = repository.read("f"), repository.head
    for branch, line in (("side", "theirs"), ("main", "ours")):
        repository.git("switch", "-q", "-C", branch, start)
        changed = text.replace("line 9\n", f"{line} 1\n").replace(f"line {10 + distance}\n", f"{line} 2\n")
        repository.commit(f"{line}\n\n{claim}", f=changed)
    repository.run("merge", "-q", "--no-ff", "side")
    return repository


def test_who_takes_both_sides_of_what_git_shows_as_one_conflict_adds_nothing(desk: Desk) -> None:
    repository = conflicted_twice(desk, 3)
    both = settled_by_both(repository.read("f"))
    assert both.count("line 11\n") == 2
    repository.commit("merge", f=both)
    assert desk.open_edits() == []


def test_what_stands_between_two_conflicts_that_git_shows_apart_stands_once(desk: Desk) -> None:
    repository = conflicted_twice(desk, 4)
    both = settled_by_both(repository.read("f"))
    assert both.count("line 11\n") == 1
    repository.commit("merge", f=both.replace("line 11\n", "line 11\nline 11\n"))
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]


def test_a_resolution_of_a_merge_of_branches_that_were_merged_both_ways_adds_nothing(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "side")
    for turn in range(2):
        for branch in ("main", "side"):
            repository.git("switch", "-q", branch)
            text = repository.read("f").replace("line 3\n", f"line 3\n{branch} {turn}\n")
            repository.commit(f"{branch}\n\n{claim}", f=text)
        tips = {branch: repository.git("rev-parse", branch) for branch in ("main", "side")}
        for branch, other in (("main", "side"), ("side", "main")):
            repository.git("switch", "-q", branch)
            repository.run("merge", "-q", "--no-ff", tips[other])
            repository.commit("merge", f=settled_by_both(repository.read("f")))
        assert desk.open_edits() == []


def test_what_git_merged_by_itself_stays_answered_for_when_the_first_approval_comes_after_an_evil_merge(
    desk: Desk,
) -> None:
    repository = desk.repository
    text = repository.read("f")
    repository.commit("a second file", g=text)
    repository.git("switch", "-q", "-c", "side")
    repository.commit("side", f=with_line(text, 3, "S"), g=with_line(text, 3, "S"))
    repository.git("switch", "-q", "main")
    repository.commit("main", f=with_line(text, 27, "M"), g=with_line(text, 27, "M"))
    repository.git("merge", "-q", "--no-commit", "--no-ff", "side")
    merge = repository.commit("evil", f=with_line(repository.read("f"), 15, "E"))
    assert [edit["filePath"] for edit in desk.open_edits() if edit["commit"] == merge] == ["f"]
    desk.approve("p", "**")
    repository.git("switch", "-q", "-c", "later", "main")
    repository.commit(f"planned\n\n{desk.claim('p')}", h="h\n")
    desk.sage("record")
    with Checkout.open(repository.path, os.environ) as checkout:
        rows = queries.of_commit(checkout.index.connection, ObjectId(merge))
        judge = Judge.of(checkout)
        rulings = {
            row.event["filePath"]: judge.standing(row.event_id).ruling for row in rows if row.type == "FILE_EDITED"
        }
    assert rulings == {"f": Ruling.ROGUE, "g": Ruling.MERGE}


def squashed_beside_a_denied_one(desk: Desk, first: str, message: str) -> GitRepository:
    """A squash of two edits, the first with this message, the second by a plan that was denied before it."""
    repository, text = desk.repository, desk.repository.read("f")
    repository.git("branch", "other")
    repository.commit(first, f=with_line(text, 3, "ONE"))
    repository.commit(f"second\n\n{desk.approve('q', '**')}", f=with_line(repository.read("f"), 20, "TWO"))
    desk.deny("q")
    desk.sage("record")
    repository.git("switch", "-q", "other")
    repository.git("merge", "-q", "--squash", "main")
    desk.tick()
    repository.git("commit", "-q", "-m", message)
    return repository


def test_what_may_not_be_done_again_is_rogue_and_not_what_it_is_squashed_with(desk: Desk) -> None:
    claim = desk.approve("p", "**")
    repository = squashed_beside_a_denied_one(desk, f"first\n\n{claim}", "both")
    assert [(edit["commit"], edit["lines"]) for edit in desk.open_edits()] == [(repository.head, [[21, 21]])]
    assert [line["text"] for line in desk.lines("f") if line["rogue"]] == ["TWO"]
    repository.git("commit", "-q", "--amend", "-m", "both, said otherwise")
    assert [line["text"] for line in desk.lines("f") if line["rogue"]] == ["TWO"]
    desk.reconcile("f")
    assert desk.open_edits() == []


def test_an_unplanned_edit_stays_open_when_it_is_squashed_under_a_plan_with_one_whose_plan_was_denied(
    desk: Desk,
) -> None:
    claim = desk.approve("p", "**")
    repository = squashed_beside_a_denied_one(desk, "unplanned", f"both\n\n{claim}")
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["ONE"]


def test_what_a_resolution_left_out_is_not_done_yet(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    text = repository.read("f")
    repository.git("switch", "-q", "-c", "side")
    unplanned = repository.commit("unplanned", f=with_line(with_line(text, 20, "U2"), 10, "U1"))
    repository.git("switch", "-q", "main")
    repository.commit(f"planned\n\n{claim}", f=with_line(text, 10, "P"))
    desk.sage("record")
    assert repository.run("cherry-pick", unplanned).returncode == 1
    repository.write("f", with_line(with_line(text, 10, "P"), 11, "U1"))
    repository.git("add", "f")
    repository.git("cherry-pick", "--continue")
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["U1"]
    repository.commit(f"planned too\n\n{claim}", f=with_line(with_line(text, 10, "P"), 21, "U2"))
    repository.git("reset", "-q", "--soft", "HEAD~2")
    repository.git("commit", "-q", "-m", f"and the rest\n\n{claim}")
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["U2"]


def test_a_remainder_that_was_smuggled_into_an_amended_commit_stays_rogue_where_the_original_was_before(
    desk: Desk,
) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    text, start = repository.read("f"), repository.head
    planned = repository.commit(f"planned\n\n{claim}", f=with_line(text, 3, "P"))
    desk.sage("record")
    repository.write("f", with_line(repository.read("f"), 20, "U"))
    repository.git("commit", "-q", "-a", "--amend", "-m", "nobody's")
    amended = repository.head
    desk.sage("record")
    repository.git("switch", "-q", "-c", "side", start)
    repository.git("cherry-pick", planned)
    repository.git("cherry-pick", "--no-commit", amended)
    repository.git("commit", "-q", "-m", f"once more\n\n{claim}")
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["U"]


def test_a_picked_edit_is_itself_though_to_remove_the_source_and_add_it_again_would_do_the_same(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    text, start = repository.read("f"), repository.head
    repository.git("switch", "-q", "-c", "other")
    repository.commit(f"one\n\n{claim}", f=with_line(text, 3, "ONE"))
    planned = repository.commit(f"two\n\n{claim}", f=with_line(repository.read("f"), 20, "TWO"))
    two = repository.read("f")
    repository.git("switch", "-q", "-c", "removes", start)
    repository.commit(f"one too\n\n{claim}", f=with_line(text, 3, "ONE"))
    repository.commit(f"three\n\n{claim}", f=with_line(repository.read("f"), 28, "THREE"))
    repository.commit("gone", f=None)
    repository.commit(f"back\n\n{claim}", f=two)
    desk.sage("record")
    repository.git("switch", "-q", "-c", "picks", start)
    repository.commit(f"zero\n\n{claim}", f=with_line(text, 8, "ZERO"))
    repository.git("cherry-pick", "--no-commit", planned)
    repository.git("commit", "-q", "-m", "two, picked")
    assert desk.open_edits() == []


def test_a_source_that_was_removed_here_and_kept_as_it_was_there_is_whose_it_was_there(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    text = repository.read("f")
    repository.git("switch", "-q", "-c", "side")
    repository.commit("unplanned", f=with_line(text, 10, "U"))
    repository.commit(f"planned\n\n{claim}", f=with_line(repository.read("f"), 20, "P"))
    kept = repository.read("f")
    desk.sage("record")
    repository.git("switch", "-q", "main")
    repository.commit(f"gone\n\n{claim}", f=None)
    assert repository.run("merge", "-q", "--squash", "side").returncode == 1
    repository.commit(f"all of it\n\n{claim}", f=kept)
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["U"]
    desk.reconcile("f")
    assert desk.open_edits() == []


def test_a_planned_line_that_was_removed_under_a_plan_is_rogue_when_an_unplanned_squash_brings_it_back(
    desk: Desk,
) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.commit(f"planned\n\n{claim}", f=with_line(repository.read("f"), 10, "P"))
    repository.git("branch", "side")
    repository.commit(f"gone\n\n{claim}", f=None)
    gone = repository.head
    repository.git("switch", "-q", "side")
    repository.git("merge", "-q", "-s", "ours", "--no-edit", gone)
    repository.commit("unplanned", f=with_line(repository.read("f"), 20, "U"))
    desk.sage("record")
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--squash", "side")
    repository.git("commit", "-q", "-m", "all of it")
    assert {"P", "U"} <= {line["text"] for line in desk.lines("f") if line["open"]}


def test_a_line_that_is_there_twice_after_a_squash_is_shown_twice(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    text = repository.read("f")
    repository.git("branch", "side")
    repository.commit(f"ours\n\n{claim}", f=with_line(text, 10, "O"))
    repository.git("switch", "-q", "side")
    repository.commit("theirs", f=with_line(text, 10, "T"))
    desk.sage("record")
    repository.git("switch", "-q", "main")
    assert repository.run("merge", "-q", "--squash", "side").returncode == 1
    twice = with_line(with_line(with_line(text, 25, "T"), 10, "O"), 3, "T")
    repository.commit("all of it", f=twice)
    assert "".join(f"{line['text']}\n" for line in desk.lines("f")) == twice
