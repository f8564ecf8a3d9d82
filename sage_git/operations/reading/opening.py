"""An open record for one reading: brought up to date first, then asked. What `log`, `show` and `status` share.

Not here: what entries are (`history`), what a PATH means (`sources`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sage_git.chronicle.dag import order
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.errors import GitFailed, PermissionRefused
from sage_git.operations.checkout import Checkout
from sage_git.operations.paths import path_text, paths_of
from sage_git.operations.reading import before, history, sources
from sage_git.operations.reading.before import PlainCommit
from sage_git.operations.reading.chronicles import of_chronicle
from sage_git.operations.reading.history import Entry, Readings, Selection
from sage_git.operations.reading.sources import Source
from sage_git.operations.sidecars.placing import sidecar_of
from sage_git.operations.sidecars.views import last_head
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.judging.judge import Judge
    from sage_git.operations.recording.record import Progress, RecordOutcome


class Follow(Enum):
    """Which events of a source's chronicle are wanted."""

    RENAMES = "all of them, whatever the source was called"
    NAME = "those that name the path itself"


class Reading:
    """One reading of the record as HEAD sees it."""

    def __init__(self, checkout: Checkout, outcome: RecordOutcome) -> None:
        self.checkout = checkout
        self.outcome = outcome
        self.repository = checkout.repository
        self.head = outcome.head
        recorded = last_head(checkout) if self.is_stale else self.head
        reach = checkout.index.commits.reach(recorded) if recorded else None
        self.readings = Readings(
            checkout.index.connection,
            reach,
            lambda: _judge(checkout),
            lambda halt: _may_halt(checkout, halt),
            frozenset(outcome.deferred),
        )

    @classmethod
    @contextmanager
    def open(cls, start: Path, environment: Mapping[str, str], progress: Progress | None = None) -> Iterator[Reading]:
        """The record of the repository around `start`, brought up to date. Raises NotHere."""
        from sage_git.operations.recording.record import RecordOutcome, RecordState, bring_current

        with Checkout.open(start, environment) as checkout:
            checkout.known_identity()
            try:
                outcome = bring_current(checkout, progress)
            except PermissionRefused:  # what was recorded before can be read all the same
                outcome = RecordOutcome(RecordState.BEHIND, head=checkout.repository.head())
            yield cls(checkout, outcome)

    @property
    def is_stale(self) -> bool:
        """True if something is not recorded because we may not write here."""
        return self.outcome.state.value == "behind" and not self.outcome.deferred

    def rest(self) -> None:
        """Keep nothing that can be read again."""
        self.readings.forget()
        self.checkout.index.rest()

    def locate(self, cwd: Path, argument: str) -> Source:
        """What a typed path names. Raises UsageError, NotHere."""
        return sources.locate(self.checkout, cwd, argument)

    def entries(self, selection: Selection, source: Source | None, follow: Follow) -> tuple[Iterator[Entry], bool]:
        """The wanted entries, newest first, and whether they are known to be incomplete."""
        if source is None:
            return history.of_repository(self.readings, selection), False
        if source.is_folder:
            return history.about(history.of_repository(self.readings, selection), source.has), False
        found, is_incomplete = of_chronicle(self.readings, selection, source.components)
        named = found if follow is Follow.RENAMES else history.about(found, source.has)
        return iter(named), is_incomplete

    def links(self, source: Source) -> dict[EventId, tuple[EventId, ...]]:
        """The parents of every event in the chronicles of `source`."""
        rows = queries.of_components(self.readings.connection, source.components)
        return {row.event_id: row.event.parents for row in rows}

    def titles(self, entries: Iterable[Entry]) -> Mapping[ObjectId, PlainCommit]:
        """What git says of the commits of `entries`."""
        commits = dict.fromkeys(entry.event.graph_commit for entry in entries)
        return before.titles(self.repository, [commit for commit in commits if commit])

    def before(self, source: Source | None, limit: int, until: int | None) -> list[PlainCommit]:
        """The commits from before the record that belong to the answer, newest first."""
        since = self.checkout.known_identity().since
        if since is None or (source is not None and source.is_subject):
            return []
        if source is None or source.path == "":
            return before.commits_before(self.repository, [since], None, limit, until)
        found: dict[ObjectId, PlainCommit] = {}
        for path in self._paths_before(source):
            for commit in before.commits_before(self.repository, [since], path, limit, until):
                found.setdefault(commit.commit, commit)
        return sorted(found.values(), key=lambda commit: -commit.committed_at)[:limit]

    def configured_pager(self) -> str:
        """git's `core.pager`; empty if it is not set."""
        try:
            return self.repository.git("config", "--get", "core.pager").decode("utf-8", "surrogateescape").strip()
        except GitFailed:
            return ""

    def sidecars(self, entries: Collection[Entry]) -> dict[int, str]:
        """By the number of each entry: the sidecar that shows it here, else the one its source would have."""
        connection = self.readings.connection
        standing = queries.components_by_event(connection, [entry.number for entry in entries])
        shown = queries.sidecar_paths(connection, self.checkout.worktree)
        found = {}
        for entry in entries:
            here = [path for component in standing.get(entry.number, ()) for path in shown.get(component, ())]
            named = paths_of(entry.event)
            best = next((path for path in here if path_text(path) in named), None)
            if best is None:
                best = here[0] if here else (named[0] if named else "").encode("utf-8", "surrogateescape")
            found[entry.number] = path_text(sidecar_of(self.checkout.known_identity(), best))
        return found

    def _paths_before(self, source: Source) -> list[str]:
        """The names that a source had in `since`: what its first events call it, or, if it has none, its own."""
        if source.is_folder or not source.components:
            return [source.path]
        rows = queries.of_components(self.readings.connection, source.components)
        roots = [event for event in order(row.event for row in rows) if history.is_fact(event) and not event.parents]
        return list(dict.fromkeys(name for root in roots if root.type != "FILE_ADDED" and (name := _first_name(root))))


def _judge(checkout: Checkout) -> Judge:
    from sage_git.operations.judging.judge import Judge  # a reading that shows no verdict need not wait for it

    return Judge.of(checkout)


def _may_halt(checkout: Checkout, halt: Event) -> bool:
    from sage_git.operations.judging.policies import Policies  # few repositories have halts

    return Policies(checkout).may_halt(halt)


def _first_name(event: Event) -> str:
    for field in ("oldPath", "originalPath", "filePath"):
        if isinstance(path := event.get(field), str):
            return path
    return next(iter(paths_of(event)), "")  # a redacted event has none
