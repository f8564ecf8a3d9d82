"""Answering for unplanned edits and halts by the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from subprocess import CompletedProcess
from typing import Any

import pytest

import sage_git
from sage_git.cli.main import main
from sage_git.cli.surroundings import of_this_process
from tests.judged import Desk
from tests.kit import GitRepository
from tests.recorded import keep_record

Sage = Callable[..., "CompletedProcess[str]"]
BOB = "Bob <bob@example.org>"


@pytest.fixture
def edited(repository: GitRepository, sage: Sage) -> GitRepository:
    """A recorded repository with three edits that nobody planned, two of them of one file."""
    repository.commit("first", **{"src/a.py": "a = 1\n", "src/b.py": "b = 1\n"})
    keep_record(repository)
    repository.commit("second", **{"src/a.py": "a = 2\n", "src/b.py": "b = 2\n"})
    repository.commit("third", **{"src/a.py": "a = 3\n"})
    assert sage("record").returncode == 0
    return repository


def open_edits(sage: Sage) -> list[str]:
    state = json.loads(sage("status", "--json").stdout)
    return sorted(edit["filePath"] for edit in state["openRogueEdits"])


def answers(sage: Sage, *arguments: str) -> list[dict[str, Any]]:
    finished = sage("reconcile", "-m", "looked at it", "--json", *arguments)
    assert (finished.returncode, finished.stderr) == (0, "")
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_one_statement_answers_for_all_of_a_source_and_stands_in_its_chronicle(edited, sage):
    chronicle = sage_git.read_chronicle(edited.path / "src/a.py.sage")
    verdicts = [event for event in chronicle if event.type == "ROGUE_EDIT_DETECTED"]
    (said,) = answers(sage, "src/a.py", "--reviewer", BOB)
    assert (said["type"], said["reconciliationStrategy"], said["subject"]) == ("RECONCILIATION", "accepted", "src/a.py")
    assert said["resolves"] == [event["eventId"] for event in verdicts]
    assert said["diffRef"] == f"{verdicts[0]['lastHash']}..{verdicts[1]['hash']}"
    assert (said["justification"], said["reviewerId"]) == ("looked at it", BOB)
    assert sage_git.tail_chronicle(edited.path / "src/a.py.sage", 1)[0]["eventId"] == said["eventId"]
    assert open_edits(sage) == ["src/b.py"]
    assert sage("fsck").returncode == 0


def test_an_event_a_commit_and_a_folder_name_what_is_open_of_them(edited, sage):
    verdicts = json.loads(sage("status", "--json").stdout)["openRogueEdits"]
    newest = next(edit for edit in verdicts if edit["commit"] == edited.head)
    assert [said["resolves"] for said in answers(sage, newest["eventId"][:12])] == [[newest["eventId"]]]
    second = edited.git("rev-parse", "HEAD^")
    assert {said["filePath"] for said in answers(sage, second[:10])} == {"src/a.py", "src/b.py"}
    assert open_edits(sage) == []
    assert answers(sage, "src") == []


def test_of_a_recorded_commit_that_changed_no_source_nobody_says_that_it_is_not_recorded(edited, sage):
    empty = edited.commit("nothing")
    finished = sage("reconcile", empty[:10], "-m", "looked at it")
    assert finished.returncode != 0
    assert f"the commit {empty[:10]} is recorded, but no event tells of it" in finished.stderr


def test_an_answer_follows_its_source_through_a_rename(edited, sage):
    edited.git("mv", "src/a.py", "src/new.py")
    edited.commit("move")
    (said,) = answers(sage, "src/new.py")
    assert (said["filePath"], len(said["resolves"])) == ("src/new.py", 2)
    assert open_edits(sage) == ["src/b.py"]


def test_what_was_done_to_a_source_that_is_gone_can_be_answered_for(edited, sage):
    edited.commit("drop", **{"src/b.py": None})
    (said,) = answers(sage, "src/b.py")
    assert said["filePath"] == "src/b.py"
    assert said["eventId"] in {event["eventId"] for event in _logged(sage, "log", "src/b.py")}
    assert set(open_edits(sage)) == {"src/a.py"}


def test_all_are_answered_for_only_where_somebody_says_so(edited, sage):
    refused = sage("reconcile", "-m", "why")
    assert refused.returncode == 2
    assert "nobody is here to confirm answering for 3 open edits" in refused.stderr
    assert len(open_edits(sage)) == 3
    assert len(answers(sage, "--all")) == 2
    assert open_edits(sage) == []


@pytest.mark.parametrize("typed, left", [(b"y\n", 0), (b"n\n", 3), (b"", 3)])
def test_on_a_terminal_one_is_asked_after_seeing_what_it_is_about(edited, sage, typed, left):
    out, err = io.BytesIO(), io.BytesIO()
    around = replace(
        of_this_process(), cwd=edited.path, input=io.BytesIO(typed), output=out, errors=err,
        output_is_terminal=True, errors_are_terminal=True, columns=80,
    )  # fmt: skip
    assert main(["--color", "never", "reconcile", "-m", "why"], around) == (0 if not left else 2)
    assert out.getvalue().decode().count("src/a.py") >= 2
    assert b"Answer for 3 open edits? [y/N]" in err.getvalue()
    assert len(open_edits(sage)) == left


def test_a_rename_and_the_edit_that_came_with_it_are_answered_for_together(repository):
    text = "".join(f"a{n} = {n}\n" for n in range(20))
    repository.commit("first", **{"src/a.py": text})
    desk = Desk.begin(repository)
    desk.approve("elsewhere", "docs/**")
    repository.git("mv", "src/a.py", "src/c.py")
    repository.commit("moved", **{"src/c.py": f"{text}more = 1\n"})
    moved = [edit["eventId"] for edit in desk.open_edits()]
    assert len(moved) == 2
    (said,) = desk.sage("reconcile", moved[0], "-m", "looked at it", "--json").splitlines()
    assert sorted(json.loads(said)["resolves"]) == sorted(moved)


def test_answering_again_writes_nothing(edited, sage):
    assert len(answers(sage, "src/a.py")) == 1
    size = (edited.path / "src/a.py.sage").stat().st_size
    assert answers(sage, "src/a.py") == []
    assert (edited.path / "src/a.py.sage").stat().st_size == size


def test_a_halt_is_lifted_by_its_id_where_it_was_reported(edited, sage):
    halt = sage_git.append_event(
        edited.path / "src/a.py.sage",
        {
            "type": "HALT_AND_REPORT",
            "actor": {"agent": "ci", "id": "ci"},
            "invariant": "tests pass",
            "expected": "0 failed",
            "actual": "1 failed",
        },
    )
    assert halt.event_id is not None
    assert len(json.loads(sage("status", "--json").stdout)["halts"]) == 1
    (said,) = answers(sage, halt.event_id[:10])
    assert (said["reconciliationStrategy"], said["resolves"], said["subject"]) == (
        "lifted", [halt.event_id], "src/a.py",
    )  # fmt: skip
    assert json.loads(sage("status", "--json").stdout)["halts"] == []


def test_what_needs_no_answer_and_what_nobody_knows_is_told(edited, sage):
    note = json.loads(sage("note", "action", "-m", "linted", "--json").stdout)["eventId"]
    for word, status, words in (
        (note[:10], 2, "is AGENT_ACTION, which needs no answer"),
        ("nowhere.py", 3, "nothing is known of 'nowhere.py'"),
        ("deadbeef", 3, "begins with 'deadbeef'"),
    ):
        refused = sage("reconcile", word, "-m", "why")
        assert refused.returncode == status
        assert words in refused.stderr


@pytest.mark.parametrize("gone", ["eventId", "prevEventId"], ids=["verdict", "fact"])
def test_an_edit_whose_body_is_gone_can_be_answered_for(edited, sage, gone):
    (verdict,) = [e for e in _logged(sage, "log", "src/b.py") if e["type"] == "ROGUE_EDIT_DETECTED"]
    assert sage("redact", verdict[gone], "-m", "a secret").returncode == 0
    assert open_edits(sage) == ["src/a.py", "src/a.py", "src/b.py"]
    assert [said["filePath"] for said in answers(sage, "src/b.py")] == ["src/b.py"]
    assert open_edits(sage) == ["src/a.py", "src/a.py"]


def test_an_edit_of_which_nothing_is_left_stays_open(edited, sage):
    (verdict,) = [e for e in _logged(sage, "log", "src/b.py") if e["type"] == "ROGUE_EDIT_DETECTED"]
    for gone in ("prevEventId", "eventId"):
        assert sage("redact", verdict[gone], "-m", "a secret").returncode == 0
    assert open_edits(sage) == ["", "src/a.py", "src/a.py"]
    assert sage("status").returncode == 0
    sage("reconcile", verdict["prevEventId"], "-m", "known")
    assert open_edits(sage) == ["src/a.py", "src/a.py"]


def test_a_merge_that_dropped_a_change_can_be_answered_for(repository):
    repository.commit("first", **{"src/a.py": "a = 1\n", "src/b.py": "b = 1\n"})
    desk = Desk.begin(repository)  # drops are judged from the first approval on: by the clock of the commits
    claim = desk.approve("p", "**")
    repository.git("switch", "--quiet", "--create", "side")
    repository.commit(f"on the side\n\n{claim}", **{"src/b.py": "b = 'side'\n"})
    repository.git("switch", "--quiet", "main")
    repository.commit(f"on main\n\n{claim}", **{"src/a.py": "a = 4\n"})
    repository.git("merge", "--quiet", "--strategy", "ours", "--no-edit", "side")
    assert [edit["filePath"] for edit in desk.open_edits()] == ["src/b.py"]
    desk.reconcile(repository.head[:10], "src/b.py")
    assert desk.open_edits() == []


def test_who_made_an_edit_may_not_answer_for_it_where_the_policy_says_so(edited, sage):
    text = edited.read(".sage/config.toml").replace("self_approval = true", "self_approval = false")
    edited.commit("policy", **{".sage/config.toml": text})
    edited.commit("fourth", **{"src/b.py": "b = 4\n"})
    refused = sage("reconcile", edited.head[:10], "-m", "mine")
    assert refused.returncode == 2
    assert "does not let who made the edit of src/b.py answer for it" in refused.stderr
    (said,) = answers(sage, edited.head[:10], "--reviewer", BOB)
    assert said["reviewerId"] == BOB


def _logged(sage: Sage, *arguments: str) -> list[dict[str, Any]]:
    finished = sage(*arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]
