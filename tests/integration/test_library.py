"""`import sage_git`: the library as an agent uses it, outside repositories and beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

import sage_git

PROCESSES, APPENDS = 8, 500
APPEND = f"""
import sys, sage_git
for number in range({APPENDS}):
    sage_git.append_event(sys.argv[1], {{
        "type": "AGENT_ACTION",
        "actor": {{"agent": "test", "id": sys.argv[2]}},
        "timestamp": "2026-01-02T03:04:05.678Z",
        "action": f"step {{number}}",
    }}, lock_timeout_ms=60_000)
"""


def step(action="lint", **fields):
    return {"type": "AGENT_ACTION", "actor": {"agent": "test", "id": "ada"}, "action": action} | fields


def assert_is_one_chain(events):
    assert [event.get("prevEventId") for event in events] == [None, *(event["eventId"] for event in events[:-1])]
    assert all(event.has_true_id() for event in events)


def test_eight_processes_append_to_one_chronicle_and_no_line_is_torn_lost_or_doubled(tmp_path):
    path = tmp_path / "notes.sage"
    writers = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(path), f"writer {number}"]) for number in range(PROCESSES)
    ]
    assert [writer.wait() for writer in writers] == [0] * PROCESSES
    assert path.read_bytes().count(b"\n") == PROCESSES * APPENDS
    events = sage_git.read_chronicle(path)
    assert_is_one_chain(events)
    expected = [(f"writer {writer}", f"step {number}") for writer in range(PROCESSES) for number in range(APPENDS)]
    by_writer = sorted(events, key=lambda event: event.actor["id"])  # stable: in each writer's own order
    assert [(event.actor["id"], event["action"]) for event in by_writer] == expected


def test_threads_append_to_one_chronicle(tmp_path):
    path = tmp_path / "notes.sage"

    def work(name: str) -> None:
        for number in range(50):
            sage_git.append_event(path, step(f"{name} {number}"), lock_timeout_ms=60_000)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = sage_git.read_chronicle(path)
    assert len({event["action"] for event in events}) == len(events) == 200
    assert_is_one_chain(events)


def test_an_event_gets_the_time_of_the_call(tmp_path):
    first = sage_git.append_event(tmp_path / "notes.sage", step())
    second = sage_git.append_event(tmp_path / "notes.sage", step())
    assert "2020" < first.timestamp <= second.timestamp
    assert sage_git.tail_chronicle(tmp_path / "notes.sage", 1) == [second]


def test_a_relative_path_is_relative_to_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sage_git.append_event("notes.sage", step())
    assert (tmp_path / "notes.sage").exists()


def test_the_id_of_an_event_is_that_of_its_canonical_json(tmp_path):
    event = sage_git.append_event(tmp_path / "notes.sage", step())
    assert sage_git.event_id(event) == event.event_id == event["eventId"]
    assert (tmp_path / "notes.sage").read_bytes() == sage_git.canonical_json(event.fields) + b"\n"
    assert isinstance(event, sage_git.Event)


def test_errors_say_what_where_and_with_which_code(tmp_path):
    with pytest.raises(sage_git.ValidationError) as invalid:
        sage_git.append_event(tmp_path / "notes.sage", {"type": "lower"})
    assert invalid.value.code == "EVALIDATION"
    assert {detail.field for detail in invalid.value.details} >= {"type", "actor"}
    with pytest.raises(sage_git.StorageError) as missing:
        sage_git.append_event(tmp_path / "absent" / "notes.sage", step())
    assert (missing.value.code, missing.value.error) == ("EIO", "ENOENT")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_told_as_such(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(sage_git.PermissionRefused) as refused:
        sage_git.append_event(tmp_path / "notes.sage", step())
    assert refused.value.code == "EPERMISSION"


def test_a_repository_without_a_record_is_no_different_from_any_directory(repository):
    event = sage_git.append_event(repository.path / "notes.sage", step())
    assert sage_git.read_chronicle(repository.path / "notes.sage") == [event]


def test_a_work_tree_is_known_to_be_recorded_from_anywhere_in_it(repository):
    repository.commit("first", **{"a.py": "x\n"})
    linked = repository.worktree("linked")
    (repository.path / "deep" / "er").mkdir(parents=True)
    inside = [repository.path / "a.py.sage", repository.path / "deep" / "er" / "b.sage", linked.path / "a.py.sage"]
    assert not any(sage_git._is_recorded(str(path)) for path in inside)
    (repository.path / ".git" / "sage").mkdir()
    (repository.path / ".git" / "sage" / "clone.json").write_text("{}")
    assert all(sage_git._is_recorded(str(path)) for path in inside)
    assert not sage_git._is_recorded(str(repository.path.parent / "a.sage"))


def test_importing_the_library_loads_nothing_heavy():
    heavy = ("filelock", "cryptography", "git", "sqlite3", "orjson", "json", "subprocess", "asyncio", "rfc8785")
    check = f"import sys, sage_git; print(*set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
