"""What the config says of sidecars changes by a commit; what clone.json and the config may not be."""

from __future__ import annotations

import json

import pytest

from tests.kit import run_sage
from tests.recorded import keep_record


@pytest.fixture
def recorded(repository, sage):
    """A repository with one recorded edit of foo.py and one build."""
    repository.commit("first", **{"foo.py": "x = 1\n"})
    keep_record(repository)
    repository.commit("second", **{"foo.py": "x = 2\n"})
    assert sage("record").returncode == 0
    assert sage("note", "build", "success").returncode == 0
    return repository


def configure(repository, old, new):
    text = repository.read(".sage/config.toml")
    assert old in text
    repository.commit("config", **{".sage/config.toml": text.replace(old, new)})
    run_sage("record", cwd=repository.path)


def sidecars(repository):
    """The names of all sidecars of foo.py."""
    found = repository.path.rglob("foo.py*.sage")
    return sorted(str(path.relative_to(repository.path)) for path in found)


def test_sidecars_move_with_the_config_and_leave_nothing_behind(recorded):
    assert sidecars(recorded) == ["foo.py.sage"]
    lines = recorded.read("foo.py.sage")
    for old, new, where in [
        ('suffix = ".sage"', 'suffix = ".chronicle.sage"', ["foo.py.chronicle.sage"]),
        ('place = "beside"', 'place = "tree"', [".sage/tree/foo.py.chronicle.sage"]),
        ('suffix = ".chronicle.sage"', 'suffix = ".x.sage"', [".sage/tree/foo.py.x.sage"]),
        ('place = "tree"', 'place = "off"', []),
        ('place = "off"', 'place = "beside"', ["foo.py.x.sage"]),
        ('suffix = ".x.sage"', 'suffix = ".sage"', ["foo.py.sage"]),
    ]:
        configure(recorded, old, new)
        assert sidecars(recorded) == where
        assert recorded.git("status", "--porcelain") == ""
    assert sorted(recorded.read("foo.py.sage").splitlines()) == sorted(lines.splitlines())


def test_what_was_said_in_a_sidecar_that_moves_is_kept(recorded, sage):
    with open(recorded.path / "foo.py.sage", "ab") as sidecar:
        sidecar.write(b"no event\n")
    configure(recorded, 'place = "beside"', 'place = "tree"')
    assert sidecars(recorded) == [".sage/tree/foo.py.sage"]
    assert b"no event" in (recorded.path / ".git" / "sage" / "lost" / "sidecars.ndjson").read_bytes()


def test_a_config_that_is_a_folder_stops_no_recording(recorded, sage):
    recorded.git("rm", "-q", ".sage/config.toml")
    recorded.commit("folder", **{".sage/config.toml/x": "x\n"})
    recorded.commit("third", **{"foo.py": "x = 3\n"})
    assert "third" in sage("log", "foo.py").stdout


def test_a_config_removed_before_anything_was_recorded_stops_no_recording(repository, sage):
    repository.commit("first", **{"foo.py": "x = 1\n"})
    keep_record(repository)
    joined = repository.clone("joined")
    keep_record(joined)
    joined.git("revert", "--no-edit", "HEAD")
    assert sage("record", cwd=joined.path).returncode == 0
    assert ".sage/config.toml" in sage("log", cwd=joined.path).stdout


@pytest.mark.parametrize("checked_out", ["HEAD", "HEAD~3"], ids=["removed", "before init"])
def test_an_index_lost_where_no_config_is_stops_no_recording(recorded, sage, checked_out):
    recorded.git("rm", "-q", ".sage/config.toml")
    recorded.commit("third", **{"foo.py": "x = 3\n"})
    recorded.git("checkout", "-q", checked_out)
    before = sage("log", "--all", "--json").stdout
    for index in (recorded.path / ".git" / "sage").glob("index.sqlite*"):
        index.unlink()
    assert before
    assert sage("log", "--all", "--json").stdout == before


@pytest.mark.parametrize(
    "damage",
    [
        {"suffix": 5},
        {"suffix": ""},
        {"suffix": "/../../x.sage"},
        {"suffix": ".py"},
        {"place": []},
        {"since": 7},
        {"since": "--all"},
        {"backfill": ["--all"]},
        {"reflog_marks": []},
        {"repository": {}},
    ],
    ids=lambda damage: f"{damage}".encode("ascii", "replace").decode().replace("/", "_"),
)
def test_a_damaged_identity_is_said_and_not_followed(recorded, sage, damage):
    path = recorded.path / ".git" / "sage" / "clone.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    answer = sage("log")
    assert answer.returncode == 3
    assert "clone.json" in answer.stderr
    recorded.commit("third", **{"foo.py": "x = 3\n"})
    assert recorded.git("status", "--porcelain") == ""


def test_a_policy_that_cannot_be_read_is_told_by_status(recorded, sage):
    assert json.loads(sage("status", "--json").stdout)["deferred"] == []
    configure(recorded, "[rogue]", "[rogue]\n[rogue]")
    (told,) = json.loads(sage("status", "--json").stdout)["deferred"]
    assert (told["code"], told["message"].split(":")[0]) == (
        "config",
        "the policy cannot be read, so the defaults hold",
    )
