"""Observing commits one after the other: facts, verdicts, H; batch by batch into log and index, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.ahead import ahead
from sage_git.gitrepo.history import WINDOW, CommitChanges, Window, is_readable, read_windows
from sage_git.gitrepo.merges import differences_from_automatic
from sage_git.judgement.standing import Circumstance
from sage_git.observation.changes import is_missing
from sage_git.observation.facts import Fact, Observation, observe, observe_merge
from sage_git.observation.lineage import heads, is_detached, main_lines, merged_rows, newest
from sage_git.observation.moves import find_moves
from sage_git.operations.checkout import Checkout
from sage_git.operations.findings import Finding
from sage_git.operations.judging.judge import Judge
from sage_git.operations.judging.searching import Search
from sage_git.operations.judging.verdicts import Bench, catch_up
from sage_git.operations.ledger import Occasion, enter_new, lineages_along, meet_again, redacted_by
from sage_git.operations.ledger.told import Foretold, Scales, VerdictKey, verdict_key
from sage_git.operations.recording.outstanding import Outstanding
from sage_git.storage.keys import ensure_writer
from sage_git.storage.lock import held

_LOG_TIMEOUT_MS: Final = 10_000

_Prepared = Generator[tuple[Window, Mapping[ObjectId, frozenset[bytes]]], None, None]


class _Merges(Enum):
    """Which merges are compared with the one that git makes by itself; each takes 10 ms."""

    EDITING = "those with an edit in them, whose verdicts depend on it"
    ALL = "all of them, since one that drops a change has no edit in it"


@dataclass(frozen=True, slots=True)
class Batch:
    """How much was recorded at once."""

    commits: int
    events: int


def observe_commits(checkout: Checkout, outstanding: Outstanding, findings: list[Finding]) -> Iterator[Batch]:
    """Record `outstanding`, a window at a time; each is durable when it is yielded. Raises GitFailed, StorageError.

    A commit that git cannot read is a finding, and defers what comes after it and nothing else.
    """
    try:
        yield from _observe_windows(checkout, outstanding, findings)
    except GitFailed as failure:
        left = [commit for commit in outstanding.commits if checkout.index.commits.known(commit.oid) is None]
        unreadable = {commit.oid for commit in left if not is_readable(checkout.scratch, commit.oid)}
        if not unreadable:
            raise
        for oid in sorted(unreadable):
            message = f"git cannot read commit {oid[:12]} ({failure}): run `git fsck`, mend it, then `sage-git record`"
            findings.append(Finding("unobservable", message, oid))
        readable = []
        for commit in left:
            if commit.oid in unreadable or not unreadable.isdisjoint(commit.parents):
                unreadable.add(commit.oid)
                outstanding.deferred.append(commit.oid)
            else:
                readable.append(commit)
        yield from _observe_windows(checkout, replace(outstanding, commits=readable), findings)


def _observe_windows(checkout: Checkout, outstanding: Outstanding, findings: list[Finding]) -> Iterator[Batch]:
    if not outstanding.commits:
        return
    goes_on = main_lines(outstanding.commits)
    judge = Judge.of(checkout, [entry.event for entry in outstanding.logged.values()])
    windows = _prepared(checkout, outstanding, _Merges.ALL if judge.has_work else _Merges.EDITING)
    if len(outstanding.commits) > WINDOW:  # a single one has nothing to overlap with
        windows = ahead(windows)
    with Search(checkout) as search, closing(Scales(checkout)) as scales:
        catch_up(checkout, judge, search)
        bench = Bench(checkout, judge, search)
        for window, automatic in windows:
            with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
                recorder = _Recorder(checkout, outstanding, window, automatic, goes_on, bench, scales)
                with checkout.index.transaction():
                    for entry in window.commits:
                        reason = recorder.why_unobservable(entry)
                        if reason is None:
                            recorder.record(entry)
                        else:
                            outstanding.deferred.append(entry.commit.oid)
                            findings.extend([Finding("unobservable", reason, entry.commit.oid)] if reason else [])
                    recorder.append_to_log()
                    bench.end_window()
                findings.extend(recorder.findings)
                yield Batch(len(window.commits), recorder.entered)


def _prepared(checkout: Checkout, outstanding: Outstanding, wanted: _Merges) -> _Prepared:
    """All windows, each with what git has to say of its merges. Touches neither log nor index."""
    for window in read_windows(checkout.scratch, outstanding.commits):
        yield window, _differences(checkout, window, outstanding, wanted)


def _differences(
    checkout: Checkout, window: Window, outstanding: Outstanding, wanted: _Merges
) -> Mapping[ObjectId, frozenset[bytes]]:
    """Where the merges that are wanted differ from the automatic merge."""
    merges = [
        entry.commit
        for entry in window.commits
        if entry.is_merge
        and entry.commit.oid not in outstanding.backfilled
        and (wanted is _Merges.ALL or any(not is_missing(each.new_mode) for each in entry.merge_changes))
    ]
    return differences_from_automatic(checkout.scratch, merges)


class _Recorder:
    """One window's way into the log and the index. Lives within one transaction, under the log's lock."""

    def __init__(
        self,
        checkout: Checkout,
        outstanding: Outstanding,
        window: Window,
        automatic: Mapping[ObjectId, frozenset[bytes]],
        goes_on: Mapping[ObjectId, ObjectId],
        bench: Bench,
        scales: Scales,
    ) -> None:
        self._checkout = checkout
        self._identity = checkout.known_identity()
        self._index = checkout.index
        self._commits = checkout.index.commits
        self._outstanding = outstanding
        self._window = window
        self._automatic = automatic
        self._goes_on = goes_on
        self._bench = bench
        self._deferred = set(outstanding.deferred)
        self._own_lines: list[bytes] = []
        self._next_entry = checkout.log.length()
        self._redacted = self._index.events.redacted() | redacted_by(outstanding.logged)
        self._scales = scales
        self.entered = 0
        self.findings: list[Finding] = []

    def record(self, entry: CommitChanges) -> None:
        """Enter one commit: its facts, their verdicts, and what it makes of H."""
        commit = entry.commit
        observation = self._observe(entry)
        goes_on = not commit.parents or self._goes_on.get(commit.parents[0]) == commit.oid
        known = self._commits.add(commit.oid, commit.parents, commit.committed, goes_on=goes_on)
        self._bench.keep_claims(commit, known.number)
        occasion = Occasion(known)
        is_own = commit.oid in self._outstanding.own
        foretold = Foretold(self._checkout, commit.oid)
        for fact in observation.facts:
            self._enter(fact.event, occasion, is_own=is_own)
        self._put_heads(entry, observation)
        derived = {fact.event.event_id: fact for fact in observation.facts if fact.event.event_id is not None}
        self.findings += foretold.settle(known, derived.keys(), self._scales)
        self._judge(entry, derived, foretold.verdicts, occasion)

    def _judge(
        self, entry: CommitChanges, derived: Mapping[EventId, Fact], held: Collection[VerdictKey], occasion: Occasion
    ) -> None:
        """Enter the verdicts on a commit: those that are kept somewhere, and others are made."""
        commit = entry.commit
        is_own = commit.oid in self._outstanding.own
        logged = {
            identifier: verdict
            for identifier in derived
            if (verdict := self._outstanding.verdicts.get((identifier, commit.oid))) is not None
        }
        for verdict in logged.values():  # made once, judged anew by readers
            self._enter(verdict, occasion, is_own=is_own)
        kept = {*logged, *(parents[0] for parents, _ in held if parents)}
        circumstances = {identifier: self._circumstance(entry, fact) for identifier, fact in derived.items()}
        facts = [fact.event for fact in derived.values()]
        for made in self._bench.judge(commit, facts, circumstances, kept):
            self._enter(made, occasion, is_own=is_own)
        told = {change.path for change in entry.merge_changes}
        for drop in self._bench.judge_drops(commit, self._automatic.get(commit.oid, frozenset()) - told):
            if verdict_key(drop) not in held:
                self._enter(drop, occasion, is_own=is_own)

    def why_unobservable(self, entry: CommitChanges) -> str | None:
        """Why nothing true can be said of this commit yet ("": because it comes after such a one); None if it can."""
        oid = entry.commit.oid
        if self._deferred.intersection(entry.commit.parents):
            self._deferred.add(oid)
            return ""
        missing = next((blob for blob in entry.added_blobs() if self._window.sizes[blob] is None), None)
        if missing is None:
            return None
        self._deferred.add(oid)
        what = f"commit {oid[:12]} adds blob {missing[:12]}, which is not here"
        return f"{what}: run `git fsck`, fetch it, then `sage-git record`"

    def append_to_log(self) -> None:
        """Make the window durable: after this, the index may know it."""
        if self._own_lines:
            ensure_writer(self._checkout.sage, self._identity.repository)
            self._checkout.log.append(self._own_lines)

    def _observe(self, entry: CommitChanges) -> Observation:
        commit, window, rows = entry.commit, self._window, self._commits
        places = [rows.place(parent) for parent in commit.parents]

        def parents(path: bytes) -> tuple[EventId, ...]:
            return newest((heads(rows, place, path) for place in places), self._index.events)

        sizes = {oid: size or 0 for oid, size in window.sizes.items()}
        if entry.is_merge:
            return observe_merge(commit, entry.merge_changes, entry.renames, sizes, parents)
        return observe(commit, entry.changes, find_moves(entry.changes, window.contents), sizes, parents)

    def _circumstance(self, entry: CommitChanges, fact: Fact) -> Circumstance:
        if entry.commit.oid in self._outstanding.backfilled:
            return Circumstance.BACKFILL
        if not entry.is_merge:
            return Circumstance.ORDINARY
        differing = self._automatic.get(entry.commit.oid)
        is_automatic = differing is not None and fact.path not in differing
        return Circumstance.AUTOMATIC_MERGE if is_automatic else Circumstance.MERGE

    def _enter(self, event: Event, occasion: Occasion, *, is_own: bool) -> None:
        index, events = self._index, self._index.events
        assert event.event_id is not None
        if events.node(event.event_id) is not None:
            meet_again(index, event, occasion, None)  # it came from the log before
            return
        logged = self._outstanding.logged.pop(event.event_id, None)
        is_to_log = is_own and logged is None and event.event_id not in self._redacted  # there without its body
        number = logged.number if logged else self._next_entry if is_to_log else None
        enter_new(index, self._identity, event, occasion, number)
        self.entered += 1
        if is_to_log:
            self._own_lines.append(event.line)
            self._next_entry += 1

    def _put_heads(self, entry: CommitChanges, observation: Observation) -> None:
        rows, commit = self._commits, entry.commit
        place = rows.place(commit.oid)
        assert place is not None
        parents = [rows.place(parent) for parent in commit.parents]
        follows: dict[bytes, set[EventId]] = {}
        for fact in observation.facts:
            if fact.path is not None:
                follows.setdefault(fact.path, set()).update(fact.event.parents)
        for path, facts in observation.heads.items():
            before = heads(rows, parents[0], path) if parents else ()
            if facts or before:
                detached = is_detached(before, follows.get(path, ()) if facts else ())
                rows.put(path, place, facts, detached=detached)
        if entry.is_merge:
            united = list(merged_rows(rows, self._index.events, parents, observation.heads))
            for path, facts in united:
                rows.put(path, place, facts, detached=False)
                if len(facts) > 1:
                    # Two lives of one path are one chronicle from here on, though no event says so yet.
                    self._index.events.join(lineages_along(self._index, facts, path))
