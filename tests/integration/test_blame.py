"""Blame: each line with the edit that brought it in, against real git."""

import json

import pytest

from tests.kit import run_sage
from tests.recorded import keep_record, logged, sage

HOSTILE = b'odd "name"\t\\\n\x01\xff\xc3\xa9.txt'


@pytest.fixture
def recorded(repository):
    repository.commit("before", **{"src/parser.py": "one\ntwo\nthree\n"})
    keep_record(repository)
    return repository


def blamed(repository, *arguments):
    lines = sage(repository.path, "blame", *arguments, "--json").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def complaint(repository, *arguments):
    finished = run_sage(*arguments, cwd=repository.path)
    return finished.returncode, finished.stderr


def fact_of(repository, commit, kind="FILE_EDITED"):
    (fact,) = [event for event in logged(repository.path) if event["type"] == kind and event["graphCommit"] == commit]
    return fact


def test_each_line_names_the_edit_that_brought_it_in(recorded):
    commit = recorded.commit(
        "second\n\nSage-Actor: claude-code/s1 model=opus", **{"src/parser.py": "one\nTWO\nthree\nfour\n"}
    )
    fact = fact_of(recorded, commit)
    lines = blamed(recorded, "src/parser.py")
    assert [(line["line"], line["text"]) for line in lines] == [(1, "one"), (2, "TWO"), (3, "three"), (4, "four")]
    assert [line.get("eventId") for line in lines] == [None, fact["eventId"], None, fact["eventId"]]
    assert lines[1] == {
        "line": 2, "text": "TWO", "eventId": fact["eventId"], "type": "FILE_EDITED", "actor": fact["actor"],
        "timestamp": fact["timestamp"], "commit": commit, "agents": ["claude-code"], "rogue": True, "open": True,
    }  # fmt: skip


def test_a_line_from_before_the_record_is_shown_straight_from_git(recorded):
    first = recorded.git("rev-list", "--max-parents=0", "HEAD")
    line = blamed(recorded, "src/parser.py")[0]
    assert "eventId" not in line
    assert "type" not in line
    assert (line["commit"], line["rogue"], line["open"]) == (first, False, False)
    assert line["actor"] == {"agent": "git", "id": "Ada Lovelace <ada@example.org>"}


def test_lines_are_followed_through_a_rename_and_an_edit_wins_over_the_renaming(recorded):
    text = "".join(f"line {number}\n" for number in range(20))
    added = recorded.commit("add", **{"old.py": text})
    (recorded.path / "old.py").unlink()
    renamed = recorded.commit("rename and edit", **{"new.py": text + "more\n"})
    lines = blamed(recorded, "new.py")
    assert {line["commit"] for line in lines[:-1]} == {added}
    assert {line["type"] for line in lines[:-1]} == {"FILE_ADDED"}
    assert (lines[-1]["commit"], lines[-1]["type"]) == (renamed, "FILE_EDITED")


def test_lines_of_a_file_that_was_split_keep_to_the_files_own_facts(recorded):
    parts = ["".join(f"def {name}_{n}():\n    return {n}\n" for n in range(12)) for name in ("read", "write")]
    recorded.commit("whole", **{"whole.py": "".join(parts)})
    split = recorded.commit("split", **{"whole.py": parts[0], "half.py": parts[1]})
    assert fact_of(recorded, split, "FILE_SPLIT")
    assert {line["type"] for line in blamed(recorded, "half.py")} == {"FILE_ADDED"}
    assert {line["eventId"] for line in blamed(recorded, "half.py")} == {
        fact_of(recorded, split, "FILE_ADDED")["eventId"]
    }


def test_both_sides_of_a_merge_keep_their_origin_and_an_evil_line_is_the_merges(recorded):
    recorded.git("switch", "--quiet", "--create", "side")
    side = recorded.commit("side", **{"src/parser.py": "zero\none\ntwo\nthree\n"})
    recorded.git("switch", "--quiet", "main")
    main_side = recorded.commit("main", **{"src/parser.py": "one\ntwo\nthree\nfour\n"})
    recorded.git("merge", "--quiet", "--no-commit", "side")
    recorded.write("src/parser.py", "zero\none\ntwo\nevil\nthree\nfour\n")
    merge = recorded.commit("merge")
    commits = [line["commit"] for line in blamed(recorded, "src/parser.py")]
    assert (commits[0], commits[3], commits[5]) == (side, merge, main_side)
    evil = blamed(recorded, "src/parser.py")[3]
    assert (evil["rogue"], evil["open"]) == (True, True)


