"""The history of a repository or of one source, newest first: facts with their verdicts, and what is open.

An `Entry` is a fact with the verdicts that hang on it, or a statement. The order of a chronicle is `chronicles`; which
source a PATH means is `sources`; one event and its diff is `explain`; text is `cli.log_text`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import FACT_TYPES, VERDICT_TYPES
from sage_git.operations.judging.about import facts_of_verdict
from sage_git.operations.paths import paths_of
from sage_git.storage import queries
from sage_git.storage.queries import Row

if TYPE_CHECKING:
    from sage_git.operations.judging.judge import Judge

ROGUE: Final = "ROGUE_EDIT_DETECTED"


class AsksGit(Protocol):
    """The user's repository, as much of it as readers need (gitrepo.repository)."""

    def git(self, *arguments: str, input: bytes = b"") -> bytes: ...


class Reach(Protocol):
    """Which commits are in a history (storage.index)."""

    def has(self, chain: int, position: int) -> bool: ...


class _Nothing:
    """The history of no commit: what HEAD does not have is seen without what took it back there."""

    def has(self, chain: int, position: int) -> bool:  # noqa: ARG002 as every Reach
        return False


_ALONE: Final = _Nothing()


class _HasParents(Protocol):
    @property
    def parents(self) -> Sequence[EventId]: ...


_Hanging = TypeVar("_Hanging", bound=_HasParents)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted. Times in ms since 1970; `types` empty: every type."""

    types: frozenset[str] = frozenset()
    actor: str | None = None
    plan: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    only_open: bool = False
    everywhere: bool = False
    """Facts and verdicts of commits that HEAD's history does not have, as well."""

    @property
    def is_whole(self) -> bool:
        """True if nothing but time narrows it, so that what came before the record belongs to the answer too."""
        return not (self.types or self.actor or self.plan or self.only_open)


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact with its verdicts, or a statement, and what is true of it now."""

    number: int
    event: Event
    verdicts: tuple[Event, ...] = ()
    in_head: bool = True
    open_ids: frozenset[EventId] = frozenset()
    """Those of its events that are open: nobody has answered for them yet."""
    matched: frozenset[EventId] = frozenset()
    """Those of its events that the selection asked for."""

    @property
    def is_open(self) -> bool:
        """True if the edit is unplanned, or the halt stands."""
        return bool(self.open_ids)

    @property
    def events(self) -> tuple[Event, ...]:
        """The verdicts, then what they hang on: newest first."""
        return (*self.verdicts, self.event)


class Readings:
    """What every reading asks again and again: is this commit in HEAD's history, is this event answered for."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        reach: Reach | None,
        judge: Callable[[], Judge],
        may_halt: Callable[[Event], bool] = lambda _: True,
        deferred: Collection[ObjectId] = (),
    ) -> None:
        """`may_halt` says whose halts count; `deferred` are commits of HEAD's history that only logs tell of."""
        self.connection = connection
        self.reach = reach
        self._may_halt = may_halt
        self._deferred = deferred
        self._make_judge = judge
        self._seen: dict[tuple[int, int], bool] = {}
        self._answered: frozenset[EventId] | None = None

    def forget(self) -> None:
        """Read all of it anew when it is asked for."""
        self._seen, self._answered = {}, None
        vars(self).pop("judge", None)

    def in_head(self, row: Row) -> bool:
        """True if the event's commit is in HEAD's history, or it is a statement."""
        if not is_observed(row.type) or (row.place is None and row.event.graph_commit is None):
            return True
        if row.place is None:  # a log tells of it; no commit that was observed here does
            return row.event.graph_commit in self._deferred
        known = self._seen.get(row.place)
        if known is None:
            known = self.reach is not None and self.reach.has(*row.place)
            self._seen[row.place] = known
        return known

    @property
    def answered(self) -> frozenset[EventId]:
        """The ids that a statement, or a verdict in HEAD's history, resolves."""
        if self._answered is None:
            rows = filter(self.in_head, queries.answers(self.connection))
            resolved = (row.event.get("resolves") for row in rows)
            self._answered = frozenset(name for names in resolved if isinstance(names, list) for name in names)
        return self._answered

    @cached_property
    def judge(self) -> Judge:
        """Who knows how facts stand."""
        return self._make_judge()

    def is_open_halt(self, row: Row) -> bool:
        """True for a halt that nobody lifted, whoever said it: the same wherever it is known."""
        return row.type == "HALT_AND_REPORT" and row.event_id not in self.answered

    def halts_here(self, row: Row) -> bool:
        """True for an open halt that binds this clone (SPEC 6.3)."""
        return self.is_open_halt(row) and self._may_halt(row.event)

    def open_ids(self, rows: Sequence[Row]) -> frozenset[EventId]:
        """What is open of a fact with its verdicts, or of a statement: what says that it is rogue, if anything does."""
        halts = [row.event_id for row in rows if self.is_open_halt(row)]
        verdicts = [row for row in rows if row.type in VERDICT_TYPES and row.event.graph_commit]
        rogue = [row.event_id for row in verdicts if row.type == ROGUE]
        if not verdicts and rows and rows[0].type in FACT_TYPES and rows[0].event_id in self.judge.untold:
            is_open = self.reach is not None and self.judge.is_open(rows[0].event_id, self.reach)
            return frozenset([rows[0].event_id] if is_open else halts)
        if not rogue and not any(row.event_id in self.judge.overturned for row in verdicts):
            return frozenset(halts)
        if rogue and not self.judge.has_work:
            return frozenset(rogue)
        facts = {fact for row in verdicts for fact in facts_of_verdict(self.connection, row)}
        reach = self.reach if self.reach is not None and all(map(self.in_head, verdicts)) else _ALONE
        is_open = any(self.judge.is_open(fact, reach) for fact in facts)
        return frozenset(rogue or [verdicts[0].event_id]) if is_open else frozenset()


