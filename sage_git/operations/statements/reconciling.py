"""Answering for what is open: unplanned edits, by RECONCILIATION statements that name them, and halts.

One statement for each source, in its chronicle. Answering an edit answers every replay of it. Not here: what is open
(`judging`), and whether an answer counts (`judging.answers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, is_hex
from sage_git.errors import NotHere, UsageError
from sage_git.judgement.terms import person
from sage_git.observation.lineage import heads
from sage_git.operations.paths import path_text, raw_path
from sage_git.operations.reading import explain
from sage_git.operations.reading.open_lines import OpenEdit
from sage_git.operations.reading.status import open_edits, open_halts
from sage_git.operations.sidecars.placing import subject_key
from sage_git.operations.subjects import is_subject_name, subject_source
from sage_git.storage import queries

if TYPE_CHECKING:
    from pathlib import Path

    from sage_git.operations.reading.history import Entry
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.statements.speaker import Voice

_NOTHING: Final = "nothing there needs an answer; sage-git status shows what does"


@dataclass(frozen=True, slots=True)
class Questions:
    """What is to be answered for: open edits, newest first, and open halts."""

    edits: tuple[OpenEdit, ...] = ()
    halts: tuple[Event, ...] = ()

    @property
    def are_none(self) -> bool:
        """True if nothing is to be answered."""
        return not (self.edits or self.halts)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said, and for which edits of which source, or which halt."""

    event: Event
    path: str
    edits: tuple[OpenEdit, ...] = ()


def everything(reading: Reading) -> Questions:
    """Every open edit in HEAD's history."""
    return Questions(tuple(open_edits(reading.readings)))


def named(reading: Reading, cwd: Path, words: Sequence[str]) -> Questions:
    """What is open of what `words` name: sources, folders, events, commits, halts.

    Raises:
        UsageError: a word names an event that needs no answer.
        NotHere: nothing is known by a word.
    """
    still_open, halts = open_edits(reading.readings), open_halts(reading.readings)
    changes: set[tuple[ObjectId | None, str]] = set()
    lifted: dict[EventId, Event] = {}
    for word in words:
        found = _of_path(reading, cwd, word, still_open)
        if found is None:
            found, ending = _of_event(reading, word, still_open, halts)
            lifted |= {_id(halt): halt for halt in ending}
        changes.update(map(_change, found))
    return Questions(tuple(edit for edit in still_open if _change(edit) in changes), tuple(lifted.values()))


def reconcile(reading: Reading, questions: Questions, why: str, voice: Voice) -> list[Answer]:
    """The answers, one for each source and each halt. Raises UsageError, and as `Voice.say`."""
    _check_counts(reading, questions.edits, voice)
    answers = [_accept(reading, edits, why, voice) for edits in _by_chronicle(reading, questions.edits)]
    return answers + [_lift(reading, halt, why, voice) for halt in questions.halts]


def _accept(reading: Reading, edits: Sequence[OpenEdit], why: str, voice: Voice) -> Answer:
    """Answer for the open edits of one source, newest first."""
    newest, oldest = edits[0], edits[-1]
    key = _key(reading, newest)
    given: dict[str, Any] = {
        "type": "RECONCILIATION",
        "reconciliationStrategy": "accepted",
        "filePath": path_text(key),
        "diffRef": f"{_sides(oldest.event)[0]}..{_sides(newest.event)[1]}",
        "resolves": [_id(edit.event) for edit in reversed(edits)],
        "justification": why,
        "reviewerId": voice.reviewer,
    }
    commits = reading.checkout.index.commits
    if not heads(commits, commits.place(reading.head), key):
        given["prevEventId"] = _last_fact(newest)  # the source is nowhere at HEAD, so no fact of it is found there
    return Answer(voice.say(reading.checkout, key, given), path_text(key), tuple(edits))


def _lift(reading: Reading, halt: Event, why: str, voice: Voice) -> Answer:
    """Answer for a halt, where it was reported."""
    subject = halt.subject or ""
    is_source = not is_subject_name(subject)
    key = raw_path(halt.fields, subject_source(subject)) if is_source else subject_key(subject)
    said = {"type": "RECONCILIATION", "reconciliationStrategy": "lifted", "resolves": [_id(halt)]}
    given = {**said, "justification": why, "reviewerId": voice.reviewer}
    return Answer(voice.say(reading.checkout, key, given), path_text(key) if is_source else subject)


def _change(edit: OpenEdit) -> tuple[ObjectId | None, str]:
    """What a commit did to a path: a rename and the edit that came with it are answered for together."""
    return edit.fact.graph_commit, edit.path


