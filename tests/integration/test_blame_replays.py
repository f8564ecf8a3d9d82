"""Blame through what only did an edit again: the line keeps the edit that wrote it first."""

import json

import pytest

from tests.recorded import keep_record, logged, sage

TEXT = "".join(f"line {number}\n" for number in range(12))


@pytest.fixture
def recorded(repository):
    repository.commit("before", **{"foo.py": TEXT})
    keep_record(repository)
    repository.git("switch", "--quiet", "--create", "work")
    return repository


def write(repository, number, words, message=None):
    """Change one line of foo.py and commit; gives the fact."""
    lines = repository.read("foo.py").split("\n")
    lines[lines.index(f"line {number}")] = words
    commit = repository.commit(message or words, **{"foo.py": "\n".join(lines)})
    (fact,) = [
        each for each in logged(repository.path) if each.get("graphCommit") == commit and "FILE_" in each["type"]
    ]
    return fact


def blamed(repository, path="foo.py"):
    """The line of each text."""
    lines = sage(repository.path, "blame", path, "--json").split("\n")[:-1]
    return {line["text"]: line for line in map(json.loads, lines)}


def assert_from(line, fact, *, is_rogue=True):
    assert (line["eventId"], line["commit"]) == (fact["eventId"], fact["graphCommit"])
    assert (line["actor"], line["timestamp"]) == (fact["actor"], fact["timestamp"])
    assert (line["rogue"], line["open"]) == (is_rogue, is_rogue)


def go_on(repository):
    """Let main go on with another edit of the same file."""
    repository.git("switch", "--quiet", "main")
    fact = write(repository, 0, "main")
    repository.git("switch", "--quiet", "work")
    return fact


def test_a_rebased_line_keeps_its_origin(recorded):
    first, second = write(recorded, 5, "five", "five\n\nSage-Actor: aider/s1"), write(recorded, 10, "ten")
    onto = go_on(recorded)
    recorded.git("rebase", "--quiet", "main")
    lines = blamed(recorded)
    assert_from(lines["five"], first)
    assert_from(lines["ten"], second)
    assert_from(lines["main"], onto)
    assert lines["five"]["commit"] not in recorded.git("rev-list", "HEAD")


def test_a_line_rebased_twice_keeps_its_origin(recorded):
    first = write(recorded, 5, "five")
    go_on(recorded)
    recorded.git("rebase", "--quiet", "main")
    recorded.git("switch", "--quiet", "main")
    write(recorded, 11, "more")
    recorded.git("switch", "--quiet", "work")
    recorded.git("rebase", "--quiet", "main")
    assert_from(blamed(recorded)["five"], first)


def test_squashed_lines_keep_their_origins(recorded):
    first, second, third = write(recorded, 2, "two"), write(recorded, 6, "six"), write(recorded, 9, "nine")
    go_on(recorded)
    recorded.git("switch", "--quiet", "main")
    recorded.git("merge", "--quiet", "--squash", "work")
    recorded.commit("squashed")
    lines = blamed(recorded)
    for words, fact in (("two", first), ("six", second), ("nine", third)):
        assert_from(lines[words], fact)


def test_a_picked_line_keeps_its_origin(recorded):
    picked = write(recorded, 6, "six")
    write(recorded, 9, "nine")
    go_on(recorded)
    recorded.git("switch", "--quiet", "main")
    recorded.git("cherry-pick", picked["graphCommit"])
    assert_from(blamed(recorded)["six"], picked)


def test_an_amended_line_keeps_its_origin_and_what_was_added_is_the_amendments(recorded):
    first = write(recorded, 6, "six")
    recorded.write("foo.py", recorded.read("foo.py").replace("line 9\n", "smuggled\n"))
    recorded.git("commit", "--quiet", "--all", "--amend", "--message", "amended")
    lines = blamed(recorded)
    assert_from(lines["six"], first)
    assert lines["smuggled"]["commit"] == recorded.head
    assert (lines["smuggled"]["rogue"], lines["smuggled"]["open"]) == (True, True)


def test_what_a_squash_smuggles_in_is_told_apart_line_by_line(recorded):
    first, second = write(recorded, 2, "two"), write(recorded, 6, "six")
    go_on(recorded)
    recorded.git("switch", "--quiet", "main")
    recorded.git("merge", "--quiet", "--squash", "work")
    squash = recorded.commit("squashed", **{"foo.py": recorded.read("foo.py").replace("line 9\n", "smuggled\n")})
    lines = blamed(recorded)
    assert_from(lines["two"], first)
    assert_from(lines["six"], second)
    assert lines["smuggled"]["commit"] == squash


def test_a_squash_that_was_amended_and_rebased_keeps_origins(recorded):
    first, second = write(recorded, 2, "two"), write(recorded, 6, "six")
    recorded.git("reset", "--quiet", "--soft", "HEAD~2")
    recorded.commit("both")
    recorded.git("commit", "--quiet", "--amend", "--message", "both, said better")
    go_on(recorded)
    recorded.git("rebase", "--quiet", "main")
    lines = blamed(recorded)
    assert_from(lines["two"], first)
    assert_from(lines["six"], second)


def test_a_line_keeps_its_origin_through_a_rename_on_the_other_side(recorded):
    first = write(recorded, 5, "five")
    recorded.git("switch", "--quiet", "main")
    recorded.git("mv", "foo.py", "bar.py")
    recorded.commit("rename")
    recorded.git("switch", "--quiet", "work")
    recorded.git("rebase", "--quiet", "main")
    assert_from(blamed(recorded, "bar.py")["five"], first)


def test_an_added_file_that_was_rebased_keeps_its_origin(recorded):
    commit = recorded.commit("add", **{"new.py": "one\ntwo\n"})
    go_on(recorded)
    recorded.git("rebase", "--quiet", "main")
    assert {line["commit"] for line in blamed(recorded, "new.py").values()} == {commit}


def test_an_edit_and_its_pick_do_not_answer_for_each_other(recorded, sage):
    recorded.git("switch", "--quiet", "main")
    picked = write(recorded, 6, "six")
    recorded.git("switch", "--quiet", "work")
    write(recorded, 0, "zero")
    recorded.git("cherry-pick", picked["graphCommit"])
    recorded.git("switch", "--quiet", "--create", "third", "main")
    other = write(recorded, 2, "two")
    answer = {
        "type": "RECONCILIATION", "reconciliationStrategy": "accepted", "resolves": [other["eventId"]],
        "actor": {"agent": "git", "id": "ada"}, "timestamp": "2026-01-02T00:00:00.000Z", "filePath": "foo.py",
        "diffRef": f"{other['lastHash']}..{other['hash']}", "justification": "fine",
    }  # fmt: skip
    assert sage("append", "foo.py.sage", stdin=json.dumps(answer)).returncode == 0
    recorded.commit("so that what was recorded before is looked at again", **{"bar.py": "x\n"})
    for branch in ("main", "work"):
        recorded.git("switch", "--quiet", branch)
        assert_from(blamed(recorded)["six"], picked)
