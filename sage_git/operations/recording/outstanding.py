"""Which commits are to be observed now, which cannot be yet, and which of them were made in this clone (SPEC 5, 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, is_hex
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.errors import GitFailed
from sage_git.gitrepo import promised, reflog
from sage_git.gitrepo.history import commits_not_in, read_commits
from sage_git.gitrepo.repository import Repository
from sage_git.observation.commit import Commit
from sage_git.operations.checkout import Checkout
from sage_git.operations.ledger import Entry

_RECENT_TIPS: Final = 256


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What post-rewrite hooks left in sage/rewritten: a line `old new` for each commit, `size` bytes read."""

    path: Path
    size: int = 0
    commits: tuple[ObjectId, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Rewritten:
        """What is there now."""
        try:
            content = path.read_bytes()
        except OSError:
            return cls(path)
        words = content.decode("ascii", "replace").split()
        return cls(path, len(content), tuple(ObjectId(word) for word in words if is_hex(word, 40, 64)))

    def forget(self) -> None:
        """Take the file away, unless a hook added to it since; then the next recording reads it again."""
        try:
            if self.size and self.path.stat().st_size == self.size:
                self.path.unlink()
        except OSError:  # the next recording reads these lines again, and finds them recorded
            pass


@dataclass(frozen=True)
class Outstanding:
    """`commits` with parents first. `own` were made here; `backfilled` were on a branch that `init` did not reach.

    `logged` are the entries of this clone's log that the index lacks, less those that an observation brought.
    """

    commits: Sequence[Commit]
    own: frozenset[ObjectId]
    backfilled: frozenset[ObjectId]
    deferred: list[ObjectId]
    marks: Mapping[str, str]
    rewritten: Rewritten = field(default_factory=lambda: Rewritten(Path()))
    logged: dict[EventId, Entry] = field(default_factory=dict)

    @cached_property
    def verdicts(self) -> Mapping[tuple[EventId, ObjectId], Event]:
        """The verdicts among `logged`, by the facts that they hang on and their own commits."""
        events = (entry.event for entry in self.logged.values())
        return {
            (event.parents[0], event.graph_commit): event
            for event in events
            if event.type in VERDICT_TYPES and event.graph_commit and event.parents
        }


def find_outstanding(
    checkout: Checkout, head: ObjectId | None, marks: Mapping[str, str], also: Iterable[ObjectId] = ()
) -> Outstanding:
    """The commits, neither observed nor reached by `since`, that HEAD, a reflog, a rewriting or the backfill names.

    In the order that they were made in, as far as reflogs tell, so that what was rewritten comes before what it became.
    `also` are further tips, which come first.
    """
    repository, identity, index = checkout.repository, checkout.known_identity(), checkout.index
    read = reflog.read_after(repository, marks)
    rewritten = Rewritten.read(checkout.sage / "rewritten")
    named = [*also, *identity.backfill, *read.commits, *rewritten.commits, *([head] if head else [])]
    tips = [oid for oid in dict.fromkeys(named) if index.commits.known(oid) is None and oid != identity.since]
    if not tips:
        return Outstanding([], frozenset(), frozenset(), [], read.marks, rewritten)
    if identity.since is not None and repository.named(identity.since) == [None]:
        return Outstanding([], frozenset(), frozenset(), tips, read.marks, rewritten)
    known = [*([identity.since] if identity.since else []), *index.commits.recent_tips(_RECENT_TIPS)]
    reached, unreachable = _reached(repository, tips, known)
    tips = [tip for tip in tips if tip not in unreachable]
    commits = read_commits(checkout.scratch, [oid for oid in reached if index.commits.known(oid) is None])
    commits, deferred = _observable(checkout, _as_made(commits, tips))
    return Outstanding(
        commits,
        _made_here(checkout, tips, known, commits, read.made),
        _backfilled(checkout, {commit.oid for commit in commits}),
        [*unreachable, *deferred],
        read.marks,
        rewritten,
    )


def _reached(
    repository: Repository, tips: Sequence[ObjectId], known: Sequence[ObjectId]
) -> tuple[list[ObjectId], list[ObjectId]]:
    """What the tips reach, parents first, and the tips whose history git cannot walk: they keep no other waiting."""
    try:
        return commits_not_in(repository, tips, known), []
    except GitFailed:
        reached: dict[ObjectId, None] = {}
        broken: list[ObjectId] = []
        for tip in tips:
            try:
                reached.update(dict.fromkeys(commits_not_in(repository, [tip], known)))
            except GitFailed:
                broken.append(tip)
        return list(reached), broken


def _as_made(commits: Sequence[Commit], tips: Sequence[ObjectId]) -> list[Commit]:
    """The commits (parents first) by the first of `tips` that reaches them; what one reaches alone keeps its order."""
    waiting_for = {commit.oid: commit.parents for commit in commits}
    turn: dict[ObjectId, int] = {}
    for number, tip in enumerate(tips):
        waiting = [tip]
        while waiting:
            oid = waiting.pop()
            if oid in waiting_for and oid not in turn:
                turn[oid] = number
                waiting.extend(waiting_for[oid])
    return sorted(commits, key=lambda commit: turn.get(commit.oid, len(tips)))


def _observable(checkout: Checkout, commits: Sequence[Commit]) -> tuple[list[Commit], list[ObjectId]]:
    """The commits that can be observed now, and the ids of the others: nothing is guessed (SPEC 5)."""
    waiting = _below_a_boundary(checkout, commits) | _without_blobs(checkout, commits)
    if not waiting:
        return list(commits), []
    observable, deferred = [], []
    for commit in commits:
        if commit.oid in waiting or not waiting.isdisjoint(commit.parents):
            waiting.add(commit.oid)
            deferred.append(commit.oid)
        else:
            observable.append(commit)
    return observable, deferred


def _below_a_boundary(checkout: Checkout, commits: Sequence[Commit]) -> set[ObjectId]:
    """The commits with a parent that a shallow clone was not given, so that nobody knows whether `since` reaches it."""
    boundary = checkout.repository.shallow_boundary()
    since = checkout.known_identity().since
    return {
        commit.oid
        for commit in commits
        if commit.oid in boundary
        and any(checkout.index.commits.known(parent) is None and parent != since for parent in commit.parents)
    }


def _without_blobs(checkout: Checkout, commits: Sequence[Commit]) -> set[ObjectId]:
    """The commits of a partial clone whose blobs are not here and were not to be had."""
    if not checkout.repository.is_partial() or not commits:
        return set()
    oids = [commit.oid for commit in commits]
    missing = promised.missing_blobs(checkout.scratch, oids)
    if missing and promised.fetch(checkout.repository, [blob for blobs in missing.values() for blob in blobs]):
        missing = promised.missing_blobs(checkout.scratch, list(missing))
    return set(missing)


def _made_here(
    checkout: Checkout,
    tips: Sequence[ObjectId],
    known: Sequence[ObjectId],
    commits: Sequence[Commit],
    made: frozenset[ObjectId],
) -> frozenset[ObjectId]:
    """Those that a reflog made or that no remote-tracking ref has."""
    everything = frozenset(commit.oid for commit in commits)
    if not commits or not checkout.repository.has_remote_tracking_refs():
        return everything
    return everything & (made | set(commits_not_in(checkout.repository, tips, known, less_remotes=True)))


def _backfilled(checkout: Checkout, listed: set[ObjectId]) -> frozenset[ObjectId]:
    identity = checkout.known_identity()
    if listed.isdisjoint(identity.backfill):
        return frozenset()
    since = [identity.since] if identity.since else []
    return frozenset(listed.intersection(commits_not_in(checkout.repository, identity.backfill, since)))