def test_an_answered_line_stays_rogue_and_is_not_open(recorded, sage):
    commit = recorded.commit("edit", **{"src/parser.py": "one\n2\nthree\n"})
    verdict = fact_of(recorded, commit, "ROGUE_EDIT_DETECTED")
    answer = {
        "type": "RECONCILIATION", "reconciliationStrategy": "accepted", "resolves": [verdict["eventId"]],
        "actor": {"agent": "git", "id": "ada"}, "timestamp": "2026-01-02T00:00:00.000Z", "filePath": "src/parser.py",
        "diffRef": f"{verdict['lastHash']}..{verdict['hash']}", "justification": "fine",
    }  # fmt: skip
    assert sage("append", "src/parser.py.sage", stdin=json.dumps(answer)).returncode == 0
    line = blamed(recorded, "src/parser.py")[1]
    assert (line["rogue"], line["open"]) == (True, False)


@pytest.mark.parametrize(
    "words, numbers",
    [
        (["-L", "2,3"], [2, 3]), (["-L", "3"], [3, 4]), (["-L", ",2"], [1, 2]), (["-L", "2,+2"], [2, 3]),
        (["-L", "3,-2"], [2, 3]), (["-L", "4,2"], [2, 3, 4]), (["-L", "3,99"], [3, 4]),
        (["-L", "1,1", "-L", "4,4"], [1, 4]), (["-L", "1,2", "-L", "2,3"], [1, 2, 3]),
    ],
)  # fmt: skip
def test_a_range_limits_the_lines(recorded, words, numbers):
    recorded.commit("four", **{"src/parser.py": "one\ntwo\nthree\nfour\n"})
    assert [line["line"] for line in blamed(recorded, "src/parser.py", *words)] == numbers


@pytest.mark.parametrize("words", ["", "x", "0", "1,0", "2,x", "/two/", "-3"])
def test_what_is_no_range_is_said_to_be_none(recorded, words):
    status, said = complaint(recorded, "blame", "src/parser.py", f"-L{words}" if words else "-L=")
    assert status == 2
    assert "-L" in said


def test_a_revision_shows_the_file_as_it_was(recorded):
    recorded.commit("later", **{"src/parser.py": "all new\n"})
    assert [line["text"] for line in blamed(recorded, "src/parser.py", "HEAD^")] == ["one", "two", "three"]


def test_only_newlines_end_lines(recorded):
    content = "a\rb\x0cc\u2028d\x85e\n\r\nlast"
    recorded.commit("odd", **{"odd.txt": content})
    assert [line["text"] for line in blamed(recorded, "odd.txt")] == content.split("\n")


def test_text_that_is_not_utf8_is_percent_encoded(recorded):
    recorded.commit("latin", **{"latin.txt": b"100% caf\xe9\nplain 100%\n"})
    first, second = blamed(recorded, "latin.txt")
    assert (first["text"], first["textEncoding"]) == ("100%25 caf%E9", "percent")
    assert second["text"] == "plain 100%"
    assert "textEncoding" not in second
    assert "100% caf\\xe9" in sage(recorded.path, "blame", "latin.txt")


def test_a_hostile_name_is_found_again(recorded):
    recorded.write(HOSTILE, "x\n")
    commit = recorded.commit("odd name")
    (line,) = blamed(recorded, HOSTILE.decode("utf-8", "surrogateescape"))
    assert (line["commit"], line["type"]) == (commit, "FILE_ADDED")


def test_no_setting_of_the_users_changes_the_answer(recorded):
    recorded.commit("edit", **{"src/parser.py": "one\n2\nthree\n"})
    expected = blamed(recorded, "src/parser.py")
    recorded.write("ignored", recorded.head + "\n")
    recorded.git("config", "blame.ignoreRevsFile", "ignored")
    recorded.git("config", "diff.upper.textconv", "tr a-z A-Z <")
    recorded.git("config", "diff.algorithm", "patience")
    recorded.write(".gitattributes", "*.py diff=upper\n")
    assert blamed(recorded, "src/parser.py") == expected


def test_the_work_tree_plays_no_part(recorded):
    expected = blamed(recorded, "src/parser.py")
    recorded.write("src/parser.py", "not committed\n")
    assert blamed(recorded, "src/parser.py") == expected
    (recorded.path / "src/parser.py").unlink()
    assert blamed(recorded, "src/parser.py") == expected


def test_an_empty_file_has_no_lines(recorded):
    recorded.commit("empty", empty="")
    assert blamed(recorded, "empty") == []


def test_a_sidecar_means_its_source(recorded):
    assert blamed(recorded, "src/parser.py.sage") == blamed(recorded, "src/parser.py")


def test_a_shallow_clone_blames_its_boundary(recorded):
    recorded.commit("edit", **{"src/parser.py": "one\n2\nthree\n"})
    recorded.commit("edit again", **{"src/parser.py": "one\n2\n3\n"})
    url = recorded.path.as_uri()
    recorded.git("clone", "--quiet", "--depth=2", url, str(recorded.path.parent / "shallow"))
    shallow = type(recorded)(recorded.path.parent / "shallow")
    keep_record(shallow)
    lines = [line["commit"] for line in blamed(shallow, "src/parser.py")]
    assert lines == [shallow.git("rev-parse", "HEAD^")] * 2 + [shallow.head]


