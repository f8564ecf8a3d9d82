"""Commands agree on what is open, whatever was redacted, taken back or dropped."""

from __future__ import annotations

import pytest

from tests.judged import Desk, approve, sage_at
from tests.kit import GitRepository

TEXT = "".join(f"line {n}\n" for n in range(30))


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    repository.commit("first", f=TEXT, g=TEXT)
    desk = Desk.begin(repository)
    desk.approve("p", "**")
    return desk


def open_paths(desk: Desk) -> list[str]:
    return sorted(edit["filePath"] for edit in desk.open_edits())


def open_lines(desk: Desk, path: str) -> list[str]:
    return [line["text"] for line in desk.lines(path) if line["open"]]


def test_an_edit_is_open_once_the_approval_that_covered_it_is_redacted(desk: Desk) -> None:
    desk.repository.commit(f"planned\n\n{desk.claim('p')}", f=f"{TEXT}P\n")
    assert open_paths(desk) == []
    desk.sage("redact", desk.approvals["p"], "-m", "by mistake")
    assert (open_paths(desk), open_lines(desk, "f")) == (["f"], ["P"])
    assert '"filePath":"f"' in desk.sage("log", "--unplanned", "--json")


def test_a_replay_is_open_once_the_answer_to_its_original_is_redacted(desk: Desk) -> None:
    repository = desk.repository
    rogue = repository.commit("rogue", f=f"{TEXT}U\n")
    said = desk.sage("reconcile", "f", "-m", "fine", "--json")
    repository.git("switch", "-q", "-c", "side", "HEAD^")
    repository.commit(f"planned\n\n{desk.claim('p')}", g=f"{TEXT}P\n")
    repository.git("cherry-pick", rogue)
    assert open_paths(desk) == []
    desk.sage("redact", said.split('"eventId":"')[1][:64], "-m", "by mistake")
    assert (open_paths(desk), open_lines(desk, "f")) == (["f"], ["U"])


def test_reverting_a_rename_with_an_edit_answers_for_both(desk: Desk) -> None:
    repository = desk.repository
    repository.git("mv", "g", "h")
    repository.commit("rename and edit", h=f"{TEXT}U\n")
    assert open_paths(desk) == ["h", "h"]
    repository.git("revert", "--no-edit", "HEAD")
    assert open_paths(desk) == []


def test_an_octopus_that_takes_a_file_as_a_reverted_edit_had_it_is_found(desk: Desk) -> None:
    repository = desk.repository
    evil = repository.commit("evil", f=f"{TEXT}EVIL\n")
    repository.git("revert", "--no-edit", evil)
    start = repository.head
    repository.git("switch", "-q", "-c", "side")
    repository.commit(f"side\n\n{desk.claim('p')}", g=f"{TEXT}P\n")
    repository.git("switch", "-q", "main")
    assert open_paths(desk) == []
    repository.write("f", f"{TEXT}EVIL\n")
    repository.write("g", f"{TEXT}P\n")
    repository.git("add", "--all")
    tree = repository.git("write-tree")
    octopus = repository.git("commit-tree", tree, "-p", start, "-p", "side", "-p", evil, "-m", "octopus")
    repository.git("reset", "-q", "--hard", octopus)
    assert open_paths(desk) == ["f"]


def test_what_was_added_before_an_earlier_approval_came_to_be_known_is_open(repository: GitRepository) -> None:
    repository.commit("first", f=TEXT)
    desk = Desk.begin(repository)
    desk.tick()
    earlier = desk.now
    repository.commit("nobody's", f=f"{TEXT}U\n", new="new\n")
    desk.sage("record")
    assert open_paths(desk) == ["f"]
    approve(lambda *arguments: sage_at(earlier, repository.path, *arguments), "p", "src/**")
    assert open_paths(desk) == ["f", "new"]
    assert '"filePath":"new"' in desk.sage("log", "--unplanned", "--json")
    desk.reconcile("new")
    assert open_paths(desk) == ["f"]


def test_lines_of_a_file_that_was_split_off_stay_open_wherever_that_is_merged(desk: Desk) -> None:
    repository, claim = desk.repository, desk.claim("p")
    moved = [f"U{n} is a line that nobody planned\n" for n in range(6)]
    repository.git("branch", "elsewhere")
    repository.commit("rogue", f="".join([*moved, TEXT]))
    desk.reconcile("f")
    repository.git("switch", "-q", "elsewhere")
    repository.git("mv", "f", "renamed")
    repository.commit(f"planned\n\n{claim}")
    repository.git("merge", "-q", "--no-edit", "main")
    desk.sage("record")
    repository.git("switch", "-q", "main")
    repository.commit("split, as no plan says", **{"f": f"{TEXT}more\n", "f-split": "".join(moved)})
    assert open_lines(desk, "f-split") == [line.strip() for line in moved]
    repository.git("switch", "-q", "elsewhere")
    repository.git("merge", "-q", "--no-edit", "main")
    desk.sage("record")
    repository.git("switch", "-q", "main")
    assert open_lines(desk, "f-split") == [line.strip() for line in moved]
