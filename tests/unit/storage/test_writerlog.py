"""The unsealed end of this clone's log."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import leaf
from sage_git.errors import StorageError
from sage_git.storage.writerlog import SEGMENT_ENTRIES, Entry, WriterLog


def line(number: int) -> bytes:
    actor = {"agent": "test", "id": "ada"}
    fields = {"type": "AGENT_ACTION", "actor": actor, "timestamp": "2026-01-02T03:04:05.678Z", "action": str(number)}
    return Event.sealed(fields).line


LINES = [line(number) for number in range(700)]


@pytest.fixture
def log(tmp_path) -> WriterLog:
    return WriterLog(tmp_path / "sage")


def test_entries_are_numbered_in_the_order_that_they_came(log):
    assert log.append(LINES[:2]) == range(2)
    assert log.append([]) == range(2, 2)
    assert log.append(LINES[2:3]) == range(2, 3)
    assert log.read_tail() == [Entry(number, LINES[number]) for number in range(3)]
    assert log.path.read_bytes().startswith(b'{"first":0,"redacted":0}\n')


def test_a_log_that_was_never_written_is_empty_and_makes_no_file(log):
    assert (log.length(), log.sealed(), log.read_tail(), log.sealable()) == (0, 0, [], [])
    assert not log.path.parent.exists()


def test_two_logs_over_one_file_agree(log, tmp_path):
    other = WriterLog(tmp_path / "sage")
    log.append(LINES[:3])
    assert other.append(LINES[3:5]) == range(3, 5)
    assert log.append(LINES[5:300]) == range(5, 300)
    other.drop_sealed(SEGMENT_ENTRIES)
    assert log.append(LINES[300:301]) == range(300, 301)
    other.redact(260)
    assert log.append(LINES[301:302]) == range(301, 302)
    assert [entry.number for entry in other.read_tail()] == list(range(256, 302))


def test_a_log_that_was_put_back_to_what_it_was_is_counted_anew(log):
    log.append(LINES[:2])
    before = log.path.read_bytes()
    log.append(LINES[2:5])
    log.path.write_bytes(before)
    assert log.length() == 2
    assert log.append(LINES[5:6]) == range(2, 3)


def test_only_whole_segments_can_be_sealed(log):
    log.append(LINES[:600])
    assert [entry.number for entry in log.sealable()] == list(range(512))
    log.drop_sealed(512)
    assert (log.sealed(), log.length(), log.sealable()) == (512, 600, [])
    log.drop_sealed(256)
    assert log.sealed() == 512


def test_a_torn_end_is_no_entry_and_is_set_aside_by_the_next_append(log, tmp_path):
    log.append(LINES[:2])
    with log.path.open("ab") as tail:
        tail.write(LINES[2][:50])
    for seen in (log, WriterLog(tmp_path / "sage")):
        assert (seen.length(), len(seen.read_tail())) == (2, 2)
    assert log.append(LINES[3:4]) == range(2, 3)
    assert [entry.line for entry in log.read_tail()] == [*LINES[:2], LINES[3]]
    assert (tmp_path / "sage" / "lost" / "tail.ndjson").read_bytes() == LINES[2][:50] + b"\n"


def test_a_redacted_entry_keeps_its_leaf_and_nothing_else(log):
    log.append(LINES[:3])
    before = log.read_tail()
    log.redact(1)
    after = log.read_tail()
    assert [entry.leaf for entry in after] == [entry.leaf for entry in before]
    assert [entry.body for entry in after] == [LINES[0], b"", LINES[2]]
    assert LINES[1] not in log.path.read_bytes()


def test_the_leaf_is_the_id_that_the_content_has_whatever_the_event_says(log):
    fields = {key: value for key, value in Event.trusted(None, LINES[0]).fields.items() if key != "eventId"}
    log.append([Event.from_fields(fields).line, Event.from_fields({**fields, "eventId": "b" * 64}).line])
    right = Event.sealed(fields).event_id
    assert right is not None
    assert [entry.leaf for entry in log.read_tail()] == [leaf(right), leaf(right)]


def test_a_tail_that_is_gone_although_entries_were_sealed_is_not_begun_anew(log, tmp_path):
    log.append(LINES[:1])
    log.drop_sealed(512)
    log.path.unlink()
    with pytest.raises(StorageError, match="entries were sealed"):
        log.append(LINES[:1])
    log.drop_sealed(512)  # what `fsck --repair` does
    assert log.append(LINES[:1]) == range(512, 513)


@pytest.mark.parametrize(
    "first", [b"", b"{}\n", b"null\n", b'{"first":3,"redacted":0}\n', b'{"first":0}\n', b'{"first"']
)
def test_a_tail_that_does_not_say_where_it_begins_is_refused(log, first):
    log.append(LINES[:1])
    log.path.write_bytes(first)
    for asked in (log.length, log.read_tail, lambda: log.append(LINES[:1])):
        with pytest.raises(StorageError, match="where it begins"):
            asked()


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 200)),
        st.tuples(st.just("torn"), st.integers(1, 60)),
        st.tuples(st.just("seal"), st.just(0)),
        st.tuples(st.just("redact"), st.integers(0, 400)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(ACTIONS)
def test_a_log_holds_what_a_list_would(tmp_path_factory, actions):
    directory = tmp_path_factory.mktemp("log")
    log, sealed = WriterLog(directory), 0
    model: list[bytes] = []
    for action, amount in actions:
        match action:
            case "append":
                added = [LINES[(len(model) + at) % len(LINES)] for at in range(amount)]
                assert log.append(added) == range(len(model), len(model) + amount)
                model += added
            case "torn" if log.path.exists() and log.path.read_bytes().endswith(b"\n"):
                with log.path.open("ab") as tail:
                    tail.write(LINES[0][:amount])
            case "seal":
                sealed += len(log.sealable())
                log.drop_sealed(sealed)
            case "redact" if sealed <= amount < len(model):
                log.redact(amount)
                model[amount] = Entry(amount, model[amount]).leaf
            case "reopen":
                log = WriterLog(directory)
            case _:
                pass
        assert (log.length(), log.sealed()) == (len(model), sealed)
        assert [entry.line for entry in log.read_tail()] == model[sealed:]