@pytest.mark.parametrize(
    "arguments, status, words",
    [
        (["src"], 2, "folder"), (["."], 2, "folder"), (["../x"], 2, "outside"), (["nothing.py"], 3, "not in HEAD"),
        (["gone.py"], 3, "sage-git log"), (["binary"], 3, "binary"), (["module"], 3, "submodule"),
        (["old.py"], 3, "did you mean new.py"), (["src/parser.py", "no-such"], 2, "names no commit"),
        (["src/parser.py", "-L", "9"], 2, "3 lines"),
    ],
)  # fmt: skip
def test_what_has_no_lines_is_told_in_one_sentence(recorded, arguments, status, words):
    recorded.git("update-index", "--add", "--cacheinfo", f"160000,{recorded.head},module")
    recorded.git("commit", "--quiet", "--message", "module")
    (recorded.path / "module").mkdir()
    recorded.commit("files", **{"gone.py": "x\n", "binary": b"\0\1", "old.py": "one\ntwo\nthree\nfour\n"})
    recorded.git("mv", "old.py", "new.py")
    recorded.commit("gone", **{"gone.py": None})
    found, said = complaint(recorded, "blame", *arguments)
    assert (found, words in said) == (status, True), said


def test_a_repository_without_commits_says_so(repository):
    keep_record(repository, "--no-commit")
    status, said = complaint(repository, "blame", "x")
    assert status == 3
    assert "no commit" in said


def test_text_is_never_cut_and_is_shown_escaped(recorded):
    recorded.commit("long", **{"long.txt": "x" * 300 + "\n\ttab \x1b[31m\u202e\n"})
    first, second = sage(recorded.path, "blame", "long.txt").splitlines()
    assert first.endswith("x" * 300)
    assert "unplanned" not in first, "additions are not judged before any plan was approved"
    assert second.endswith("        tab \\x1b[31m\\u{202e}")


def test_a_line_of_a_redacted_event_still_names_it(recorded, sage):
    commit = recorded.commit("edit", **{"src/parser.py": "one\n2\nthree\n"})
    fact = fact_of(recorded, commit)
    assert sage("redact", fact["eventId"][:16], "-m", "gone").returncode == 0
    line = blamed(recorded, "src/parser.py")[1]
    assert (line["eventId"], line["type"], line["commit"]) == (fact["eventId"], "FILE_EDITED", commit)
    assert line["actor"]["id"] == "Ada Lovelace <ada@example.org>"


def test_lines_are_shown_before_anything_is_recorded(repository):
    repository.commit("first", **{"a.py": "x\n"})
    keep_record(repository, "--no-commit")
    (line,) = blamed(repository, "a.py")
    assert ("eventId" in line, line["commit"]) == (False, repository.head)


def test_a_merge_of_unrelated_histories_is_blamed(recorded):
    recorded.git("switch", "--quiet", "--orphan", "other")
    other = recorded.commit("other", **{"other.py": "x\n"})
    recorded.git("switch", "--quiet", "main")
    recorded.git("merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "other")
    (line,) = blamed(recorded, "other.py")
    assert (line["commit"], line["type"]) == (other, "FILE_ADDED")


def test_a_linked_worktree_blames_its_own_head(recorded):
    linked = recorded.worktree("linked")
    linked.commit("here", **{"src/parser.py": "one\n2\nthree\n"})
    assert [line["text"] for line in blamed(linked, "src/parser.py")] == ["one", "2", "three"]
    assert [line["text"] for line in blamed(recorded, "src/parser.py")] == ["one", "two", "three"]


def test_a_sha256_repository_is_blamed(tmp_path):
    from tests.kit import GitRepository

    repository = GitRepository.create(tmp_path / "sha256", "--object-format=sha256")
    repository.commit("first", **{"a.py": "x\n"})
    keep_record(repository)
    commit = repository.commit("second", **{"a.py": "x\ny\n"})
    assert [line["commit"] for line in blamed(repository, "a.py")][1] == commit
    assert json.loads(sage(repository.path, "report", "HEAD~1", "--json"))["files"][0]["path"] == "a.py"


def test_an_agent_that_a_co_author_line_names_is_shown(recorded):
    recorded.commit("two\n\nCo-authored-by: Claude <noreply@anthropic.com>", **{"src/parser.py": "one\n2\nthree\n"})
    first, second, _ = blamed(recorded, "src/parser.py")
    assert "agents" not in first
    assert (second["agents"], second["actor"]["agent"]) == (["claude-code"], "git")
    assert "claude-code" in sage(recorded.path, "blame", "src/parser.py").splitlines()[1]
