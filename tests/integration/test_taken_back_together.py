"""Several edits taken back by one commit: as a merged branch is reverted, or `git revert -n` with several commits."""

from __future__ import annotations

import pytest

from tests.judged import Desk
from tests.kit import GitRepository

LINES = [f"line {n}" for n in range(30)]


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def with_lines(*inserted: str) -> str:
    """The lines, each of `inserted` (`AT:TEXT`) before the AT-th."""
    places = {int(at): text for at, text in (each.split(":") for each in inserted)}
    return text_of([text for n, line in enumerate(LINES) for text in ([places[n]] if n in places else []) + [line]])


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    repository.commit("first", f=text_of(LINES), g=text_of(LINES))
    desk = Desk.begin(repository)
    desk.approve("p", "**")
    return desk


def branch_with_two_rogue_edits(desk: Desk) -> None:
    repository = desk.repository
    repository.git("switch", "-q", "-c", "side")
    repository.commit("one", f=with_lines("5:U1"))
    repository.commit("two", f=with_lines("5:U1", "20:U2"), new="U3\n")
    repository.git("switch", "-q", "main")


def merge(desk: Desk) -> None:
    desk.repository.git("merge", "-q", "--no-ff", "--no-edit", "side")


@pytest.mark.parametrize("elsewhere", ["f", "g", None])
def test_a_reverted_merge_takes_back_all_that_its_branch_did(desk: Desk, elsewhere: str | None) -> None:
    branch_with_two_rogue_edits(desk)
    if elsewhere:
        desk.repository.commit(f"planned\n\n{desk.claim('p')}", **{elsewhere: with_lines("13:P")})
    merge(desk)
    assert len(desk.open_edits()) == 3
    desk.repository.git("revert", "--no-edit", "-m", "1", "HEAD")
    assert desk.open_edits() == []


def test_a_reverted_merge_of_a_branch_that_had_merged_main_leaves_what_came_from_there(desk: Desk) -> None:
    branch_with_two_rogue_edits(desk)
    desk.repository.commit("open", f=with_lines("13:U9"))
    opened = desk.repository.head
    desk.repository.git("switch", "-q", "side")
    desk.repository.git("merge", "-q", "--no-edit", "main")
    desk.repository.git("switch", "-q", "main")
    merge(desk)
    desk.repository.git("revert", "--no-edit", "-m", "1", "HEAD")
    assert [edit["commit"] for edit in desk.open_edits()] == [opened]


def test_edits_far_apart_that_one_commit_reverts_are_taken_back(desk: Desk) -> None:
    repository = desk.repository
    one = repository.commit("one", f=with_lines("5:U1"))
    repository.commit(f"planned\n\n{desk.claim('p')}", f=with_lines("5:U1", "13:P"))
    two = repository.commit("two", f=with_lines("5:U1", "13:P", "20:U2"))
    three = repository.commit("three", f=with_lines("5:U1", "13:P", "20:U2", "25:U3"))
    repository.git("revert", "--no-commit", two, one)
    repository.git("commit", "-q", "-m", "not these")
    assert [edit["commit"] for edit in desk.open_edits()] == [three]


def test_lines_that_come_back_are_whose_they_were(desk: Desk) -> None:
    repository = desk.repository
    planned = repository.commit(f"planned\n\n{desk.claim('p')}", f=with_lines("13:P1", "20:P2"))
    before = repository.head
    repository.commit("one", f=with_lines("13:U1", "20:P2"))
    repository.commit("two", f=with_lines("13:U1", "20:U2"))
    repository.git("revert", "--no-commit", f"{before}..HEAD")
    repository.git("commit", "-q", "-m", "neither of them")
    lines = {line["text"]: line for line in desk.lines("f")}
    assert [(lines[each]["commit"], lines[each]["rogue"]) for each in ("P1", "P2")] == [(planned, False)] * 2
    assert desk.open_edits() == []


@pytest.mark.parametrize("is_planned", [False, True])
def test_planned_work_that_goes_with_it_wants_an_answer_and_a_plan_is_one_for_all(desk: Desk, is_planned: bool) -> None:
    branch_with_two_rogue_edits(desk)
    repository = desk.repository
    repository.git("switch", "-q", "side")
    repository.commit(f"planned\n\n{desk.claim('p')}", f=with_lines("5:U1", "13:P", "20:U2"))
    repository.git("switch", "-q", "main")
    merge(desk)
    repository.git("revert", "--no-commit", "-m", "1", "HEAD")
    repository.git("commit", "-q", "-m", f"not these\n\n{desk.claim('p') if is_planned else ''}")
    found = [edit["commit"] for edit in desk.open_edits() if edit["filePath"] == "f"]
    assert (repository.head in found, len(found)) == ((False, 0) if is_planned else (True, 3))


def test_what_takes_them_back_and_does_more_is_open(desk: Desk) -> None:
    branch_with_two_rogue_edits(desk)
    merge(desk)
    repository = desk.repository
    repository.git("revert", "--no-commit", "-m", "1", "HEAD")
    more = repository.commit("and more", f=with_lines("13:U7"))
    assert more in {edit["commit"] for edit in desk.open_edits()}
    assert len([edit for edit in desk.open_edits() if edit["filePath"] == "f"]) == 3


def test_edits_that_were_applied_again_after_that_are_open(desk: Desk) -> None:
    branch_with_two_rogue_edits(desk)
    merge(desk)
    repository = desk.repository
    repository.git("revert", "--no-edit", "-m", "1", "HEAD")
    repository.git("revert", "--no-edit", "HEAD")
    assert {edit["commit"] for edit in desk.open_edits()} == {repository.head}


def test_what_was_done_and_taken_back_meanwhile_is_no_part_of_it(desk: Desk) -> None:
    repository = desk.repository
    repository.commit("one", f=with_lines("5:U1"))
    repository.commit(f"planned\n\n{desk.claim('p')}", f=with_lines("5:U1", "13:P"))
    repository.commit(f"less\n\n{desk.claim('p')}", f=with_lines("5:U1"))
    repository.commit("two", f=with_lines("5:U1", "20:U2"))
    repository.commit("neither", f=text_of(LINES))
    assert desk.open_edits() == []


def test_an_edit_and_the_removal_after_it_are_taken_back_together(desk: Desk) -> None:
    repository = desk.repository
    repository.commit("one", f=with_lines("5:U1"))
    repository.git("rm", "-q", "f")
    repository.git("commit", "-q", "-m", "gone")
    repository.commit("neither", f=text_of(LINES))
    assert desk.open_edits() == []


@pytest.mark.parametrize("is_planned", [False, True])
def test_a_reverted_merge_that_settled_a_conflict_takes_back_what_it_brought_in(desk: Desk, is_planned: bool) -> None:
    repository = desk.repository
    repository.git("switch", "-q", "-c", "side")
    repository.commit("one", f=with_lines("5:U1"))
    repository.commit(f"two\n\n{desk.claim('p') if is_planned else ''}", f=with_lines("5:U1", "20:X"))
    repository.git("switch", "-q", "main")
    repository.commit(f"planned\n\n{desk.claim('p')}", f=with_lines("5:P"))
    assert repository.run("merge", "-q", "side").returncode == 1
    repository.write("f", with_lines("5:P", "20:X").replace("P\n", "P\nU1\n"))
    repository.git("add", "f")
    repository.git("commit", "-q", "--no-edit")
    desk.sage("record")
    repository.git("revert", "--no-edit", "-m", "1", "HEAD")
    assert (repository.head in {edit["commit"] for edit in desk.open_edits()}) is is_planned
    assert bool(desk.open_edits()) is is_planned
