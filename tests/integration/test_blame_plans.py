"""Blame where plans are: which lines a plan covers, also after history was rewritten, and which nobody planned."""

import json

import pytest

from tests.judged import Desk

TEXT = "".join(f"line {number}\n" for number in range(12))


@pytest.fixture
def desk(repository):
    repository.commit("before", **{"foo.py": TEXT, "bar.py": TEXT})
    desk = Desk.begin(repository)
    repository.git("switch", "--quiet", "--create", "work")
    return desk


def write(desk, message, *numbers, path="foo.py"):
    """Say something new in these lines, and have it recorded."""
    text = desk.repository.read(path)
    for number in numbers:
        text = text.replace(f"line {number}\n", f"{message.split()[0]} {number}\n")
    commit = desk.repository.commit(message, **{path: text})
    desk.sage("record")
    return commit


def told(desk, path="foo.py"):
    """For each line that is new: commit, plan, rogue, open."""
    return {
        line["text"]: (line["commit"], line.get("planId"), line["rogue"], line["open"])
        for line in desk.lines(path)
        if not line["text"].startswith("line ")
    }


def test_a_plan_covers_lines_and_is_named(desk):
    claim = desk.approve("plan", "foo.py")
    planned, rogue = write(desk, f"planned\n\n{claim}", 3), write(desk, "rogue", 8)
    assert told(desk) == {"planned 3": (planned, "plan", False, False), "rogue 8": (rogue, None, True, True)}
    (line,) = (line for line in desk.lines("foo.py") if line["text"] == "planned 3")
    (plan,) = map(json.loads, desk.sage("plan", "show", "plan", "--json").splitlines())
    assert line["planHash"] == plan["planHash"]


def test_planned_lines_stay_planned_when_their_commits_lose_the_claim(desk):
    claim = desk.approve("plan", "foo.py")
    one, two = write(desk, f"first\n\n{claim}", 4), write(desk, f"second\n\n{claim}", 9)
    desk.repository.git("switch", "--quiet", "main")
    desk.repository.git("merge", "--quiet", "--squash", "work")
    desk.repository.commit("squashed, without a word of the plan")
    found = told(desk)
    assert (found["first 4"], found["second 9"]) == ((one, "plan", False, False), (two, "plan", False, False))


def test_what_is_smuggled_into_a_rebase_is_rogue_and_the_rest_is_not(desk):
    claim = desk.approve("plan", "foo.py")
    planned = write(desk, f"planned\n\n{claim}", 6)
    desk.repository.git("switch", "--quiet", "main")
    write(desk, f"main\n\n{claim}", 0)
    desk.repository.git("switch", "--quiet", "work")
    desk.repository.git("rebase", "--quiet", "main")
    text = desk.repository.read("foo.py").replace("line 10\n", "smuggled\n")
    desk.repository.write("foo.py", text)
    desk.repository.git("commit", "--quiet", "--all", "--amend", "--message", "planned, they say")
    found = told(desk)
    assert found["planned 6"] == (planned, "plan", False, False)
    assert found["smuggled"] == (desk.repository.head, None, True, True)


def test_a_squash_of_planned_and_rogue_lines_tells_them_apart(desk):
    claim = desk.approve("plan", "foo.py")
    planned, rogue = write(desk, f"planned\n\n{claim}", 3), write(desk, "rogue", 9)
    desk.repository.git("switch", "--quiet", "main")
    desk.repository.git("merge", "--quiet", "--squash", "work")
    desk.repository.commit(f"squashed\n\n{claim}")
    expected = {"planned 3": (planned, "plan", False, False), "rogue 9": (rogue, None, True, True)}
    assert told(desk) == expected
    desk.reconcile("foo.py")
    assert told(desk)["rogue 9"] == (rogue, None, True, False)


