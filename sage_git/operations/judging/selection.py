"""Some facts of a chronicle as edits, each made when it is asked for; and what a single fact says it did.

Most facts are candidates because they stand where others do, and nobody ever asks what they did. Not here: which facts
are looked at (`candidates`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.replay import ABSENT, Edit, Version
from sage_git.operations.paths import raw_path
from sage_git.storage.queries import Row

_REGULAR: Final = "100644"
_MOVES: Final = ("FILE_SPLIT", "FILE_MERGED")
_EDITS: Final = ("FILE_ADDED", "FILE_EDITED", "FILE_REMOVED", "FILE_RENAMED")


@dataclass(frozen=True, slots=True)
class Told:
    """What a fact or verdict of an observed commit tells, read from its line. `edit` is None where it tells of none."""

    number: int
    event_id: EventId
    type: str
    commit: ObjectId
    place: tuple[int, int]
    parents: tuple[EventId, ...]
    edit: Edit | None
    old_path: object
    """The path of its source before it, as the event has it."""
    new_path: object

    @classmethod
    def of(cls, row: Row) -> Self:
        """What a row tells that has a line and a commit."""
        assert row.commit is not None
        assert row.place is not None
        event = row.event
        edit = edit_of(event) if row.type in _EDITS else None
        path = event.get("filePath")
        old_path, new_path = event.get("oldPath", path), event.get("newPath", path)
        where = row.commit, row.place
        return cls(row.number, row.event_id, row.type, *where, event.parents, edit, old_path, new_path)

    @property
    def is_move(self) -> bool:
        """True if it only tells where lines went."""
        return self.type in _MOVES

    def is_with(self, rename: Told) -> bool:
        """True if it is what the commit of a rename did besides to the source."""
        return self.type == "FILE_EDITED" and self.commit == rename.commit


class Selection(Mapping[EventId, Edit]):
    """The edits that facts tell of, as these arrived; a rename and what was edited with it are one, by the latter's id.

    What only moved lines is passed over.
    """

    def __init__(self, told: Iterable[Told]) -> None:
        """Of facts in the order that they arrived, parents first."""
        self._told = {each.event_id: each for each in told if each.edit is not None or each.is_move}
        renames = {name: each for name, each in self._told.items() if each.type == "FILE_RENAMED"}
        self._joined = {  # the renames that are one edit with another
            each.parents[0]: name
            for name, each in (self._told.items() if renames else ())
            if each.parents and each.parents[0] in renames and each.is_with(renames[each.parents[0]])
        }
        self._edits: dict[EventId, Edit] = {}
        self._follows: dict[EventId, tuple[EventId, ...]] = {}

    def __getitem__(self, name: EventId) -> Edit:
        if name not in self._edits:
            for each, earlier in reversed(self._line_to(name)):
                edit = self._as_told(each)
                self._edits[each] = edit if earlier is None else _with_mode(edit, self._edits[earlier].after.mode)
        return self._edits[name]

    def __contains__(self, name: object) -> bool:
        return name in self._told and name not in self._joined and self._told[name].edit is not None  # type: ignore[index]

    def __iter__(self) -> Iterator[EventId]:
        return (name for name in self._told if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def follows(self, name: EventId) -> tuple[EventId, ...]:
        """The edits that one of these follows, among them; none of what is no such edit."""
        if name not in self._follows:
            self._follows[name] = self._earlier(name) if name in self else ()
        return self._follows[name]

    def _earlier(self, name: EventId) -> tuple[EventId, ...]:
        fact, rename = self._told[name], self._rename_with(name)
        earlier = [*self._parents(fact), *(self._parents(rename) if rename is not None else ())]
        return tuple(each for each in dict.fromkeys(earlier) if each not in self._joined)

    def _parents(self, fact: Told) -> tuple[EventId, ...]:
        """The facts that one follows; through splits and merges of files to what they tell of its own source."""
        found: dict[EventId, None] = {}
        waiting, seen = list(fact.parents), set(fact.parents)
        while waiting:
            parent = waiting.pop(0)
            known = self._told.get(parent)
            if known is not None and known.is_move:
                told = [self._told[each] for each in known.parents if each in self._told and each not in seen]
                own = [each for each in told if each.is_move or each.new_path == fact.old_path]
                waiting.extend(each.event_id for each in own or told)
                seen.update(known.parents)
            elif known is not None:
                found[parent] = None
        return tuple(found)

    def _rename_with(self, name: EventId) -> Told | None:
        """The rename that is one edit with this."""
        first = next(iter(self._told[name].parents), None)
        return self._told[first] if first is not None and self._joined.get(first) == name else None

    def _as_told(self, name: EventId) -> Edit:
        """The edit with the modes that its facts tell themselves."""
        edit, rename = self._told[name].edit, self._rename_with(name)
        assert edit is not None
        if rename is None or rename.edit is None:
            return edit
        return replace(edit, before=replace(edit.before, path=rename.edit.before.path))

    def _line_to(self, name: EventId) -> list[tuple[EventId, EventId | None]]:
        """The edit and those before it that left it its mode, newest first, each with the one before it."""
        line: list[tuple[EventId, EventId | None]] = []
        at: EventId | None = name
        while at is not None and at not in self._edits:
            line.append((at, earlier := self._mode_from(at)))
            at = earlier
        return line

    def _mode_from(self, name: EventId) -> EventId | None:
        """The edit that left this one its mode; None if there is none, or it says a mode of its own."""
        if not self._has_modes or _says_its_mode(self._as_told(name)):
            return None
        number = self._told[name].number
        return next((each for each in self.follows(name) if self._leaves_mode(each, number)), None)

    def _leaves_mode(self, name: EventId, number: int) -> bool:
        fact = self._told[name]
        return fact.number < number and fact.edit is not None and fact.edit.after.path is not None

    @cached_property
    def _has_modes(self) -> bool:
        """True unless all that is told is of regular files."""
        edits = (each.edit for each in self._told.values() if each.edit is not None)
        return any(
            each.path is not None and each.mode != _REGULAR for edit in edits for each in (edit.before, edit.after)
        )


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


def _says_its_mode(edit: Edit) -> bool:
    return edit.before.path is None or (edit.before.mode != edit.after.mode and edit.after.path is not None)


def _with_mode(edit: Edit, mode: str) -> Edit:
    """The edit of a source that had this mode; it says none of its own."""
    after = edit.after if edit.after.path is None else replace(edit.after, mode=mode)
    return replace(edit, before=replace(edit.before, mode=mode), after=after)
