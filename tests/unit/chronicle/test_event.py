"""An event: sealed, read, compared, and refused with every fault named."""

from typing import Any

import pytest

from sage_git.chronicle.event import Event, check_event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.errors import ValidationError

ACTION: dict[str, Any] = {
    "type": "AGENT_ACTION",
    "timestamp": "2026-03-01T12:00:00.000Z",
    "actor": {"agent": "claude", "id": "Ada <ada@example.org>"},
    "action": "ran the tests",
}
ID, OTHER = EventId("a" * 64), EventId("b" * 64)


def faults(**changes):
    fields = {name: value for name, value in {**ACTION, **changes}.items() if value is not ...}
    return {detail.field for detail in check_event(fields)}


def test_a_sealed_event_carries_the_id_of_its_content():
    event = Event.sealed(ACTION)
    assert event.event_id == event_id(ACTION) == event["eventId"]
    assert event.has_true_id()


def test_sealing_replaces_whatever_id_was_there():
    assert Event.sealed({**ACTION, "eventId": ID}) == Event.sealed(ACTION)


def test_sealing_refuses_with_every_fault_at_once():
    with pytest.raises(ValidationError) as caught:
        Event.sealed({"type": "BUILD", "actor": {"agent": ""}, "status": "perhaps"})
    assert [detail.field for detail in caught.value.details] == [
        "timestamp", "actor.agent", "actor.id", "status",
    ]  # fmt: skip


def test_sealing_refuses_what_the_json_profile_refuses():
    with pytest.raises(ValidationError, match=r"^meta\.0: "):
        Event.sealed({**ACTION, "meta": [float("nan")]})


def test_an_event_of_our_own_is_the_same_as_a_sealed_one():
    assert Event.own(ACTION) == Event.sealed(ACTION)
    assert Event.own(ACTION).line == Event.sealed(ACTION).line


def test_an_event_keeps_the_id_that_it_was_given_or_none():
    assert Event.from_fields(ACTION).event_id is None
    foreign = Event.from_fields({**ACTION, "eventId": "seed-1"})
    assert (foreign.event_id, foreign.has_true_id()) == ("seed-1", False)


def test_a_line_in_any_spelling_gives_the_same_event():
    sealed = Event.sealed(ACTION)
    spaced = sealed.line.replace(b":", b" : ", 1).replace(b"tests", rb"t\u0065sts")
    assert Event.from_line(spaced) == Event.from_line(sealed.line) == sealed


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"eventId"', b"{}{}", b"{"])
def test_a_line_that_is_no_object_is_no_event(raw):
    with pytest.raises(ValidationError):
        Event.from_line(raw)


def test_a_trusted_line_is_not_parsed_before_it_is_asked():
    event = Event.trusted(ID, b"not looked at")
    assert (event.event_id, event.line) == (ID, b"not looked at")
    sealed = Event.sealed(ACTION)
    assert dict(Event.trusted(sealed.event_id, sealed.line)) == dict(sealed)


def test_events_are_equal_by_content_and_can_be_members_of_sets():
    reordered = dict(reversed(ACTION.items()))
    assert {Event.sealed(ACTION), Event.sealed(reordered)} == {Event.sealed(ACTION)}
    assert Event.sealed(ACTION) != Event.sealed({**ACTION, "action": "slept"})
    assert Event.sealed(ACTION) != dict(Event.sealed(ACTION))


def test_an_event_is_immutable():
    event: Any = Event.sealed(ACTION)
    with pytest.raises(TypeError):
        event["type"] = "BUILD"
    with pytest.raises(AttributeError):
        event.type = "BUILD"
    with pytest.raises(AttributeError):
        event.note = "x"


def test_changing_what_an_event_was_made_of_does_not_change_it():
    given = {**ACTION, "tags": ["one"]}
    event = Event.sealed(given)
    given["tags"].append("two")
    assert event["tags"] == ["one"]