def test_an_answer_for_the_original_answers_for_the_lines_of_its_replay(desk):
    desk.approve("plan", "bar.py")
    rogue = write(desk, "rogue", 6)
    desk.reconcile("foo.py")
    desk.repository.git("switch", "--quiet", "main")
    write(desk, "other", 0, path="bar.py")
    desk.repository.git("cherry-pick", rogue)
    assert told(desk) == {"rogue 6": (rogue, None, True, False)}


def test_lines_of_a_clean_merge_are_those_of_its_sides(desk):
    claim = desk.approve("plan", "foo.py")
    ours = write(desk, f"work\n\n{claim}", 11)
    desk.repository.git("switch", "--quiet", "main")
    theirs = write(desk, "theirs", 0)
    desk.repository.git("merge", "--quiet", "--no-edit", "work")
    assert told(desk) == {"theirs 0": (theirs, None, True, True), "work 11": (ours, "plan", False, False)}


def test_a_line_that_a_merge_smuggles_in_is_the_merges(desk):
    claim = desk.approve("plan", "foo.py")
    write(desk, f"work\n\n{claim}", 11)
    desk.repository.git("switch", "--quiet", "main")
    write(desk, f"main\n\n{claim}", 0)
    desk.repository.git("merge", "--quiet", "--no-commit", "work")
    desk.repository.write("foo.py", desk.repository.read("foo.py").replace("line 5\n", "evil\n"))
    merge = desk.repository.commit("merge")
    found = told(desk)
    assert found["evil"] == (merge, None, True, True)
    assert [found[words][1:] for words in ("main 0", "work 11")] == [("plan", False, False)] * 2


def test_a_conflict_settled_with_lines_of_both_sides_keeps_their_origins(desk):
    claim = desk.approve("plan", "foo.py")
    ours = write(desk, f"work\n\n{claim}", 5)
    desk.repository.git("switch", "--quiet", "main")
    theirs = write(desk, f"main\n\n{claim}", 5)
    desk.repository.git("merge", "--quiet", "work", check=False)
    desk.repository.write("foo.py", TEXT.replace("line 5\n", "main 5\nwork 5\n"))
    desk.repository.commit("merge")
    assert told(desk) == {"main 5": (theirs, "plan", False, False), "work 5": (ours, "plan", False, False)}


def test_a_conflict_of_a_rebase_settled_with_both_sides_lines_keeps_the_origin(desk):
    claim = desk.approve("plan", "foo.py")
    ours = write(desk, f"work\n\n{claim}", 5)
    desk.repository.git("switch", "--quiet", "main")
    theirs = write(desk, f"main\n\n{claim}", 5)
    desk.repository.git("switch", "--quiet", "work")
    desk.repository.git("rebase", "--quiet", "main", check=False)
    desk.repository.write("foo.py", TEXT.replace("line 5\n", "main 5\nwork 5\n"))
    desk.repository.git("add", "foo.py")
    desk.repository.git("-c", "core.editor=true", "rebase", "--continue")
    assert told(desk) == {"main 5": (theirs, "plan", False, False), "work 5": (ours, "plan", False, False)}


def test_additions_are_judged_once_a_plan_was_approved_and_keep_their_origin(desk):
    claim = desk.approve("plan", "new.py")
    added = desk.repository.commit(f"add\n\n{claim}", **{"new.py": "one\ntwo\n", "more.py": "one\n"})
    desk.sage("record")
    desk.repository.git("commit", "--quiet", "--amend", "--message", "add, said otherwise")
    assert set(told(desk, "new.py").values()) == {(added, "plan", False, False)}
    assert set(told(desk, "more.py").values()) == {(added, None, True, True)}


def test_what_was_added_before_there_were_plans_keeps_its_origin_after(desk):
    added = desk.repository.commit("add", **{"new.py": "one\ntwo\n"})
    desk.sage("record")
    desk.repository.git("commit", "--quiet", "--amend", "--message", "add, said otherwise")
    desk.sage("record")
    desk.approve("plan", "foo.py")
    desk.repository.commit("later", **{"other.py": "x\n"})
    assert set(told(desk, "new.py").values()) == {(added, None, False, False)}
