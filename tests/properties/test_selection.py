"""Facts as edits: what is made only when it is asked for is what it would be, had all been made in turn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.replay import Edit
from sage_git.operations.judging.selection import Selection, Told, edit_of
from sage_git.storage.queries import Row

MODES = ("100644", "100755", "120000")
MOVES = ("FILE_SPLIT", "FILE_MERGED")
EDITS = ("FILE_ADDED", "FILE_EDITED", "FILE_REMOVED", "FILE_RENAMED")
BLOB = "1" * 40
SHAPES: dict[str, tuple[str, ...]] = {
    "FILE_ADDED": ("filePath", "hash"),
    "FILE_EDITED": ("filePath", "lastHash", "hash"),
    "FILE_REMOVED": ("filePath", "lastHash"),
    "FILE_RENAMED": ("oldPath", "newPath", "hash"),
    "FILE_SPLIT": ("originalPath",),
    "FILE_MERGED": ("resultPath",),
    "ROGUE_EDIT_DETECTED": ("filePath", "lastHash", "hash"),
}


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Facts and verdicts in the order that they arrived, each after some of those before it."""
    rows: list[Row] = []
    for number in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(sorted(SHAPES)))
        parents = draw(st.lists(st.sampled_from(rows), unique=True, max_size=3)) if rows else []
        names = [each.event_id for each in parents]
        fields: dict[str, Any] = {"type": kind, "prevEventId": names[0] if names else None, "mergedEventIds": names[1:]}
        fields |= {name: BLOB if "ash" in name else draw(st.sampled_from("ab")) for name in SHAPES[kind]}
        if kind == "FILE_ADDED" or (kind == "FILE_EDITED" and draw(st.booleans())):
            fields |= {"mode": draw(st.sampled_from(MODES)), "lastMode": draw(st.sampled_from(MODES))}
        commit = ObjectId(f"{draw(st.integers(0, 2)):040x}")
        line = json.dumps({**fields, "graphCommit": commit}).encode()
        rows.append(Row(number, EventId(f"{number:064x}"), kind, 0, line, commit, (0, number)))
    return rows


@given(histories(), st.randoms(use_true_random=False))
def test_edits_that_are_made_when_asked_for_are_those_made_one_after_the_other(rows, random):
    edits, follows = made_in_turn([row.event for row in rows])
    selection = Selection(map(Told.of, rows))
    asked = random.sample(list(edits), len(edits))
    assert {name: selection[name] for name in asked} == edits
    assert list(selection.items()) == list(edits.items())
    assert {name: selection.follows(name) for name in asked} == follows


def made_in_turn(events: list[Event]) -> tuple[dict[EventId, Edit], dict[EventId, tuple[EventId, ...]]]:
    """The edits and what each follows, by going through all events once for each question."""
    known = {name_of(event): event for event in events if event.type in (*EDITS, *MOVES)}
    joined = {
        event.parents[0]: name
        for name, event in known.items()
        if event.type == "FILE_EDITED"
        and event.parents
        and (first := known.get(event.parents[0])) is not None
        and (first.type, first.graph_commit) == ("FILE_RENAMED", event.graph_commit)
    }
    edits: dict[EventId, Edit] = {}
    follows: dict[EventId, tuple[EventId, ...]] = {}
    for name, event in known.items():
        if event.type not in EDITS or name in joined:
            continue
        renamed = next((known[each] for each in event.parents[:1] if joined.get(each) == name), None)
        earlier = [*origins(event, known), *(origins(renamed, known) if renamed else ())]
        follows[name] = tuple(each for each in dict.fromkeys(earlier) if each not in joined)
        edit = edit_of(event, renamed)
        before = next((edits[each] for each in follows[name] if each in edits and edits[each].after.path), None)
        edits[name] = edit if before is None else with_mode(edit, before.after.mode)
    return edits, follows


def origins(event: Event, known: dict[EventId, Event]) -> list[EventId]:
    """The edits that an event follows; past splits and merges, those at its own path if there are any."""
    found: list[EventId] = []
    waiting, seen = list(event.parents), set(event.parents)
    for parent in waiting:
        if parent in known and known[parent].type not in MOVES:
            found.append(parent)
        elif parent in known:
            told = [known[each] for each in known[parent].parents if each in known and each not in seen]
            path = event.get("oldPath", event.get("filePath"))
            own = [each for each in told if each.type in MOVES or each.get("newPath", each.get("filePath")) == path]
            waiting += map(name_of, own or told)
            seen.update(known[parent].parents)
    return list(dict.fromkeys(found))


def name_of(event: Event) -> EventId:
    assert event.event_id is not None
    return event.event_id


def with_mode(edit: Edit, mode: str) -> Edit:
    """The edit of a source that had this mode, if it says no other."""
    if edit.before.path is None or (edit.before.mode != edit.after.mode and edit.after.path is not None):
        return edit
    after = edit.after if edit.after.path is None else replace(edit.after, mode=mode)
    return replace(edit, before=replace(edit.before, mode=mode), after=after)
