"""What comes in with work that is done again, beside it: lines of the base of a conflict, and of merges."""

from __future__ import annotations

import pytest

from tests.judged import Desk
from tests.kit import GitRepository

LINES = [f"line {n}" for n in range(30)]


def text_of(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def with_lines(lines: list[str], at: int, *new: str) -> list[str]:
    return [*lines[:at], *new, *lines[at:]]


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    repository.commit("first", f=text_of(LINES))
    return Desk.begin(repository)


def open_lines(desk: Desk) -> list[str]:
    return [line["text"] for line in desk.lines("f") if line["open"]]


def test_an_unplanned_line_that_a_conflict_brought_along_stays_unplanned(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "elsewhere")
    repository.commit("unplanned", f=text_of([*with_lines(LINES, 10, "U"), "and more"]))
    planned = repository.commit(f"planned\n\n{claim}", f=text_of([*with_lines(LINES, 10, "U", "P"), "and more"]))
    desk.sage("record")
    repository.git("switch", "-q", "elsewhere")
    assert repository.run("cherry-pick", planned).returncode == 1
    repository.write("f", text_of(with_lines(LINES, 10, "U", "P")))
    repository.git("add", "f")
    repository.git("cherry-pick", "--continue")
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]
    assert open_lines(desk) == ["U"]


def test_a_line_that_an_evil_merge_wrote_stays_rogue_in_a_squash_onto_what_was_merged(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "side")
    repository.commit(f"ours\n\n{claim}", f=text_of(with_lines(LINES, 3, "P1")))
    repository.git("branch", "ours")
    repository.git("switch", "-q", "side")
    repository.commit(f"theirs\n\n{claim}", f=text_of(with_lines(LINES, 27, "P2")))
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-commit", "--no-ff", "side")
    repository.commit("evil", f=text_of(with_lines(repository.read("f").splitlines(), 15, "E")))
    desk.sage("record")
    repository.git("switch", "-q", "ours")
    repository.git("merge", "-q", "--squash", "main")
    repository.git("commit", "-q", "-m", f"all of it\n\n{claim}")
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]
    assert open_lines(desk) == ["E"]


def test_to_replace_what_was_replaced_otherwise_elsewhere_is_not_to_do_that_again(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "side")
    repository.commit("unplanned", f=text_of([*LINES[:9], "U", *LINES[10:]]))
    desk.sage("record")
    repository.git("switch", "-q", "side")
    repository.commit(f"planned\n\n{claim}", f=text_of([*LINES[:8], "P8", "line 9", *LINES[10:]]))
    repository.commit(f"planned too\n\n{claim}", f=text_of([*LINES[:8], "P8", "P9", *LINES[10:]]))
    assert desk.open_edits() == []
    assert open_lines(desk) == []


def test_an_unplanned_line_that_a_resolution_moved_is_still_who_wrote_its(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "side")
    repository.commit(f"ours\n\n{claim}", f=text_of([*LINES[:9], "P1", "P2", *LINES[10:]]))
    repository.git("switch", "-q", "side")
    unplanned = repository.commit("theirs", f=text_of([*LINES[:9], "U", "line 9", *LINES[10:]]))
    repository.git("switch", "-q", "main")
    assert repository.run("merge", "-q", "side").returncode == 1
    repository.commit("merge", f=text_of([*LINES[:9], "line 9", "P1", "U", "P2", *LINES[10:]]))
    assert {edit["commit"] for edit in desk.open_edits()} == {unplanned, repository.head}
    assert [(line["text"], line["commit"]) for line in desk.lines("f") if line["open"]] == [("U", unplanned)]


def test_each_of_several_edits_that_were_squashed_in_one_conflict_is_known_by_its_lines(desk: Desk) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "side")
    ours = [*LINES[:10], "O1", *LINES[11:20], "O2", *LINES[21:]]
    repository.commit(f"ours\n\n{claim}", f=text_of(ours))
    repository.git("switch", "-q", "side")
    theirs = list(LINES)
    for at, new, message in ((10, "P1", f"one\n\n{claim}"), (28, "X", f"x\n\n{claim}"), (20, "U", "unplanned")):
        theirs[at] = new if new != "P1" else "P1\nand\nmore"
        commit = repository.commit(message, f=text_of(theirs))
        if new == "X":
            repository.git("switch", "-q", "main")
            repository.git("cherry-pick", commit)
            repository.git("switch", "-q", "side")
    theirs[21:21] = ["P2"]
    repository.commit(f"two\n\n{claim}", f=text_of(theirs))
    desk.sage("record")
    repository.git("switch", "-q", "main")
    assert repository.run("merge", "-q", "--squash", "side").returncode == 1
    ours = [*LINES[:10], "O1", "P1", "and", "more", *LINES[11:20], "O2", "U", "P2", *LINES[21:28], "X", LINES[29]]
    repository.commit("all of it", f=text_of(ours))
    assert open_lines(desk) == ["U"]


def test_an_unplanned_line_that_moved_as_a_conflict_was_settled_under_a_plan_is_open_where_it_is_now(
    desk: Desk,
) -> None:
    repository, claim = desk.repository, desk.approve("p", "**")
    repository.git("branch", "side")
    repository.commit(f"ours\n\n{claim}", f=text_of([*LINES[:10], "O", *LINES[11:]]))
    repository.git("switch", "-q", "side")
    repository.commit("unplanned", f=text_of([*LINES[:10], "U1", "U2", *LINES[11:]]))
    desk.sage("record")
    repository.git("switch", "-q", "main")
    assert repository.run("merge", "-q", "--squash", "side").returncode == 1
    repository.commit(f"all of it\n\n{claim}", f=text_of([*LINES[:10], "O", "U1", *LINES[11:], "U2"]))
    assert open_lines(desk) == ["U1", "U2"]
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]


def test_what_was_removed_here_and_is_put_back_is_no_doing_of_a_branch_that_had_merged_it(
    repository: GitRepository,
) -> None:
    lines = [f"line {n}" for n in range(30)]
    repository.commit("first", f="".join(f"{line}\n" for line in lines))
    desk = Desk.begin(repository)
    claim = desk.approve("p", "**")

    def planned(*edits: tuple[int, str]) -> str:
        for at, text in edits:
            lines[at] = text
        return repository.commit(f"planned {edits}\n\n{claim}", f="".join(f"{line}\n" for line in lines))

    repository.git("branch", "side")
    planned((20, "P1"))
    repository.git("switch", "-q", "side")
    lines[20] = "line 20"
    planned((3, "P2"))
    repository.git("merge", "-q", "--no-edit", "main")
    desk.sage("record")
    repository.git("switch", "-q", "main")
    lines[20] = "P1"
    planned((3, "P3"))
    planned((20, "line 20"))
    repository.git("revert", "--no-edit", "HEAD")
    assert [edit["commit"] for edit in desk.open_edits()] == [repository.head]