def is_fact(event: Event) -> bool:
    """True if the event says what a commit did to a source."""
    return event.type in FACT_TYPES


def is_observed(type_name: str) -> bool:
    """True for the types that say what a commit did or is worth."""
    return type_name in FACT_TYPES or type_name in VERDICT_TYPES


def entries_of(readings: Readings, selection: Selection, rows: Iterable[Row]) -> Iterator[Entry]:
    """The wanted entries of rows in display order, a commit's by path; verdicts are folded into their facts.

    The order is the same whether all of them are asked for or the first few.
    """
    for commit, together in groupby(rows, key=lambda row: row.commit):
        group = list(together)
        if not selection.everywhere:
            group = [row for row in group if readings.in_head(row)]
        if _may_match(readings, selection, group):
            entries = _folded(readings, selection, group)
            yield from sorted(entries, key=lambda entry: paths_of(entry.event)[:1]) if commit else entries


def of_repository(readings: Readings, selection: Selection) -> Iterator[Entry]:
    """Every entry of the repository that is wanted, newest first, read as it is asked for."""
    rows = queries.newest_first(readings.connection, selection.since_ms, selection.until_ms)
    return entries_of(readings, selection, rows)


def about(entries: Iterable[Entry], wanted: Callable[[str], bool]) -> Iterator[Entry]:
    """The entries with a path that is `wanted`."""
    return (entry for entry in entries if any(map(wanted, paths_of(entry.event))))


def limited(entries: Iterable[Entry], count: int | None) -> Iterator[Entry]:
    """The first `count` entries; all of them for None."""
    return islice(entries, count)


def is_within(row: Row, selection: Selection) -> bool:
    """True if the time of an event is one that is wanted."""
    since, until = selection.since_ms, selection.until_ms
    return (since is None or row.time_ms >= since) and (until is None or row.time_ms <= until)


def _may_match(readings: Readings, selection: Selection, group: Sequence[Row]) -> bool:
    """False if a whole group is ruled out without a look at its lines, which need not be parsed then."""
    if selection.only_open:
        also = readings.judge.overturned | readings.judge.untold.keys()
        return any(row.type in (ROGUE, "HALT_AND_REPORT") or row.event_id in also for row in group)
    return not selection.types or any(row.type in selection.types for row in group)


def _folded(readings: Readings, selection: Selection, group: Sequence[Row]) -> Iterator[Entry]:
    """Entries of rows that stand together: each verdict goes to its fact, if that is among them."""
    facts = {row.event_id for row in group if row.type in FACT_TYPES}
    hangable = (row for row in group if row.type in VERDICT_TYPES and row.event.graph_commit)
    verdicts = by_fact(facts, hangable)
    hanging = {row.event_id for several in verdicts.values() for row in several}
    for row in group:
        if row.event_id not in hanging:
            entry = entry_of(readings, selection, row, verdicts.get(row.event_id, ()))
            if entry.matched:
                yield entry


def by_fact(facts: AbstractSet[EventId], verdicts: Iterable[_Hanging]) -> dict[EventId, list[_Hanging]]:
    """The verdicts by that of the facts which each hangs on."""
    found: dict[EventId, list[_Hanging]] = {}
    for verdict in verdicts:
        if verdict.parents and verdict.parents[0] in facts:
            found.setdefault(verdict.parents[0], []).append(verdict)
    return found


def entry_of(readings: Readings, selection: Selection, row: Row, verdicts: Sequence[Row]) -> Entry:
    """The entry of a row and of what hangs on it."""
    rows = (*verdicts, row)
    open_ids = readings.open_ids(rows)
    return Entry(
        number=row.number,
        event=row.event,
        verdicts=tuple(each.event for each in verdicts),
        in_head=readings.in_head(row),
        open_ids=open_ids,
        matched=frozenset(each.event_id for each in rows if _matches(selection, each, open_ids)),
    )


def _matches(selection: Selection, row: Row, open_ids: frozenset[EventId]) -> bool:
    if selection.types and row.type not in selection.types:
        return False
    if selection.only_open and row.event_id not in open_ids:
        return False
    return (selection.actor is None or _is_by(row.event, selection.actor)) and (
        selection.plan is None or _is_under(row.event, selection.plan)
    )


def _is_by(event: Event, words: str) -> bool:
    """True if the words stand in who did it, whatever their case: name, address, agent, model or session."""
    said = words.casefold()
    return any(said in value.casefold() for value in event.actor.values() if isinstance(value, str))


def _is_under(event: Event, plan: str) -> bool:
    """True if the event names the plan, by its id or by the first digits of its hash."""
    named = event.get("planHash")
    return event.get("planId") == plan or (isinstance(named, str) and len(plan) >= 4 and named.startswith(plan.lower()))
