"""Lines that are there again because what removed them was taken back: they are whose they were before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.judged import Desk
from tests.kit import GitRepository

LINES = [f"line {n}" for n in range(30)]


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    repository.commit("first", f=text_of(LINES))
    desk = Desk.begin(repository)
    desk.approve("p", "**")
    return desk


def blamed(desk: Desk, path: str = "f") -> dict[str, dict[str, Any]]:
    return {line["text"]: line for line in desk.lines(path)}


def test_an_open_line_stays_open_when_what_replaced_it_is_taken_back(desk: Desk) -> None:
    repository = desk.repository
    lines = [*LINES[:5], "U1", "U2", *LINES[5:]]
    unplanned = repository.commit("unplanned", f=text_of(lines))
    repository.commit("another for U2", f=text_of([*lines[:6], "U3", *lines[7:]]))
    repository.git("revert", "--no-edit", "HEAD")
    lines_now = blamed(desk)
    assert (lines_now["U2"]["commit"], lines_now["U2"]["open"]) == (unplanned, True)
    assert [edit["lines"] for edit in desk.open_edits()] == [[[6, 7]]]


def test_a_planned_line_stays_planned_and_one_from_before_the_record_is_its_commits(desk: Desk) -> None:
    repository = desk.repository
    first = repository.git("rev-list", "--max-parents=0", "HEAD")
    planned = repository.commit(f"planned\n\n{desk.claim('p')}", f=text_of([*LINES[:5], "P1", *LINES[5:]]))
    repository.git("mv", "f", "g")
    repository.commit("moved, and less", g=text_of([*LINES[:4], *LINES[6:]]))
    repository.git("revert", "--no-edit", "HEAD")
    lines = blamed(desk)
    assert (lines["P1"]["commit"], lines["P1"]["planId"], lines["P1"]["rogue"]) == (planned, "p", False)
    assert (lines["line 4"]["commit"], lines["line 4"]["rogue"]) == (first, False)
    assert desk.open_edits() == []


def test_a_line_restored_in_a_commit_that_was_rebased_is_whose_it_was(desk: Desk) -> None:
    repository = desk.repository
    lines = [*LINES[:5], "U1", "U2", *LINES[5:]]
    repository.git("branch", "side")
    unplanned = repository.commit("unplanned", f=text_of(lines))
    repository.commit("another for U2", f=text_of([*lines[:6], "U3", *lines[7:]]))
    repository.git("revert", "--no-edit", "HEAD")
    desk.sage("record")
    repository.git("switch", "-q", "side")
    repository.commit(f"planned\n\n{desk.claim('p')}", f=text_of([*LINES, "P1"]))
    repository.git("switch", "-q", "main")
    repository.git("rebase", "-q", "side")
    lines_now = blamed(desk)
    assert (lines_now["U2"]["commit"], lines_now["U2"]["open"]) == (unplanned, True)


def test_a_line_that_a_merge_got_twice_is_shown_twice(desk: Desk) -> None:
    repository = desk.repository
    repository.git("branch", "side")
    repository.commit("ours", f=text_of([*LINES[:10], "ours", *LINES[10:]]))
    repository.git("switch", "-q", "side")
    repository.commit("theirs", f=text_of([*LINES[:9], "theirs", *LINES[9:]]))
    repository.git("switch", "-q", "main")
    repository.run("merge", "-q", "--no-commit", "side")
    text = text_of([*LINES[:9], "line 9", "ours", "theirs", *LINES[9:]])
    repository.commit("merge", f=text)
    assert "".join(f"{line['text']}\n" for line in desk.lines("f")) == text


def test_a_line_that_a_copy_brings_back_is_open_though_the_original_was_taken_back(desk: Desk) -> None:
    repository = desk.repository
    start = repository.head
    unplanned = repository.commit("unplanned", f=text_of([*LINES[:9], "U", *LINES[9:]]))
    repository.git("revert", "--no-edit", "HEAD")
    repository.git("switch", "-q", "-c", "side", start)
    repository.commit("theirs", g="side\n")
    repository.git("cherry-pick", unplanned)
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-edit", "side")
    assert blamed(desk)["U"]["open"]


def test_what_was_taken_back_is_so_also_where_both_were_picked_and_answering_for_the_rest_leaves_it_open(
    desk: Desk,
) -> None:
    repository = desk.repository
    start = repository.head
    unplanned = repository.commit("unplanned", f=text_of([*LINES[:9], "U", *LINES[9:]]))
    repository.git("branch", "keeps")
    repository.git("revert", "--no-edit", "HEAD")
    back = repository.head
    desk.sage("record")
    repository.git("switch", "-q", "-c", "side", start)
    repository.commit("more", f=text_of([*LINES, "MORE"]))
    repository.git("cherry-pick", unplanned, back)
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.git("rev-parse", "HEAD~2")]
    desk.reconcile("f")
    repository.git("switch", "-q", "keeps")
    assert blamed(desk)["U"]["open"]