def test_an_event_reads_like_a_mapping():
    event = Event.sealed({**ACTION, "subject": "deploys", "graphCommit": "c" * 40})
    assert set(event) == {*ACTION, "subject", "graphCommit", "eventId"}
    assert len(event) == 7
    assert event.get("absent") is None
    assert (event.type, event.timestamp, event.subject) == ("AGENT_ACTION", ACTION["timestamp"], "deploys")
    assert event.graph_commit == "c" * 40
    assert event.actor["agent"] == "claude"
    assert repr(event) == f"<Event 'AGENT_ACTION' '{event['eventId'][:12]}'>"


def test_parents_are_the_previous_event_then_the_merged_ones():
    assert Event.sealed(ACTION).parents == ()
    assert Event.sealed({**ACTION, "prevEventId": OTHER}).parents == (OTHER,)
    assert Event.sealed({**ACTION, "prevEventId": OTHER, "mergedEventIds": [ID]}).parents == (OTHER, ID)


def test_accessors_survive_fields_of_any_shape():
    event = Event.from_fields(
        {
            "type": 1,
            "timestamp": None,
            "actor": [],
            "eventId": {},
            "prevEventId": 3,
            "mergedEventIds": [4],
            "subject": 5,
        }
    )
    assert (event.type, event.timestamp, event.event_id, event.parents, event.subject) == ("", "", None, (), "")
    assert event.actor == {}
    assert "without id" in repr(event)


@pytest.mark.parametrize(
    "changes, fields",
    [
        ({}, set()),
        ({"type": ...}, {"type"}),
        ({"type": "lower"}, {"type"}),
        ({"type": "OUR_OWN_TYPE", "action": 3}, set()),
        ({"timestamp": "2026-02-29T00:00:00.000Z"}, {"timestamp"}),
        ({"timestamp": "2024-02-29T00:00:00.000Z"}, set()),
        ({"timestamp": "1900-02-29T00:00:00.000Z"}, {"timestamp"}),
        ({"timestamp": "0000-01-01T00:00:00.000Z"}, {"timestamp"}),
        ({"timestamp": "2026-01-01T00:00:00Z"}, {"timestamp"}),
        ({"timestamp": "2026-01-01T00:00:60.000Z"}, {"timestamp"}),
        ({"timestamp": "2026-01-01T00:00:00.000Z\n"}, {"timestamp"}),
        ({"timestamp": "２026-01-01T00:00:00.000Z"}, {"timestamp"}),
        ({"timestamp": 1}, {"timestamp"}),
        ({"actor": "Ada"}, {"actor"}),
        ({"actor": {"agent": "git"}}, {"actor.id"}),
        ({"actor": {"agent": "git", "id": "A", "model": 3, "session": ""}}, {"actor.model", "actor.session"}),
        ({"planHash": "A" * 64}, {"planHash"}),
        ({"graphCommit": "c" * 39}, {"graphCommit"}),
        ({"eventId": "x"}, {"eventId"}),
        ({"prevEventId": "x"}, {"prevEventId"}),
        ({"mergedEventIds": [ID]}, {"prevEventId"}),
        ({"prevEventId": ID, "mergedEventIds": ["d" * 64, OTHER]}, {"mergedEventIds"}),
        ({"prevEventId": ID, "mergedEventIds": [OTHER, OTHER]}, {"mergedEventIds"}),
        ({"prevEventId": ID, "mergedEventIds": [ID]}, {"mergedEventIds"}),
        ({"prevEventId": ID, "mergedEventIds": OTHER}, {"mergedEventIds"}),
        ({"tags": "one"}, {"tags"}),
        ({"tags": [1]}, {"tags"}),
        ({"subject": ""}, {"subject"}),
        ({"pathEncoding": "base64"}, {"pathEncoding"}),
        ({"signature": 1}, {"signature"}),
    ],
)
def test_the_envelope_keeps_its_rules(changes, fields):
    assert faults(**changes) == fields


def test_an_event_at_rest_says_the_same():
    event = Event.from_fields({"type": "AGENT_ACTION", "action": "looked"})
    line, fields = event.line, dict(event.fields)
    event.rest()
    assert (event.line, dict(event.fields), event.type) == (line, fields, "AGENT_ACTION")
    told = Event.trusted(None, b"", {"type": "FILE_EDITED", "redacted": True})
    told.rest()
    assert told.type == "FILE_EDITED"
