"""What a range of commits did, file by file: under which plans, by whom and with which agents, and what is open.

Not here: how it is shown (`cli.report_text`, `cli.report_markdown`), and whether it is enough (`verify`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import ObjectId
from sage_git.chronicle.payloads import FACT_TYPES
from sage_git.errors import NotHere, UsageError
from sage_git.gitrepo.comparison import FileChange, NetChange, commits_between, fork_point, merge_base, net_changes
from sage_git.judgement.plan import Plan, State
from sage_git.judgement.standing import Ruling
from sage_git.operations.paths import path_text, raw_path
from sage_git.operations.reading.authors import Authored, authored
from sage_git.operations.reading.standings import Standings, Stands
from sage_git.operations.reading.status import open_halts
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.reading.opening import Reading


_TOLD_BY_OTHERS: Final = ("FILE_SPLIT", "FILE_MERGED")
_REVIEWER: Final = {"PLAN_APPROVED": "reviewerId", "PLAN_UNSAFE": "forcedBy"}


class Verdict(Enum):
    """How a range, or a file in it, stands: the worst that is true of it."""

    OPEN = "open"
    """Some edit is covered by no plan, and nobody has answered for it."""
    INCOMPLETE = "incomplete"
    """Some commit is not recorded, so that nobody can say. Of ranges only."""
    ANSWERED = "answered"
    """Some edit was covered by no plan; somebody answered for each."""
    COVERED = "covered"
    """A plan covers each edit, or it only brings what was covered before."""
    UNJUDGED = "unjudged"
    """Nothing in it has to be answered for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which commits: those that `end` reaches and `start` does not. `name` says what `start` is, for people."""

    start: ObjectId | None
    end: ObjectId
    base: ObjectId | None
    """The tree that files are compared with; None: nothing."""
    name: str


@dataclass(frozen=True, slots=True)
class JudgedFact:
    """A fact and how it stands."""

    event: Event
    stands: Stands


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file, and the facts on the way there, oldest first."""

    net: FileChange
    facts: tuple[JudgedFact, ...]
    commits: tuple[Authored, ...]
    """Those that made the facts."""

    @property
    def path(self) -> str:
        return path_text(self.net.path)

    @property
    def old_path(self) -> str | None:
        return None if self.net.old_path is None else path_text(self.net.old_path)

    @property
    def open(self) -> tuple[JudgedFact, ...]:
        """The facts that nobody answered for."""
        return tuple(fact for fact in self.facts if fact.stands.is_open)

    @property
    def answered(self) -> tuple[JudgedFact, ...]:
        """The facts that no plan covers and somebody answered for."""
        return tuple(fact for fact in self.facts if fact.stands.is_rogue and not fact.stands.is_open)

    @property
    def plans(self) -> tuple[str, ...]:
        """The plans that cover its facts, each once."""
        return tuple(dict.fromkeys(fact.stands.plan.plan_id for fact in self.facts if fact.stands.plan is not None))

    @property
    def actors(self) -> tuple[str, ...]:
        """Who changed it, each once."""
        return tuple(dict.fromkeys(commit.actor for commit in self.commits))

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that had a part in it, each once."""
        return tuple(dict.fromkeys(agent for commit in self.commits for agent in commit.agents))

    @property
    def verdict(self) -> Verdict:
        """How it stands."""
        if self.open:
            return Verdict.OPEN
        if self.answered:
            return Verdict.ANSWERED
        return (
            Verdict.COVERED
            if any(fact.stands.ruling is not Ruling.UNJUDGED for fact in self.facts)
            else Verdict.UNJUDGED
        )


@dataclass(frozen=True, slots=True)
class PlanUsed:
    """A plan and how it stands now."""

    plan: Plan
    state: State

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who approved or forced it, each once."""
        named = (event.get(_REVIEWER[event.type]) for event in self.plan.events if event.type in _REVIEWER)
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))


@dataclass(frozen=True, slots=True)
class Report:
    """What `report` tells; the files that stand worst come first."""

    limits: Limits
    commits: tuple[Authored, ...]
    """Parents first."""
    not_recorded: tuple[ObjectId, ...]
    """Those among them that nobody knows the facts of."""
    files: tuple[FileReport, ...]
    plans: tuple[PlanUsed, ...]
    """In order of id."""
    halts: tuple[Event, ...]

    @property
    def verdict(self) -> Verdict:
        """How all of it stands."""
        found = {file.verdict for file in self.files} | ({Verdict.INCOMPLETE} if self.not_recorded else set())
        return next((verdict for verdict in Verdict if verdict in found), Verdict.UNJUDGED)


