"""What an editor shows beside a source: each committed line with its edit, what is open, and the chronicle in a word.

A `Story` is one file as HEAD has it. It is read once for each state of the record, and then asked without git or disk.
Not here: where HEAD's lines stand in a buffer that was edited since, and words (`lsp_server`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.operations.judging.about import facts_of_verdict
from sage_git.operations.paths import raw_path
from sage_git.operations.reading import before
from sage_git.operations.reading.blame import blame
from sage_git.operations.reading.gaps import gaps_of
from sage_git.operations.reading.open_lines import OpenEdit
from sage_git.operations.reading.status import open_halts
from sage_git.operations.subjects import is_subject_name, subject_source
from sage_git.storage import queries

if TYPE_CHECKING:
    from pathlib import Path

    from sage_git.chronicle.event import Event
    from sage_git.chronicle.ids import EventId, ObjectId
    from sage_git.operations.reading.before import PlainCommit
    from sage_git.operations.reading.blame import BlamedLine, Origin
    from sage_git.operations.reading.gaps import Gap
    from sage_git.operations.reading.opening import Reading
    from sage_git.storage.queries import Row

_LOOKED_AT: Final = 256
"""Newest events of a chronicle that are looked at one by one."""
_MAY_BE_OPEN: Final = ("ROGUE_EDIT_DETECTED", "RECONCILIATION")
"""Verdicts of edits that may be open: the second if the plan was denied or ended since."""


@dataclass(frozen=True, slots=True)
class Story:
    """One source as HEAD has it. `lines` are empty for what HEAD has not, or what has no lines."""

    path: str
    lines: tuple[BlamedLine, ...] = ()
    agents: Mapping[ObjectId, tuple[str, ...]] = field(default_factory=dict)
    titles: Mapping[ObjectId, PlainCommit] = field(default_factory=dict)
    events: int = 0
    """How many the chronicle has."""
    newest: Event | None = None
    open_edits: tuple[OpenEdit, ...] = ()
    """Those that wrote any of the lines, and those among the newest events."""
    knows_all: bool = True
    """False for a long chronicle, in which older edits may be open that wrote no line that is left."""
    halts: tuple[Event, ...] = ()
    gaps: tuple[Gap, ...] = ()
    is_tracked: bool = False
    """True if HEAD has a file there."""

    def rest(self) -> None:
        """Keep of the events only what they were read from."""
        facts = (line.origin.fact for line in self.lines)
        of_edits = (event for edit in self.open_edits for event in (edit.event, edit.fact))
        for event in (*facts, *of_edits, self.newest, *self.halts):
            if event is not None:
                event.rest()

    def open_edit(self, origin: Origin) -> OpenEdit | None:
        """The open edit that a line is of; None if nobody need answer for it."""
        fact = origin.fact
        if fact is None or not _is_open(origin):
            return None
        return next((edit for edit in self.open_edits if fact.event_id in edit.origins), None)

    def title(self, origin: Origin) -> str:
        """The first line of the commit's message; empty if git has it no more."""
        known = self.titles.get(origin.commit)
        return known.title if known else ""


def story(reading: Reading, path: str) -> Story:
    """The story of the source at `path`, from the repository's root."""
    top = reading.repository.work_tree
    assert top is not None, "an editor shows files of a work tree"
    lines: tuple[BlamedLine, ...] = ()
    agents: Mapping[ObjectId, tuple[str, ...]] = {}
    is_tracked = False
    try:
        found = blame(reading, top, os.path.join(top, path), "")
        lines, agents, is_tracked = found.lines, found.agents, found.path == os.fsencode(path)
    except (NotHere, UsageError, GitFailed):  # not committed yet, binary, a submodule: it has no lines to tell of
        is_tracked = reading.head is not None and bool(
            reading.repository.tracked_paths(reading.head, {os.fsencode(path)})
        )
    events, recent = _chronicle(reading, top, path)
    commits = list(dict.fromkeys(line.origin.commit for line in lines))
    return Story(
        path=path,
        lines=lines if is_tracked else (),
        agents=agents,
        titles=before.titles(reading.repository, commits),
        events=events,
        newest=recent[-1].event if recent else None,
        open_edits=tuple(_open_edits(reading, recent, lines)),
        knows_all=events <= _LOOKED_AT,
        halts=tuple(halt for halt in open_halts(reading.readings) if _binds(halt, path)),
        gaps=tuple(gaps_of(reading, path, commits, recent)),
        is_tracked=is_tracked,
    )


def _chronicle(reading: Reading, top: Path, path: str) -> tuple[int, list[Row]]:
    """How many events the chronicle of a source has, and the newest facts and verdicts that HEAD's history has."""
    try:
        components = reading.locate(top, os.path.join(top, path)).components
    except (NotHere, UsageError):
        return 0, []
    connection = reading.readings.connection
    count = sum(queries.count_of_component(connection, each) for each in components)
    rows = queries.observed(connection, queries.newest_of_components(connection, components, _LOOKED_AT))
    return count, [row for row in rows if reading.readings.in_head(row)]


def _open_edits(reading: Reading, recent: Iterable[Row], lines: Iterable[BlamedLine]) -> Iterator[OpenEdit]:
    """The open edits among the newest events, and those that lines were written by, each once."""
    judge, reach, index = reading.readings.judge, reading.readings.reach, reading.checkout.index
    if reach is None:
        return
    seen: set[EventId] = set()
    for row in recent:
        for name in facts_of_verdict(index.connection, row) if row.type in _MAY_BE_OPEN else ():
            fact = index.events.event(name)
            if fact is not None and name not in seen and judge.is_open(name, reach):
                seen.add(name)
                yield OpenEdit(row.event, fact, judge.standing(name).origins | {name})
    for origin in {id(line.origin): line.origin for line in lines}.values():
        wrote = origin.fact.event_id if origin.fact else None
        if origin.fact and wrote and wrote not in seen and _is_open(origin):
            seen.add(wrote)
            verdicts = [row.event for row in queries.verdicts_on(index.connection, wrote)]
            yield OpenEdit(verdicts[-1] if verdicts else origin.fact, origin.fact, frozenset({wrote}))


def _is_open(origin: Origin) -> bool:
    return origin.stands.is_uncovered and origin.stands.is_open


def _binds(halt: Event, path: str) -> bool:
    """True if a halt is of the source at `path`, or of everything."""
    subject = halt.subject or ""
    if not subject or is_subject_name(subject):
        return True
    return raw_path(halt.fields, subject_source(subject)) == os.fsencode(path)
