"""The JSON that programs read: fields, and that they say the same as the text."""

import json

import pytest

from tests.golden.conftest import calculator, run
from tests.recorded import keep_record


@pytest.fixture
def place(places):
    return places("calculator")


def answers(place, *arguments):
    status, out, err = run(place, *arguments, "--json", columns=None)
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_log_tells_every_event_once_with_what_is_known_of_it(place):
    events = answers(place, "log")
    assert len({event["eventId"] for event in events}) == len(events)
    assert {event["type"] for event in events} >= {
        "FILE_RENAMED",
        "FILE_SPLIT",
        "ROGUE_EDIT_DETECTED",
        "RECONCILIATION",
    }
    assert all(event["inHead"] is True and "incomplete" not in event for event in events)
    assert {event["type"] for event in events if event["open"]} == {"ROGUE_EDIT_DETECTED"}


def test_a_verdict_stands_before_its_fact_and_a_child_before_its_parent(place):
    events = answers(place, "log", "src/grammar.py")
    position = {event["eventId"]: at for at, event in enumerate(events)}
    links = [
        (event, parent) for event in events for parent in [event.get("prevEventId"), *event.get("mergedEventIds", [])]
    ]
    known = [(position[event["eventId"]], position[parent]) for event, parent in links if parent in position]
    assert known
    assert all(child < parent for child, parent in known)


def test_the_sidecar_of_an_event_is_where_the_source_is_now(place):
    of_type = {event["type"]: event["chronicle"] for event in answers(place, "log", "src/parser.py")}
    assert of_type["FILE_RENAMED"] == "src/grammar.py.sage"
    lexer = {event["chronicle"] for event in answers(place, "log", "src/lexer.py")}
    assert lexer == {"src/lexer.py.sage"}


def test_every_name_of_a_source_gives_its_whole_history(place):
    by_name = [answers(place, "log", name) for name in ("src/grammar.py", "src/parser.py", "src/grammar.py.sage")]
    assert by_name[0] == by_name[1] == by_name[2]


def test_a_path_is_understood_from_where_one_stands(place):
    assert answers(place / "src", "log", "grammar.py") == answers(place, "log", "src/grammar.py")
    assert answers(place / "src", "log", "../README.md") == answers(place, "log", "README.md")


def test_a_folder_has_the_histories_of_all_within(place):
    inside = {event["eventId"] for event in answers(place, "log", "src")}
    assert inside >= {event["eventId"] for event in answers(place, "log", "src/lexer.py")}
    assert not inside & {event["eventId"] for event in answers(place, "log", "README.md")}


def test_unplanned_gives_the_open_verdicts_and_counts_facts(place):
    events = answers(place, "log", "--unplanned", "-n", "2")
    assert [(event["type"], event["open"]) for event in events] == [("ROGUE_EDIT_DETECTED", True)] * 2


def test_what_head_does_not_have_is_shown_only_when_asked_for(tmp_path):
    repository = calculator(tmp_path / "here")
    everything = answers(repository.path, "log")
    repository.git("reset", "--quiet", "--hard", "HEAD~3")
    fewer, all_of_it = answers(repository.path, "log"), answers(repository.path, "log", "--all")
    assert {event["eventId"] for event in fewer} < {event["eventId"] for event in everything}
    assert {event["eventId"] for event in all_of_it} == {event["eventId"] for event in everything}
    outside = [event for event in all_of_it if not event["inHead"]]
    assert len(outside) == len(everything) - len(fewer)
    assert [event["filePath"] for event in outside if event["type"] == "FILE_REMOVED"] == ["src/lexer.py"]


def test_show_tells_where_an_event_stands(place):
    edit = next(event for event in answers(place, "log", "src/lexer.py") if event["type"] == "FILE_EDITED")
    (shown,) = answers(place, "show", edit["eventId"][:10])
    assert {name: shown[name] for name in edit if name != "open"} == {n: edit[n] for n in edit if n != "open"}
    assert shown["parents"] == [edit["prevEventId"]]
    assert [verdict["type"] for verdict in shown["verdicts"]] == ["ROGUE_EDIT_DETECTED"]
    assert shown["open"] is True
    assert "\n+def numbers(text):\n" in shown["diff"]
    assert shown["diff"].startswith("diff --git a/src/lexer.py b/src/lexer.py\n")


def test_show_of_a_commit_gives_all_its_events(place):
    commit = answers(place, "log", "--type", "split")[0]["graphCommit"]
    assert sorted(event["type"] for event in answers(place, "show", commit[:12])) == [
        "FILE_ADDED", "FILE_ADDED", "FILE_EDITED", "FILE_SPLIT",
    ]  # fmt: skip


def test_status_tells_the_lines_of_edits_that_still_stand(place):
    (state,) = answers(place, "status")
    assert (state["recording"], state["halts"], state["plansInForce"], state["peers"]) == ("current", [], [], [])
    edits = {(edit["filePath"], tuple(map(tuple, edit["lines"]))) for edit in state["openRogueEdits"]}
    assert ("src/lexer.py", ()) in edits, "it is gone, so it has no lines"
    assert len(state["openRogueEdits"]) == 6


def test_an_edit_has_lines_while_its_file_is_as_it_left_it(tmp_path):
    repository = calculator(tmp_path / "here")
    repository.commit(
        "lines", **{"src/terms.py": "first\n" + repository.read("src/terms.py") + "\n\nlast = 1\nof = 2\n"}
    )
    (state,) = answers(repository.path, "status")
    count = len(repository.read("src/terms.py").splitlines())
    lines = [edit["lines"] for edit in state["openRogueEdits"] if edit["filePath"] == "src/terms.py"]
    assert lines == [[[1, 1], [count - 3, count]]]


def test_hostile_text_is_escaped_in_json_as_well(repository):
    keep_record(repository)
    name = "\x1b[31m\u202eyp.live"
    repository.commit("hostile", **{name: "x\n"})
    _, out, _ = run(repository.path, "log", "--all", "--json")
    assert name in {json.loads(line).get("filePath") for line in out.splitlines()}
    assert not {"\x1b", "\u202e"}.intersection(out)


def test_a_verdict_is_told_with_its_fact_though_all_happened_in_one_second(tmp_path):
    repository = calculator(tmp_path / "here")
    date = {"GIT_AUTHOR_DATE": "1767312000 +0000", "GIT_COMMITTER_DATE": "1767312000 +0000"}
    for number in range(8):
        repository.write("src/terms.py", f"number = {number}\n")
        repository.git("commit", "--quiet", "--all", "--message", f"number {number}", env=date)
    for arguments in (["log", "src/terms.py"], ["log"]):
        status, out, _ = run(repository.path, *arguments, "-n", "8")
        assert status == 0
        assert [line.split()[-2] for line in out.splitlines() if " src/terms.py " in line] == ["unplanned"] * 8
        titles = [line.split()[2] for line in out.splitlines() if " number " in line]
        assert titles == [str(number) for number in reversed(range(8))]
