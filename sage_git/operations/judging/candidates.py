"""Earlier edits of a source that a new one may do again, take back, or settle a conflict between: from the index.

Bounded: only the newest facts of a chronicle are looked at. Not here: which of them fit (`judgement.replay`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.replay import ABSENT, Edit, Version
from sage_git.operations.paths import raw_path
from sage_git.storage import queries
from sage_git.storage.index import Index, Reach
from sage_git.storage.queries import Row

_NEWEST: Final = 1_024
_REGULAR: Final = "100644"
_MOVES: Final = ("FILE_SPLIT", "FILE_MERGED")
_TOLD: Final = ("FILE_ADDED", "FILE_EDITED", "FILE_REMOVED", "FILE_RENAMED")
_ROGUE: Final = "ROGUE_EDIT_DETECTED"


class Chronicle:
    """The newest facts of everything that ever stood at some paths, as edits."""

    def __init__(self, index: Index, fact: Event, paths: Iterable[bytes], reach: Reach) -> None:
        self._index = index
        node = index.events.node(fact.event_id) if fact.event_id else None
        lineages = set(node.lineages if node else ())
        for path in paths:
            for event in queries.events_beyond(index.connection, path, reach, _NEWEST):
                found = index.events.node(event)
                # What came later may link other chronicles, as a split does; what is done again is not told by that.
                if found is not None and (node is None or found.number < node.number):
                    lineages.update(found.lineages)
        components = {index.events.component(lineage) for lineage in lineages}
        rows = queries.newest_of_components(index.connection, components, _NEWEST)
        self.rows = [row for row in rows if row.place is not None and row.commit != fact.graph_commit]

    def edits(self, wanted: Callable[[Row], bool]) -> tuple[dict[EventId, Edit], dict[EventId, tuple[EventId, ...]]]:
        """The edits of `wanted` facts, and what each follows among them; what only moved lines is passed over."""
        events = {row.event_id: row.event for row in self.rows if row.line is not None and wanted(row)}
        parents = {name: _parents(event, events) for name, event in events.items()}
        joined = {  # a rename and what was edited with it are one edit, by the name of the latter
            parent: name
            for name, event in events.items()
            if event.type == "FILE_EDITED"
            for parent in event.parents[:1]
            if parent in events
            and events[parent].type == "FILE_RENAMED"
            and events[parent].graph_commit == event.graph_commit
        }
        edits: dict[EventId, Edit] = {}
        follows: dict[EventId, tuple[EventId, ...]] = {}
        for name, event in events.items():
            if event.type not in _TOLD or name in joined:
                continue
            renamed = next((events[parent] for parent in parents[name] if joined.get(parent) == name), None)
            earlier = [*parents[name], *(parents[renamed.event_id] if renamed and renamed.event_id else ())]
            follows[name] = tuple(each for each in dict.fromkeys(earlier) if each not in joined)
            edits[name] = edit_of(event, renamed)
        return _with_modes(edits, follows), follows

    def rogue(self, wanted: Callable[[Row], bool]) -> list[EventId]:
        """The facts whose kept verdict is that they are rogue, newest first."""
        found = (
            row.event.parents[:1] for row in self.rows if row.type == _ROGUE and row.line is not None and wanted(row)
        )
        return [fact for parents in found for fact in parents]


def edit_of(event: Event, renamed: Event | None = None) -> Edit:
    """What a fact did, together with the rename that came with it."""
    assert event.event_id is not None
    mode, last_mode = event.get("mode", _REGULAR), event.get("lastMode", _REGULAR)
    match event.type:
        case "FILE_ADDED":
            before, after = ABSENT, Version(raw_path(event, event["filePath"]), mode, ObjectId(event["hash"]))
        case "FILE_REMOVED":
            before, after = Version(raw_path(event, event["filePath"]), mode, ObjectId(event["lastHash"])), ABSENT
        case "FILE_RENAMED":
            before = Version(raw_path(event, event["oldPath"]), mode, ObjectId(event["hash"]))
            after = replace(before, path=raw_path(event, event["newPath"]))
        case _:
            path = raw_path(event, event["filePath"])
            before = Version(path, last_mode, ObjectId(event["lastHash"]))
            after = Version(path, mode, ObjectId(event["hash"]))
            if renamed is not None:
                before = replace(before, path=raw_path(renamed, renamed["oldPath"]))
    return Edit(event.event_id, before, after)


def _parents(event: Event, known: Mapping[EventId, Event]) -> tuple[EventId, ...]:
    """The facts that an event follows; through splits and merges of files to what they tell of its own source."""
    found: dict[EventId, None] = {}
    waiting, seen = list(event.parents), set(event.parents)
    while waiting:
        parent = waiting.pop(0)
        move = known.get(parent)
        if move is not None and move.type in _MOVES:
            told = [known[each] for each in move.parents if each in known and each not in seen]
            own = [each for each in told if each.type in _MOVES or _after(each) == _before(event)]
            waiting.extend(each.event_id for each in own or told if each.event_id)
            seen.update(move.parents)
        elif move is not None:
            found[parent] = None
    return tuple(found)


def _before(event: Event) -> object:
    """The path of a source before a fact, as the fact has it."""
    return event.get("oldPath", event.get("filePath"))


def _after(event: Event) -> object:
    return event.get("newPath", event.get("filePath"))


def _with_modes(edits: Mapping[EventId, Edit], follows: Mapping[EventId, Sequence[EventId]]) -> dict[EventId, Edit]:
    """The edits with the modes that those before them left, where they say nothing of their own."""
    known: dict[EventId, Edit] = {}
    for name, edit in edits.items():  # in order of arrival, parents first
        earlier = next((known[each] for each in follows[name] if each in known and known[each].after.path), None)
        known[name] = edit if earlier is None else _with_mode(edit, earlier.after.mode)
    return known


def _with_mode(edit: Edit, mode: str) -> Edit:
    """The edit of a source that had this mode, if it says no other."""
    if edit.before.path is None or (edit.before.mode != edit.after.mode and edit.after.path is not None):
        return edit
    after = edit.after if edit.after.path is None else replace(edit.after, mode=mode)
    return replace(edit, before=replace(edit.before, mode=mode), after=after)
