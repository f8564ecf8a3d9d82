"""What of this clone's log others may see (SPEC 11): which bodies go beside the leaves, and which stay here.

A fact or verdict may be seen once a publish remote has its commit, or is being given it; a statement as the policy
allows; and what a published event names in `rewriteOf` or `resolves` comes with it. There is one audience. Not here:
putting it into the store (`publishing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, is_hex
from sage_git.gitrepo.history import commits_not_in
from sage_git.gitrepo.repository import Repository
from sage_git.judgement.policy import Publish, Published
from sage_git.operations.sidecars.adoption import is_statement
from sage_git.storage.index.events import REDACTION

PLANS: Final = "plans"
_NAMES: Final = ("rewriteOf", "resolves")


@dataclass(frozen=True, slots=True)
class Audience:
    """What the remotes that are published to have of the user's own history: the tips of their branches."""

    tips: tuple[ObjectId, ...]
    publish: Publish

    @classmethod
    def of(cls, repository: Repository, publish: Publish, pushing: Iterable[ObjectId] = ()) -> Audience:
        """The audience of `publish`, to which `pushing` is on its way. Raises GitFailed."""
        patterns = [f"refs/remotes/{remote}/" for remote in publish.remotes]
        shown = repository.git("for-each-ref", "--format=%(objectname)", *patterns) if patterns else b""
        known = map(ObjectId, shown.decode("ascii").split())
        return cls(tuple(sorted({*known, *pushing})), publish)

    def lacks(self, repository: Repository, commits: Iterable[ObjectId]) -> frozenset[ObjectId]:
        """Those of `commits` that the audience does not have, or that are gone here. Raises GitFailed."""
        asked = list(dict.fromkeys(commits))
        found = repository.named(*(f"{oid}^{{commit}}" for oid in asked)) if asked else []
        gone = {oid for oid, there in zip(asked, found, strict=True) if there is None}
        here = [oid for oid in asked if oid not in gone]
        return frozenset(gone.union(commits_not_in(repository, here, self.tips) if here else ()).intersection(asked))


def may_be_seen(
    pending: Mapping[int, Event], audience: Audience, repository: Repository, private: frozenset[EventId]
) -> dict[int, bytes]:
    """The lines that may be revealed, by entry; `private` statements never are. Raises GitFailed.

    A verdict or fact stands for its commit; one whose commit is gone (amended away) was never published by itself.
    """
    commits = [event.graph_commit for event in pending.values() if not is_statement(event) and event.graph_commit]
    lacking = audience.lacks(repository, commits)
    seen = {
        number
        for number, event in pending.items()
        if (
            _may_be_said(event, audience.publish.statements, private)
            if is_statement(event)
            else event.graph_commit is not None and event.graph_commit not in lacking
        )
    }
    seen |= _named_by(pending, seen, private)
    return {number: pending[number].line for number in sorted(seen)}


def _may_be_said(event: Event, statements: Published, private: frozenset[EventId]) -> bool:
    if event.event_id in private or event.get("eventId", event.event_id) != event.event_id:
        return False  # the second is one that somebody gave a wrong id, which no peer would take
    if event.type == REDACTION or statements is Published.ALL:  # what is gone must go everywhere
        return True
    return statements is Published.PLANS and event.subject == PLANS


def _named_by(pending: Mapping[int, Event], seen: set[int], private: frozenset[EventId]) -> set[int]:
    """The entries that what may be seen names, and what those name in turn."""
    numbers = {event.event_id: number for number, event in pending.items() if event.event_id not in private}
    found: set[int] = set()
    waiting: list[int] = list(seen)
    while waiting:
        for name in _names(pending[waiting.pop()]):
            number = numbers.get(name)
            if number is not None and number not in found and number not in seen:
                found.add(number)
                waiting.append(number)
    return found


def _names(event: Event) -> Sequence[EventId]:
    return [
        EventId(name)
        for field in _NAMES
        if isinstance(names := event.get(field), list)
        for name in names
        if isinstance(name, str) and is_hex(name, 64)
    ]
