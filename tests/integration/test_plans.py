"""Plans by the command line: from a draft to what it covered, in one clone and in two work trees."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.kit import GitRepository
from tests.recorded import keep_record

Sage = Callable[..., "CompletedProcess[str]"]
BOB = "Bob <bob@example.org>"


@pytest.fixture
def planned(repository: GitRepository, sage: Sage) -> GitRepository:
    """A recorded repository with a plan for src that is drafted."""
    repository.commit("first", **{"src/a.py": "a = 1\n", "src/b.py": "b = 1\n", "docs/a.md": "a\n"})
    keep_record(repository)
    assert sage("plan", "draft", "--summary", "Tidy", "--scope", "src/**").returncode == 0
    return repository


def answer(sage: Sage, *arguments: str, **options: Any) -> Any:
    """The one object that a command answers with."""
    finished = sage(*arguments, "--json", **options)
    assert (finished.returncode, finished.stderr) == (0, "")
    return json.loads(finished.stdout)


def policy(repository: GitRepository, old: str, new: str) -> None:
    """Commit another word in the config."""
    text = repository.read(".sage/config.toml")
    assert old in text
    repository.commit("policy", **{".sage/config.toml": text.replace(old, new)})


def write_now(repository: GitRepository, message: str, **files: str) -> str:
    """Commit at the time that it is, as plans are approved at the time that it is."""
    for path, text in files.items():
        repository.write(path, text)
    repository.git("add", "--all")
    subprocess.run(["git", "commit", "--quiet", "--message", message], cwd=repository.path, check=True)
    return repository.head


def test_a_scope_that_does_not_leave_out_what_it_names_is_warned_of(planned, sage):
    draft = sage("plan", "draft", "--summary", "All but src", "--scope", "**", "--scope", "!src/**").stdout
    assert "warning  '!src/**' takes nothing out of the scope" in draft
    assert "covers   5 files now" in draft
    both = ("--scope", "!src/", "--scope", "!src/**")
    draft = sage("plan", "draft", "--summary", "All but", "--scope", "**", *both).stdout
    assert "warning" not in draft
    assert "covers   3 files now" in draft


def test_every_answer_tells_of_the_plan(planned, sage):
    drafted = answer(sage, "plan", "show", "tidy")
    assert {name: drafted[name] for name in ("planId", "state", "scope", "inUse")} == {
        "planId": "tidy", "state": "drafted", "scope": ["src/**"], "inUse": False,
    }  # fmt: skip
    approved = answer(sage, "plan", "approve", "tidy", "-m", "fine", "--reviewer", BOB)
    assert (approved["state"], approved["planHash"]) == ("approved", drafted["planHash"])
    event = approved["events"][-1]
    assert (event["type"], event["reviewerId"], event["subject"]) == ("PLAN_APPROVED", BOB, "plans")
    assert event["actor"]["id"] == "Ada Lovelace <ada@example.org>"
    assert answer(sage, "plan", "deny", "tidy", "-m", "no")["state"] == "denied"
    forced = answer(sage, "plan", "force", "tidy", "-m", "now")
    assert forced["state"] == "unsafe"
    assert forced["events"][-1]["overriddenWarnings"] == [
        "denied by Ada Lovelace <ada@example.org>: no", "nobody's approval stands",
    ]  # fmt: skip
    assert answer(sage, "plan", "done", "tidy")["state"] == "completed"
    assert (planned.path / ".sage/plans.sage").read_bytes().count(b"\n") == 5


def test_a_plan_in_use_covers_the_commits_of_its_work_tree_and_of_no_other(planned, sage):
    planned.git("config", "--unset", "core.hooksPath")
    other = planned.worktree("linked")
    assert sage("plan", "approve", "tidy", "-m", "fine").returncode == 0
    assert answer(sage, "plan", "use", "tidy")["inUse"] is True
    assert answer(sage, "plan", "use", cwd=other.path) == {"planId": None}
    write_now(planned, "under the plan", **{"src/a.py": "a = 2\n"})
    write_now(other, "under none", **{"src/b.py": "b = 2\n"})
    verdicts = [each["type"] for each in _logged(sage, "log", "--plan", "tidy") if "graphCommit" in each]
    assert verdicts == ["RECONCILIATION"]
    assert [edit["filePath"] for edit in answer(sage, "status", cwd=other.path)["openRogueEdits"]] == ["src/b.py"]
    covered = answer(sage, "plan", "show", "tidy")["covered"]
    assert covered == {
        "commits": 1,
        "touched": [{"filePath": "src/a.py", "edits": 1, "open": 0}],
        "untouched": ["src/b.py"],
        "undeclared": [],
    }


def test_a_plan_that_ends_is_not_in_use_any_more(planned, sage):
    for end in ("deny", "done"):
        assert sage("plan", "approve", "tidy", "-m", "fine").returncode == 0
        assert sage("plan", "use", "tidy").returncode == 0
        assert sage("plan", end, "tidy", "-m", "over").returncode == 0
        assert answer(sage, "plan", "use") == {"planId": None}


def test_a_plan_is_read_from_a_file_and_from_standard_input_and_options_say_otherwise(planned, sage):
    text = "---\nid: docs\nscope: docs/**\nexpires: +7d\n---\n# Finish the guide\n- write\n- proofread\n"
    planned.write("plan.md", text)
    drafted = answer(sage, "plan", "draft", "--from", "plan.md")
    assert (drafted["planId"], drafted["summary"]) == ("docs", "Finish the guide")
    assert drafted["steps"] == ["write", "proofread"]
    assert "expiresAt" in drafted
    again = answer(sage, "plan", "draft", "--from", "-", "--id", "more", "--scope", "*.md", stdin=text)
    assert (again["planId"], again["scope"]) == ("more", ["*.md"])
    assert {each["planId"] for each in _logged(sage, "plan", "list")} == {"tidy", "docs", "more"}


def test_as_many_must_approve_as_the_policy_wants_and_the_drafter_is_told_when_not_wanted(planned, sage):
    policy(planned, "required = 1", "required = 2")
    first = sage("plan", "approve", "tidy", "-m", "fine")
    assert "has 1 of the 2 approvals" in first.stdout
    assert sage("plan", "use", "tidy").returncode == 2
    assert "is approved, and in force" in sage("plan", "approve", "tidy", "-m", "fine", "--reviewer", BOB).stdout
    policy(planned, "self_approval = true", "self_approval = false")
    assert sage("plan", "draft", "--summary", "More", "--scope", "*.md").returncode == 0
    refused = sage("plan", "approve", "more", "-m", "mine")
    assert refused.returncode == 2
    assert "does not let who drafted plan more approve it" in refused.stderr


def test_plans_are_named_by_what_tells_them_apart(planned, sage):
    assert sage("plan", "draft", "--summary", "Title", "--scope", "*.md").returncode == 0
    tidy = answer(sage, "plan", "show", "tid")
    assert answer(sage, "plan", "show", tidy["planHash"][:8])["planId"] == "tidy"
    refused = sage("plan", "show", "ti")
    assert refused.returncode == 2
    assert "'ti' may be any of tidy, title" in refused.stderr


def test_a_name_that_two_clones_took_is_told_apart_by_hash(planned, sage):
    other = planned.clone("other")
    keep_record(other)
    assert sage("plan", "draft", "--summary", "Tidy", "--scope", "**", cwd=other.path).returncode == 0
    theirs = (other.path / ".sage/plans.sage").read_bytes()
    with (planned.path / ".sage/plans.sage").open("ab") as out:
        out.write(theirs)
    assert sage("record").returncode == 0
    refused = sage("plan", "approve", "tidy", "-m", "fine")
    assert refused.returncode == 2
    assert "plan tidy was drafted 2 times, and differently" in refused.stderr
    wide = json.loads(theirs)["planHash"]
    assert answer(sage, "plan", "approve", wide[:12], "-m", "fine")["scope"] == ["**"]
    assert sorted(each["state"] for each in _logged(sage, "plan", "list")) == ["approved", "drafted"]


def test_hostile_text_is_escaped_wherever_it_is_shown(planned, sage):
    summary = "red \x1b[31m and \u202e back"
    shown = sage("plan", "draft", "--summary", summary, "--id", "evil", "--scope", "*").stdout
    shown += sage("plan", "approve", "evil", "-m", "\x1b]0;title\x07").stdout
    for command in (["list"], ["show", "evil"], ["show", "evil", "--json"], ["use", "evil"], ["use"]):
        shown += sage("plan", *command).stdout
    assert "evil" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_sage_plan_in_the_environment_is_told(planned, sage):
    said = sage("plan", "use", env={"SAGE_PLAN": "other"}).stdout
    assert "SAGE_PLAN=other is set in this environment" in said


def _logged(sage: Sage, *arguments: str) -> list[dict[str, Any]]:
    finished = sage(*arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]