def _check_counts(reading: Reading, edits: Iterable[OpenEdit], voice: Voice) -> None:
    """Raises UsageError for an answer that the policy would not let count."""
    judge = reading.readings.judge
    for edit in edits:
        commit = edit.fact.graph_commit
        author = str(edit.fact.actor.get("id", ""))
        if commit and not judge.policy_for(commit).approval.self_approval and person(author) == person(voice.reviewer):
            remedy = "have somebody else answer: sage-git reconcile, or --reviewer ID if somebody else has decided it"
            raise UsageError(f"the policy does not let who made the edit of {edit.path} answer for it", remedy=remedy)


def _of_path(reading: Reading, cwd: Path, word: str, still_open: Iterable[OpenEdit]) -> list[OpenEdit] | None:
    """The open edits of the source or folder that `word` names; None if it may be an event. Raises as `named`."""
    try:
        source = reading.locate(cwd, word)
    except (NotHere, UsageError):
        if _may_be_event(word):
            return None
        raise
    if source.is_folder:
        return [edit for edit in still_open if source.has(edit.path)]
    edits = list(still_open)
    components = _components(reading, edits)
    return [edit for edit in edits if not source.components.isdisjoint(components.get(_id(edit.fact), ()))]


def _of_event(
    reading: Reading, word: str, still_open: Iterable[OpenEdit], halts: Iterable[Event]
) -> tuple[list[OpenEdit], list[Event]]:
    """What `word`, the first digits of an event's or commit's id, names that is open. Raises UsageError, NotHere."""
    found = {_id(event): event for entry in explain.find(reading.readings, word) for event in _events(entry)}
    edits = [edit for edit in still_open if _id(edit.event) in found or _id(edit.fact) in found]
    ending = [halt for halt in halts if _id(halt) in found]
    if not edits and not ending and len(found) == 1:
        (event,) = found.values()
        if event.type not in ("ROGUE_EDIT_DETECTED", "HALT_AND_REPORT") and event.graph_commit is None:
            raise UsageError(f"{word} is {event.type}, which needs no answer", remedy=_NOTHING)
    return edits, ending


def _may_be_event(word: str) -> bool:
    """True if `word` may be the first digits of an event or commit."""
    digits = word.strip().lower()
    return is_hex(digits, *range(4, 65))


def _events(entry: Entry) -> Iterator[Event]:
    yield from (event for event in entry.events if event.event_id is not None)


def _by_chronicle(reading: Reading, edits: Sequence[OpenEdit]) -> list[list[OpenEdit]]:
    """The edits of each source, whatever it was called, in the order given."""
    components = _components(reading, edits)
    groups: dict[frozenset[int] | str, list[OpenEdit]] = {}
    for edit in edits:
        groups.setdefault(components.get(_id(edit.fact)) or edit.path, []).append(edit)
    return list(groups.values())


def _components(reading: Reading, edits: Iterable[OpenEdit]) -> Mapping[EventId, frozenset[int]]:
    """The chronicles of each fact."""
    events = reading.checkout.index.events
    numbers = {_id(edit.fact): node.number for edit in edits if (node := events.node(_id(edit.fact))) is not None}
    standing = queries.components_by_event(reading.readings.connection, numbers.values())
    return {name: frozenset(standing.get(number, ())) for name, number in numbers.items()}


def _key(reading: Reading, newest: OpenEdit) -> bytes:
    """The path that the source of an edit has now, else the one that it had then."""
    own = raw_path(newest.fact.fields, str(newest.fact.get("newPath") or newest.fact["filePath"]))
    shown = reading.checkout.index.sidecars.of_chronicles(
        reading.checkout.worktree, _components(reading, [newest]).get(_id(newest.fact), ())
    )
    paths = [left.path for left in shown]
    return own if own in paths or not paths else paths[0]


def _last_fact(edit: OpenEdit) -> EventId:
    """The fact of an edit; of a merge that dropped one, which has none, the fact before."""
    is_fact = edit.fact.event_id != edit.event.event_id
    return _id(edit.fact) if is_fact or not edit.event.parents else edit.event.parents[0]


def _sides(verdict: Event) -> tuple[str, str]:
    """What an edit had before and after, as its verdict tells it; null ids where nothing is left that does."""
    if "diffRef" in verdict:
        before, _, after = str(verdict["diffRef"]).partition("..")
        return before, after
    null = "0" * len(verdict.graph_commit or "")
    return str(verdict.get("lastHash", null)), str(verdict.get("hash", null))


def _id(event: Event) -> EventId:
    assert event.event_id is not None, "what the index knows has an id"
    return event.event_id
