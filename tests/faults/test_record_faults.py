"""A recording that is killed, or told that the disk is full or broken, at each system call on a file of ours.

After the next run log and sidecars are those of a twin that nobody disturbed: no line lost, none doubled.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.injection import BROKEN, FULL, KILL, Fault, Outcome, needs_strace, run
from tests.faults.strike_at import Effect
from tests.faults.striking import Struck, needs_ptrace, struck_everywhere, struck_run
from tests.kit import GitRepository, run_sage

OURS = (
    "",
    "tail.ndjson",
    ".new.tail.ndjson",
    "index.sqlite",
    "index.sqlite-wal",
    "index.sqlite-shm",
    "index.sqlite-journal",
)
LOCKS = ("log.lock", "record.lock", "writer.key", ".new.writer.key", "writer.json", ".new.writer.json", "clone.json")
SIDECARS = ("foo.py.sage", "new.py.sage", "bar.py.sage", "baz.py.sage", ".sage/config.toml.sage", ".sage/builds.sage")


@pytest.fixture(scope="module")
def outstanding(tmp_path_factory):
    """A recorded repository with three commits that are not: an edit, a new file and a rename, a removal."""
    repository = GitRepository.create(tmp_path_factory.mktemp("faults") / "template")
    repository.commit("first", **{"foo.py": "x = 1\n", "bar.py": "y = 1\n", "old.py": "z\n"})
    assert run_sage("init", cwd=repository.path).returncode == 0
    repository.commit("second", **{"foo.py": "x = 2\n"})
    assert run_sage("record", cwd=repository.path).returncode == 0
    assert run_sage("note", "build", "success", cwd=repository.path).returncode == 0
    repository.git("config", "core.hooksPath", "/dev/null")
    repository.commit("edit", **{"foo.py": "x = 3\n"})
    repository.git("mv", "bar.py", "baz.py")
    repository.commit("rename", **{"new.py": "n\n"})
    repository.commit("remove", **{"old.py": None})
    return repository.path


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A repository whose first recording is to come: no index, no log, no key."""
    repository = GitRepository.create(tmp_path_factory.mktemp("faults") / "fresh")
    repository.commit("first", **{"foo.py": "x = 1\n"})
    assert run_sage("init", cwd=repository.path, env={"SAGE_SYNC": "0"}).returncode == 0
    repository.git("config", "core.hooksPath", "/dev/null")
    repository.commit("second", **{"foo.py": "x = 2\n", "new.py": "n\n"})
    sage = repository.path / ".git/sage"
    for left in sage.iterdir():
        if left.name != "clone.json":
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    for name in SIDECARS:
        (repository.path / name).unlink(missing_ok=True)
    return repository.path


def entries(path: Path) -> list[bytes]:
    tail = path / ".git/sage/tail.ndjson"
    return tail.read_bytes().split(b"\n")[1:-1] if tail.exists() else []


def sidecars(path: Path) -> dict[str, list[bytes]]:
    files = [each for each in path.rglob("*.sage") if each.is_file() and ".git" not in each.relative_to(path).parts]
    return {str(each.relative_to(path)): sorted(each.read_bytes().split(b"\n")) for each in files}


def twin(template: Path, folder: Path) -> tuple[list[bytes], dict[str, list[bytes]]]:
    """Log and sidecars after a run that nobody disturbs."""
    copy = Path(shutil.copytree(template, folder, symlinks=True))
    assert run("record_once.py", copy).output.startswith("current")
    return entries(copy), sidecars(copy)


def strike(template: Path, folder: Path, fault: Fault, expected: tuple[list[bytes], dict[str, list[bytes]]]) -> bool:
    """Record under `fault`, look, record again, compare with the twin; True if the fault struck."""
    copy = Path(shutil.copytree(template, folder, symlinks=True))
    sage, before = copy / ".git/sage", entries(copy)
    watched = [*(sage / name for name in (*OURS, *LOCKS)), *(copy / name for name in SIDECARS)]
    outcome = run("record_once.py", copy, fault=fault, watched=watched)
    assert_made_up_for(copy, outcome, before, expected)
    shutil.rmtree(copy)
    return outcome.struck


def assert_made_up_for(
    copy: Path, outcome: Outcome | Struck, before: list[bytes], expected: tuple[list[bytes], dict[str, list[bytes]]]
) -> None:
    """What a struck recording left has nothing less or twice; and the next one makes it as the twin is."""
    if not outcome.was_killed:
        assert outcome.status in (0, 3, 4), outcome
        assert (outcome.status == 0) == outcome.output.startswith(("current", "disabled")), outcome
        if outcome.output.strip() == "current":
            assert (sorted(entries(copy)), sidecars(copy)) == (sorted(expected[0]), expected[1]), "said it was done"
    there = entries(copy)
    assert there[: len(before)] == before, "what was in the log is not"
    assert len(set(there)) == len(there), "an entry stands twice"

    again = run("record_once.py", copy)
    assert again.output.strip() == "current", again
    assert sorted(entries(copy)) == sorted(expected[0]), outcome
    assert sidecars(copy) == expected[1], outcome


SAMPLE = [
    Fault("write", KILL, 2),
    Fault("write", FULL, 3),
    Fault("fsync", KILL, 1),
    Fault("fsync", BROKEN, 1),
    Fault("pwrite64", FULL, 2),
]


@needs_strace
@pytest.mark.parametrize("fault", SAMPLE, ids=str)
def test_a_recording_that_is_struck_is_made_up_for_by_the_next(outstanding, tmp_path, fault):
    assert strike(outstanding, tmp_path / "here", fault, twin(outstanding, tmp_path / "twin")), "the fault never struck"


@needs_ptrace
@pytest.mark.parametrize("effect, nth", [(Effect.KILL_ONE, 1), (Effect.KILL_ALL, 120)])
def test_a_recording_whose_gits_are_struck_is_made_up_for_by_the_next(outstanding, tmp_path, effect, nth):
    copy = Path(shutil.copytree(outstanding, tmp_path / "here", symlinks=True))
    outcome = struck_run("record_once.py", copy, effect, nth)
    assert_made_up_for(copy, outcome, entries(outstanding), twin(outstanding, tmp_path / "twin"))
    assert outcome.call, "it did less"


@needs_ptrace
@pytest.mark.soak
@pytest.mark.parametrize("situation", ["outstanding", "fresh"])
@pytest.mark.parametrize("effect", Effect)
def test_nothing_that_a_recording_does_is_a_bad_place_to_be_struck(request, tmp_path, effect, situation):
    template = request.getfixturevalue(situation)
    expected = twin(template, tmp_path / "twin")
    before = entries(template)

    def strike(folder: Path, nth: int) -> Struck:
        shutil.copytree(template, folder, symlinks=True)
        return struck_run("record_once.py", folder, effect, nth)

    def recover(folder: Path, outcome: Struck) -> None:
        assert_made_up_for(folder, outcome, before, expected)

    print(f"{situation}, {effect.value}:", struck_everywhere(strike, recover, tmp_path))