def report(reading: Reading, words: str, now_s: int) -> Report:
    """What the commits that `words` name did: `A..B`, `A` (to HEAD), or nothing: since HEAD left its branch's origin.

    Raises UsageError, NotHere, GitFailed.
    """
    limits = _limits(reading, words)
    since = reading.checkout.known_identity().since
    excluded = [commit for commit in (limits.start, since) if commit is not None]
    names = commits_between(reading.repository, excluded, limits.end)
    commits = {commit.commit: commit for commit in authored(reading.checkout.scratch, names)}
    place = reading.checkout.index.commits.place
    standings = Standings(reading)
    facts = [JudgedFact(event, standings.of(event)) for event in _facts(reading, names)]
    files = list(_files(net_changes(reading.checkout.scratch, limits.base, limits.end), facts, commits))
    severity = list(Verdict)
    used = [fact.stands.plan for fact in facts if fact.stands.plan is not None]
    return Report(
        limits=limits,
        commits=tuple(commits.values()),
        not_recorded=tuple(name for name in names if place(name) is None),
        files=tuple(sorted(files, key=lambda file: (severity.index(file.verdict), file.net.path))),
        plans=tuple(PlanUsed(plan, plan.state(now_s)) for plan in standings.plans(used)),
        halts=tuple(open_halts(reading.readings)),
    )


def _limits(reading: Reading, words: str) -> Limits:
    """The range that `words` name. Raises UsageError, NotHere."""
    if reading.head is None:
        raise NotHere("there is no commit yet, so there is nothing to report", remedy="commit first")
    if not words:
        return _usual_limits(reading, reading.head)
    left, dots, right = words.partition("..")
    start, end = (_commit(reading, name or "HEAD", words) for name in (left, right.removeprefix(".")))
    base = merge_base(reading.repository, start, end)
    return Limits(
        start, end, base, f"{left or 'HEAD'}..{right.removeprefix('.') or 'HEAD'}" if dots else f"{left}..HEAD"
    )


def _usual_limits(reading: Reading, head: ObjectId) -> Limits:
    forked = fork_point(reading.repository, head)
    if forked is not None:
        name, base = forked
        return Limits(base, head, base, f"{name}..HEAD")
    since = reading.checkout.known_identity().since
    beginning = None if since is None else merge_base(reading.repository, since, head)
    return Limits(None, head, beginning, "everything recorded")


def _commit(reading: Reading, name: str, words: str) -> ObjectId:
    found = None if "\0" in name else reading.repository.commit_named(name)
    if found is None:
        raise UsageError(
            f"'{words}': '{name}' names no commit here", remedy="sage-git report A..B; A and B as git takes them"
        )
    return found


def _facts(reading: Reading, commits: Iterable[ObjectId]) -> Iterator[Event]:
    """What the commits did, in their order. Splits and merges of files only tell of other facts."""
    for commit in commits:
        for row in reversed(queries.by_commit_prefix(reading.readings.connection, commit)):
            if row.type in FACT_TYPES and row.type not in _TOLD_BY_OTHERS:
                yield row.event


def _files(
    net: Sequence[FileChange], facts: Sequence[JudgedFact], commits: Mapping[ObjectId, Authored]
) -> Iterator[FileReport]:
    """Each file that is changed, all in all or in between, with its facts."""
    changes = {change.path: change for change in net}
    names = _Names(changes.values(), (fact.event for fact in facts))
    of_file: dict[bytes, list[JudgedFact]] = {path: [] for path in changes}
    for fact in facts:
        if (path := _path_of(fact.event)) is not None:
            of_file.setdefault(names.last(path), []).append(fact)
    for path, own in of_file.items():
        makers = dict.fromkeys(fact.event.graph_commit for fact in own)
        authored = tuple(commits[commit] for commit in makers if commit is not None and commit in commits)
        yield FileReport(changes.get(path) or FileChange(path, NetChange.UNDONE), tuple(own), authored)


class _Names:
    """What files that were renamed on the way are called in the end."""

    def __init__(self, net: Iterable[FileChange], facts: Iterable[Event]) -> None:
        net = list(net)
        self._there = {change.path for change in net}
        self._next = {_raw(fact, "oldPath"): _raw(fact, "newPath") for fact in facts if fact.type == "FILE_RENAMED"}
        self._next |= {change.old_path: change.path for change in net if change.old_path is not None}

    def last(self, path: bytes) -> bytes:
        """The last name of what was called `path`."""
        seen = {path}
        while path not in self._there and (later := self._next.get(path)) is not None and later not in seen:
            seen.add(later)
            path = later
        return path


def _path_of(fact: Event) -> bytes | None:
    """The path that a fact leaves or takes away; None of a redacted one."""
    field = "newPath" if fact.type == "FILE_RENAMED" else "filePath"
    return _raw(fact, field) if field in fact else None


def _raw(fact: Event, field: str) -> bytes:
    return raw_path(fact, str(fact.get(field, "")))
