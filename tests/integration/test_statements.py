"""Statements in a recorded repository: appended once, durably, to log, index and sidecar, whoever calls."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

import sage_git
from sage_git.chronicle.event import Event
from sage_git.operations.statements.ends import MOST_PARENTS
from tests.recorded import keep_record

PROCESSES = 8
TIME = "2026-01-02T03:04:05.678Z"
APPEND = f"""
import sys, sage_git
for number in range(int(sys.argv[3])):
    sage_git.append_event(sys.argv[1], {{
        "type": "AGENT_ACTION",
        "actor": {{"agent": "test", "id": sys.argv[2]}},
        "timestamp": "{TIME}",
        "action": f"step {{number}}",
    }}, lock_timeout_ms=60_000)
"""


def step(action="lint", **fields):
    return {"type": "AGENT_ACTION", "actor": {"agent": "test", "id": "ada"}, "action": action} | fields


@pytest.fixture
def recorded(repository, sage):
    """A repository with two recorded edits of src/foo.py."""
    repository.commit("first", **{"src/foo.py": "x = 1\n", "src/bar.py": "y\n"})
    keep_record(repository)
    repository.commit("second", **{"src/foo.py": "x = 2\n"})
    assert sage("record").returncode == 0
    return repository.path


def lines(path):
    return path.read_bytes().split(b"\n")[:-1]


def log_lines(recorded):
    return lines(recorded / ".git/sage/tail.ndjson")[1:]


def newest_fact(path):
    return [e for e in map(json.loads, lines(path)) if e["type"].startswith("FILE_")][-1]["eventId"]


@pytest.mark.parametrize("appends", [60, pytest.param(500, marks=pytest.mark.soak)])
def test_eight_processes_append_and_no_line_is_torn_lost_or_doubled(recorded, appends):
    path = recorded / ".sage/builds.sage"
    before = len(log_lines(recorded))
    command = (sys.executable, "-c", APPEND, str(path))
    writers = [subprocess.Popen([*command, f"w{number}", str(appends)]) for number in range(PROCESSES)]
    assert [writer.wait() for writer in writers] == [0] * PROCESSES
    events = sage_git.read_chronicle(path)
    assert len(lines(path)) == len(events) == len(log_lines(recorded)) - before == PROCESSES * appends
    assert log_lines(recorded)[before:] == lines(path)
    assert [event.get("prevEventId") for event in events] == [None, *(event["eventId"] for event in events[:-1])]
    assert all(event.has_true_id() for event in events)
    by_writer = sorted(events, key=lambda event: event.actor["id"])
    expected = [(f"w{writer}", f"step {number}") for writer in range(PROCESSES) for number in range(appends)]
    assert [(event.actor["id"], event["action"]) for event in by_writer] == expected


def test_threads_append_to_a_source_and_a_subject(recorded):
    paths = [recorded / "src/foo.py.sage", recorded / ".sage/notes.sage"]

    def work(name):
        for number in range(20):
            sage_git.append_event(paths[number % 2], step(f"{name} {number}"), lock_timeout_ms=60_000)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [event["action"] for path in paths for event in sage_git.read_chronicle(path) if "action" in event]
    assert len(set(said)) == len(said) == 60


def test_a_statement_about_a_source_hangs_on_its_newest_fact(recorded):
    path = recorded / "src/foo.py.sage"
    event = sage_git.append_event(path, step())
    assert (event.subject, event["prevEventId"]) == ("src/foo.py", newest_fact(path))
    assert sage_git.append_event(path, step())["prevEventId"] == newest_fact(path)
    assert sage_git.tail_chronicle(path, 1)[0]["action"] == "lint"


def test_a_statement_about_a_source_from_before_the_record_has_no_parent(recorded):
    event = sage_git.append_event(recorded / "src/bar.py.sage", step())
    assert "prevEventId" not in event
    assert lines(recorded / "src/bar.py.sage") == [event.line]


def test_a_statement_in_a_subject_joins_the_ends_of_its_chronicle(recorded):
    path = recorded / ".sage/builds.sage"
    first = sage_git.append_event(path, step("first"))
    left = sage_git.append_event(path, step("left", prevEventId=first["eventId"]))
    right = sage_git.append_event(path, step("right", prevEventId=first["eventId"]))
    joined = sage_git.append_event(path, step("joined"))
    assert [joined["prevEventId"], *joined["mergedEventIds"]] == sorted([left["eventId"], right["eventId"]])


def test_a_subject_that_somebody_floods_with_loose_ends_can_still_be_spoken_in(recorded, sage):
    floods = (step(f"flood {number}", subject="builds", timestamp=TIME) for number in range(3_000))
    lines = [sage_git.Event.sealed(each).line + b"\n" for each in floods]
    (recorded / ".sage/builds.sage").write_bytes(b"".join(lines))
    assert sage("record", cwd=recorded).returncode == 0
    said = sage_git.append_event(recorded / ".sage/builds.sage", step("above it all"))
    assert len([said["prevEventId"], *said["mergedEventIds"]]) == MOST_PARENTS
    after = sage_git.append_event(recorded / ".sage/builds.sage", step("and on"))
    assert said.event_id in (after["prevEventId"], *after["mergedEventIds"])


def test_a_retry_is_the_same_event_and_nothing_is_written(recorded):
    for name in ("src/foo.py.sage", ".sage/builds.sage"):
        first = sage_git.append_event(recorded / name, step(timestamp=TIME))
        sage_git.append_event(recorded / name, step("between"))
        before = (recorded / name).read_bytes(), log_lines(recorded)
        assert sage_git.append_event(recorded / name, step(timestamp=TIME)) == first
        assert sage_git.append_event(recorded / name, dict(first)) == first
        assert ((recorded / name).read_bytes(), log_lines(recorded)) == before


def test_an_event_without_a_true_id_stays_as_it_is_and_never_shadows_one_with(recorded, sage):
    path = recorded / ".sage/builds.sage"
    bare = sage_git.append_event(path, step(timestamp=TIME), compute_id=False)
    assert bare.event_id is None
    wrong = sage_git.append_event(path, step("wrong", eventId="ab" * 32), compute_id=False)
    assert wrong.event_id == "ab" * 32
    assert sage_git.append_event(path, step(timestamp=TIME), compute_id=False) == bare
    true = sage_git.append_event(path, step(timestamp=TIME))
    assert true.has_true_id()
    assert sage_git.append_event(path, step(timestamp=TIME)) == true
    assert lines(path) == [bare.line, wrong.line, true.line]
    assert sage("fsck").returncode == 0
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        (recorded / ".git/sage" / name).unlink(missing_ok=True)
    path.unlink()
    assert sage("record").returncode == 0
    assert {true.line, wrong.line} <= set(lines(path))


def test_any_chronicle_path_works_also_of_what_is_not_tracked(recorded, sage):
    event = sage_git.append_event(recorded / "notes.sage", step())
    assert event.subject == "./notes"
    assert sage("record").returncode == 0
    assert sage_git.read_chronicle(recorded / "notes.sage") == [event]
    assert sage("fsck").returncode == 0


def test_what_was_said_of_a_file_before_it_was_committed_stands_in_its_chronicle(recorded, repository, sage):
    repository.write("new.py", "z = 1\n")
    event = sage_git.append_event(recorded / "new.py.sage", step())
    repository.commit("new")
    assert sage("record").returncode == 0
    (recorded / "new.py.sage").unlink()
    assert sage("record").returncode == 0
    found = sage_git.read_chronicle(recorded / "new.py.sage")
    assert event in found
    assert {each.type for each in found} == {"AGENT_ACTION", "FILE_ADDED"}


@pytest.mark.parametrize(
    "name, fields, field",
    [
        (".sage/a.sage", {"type": "FILE_ADDED"}, "type"),
        (".sage/a.sage", {"type": "ROGUE_EDIT_DETECTED"}, "type"),
        (".sage/a.sage", {"type": "EVENT_REDACTED"}, "type"),
        (".sage/a.sage", {"subject": "b"}, "subject"),
        (".sage/a.sage", {"actor": None}, "actor"),
        (".sage/a.sage", {"type": "BUILD", "status": "maybe"}, "status"),
        ("src/../a.sage", {}, "path"),
        ("link/a.sage", {}, "path"),
        ("src/a.txt", {}, "path"),
    ],
)
def test_what_may_not_be_said_is_refused_by_field_and_leaves_no_trace(recorded, name, fields, field):
    (recorded / "link").symlink_to(recorded.parent)
    before = log_lines(recorded)
    with pytest.raises(sage_git.ValidationError) as caught:
        sage_git.append_event(f"{recorded}/{name}", step(**fields))
    assert field in {detail.field for detail in caught.value.details}
    assert log_lines(recorded) == before
    assert not (recorded / ".sage/a.sage").exists()


def test_nothing_may_be_said_before_the_config_is_committed(repository, sage):
    repository.commit("first", **{"foo.py": "x\n"})
    keep_record(repository, "--no-commit")
    with pytest.raises(sage_git.NotHere, match="never committed") as caught:
        sage_git.append_event(repository.path / ".sage/builds.sage", step())
    assert "git commit" in caught.value.remedy


def test_a_foreign_change_of_the_sidecar_is_adopted_by_the_next_append(recorded):
    path = recorded / ".sage/builds.sage"
    sage_git.append_event(path, step("ours"))
    foreign = Event.sealed(step("foreign", timestamp=TIME, subject="builds"))
    with path.open("ab") as out:
        out.write(foreign.line + b'\n{"torn')
    sage_git.append_event(path, step("again"))
    assert [event["action"] for event in sage_git.read_chronicle(path)] == ["ours", "foreign", "again"]
    assert foreign.line in log_lines(recorded)
    assert b'{"torn' in (recorded / ".git/sage/lost/sidecars.ndjson").read_bytes()


def test_notes_say_what_their_options_say(recorded, sage):
    told = sage("note", "deploy", "prod", "success", "--id", "d1", "--build", "7", "--actor", "ci/s1", "--json")
    assert told.returncode == 0, told.stderr
    event = json.loads(told.stdout)
    assert {k: event[k] for k in ("type", "environment", "status", "deploymentId", "buildRef", "subject")} == {
        "type": "DEPLOY",
        "environment": "prod",
        "status": "success",
        "deploymentId": "d1",
        "buildRef": "7",
        "subject": "deploys",
    }
    assert event["actor"] == {"agent": "ci", "session": "s1", "id": "Ada Lovelace <ada@example.org>"}
    said = sage("note", "action", "-m", "ran lint", "--about", "foo.py", cwd=recorded / "src")
    assert json.loads(lines(recorded / "src/foo.py.sage")[-1])["eventId"] == said.stdout.strip()
    refused = sage("note", "action", "-m", "x", "--about", "src/none.py")
    assert (refused.returncode, "neither a source nor a subject" in refused.stderr) == (2, True)
    assert sage("note", "envvar", "KEY", "set", "--in", "prod").returncode == 0
    assert sage("note", "postmortem", "I1", "--title", "t", "-m", "cause", "--action-item", "mend").returncode == 0


def test_what_was_said_one_after_the_other_is_shown_so_whatever_it_is_about(recorded, sage):
    for hour, subject in enumerate(("builds", "plans", "actions", "builds", "deploys")):
        said = step(f"step {hour}") | {"timestamp": f"2026-01-01T0{hour}:00:00.000Z"}
        assert sage("append", f".sage/{subject}.sage", stdin=json.dumps(said)).returncode == 0
    shown = [json.loads(line) for line in sage("log", "--json", "--type", "AGENT_ACTION").stdout.splitlines()]
    assert [event["action"] for event in shown] == [f"step {hour}" for hour in (4, 3, 2, 1, 0)]


def test_append_takes_json_from_an_option_or_standard_input(recorded, sage):
    text = json.dumps(step("from stdin"))
    first = sage("append", "src/foo.py.sage", stdin=text)
    assert json.loads(lines(recorded / "src/foo.py.sage")[-1])["eventId"] == first.stdout.strip()
    second = sage("append", "foo.py.sage", "--event", text, "--no-id", cwd=recorded / "src")
    assert (second.returncode, second.stdout) == (0, "appended without an id\n")
    assert "eventId" not in json.loads(lines(recorded / "src/foo.py.sage")[-1])
    for wrong in ("{", "[]", '{"type": "AGENT_ACTION", "actor": 1}'):
        refused = sage("append", ".sage/a.sage", "--event", wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
