"""A chronicle file outside any repository (SPEC 4.2)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sage_git.chronicle.event import Event
from sage_git.errors import StorageError, ValidationError
from sage_git.storage import recent, sidecar
from sage_git.storage.recent import RECENT_LINES

CLOCK_MS = 1_767_322_645_678  # 2026-01-02T02:57:25.678Z


def step(action: str = "lint", **fields: object) -> dict[str, object]:
    return {
        "type": "AGENT_ACTION",
        "actor": {"agent": "test", "id": "ada"},
        "timestamp": "2026-01-02T03:04:05.678Z",
        "action": action,
    } | fields


def append(path: Path, event: dict[str, object], **how: bool) -> Event:
    return sidecar.append(path, event, clock_ms=CLOCK_MS, **how)


def actions(path: Path) -> list[str]:
    return [event["action"] for event in sidecar.read(path)]


@pytest.fixture
def chronicle(tmp_path: Path) -> Path:
    return tmp_path / "notes.sage"


def test_an_event_gets_its_parent_and_its_id_and_stands_as_canonical_json(chronicle):
    first, second = append(chronicle, step("one")), append(chronicle, step("two"))
    assert first.has_true_id()
    assert second.has_true_id()
    assert (first.parents, second.parents) == ((), (first.event_id,))
    assert chronicle.read_bytes() == first.line + b"\n" + second.line + b"\n"


def test_an_event_without_a_time_gets_the_clocks(chronicle):
    event = step()
    del event["timestamp"]
    assert append(chronicle, event).timestamp == "2026-01-02T02:57:25.678Z"


def test_events_without_a_time_are_never_taken_for_retries(chronicle):
    event = step()
    del event["timestamp"]
    append(chronicle, event)
    append(chronicle, event)
    assert len(sidecar.read(chronicle)) == 2


def test_a_retry_is_answered_with_the_event_that_is_there(chronicle):
    first = append(chronicle, step("one"))
    append(chronicle, step("two"))
    assert append(chronicle, step("one")) == first
    assert append(chronicle, dict(first)) == first
    assert actions(chronicle) == ["one", "two"]


def test_a_retry_in_another_process_is_recognised_too(chronicle, forgotten):
    append(chronicle, step("one"))
    forgotten()
    append(chronicle, step("one"))
    assert actions(chronicle) == ["one"]


@pytest.mark.parametrize("others, is_known", [(RECENT_LINES - 1, True), (RECENT_LINES, False)])
@pytest.mark.parametrize("remembers", [True, False])
def test_the_last_thousand_lines_are_searched_and_no_more(chronicle, forgotten, others, is_known, remembers):
    append(chronicle, step("one"))
    later = [step(str(number), timestamp="2026-01-02T03:04:06.000Z") for number in range(others)]
    sidecar.append_many(chronicle, later, clock_ms=CLOCK_MS)
    if not remembers:
        forgotten()
    append(chronicle, step("one"))
    assert actions(chronicle).count("one") == (1 if is_known else 2)


def test_a_retry_of_a_line_that_spells_its_time_with_escapes_is_recognised(chronicle, forgotten):
    event = Event.sealed(step("one"))
    chronicle.write_bytes(event.line.replace(b"2026-01", b"2026\\u002d01") + b"\n")
    assert append(chronicle, step("one")).event_id == event.event_id
    assert len(sidecar.read(chronicle)) == 1


def test_links_that_the_caller_gives_stay(chronicle):
    append(chronicle, step("one"))
    parent = "a" * 64
    assert append(chronicle, step("two", prevEventId=parent)).parents == (parent,)


def test_an_id_is_kept_as_it_is_if_the_caller_says_so(chronicle):
    append(chronicle, step("one"))
    without = append(chronicle, step("two"), compute_id=False)
    assert "eventId" not in without
    wrong = append(chronicle, step("three", eventId="b" * 64), compute_id=False)
    assert (wrong.event_id, wrong.has_true_id()) == ("b" * 64, False)
    right = Event.sealed(step("four"))
    assert append(chronicle, dict(right), compute_id=False) == right
    assert sidecar.read(chronicle)[1:] == [without, wrong, right]


def test_an_event_whose_id_does_not_verify_never_shadows_one_whose_id_does(chronicle):
    append(chronicle, step("one", eventId="b" * 64), compute_id=False)
    assert append(chronicle, step("one")).has_true_id()
    append(chronicle, step("one", eventId="c" * 64), compute_id=False)  # and once it is there, nothing comes beside it
    assert len(sidecar.read(chronicle)) == 2


def test_an_event_that_has_gone_out_of_sight_does_not_hide_its_double(chronicle, monkeypatch):
    monkeypatch.setattr(recent, "RECENT_LINES", 3)
    append(chronicle, step("one"))
    append(chronicle, step("one"))  # makes the first one known by its content
    for other in "abc":
        append(chronicle, step(other))
    for _ in range(2):
        append(chronicle, step("one", eventId="b" * 64), compute_id=False)
    assert actions(chronicle) == ["one", "a", "b", "c", "one"]


def test_a_broken_event_names_every_field_and_leaves_no_file_content(chronicle):
    with pytest.raises(ValidationError) as caught:
        append(chronicle, {"type": "AGENT_ACTION", "actor": {"agent": "test"}, "action": 7})
    assert {detail.field for detail in caught.value.details} >= {"actor.id", "action"}
    assert chronicle.read_bytes() == b""


def test_of_a_batch_with_a_broken_event_nothing_is_appended(chronicle):
    append(chronicle, step("one"))
    with pytest.raises(ValidationError):
        sidecar.append_many(chronicle, [step("two"), {"type": "?"}], clock_ms=CLOCK_MS)
    assert append(chronicle, step("three")).parents == (sidecar.read(chronicle)[0].event_id,)
    assert actions(chronicle) == ["one", "three"]


def test_a_torn_last_line_is_passed_over_and_set_aside(chronicle):
    first = append(chronicle, step("one"))
    with chronicle.open("ab") as file:
        file.write(b'{"action":"to')
    assert actions(chronicle) == ["one"]
    assert sidecar.tail(chronicle, 5) == [first]
    append(chronicle, step("two"))
    assert actions(chronicle) == ["one", "two"]
    assert Path(f"{chronicle}.torn").read_bytes() == b'{"action":"to\n'


def test_a_whole_event_that_lacks_only_its_newline_is_given_it(chronicle):
    first = Event.sealed(step("one"))
    chronicle.write_bytes(first.line)
    assert sidecar.read(chronicle) == []
    assert append(chronicle, step("two")).parents == (first.event_id,)
    assert actions(chronicle) == ["one", "two"]
    assert not Path(f"{chronicle}.torn").exists()


def test_lines_of_others_are_read_and_never_rewritten(chronicle):
    event = Event.sealed(step("one"))
    foreign = json.dumps(dict(event), indent=None, separators=(" , ", " : ")).encode()
    chronicle.write_bytes(b"not json\n" + foreign + b"\n\n")
    assert append(chronicle, step("two")).parents == (event.event_id,)
    assert chronicle.read_bytes().startswith(b"not json\n" + foreign + b"\n\n")
    assert actions(chronicle) == ["one", "two"]


def test_a_file_that_was_replaced_or_cut_is_seen_as_it_is_now(chronicle):
    append(chronicle, step("one"))
    second = append(chronicle, step("two"))
    chronicle.write_bytes(second.line + b"\n")
    assert append(chronicle, step("one")).parents == (second.event_id,)
    chronicle.unlink()
    assert append(chronicle, step("one")).parents == ()


def test_a_file_that_only_looks_like_the_one_before_is_not_taken_for_it(chronicle):
    first, other, last = (Event.sealed(step(name)).line + b"\n" for name in ("one", "uno", "end"))
    chronicle.write_bytes(first + last)
    append(chronicle, step("one"))
    chronicle.write_bytes(other + last)  # the same inode, size and last line
    append(chronicle, step("one"))
    assert actions(chronicle) == ["uno", "end", "one"]


def test_the_end_of_a_file_is_read_without_the_rest_of_it(chronicle):
    sidecar.append_many(chronicle, [step(str(number)) for number in range(3000)], clock_ms=CLOCK_MS)
    assert [event["action"] for event in sidecar.tail(chronicle, 3)] == ["2997", "2998", "2999"]
    assert sidecar.tail(chronicle, 0) == []
    assert len(sidecar.tail(chronicle, 5000)) == 3000


@pytest.mark.parametrize("name", ["notes.txt", ".sage", "a/../notes.sage", "nul\0.sage", ""])
def test_a_path_that_may_not_be_a_chronicle_is_refused(tmp_path, name):
    with pytest.raises(ValidationError) as caught:
        sidecar.append(f"{tmp_path}/{name}", step(), clock_ms=CLOCK_MS)
    assert caught.value.details[0].field == "path"


def test_a_link_is_not_followed(tmp_path, chronicle):
    (tmp_path / "elsewhere.sage").write_bytes(b"")
    chronicle.symlink_to(tmp_path / "elsewhere.sage")
    for refused in (lambda: append(chronicle, step()), lambda: sidecar.read(chronicle)):
        with pytest.raises(ValidationError, match="symbolic link"):
            refused()


def test_a_pipe_is_refused_instead_of_waited_for(chronicle):
    os.mkfifo(chronicle)
    with pytest.raises(ValidationError, match="no regular file"):
        sidecar.read(chronicle)


def test_what_the_system_refuses_is_told_with_path_and_reason(tmp_path):
    with pytest.raises(StorageError) as caught:
        sidecar.read(tmp_path / "absent.sage")
    assert (caught.value.code, caught.value.error) == ("EIO", "ENOENT")
    assert caught.value.path == str(tmp_path / "absent.sage")
