"""An append that is killed, or told that the disk is full or broken, at each system call it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

import sage_git
from tests.faults.append_once import EVENT
from tests.faults.injection import BROKEN, FULL, KILL, Fault, needs_strace, nth_faults, run

CALLS = ("openat", "flock", "read", "write", "fsync", "ftruncate")
OLD = [{**EVENT, "action": f"old {number}"} for number in range(3)]
FRAGMENT = b'{"action":"torn","actor":{"ag'
SITUATIONS = ("new", "grown", "torn")


def prepare(folder: Path, situation: str) -> tuple[Path, list[sage_git.Event]]:
    """A chronicle in `folder`, and the events that are in it."""
    folder.mkdir(exist_ok=True)
    path = folder / "notes.sage"
    old = [] if situation == "new" else [sage_git.append_event(path, event) for event in OLD]
    if situation == "torn":
        with path.open("ab") as file:
            file.write(FRAGMENT)
    return path, old


def strike(folder: Path, situation: str, fault: Fault) -> bool:
    """Append under `fault`, check what is left, append again, check that it is whole; True if the fault struck."""
    path, old = prepare(folder, situation)
    torn = Path(f"{path}.torn")
    outcome = run("append_once.py", path, fault=fault, watched=[path, torn, folder])
    actions = [event["action"] for event in sage_git.read_chronicle(path)] if path.exists() else []
    expected = [event["action"] for event in old]
    assert actions in (expected, [*expected, "new"]), f"{fault}: {outcome}"
    if not outcome.was_killed:
        assert outcome.status in (0, 4), f"{fault}: {outcome}"
        assert (outcome.output.strip() == "EIO") == (outcome.status == 4), f"{fault}: {outcome}"
    if outcome.status == 0:
        assert actions == [*expected, "new"], f"{fault}: said it was there"

    again = run("append_once.py", path)
    assert again.status == 0, again
    events = sage_git.read_chronicle(path)
    assert [event["action"] for event in events] == [*expected, "new"], fault
    assert all(event.has_true_id() for event in events)
    assert [event.get("prevEventId") for event in events] == [None, *(event["eventId"] for event in events[:-1])]
    assert path.read_bytes().endswith(b"\n")
    if situation == "torn":
        assert torn.read_bytes() == FRAGMENT + b"\n", f"{fault}: the fragment is lost or doubled"
    return outcome.struck


SAMPLE = [
    ("grown", Fault("openat", BROKEN, 1)),
    ("grown", Fault("write", FULL, 1)),
    ("grown", Fault("write", KILL, 1)),
    ("grown", Fault("fsync", BROKEN, 1)),
    ("new", Fault("fsync", KILL, 1)),
    ("new", Fault("fsync", KILL, 2)),
    ("torn", Fault("ftruncate", KILL, 1)),
    ("torn", Fault("write", FULL, 1)),
]


@needs_strace
@pytest.mark.parametrize("situation, fault", SAMPLE, ids=str)
def test_an_append_that_is_struck_loses_nothing_and_its_retry_doubles_nothing(tmp_path, situation, fault):
    assert strike(tmp_path / "here", situation, fault), "the fault never struck"


@needs_strace
@pytest.mark.soak
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("effect", [KILL, FULL, BROKEN])
def test_no_system_call_of_an_append_is_a_bad_place_to_be_struck(tmp_path, situation, effect):
    struck = 0
    for call in CALLS:
        for fault in nth_faults(call, effect):
            if not strike(tmp_path / str(fault), situation, fault):
                break
            struck += 1
    print(f"{situation}, {effect}: struck at {struck} calls")
    assert struck >= 6
