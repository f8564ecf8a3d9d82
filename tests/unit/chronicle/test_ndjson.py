"""Lines of a chronicle and what each is worth."""

import json
from typing import Any

import pytest

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import event_id
from sage_git.chronicle.ndjson import LineState, check_line, read_lines, verify_ids

ACTION: dict[str, Any] = {
    "type": "AGENT_ACTION",
    "timestamp": "2026-03-01T12:00:00.000Z",
    "actor": {"agent": "claude", "id": "Ada <ada@example.org>"},
    "action": "ran\u2028the\u0085tests",
}
EVENT = Event.sealed(ACTION)


def states(data):
    return [line.state for line in read_lines(data)]


def state(raw):
    return check_line(raw, 1, 0).state


def test_a_file_without_lines_has_none():
    assert states(b"") == []
    assert verify_ids(b"") == []


def test_lines_end_at_newlines_and_nothing_else():
    second = Event.sealed({**ACTION, "prevEventId": EVENT.event_id})
    data = EVENT.line + b"\n" + second.line + b"\n"
    lines = list(read_lines(data))
    assert [line.event for line in lines] == [EVENT, second]
    assert [(line.number, line.offset) for line in lines] == [(1, 0), (2, len(EVENT.line) + 1)]
    assert all(line.is_canonical and line.state is LineState.VALID and not line.reason for line in lines)
    assert verify_ids(data) == []


def test_a_line_without_end_is_torn_even_if_it_looks_whole():
    *_, last = read_lines(EVENT.line + b"\n" + EVENT.line)
    assert (last.state, last.event, last.number, last.offset) == (LineState.TORN, None, 2, len(EVENT.line) + 1)
    assert verify_ids(EVENT.line + b"\n" + EVENT.line) == [2]


@pytest.mark.parametrize("blank", [b"", b" ", b"\r", b"\t "])
def test_an_empty_line_is_blank(blank):
    assert states(EVENT.line + b"\n" + blank + b"\n") == [LineState.VALID, LineState.BLANK]


def test_another_spelling_is_valid_but_not_canonical():
    spelled = json.dumps(dict(EVENT), indent=None).encode() + b"\r"
    line = check_line(spelled, 7, 99)
    assert (line.state, line.event, line.is_canonical, line.raw) == (LineState.VALID, EVENT, False, spelled)
    assert verify_ids(spelled + b"\n") == [1]


def test_an_event_without_id_is_kept_and_told_apart():
    line = check_line(Event.from_fields(ACTION).line, 1, 0)
    assert (line.state, line.event) == (LineState.NO_ID, Event.from_fields(ACTION))


@pytest.mark.parametrize("identifier", ["a" * 64, "seed-1", 7, None, "", {"eventId": EVENT.event_id}])
def test_an_id_that_is_not_the_contents_is_a_mismatch(identifier):
    line = check_line(Event.from_fields({**ACTION, "eventId": identifier}).line, 1, 0)
    assert line.state is LineState.ID_MISMATCH
    assert EVENT["eventId"] in line.reason


def test_a_right_id_does_not_excuse_a_wrong_payload():
    fields = {**ACTION, "action": 3, "timestamp": "yesterday"}
    line = check_line(Event.from_fields({**fields, "eventId": event_id(fields)}).line, 1, 0)
    assert line.state is LineState.BAD_PAYLOAD
    assert "action: " in line.reason
    assert "timestamp: " in line.reason


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"{}}", b"\x00", b"\xef\xbb\xbf" + EVENT.line])
def test_what_is_not_json_is_bad_json(raw):
    assert state(raw) is LineState.BAD_JSON


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b"[]",
        b"null",
        b"[" * 1000,
        b'{"a":9007199254740992}',
        b'"' + b"x" * 2**20 + b'"',
    ],
)
def test_what_two_readers_could_read_differently_is_out_of_the_profile(raw):
    assert state(raw) is LineState.OUT_OF_PROFILE


def test_an_event_that_is_too_long_is_out_of_the_profile_however_canonical():
    fits = Event.own({**ACTION, "meta": "x" * (2**20 - len(EVENT.line) - len(',"meta":""'))})
    too_long = Event.own({**ACTION, "meta": fits["meta"] + "x"})
    assert len(fits.line) == 2**20
    assert (state(fits.line), verify_ids(fits.line + b"\n")) == (LineState.VALID, [])
    assert (state(too_long.line), verify_ids(too_long.line + b"\n")) == (LineState.OUT_OF_PROFILE, [1])


def test_floats_and_astral_keys_are_slow_but_fine():
    event = Event.sealed({**ACTION, "meta": {"\U0001f602": 1.5, "\ufb33": 1e30}})
    assert check_line(event.line, 1, 0).is_canonical
    assert state(event.line) is LineState.VALID
    assert verify_ids(event.line + b"\n") == [1]


def test_an_id_deeper_inside_is_not_the_events_own():
    """The line `verify_ids` would believe if it cut out the first member of that name without looking."""
    body = {**ACTION, "actor": {**ACTION["actor"]}}
    forged = {**body, "actor": {**body["actor"], "eventId": event_id(body)}}
    line = Event.from_fields(forged).line
    assert state(line) is LineState.NO_ID
    assert verify_ids(line + b"\n") == [1]
    real = Event.sealed(forged)
    assert verify_ids(real.line + b"\n") == []
    assert state(real.line) is LineState.VALID


def test_verify_names_the_lines_that_need_a_closer_look():
    good, bad = EVENT.line + b"\n", EVENT.line.replace(b"claude", b"Claude") + b"\n"
    assert verify_ids(good + bad + good + b"\n" + good) == [2, 4]


@pytest.mark.parametrize("replacement", [0x00, 0x20, 0x22, 0x30, 0x5C, 0x7D, 0xFF])
def test_no_single_byte_can_change_unnoticed(replacement):
    for at, byte in enumerate(EVENT.line):
        changed = EVENT.line[:at] + bytes([replacement]) + EVENT.line[at + 1 :]
        if byte != replacement:
            line = check_line(changed, 1, 0)
            assert not (line.state is LineState.VALID and line.event and line.event.event_id == EVENT.event_id), at
            assert verify_ids(changed + b"\n") == [1]
