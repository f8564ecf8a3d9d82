"""Sidecars keep off what is not theirs: files that the user tracks, and paths that no source can have."""

from __future__ import annotations

import pytest

from sage_git.chronicle.canonical import canonical_json
from sage_git.chronicle.ids import event_id


@pytest.fixture
def recorded(repository, sage):
    """A repository whose hooks record, with one recorded edit of foo.py."""
    repository.commit("first", **{"foo.py": "x = 1\n"})
    assert sage("init").returncode == 0
    repository.commit("second", **{"foo.py": "x = 2\n"})
    assert (repository.path / "foo.py.sage").exists()
    return repository


def status(repository):
    return repository.git("status", "--porcelain")


def test_a_sidecar_that_the_user_begins_to_track_is_left_alone(recorded):
    recorded.git("add", "--force", "foo.py.sage")
    recorded.git("commit", "-m", "track it")
    recorded.commit("third", **{"foo.py": "x = 3\n"})
    assert status(recorded) == ""
    recorded.git("rm", "-q", "foo.py")
    recorded.git("commit", "-m", "remove the source")
    assert status(recorded) == ""


def test_a_branch_that_tracks_a_file_in_a_sidecars_place_can_be_switched_to_and_back(recorded):
    recorded.git("switch", "-q", "-c", "other")
    (recorded.path / "foo.py.sage").write_text("mine\n")
    recorded.git("add", "--force", "foo.py.sage")
    recorded.git("commit", "-m", "track a file of that name")
    recorded.commit("edit", **{"foo.py": "x = 4\n"})
    recorded.git("switch", "-q", "main")
    assert "FILE_EDITED" in recorded.read("foo.py.sage")
    recorded.git("switch", "-q", "other")
    assert recorded.read("foo.py.sage") == "mine\n"
    assert status(recorded) == ""


NOWHERE = ("\0é", "a\0b", "x" * 200_000, "../x", "/etc/passwd", ".git/config", "a//b", "%00%FF")


def test_a_statement_about_a_path_that_cannot_be_stops_no_recording(recorded, sage):
    for subject in NOWHERE:
        event = {
            "type": "AGENT_ACTION",
            "timestamp": "2026-01-02T03:04:05.678Z",
            "actor": {"agent": "test", "id": "ada"},
            "action": "say",
            "subject": subject,
        } | ({"pathEncoding": "percent"} if "%" in subject else {})
        with open(recorded.path / "foo.py.sage", "ab") as sidecar:
            sidecar.write(canonical_json(event | {"eventId": event_id(event)}) + b"\n")
    recorded.commit("third", **{"foo.py": "x = 3\n"})
    assert sage("record").returncode == 0
    assert "third" in sage("log", "foo.py").stdout
    assert sage("fsck").returncode == 0


def test_a_statement_of_an_unknown_type_may_carry_anything_where_paths_stand(recorded, sage):
    event = {
        "type": "ANYTHING",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "actor": {"agent": "test", "id": "ada"},
        "filePath": [1],
        "oldPath": {"a": 1},
        "newPath": 3,
        "graphCommit": "a" * 40,
        "sourcePaths": [[1]],
        "resolves": [[1], {}],
    }
    with open(recorded.path / "foo.py.sage", "ab") as sidecar:
        sidecar.write(canonical_json(event | {"eventId": event_id(event)}) + b"\n")
    for command in [
        ["record"],
        ["log", "--all", "--json"],
        ["log", "foo.py"],
        ["status"],
        ["fsck"],
        ["show", event_id(event)],
    ]:
        answer = sage(*command)
        assert answer.returncode == 0, answer.stderr
