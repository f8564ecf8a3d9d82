"""Laws of lines: a true line is recognised in any spelling, and no change of a byte goes unnoticed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.chronicle.ndjson import LineState, check_line, read_lines, verify_ids
from tests.properties.test_canonical import FLOATS, INTEGERS, TEXT, values

META = values(st.none() | st.booleans() | INTEGERS | FLOATS | TEXT)
PLAIN = {"actor": {"agent": "git", "id": "Ada <ada@example.org>"}, "action": "é€😂 1e+30", "meta": [12, None, ["x"]]}
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def events(draw):
    fields = {
        "type": "AGENT_ACTION",
        "timestamp": draw(st.sampled_from(["2026-03-01T12:00:00.000Z", "1999-12-31T23:59:59.999Z"])),
        "actor": {"agent": draw(TEXT.filter(bool)), "id": draw(TEXT.filter(bool))},
        "action": draw(TEXT.filter(bool)),
        "meta": draw(META),
    }
    if draw(st.booleans()):
        fields["prevEventId"] = draw(HEX)
    return Event.sealed(fields)


@given(events(), st.booleans(), st.sampled_from([None, (",", ":"), (" , ", ": ")]))
def test_a_true_event_is_valid_in_any_spelling(event, ascii_only, separators):
    spelled = json.dumps(dict(event), ensure_ascii=ascii_only, separators=separators).encode()
    line = check_line(spelled, 1, 0)
    assert line.state is LineState.VALID
    assert line.event == event
    assert line.is_canonical == (spelled == event.line)


@given(events(), st.data())
def test_no_change_of_a_byte_goes_unnoticed(event, data):
    """A few bytes can be spelled otherwise (`1E+30`, `\\u000F`): the same event, but no longer our line."""
    at = data.draw(st.integers(0, len(event.line) - 1))
    byte = bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte != event.line[at]))])
    changed = data.draw(
        st.sampled_from(
            [
                event.line[:at] + byte + event.line[at + 1 :],
                event.line[:at] + byte + event.line[at:],
                event.line[:at] + event.line[at + 1 :],
            ]
        )
    )
    for line in read_lines(changed + b"\n"):
        if line.state is LineState.VALID:
            assert line.event == event
            assert not line.is_canonical
    assert verify_ids(changed + b"\n") != []


@given(events(), st.data())
def test_no_changed_byte_of_an_event_of_our_own_is_valid(event, data):
    """Without floats and escapes nothing can be spelled otherwise in the same length."""
    own = Event.own({name: event[name] for name in ("type", "timestamp", "prevEventId") if name in event} | PLAIN)
    at = data.draw(st.integers(0, len(own.line) - 1))
    byte = bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte != own.line[at]))])
    lines = list(read_lines(own.line[:at] + byte + own.line[at + 1 :] + b"\n"))
    assert all(line.state is not LineState.VALID for line in lines)


@given(st.lists(events(), max_size=5), st.binary(max_size=30))
def test_lines_cover_the_file_byte_for_byte(chronicle, tail):
    data = b"".join(event.line + b"\n" for event in chronicle) + tail
    lines = list(read_lines(data))
    ends = b"" if not data or data.endswith(b"\n") else None
    assert b"\n".join(line.raw for line in lines) + (b"\n" if ends == b"" and lines else b"") == data
    assert all(data[line.offset :].startswith(line.raw) for line in lines)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    torn = [line for line in lines if line.state is LineState.TORN]
    assert torn == (lines[-1:] if ends is None else [])


@given(st.lists(events() | st.binary(max_size=30).filter(lambda raw: b"\n" not in raw), max_size=6))
def test_verify_agrees_with_reading_line_by_line(entries):
    data = b"".join((entry.line if isinstance(entry, Event) else entry) + b"\n" for entry in entries)
    suspects = set(verify_ids(data))
    for line in read_lines(data):
        if line.number not in suspects:
            assert line.state is LineState.VALID
            assert line.is_canonical
        elif line.state is LineState.VALID:  # floats and keys beyond ASCII are left to the closer look
            assert line.event is not None
            assert not line.is_canonical or not line.raw.isascii() or any(mark in line.raw for mark in b".e")
