"""Whether a fact that nobody here derived is true of its commit all the same, and a verdict of its fact.

`verify` accepts any true description of a change (SPEC 5): another way to tell renames, say. Trees alone decide, so
that it can be asked where blobs are missing. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import ENVELOPE, PAYLOADS, VERDICT_TYPES
from sage_git.errors import GitFailed
from sage_git.gitrepo.history import read_commits
from sage_git.gitrepo.merges import differences_from_automatic, dropped_in
from sage_git.gitrepo.trees import Trees, Version
from sage_git.judgement.verdict import COPIED
from sage_git.observation.changes import SUBMODULE_MODE, Change
from sage_git.observation.commit import Commit
from sage_git.operations.checkout import Checkout
from sage_git.operations.paths import paths_of, raw_path
from sage_git.storage import queries

_NOT_IN_FACTS: Final = frozenset(("planHash", "reason", "signature", "subject", "tags"))


class Told:
    """One fact of a log, held against its commit."""

    def __init__(self, checkout: Checkout, trees: Trees, fact: Event, commit: ObjectId) -> None:
        self._checkout, self._trees, self._fact = checkout, trees, fact
        self._commit = trees.commit(commit)

    def untruth(self) -> str | None:
        """What is not true of the commit, as a sentence; None if all of it is true."""
        fact, commit = self._fact, self._commit
        if fact.timestamp != commit.timestamp or dict(fact.actor) != commit.actor():
            return "it was made by somebody else, or at another time, than it says"
        fields = {field.name for field in (*ENVELOPE, *PAYLOADS[fact.type])} - _NOT_IN_FACTS
        if strange := sorted(fact.fields.keys() - fields):
            return f"facts have no {strange[0]}"
        try:
            return self._of_change() or self._of_parents()
        except GitFailed as failure:
            return f"git cannot tell: {failure}"

    @cached_property
    def _parents(self) -> tuple[ObjectId, ...]:
        return self._commit.parents

    def _before(self, path: bytes) -> list[Version]:
        return [self._trees.at(parent, path) for parent in self._parents]

    def _path(self, field: str) -> bytes:
        return raw_path(self._fact.fields, str(self._fact[field]))

    def _of_parents(self) -> str | None:
        """Whether its parents are facts of the history before, on one of its paths."""
        events = self._checkout.index.events
        paths = set(paths_of(self._fact))
        for parent in self._fact.parents:
            event = events.event(parent)
            if event is None or paths.isdisjoint(paths_of(event)):
                return f"{parent[:12]} is no earlier fact of its source"
        twin = self._twin()
        return None if twin is None else f"the commit says it otherwise: {twin[:12]}"

    def _twin(self) -> EventId | None:
        """The fact of the same kind on the same paths that was derived."""
        for row in queries.by_commit_prefix(self._checkout.index.connection, self._commit.oid):
            if row.type == self._fact.type and row.line is not None and paths_of(row.event) == paths_of(self._fact):
                return row.event_id
        return None

    def _of_change(self) -> str | None:
        match self._fact.type:
            case "FILE_ADDED":
                return self._of_addition()
            case "FILE_EDITED":
                return self._of_edit()
            case "FILE_REMOVED":
                return self._of_removal()
            case "FILE_RENAMED":
                return self._of_rename()
            case _:
                return self._of_move()

    def _of_addition(self) -> str | None:
        path, fact = self._path("filePath"), self._fact
        now = self._trees.at(self._commit.oid, path)
        if now != Version(str(fact.get("mode")), str(fact.get("hash"))):
            return "the commit has something else there"
        if any(before.oid for before in self._before(path)):
            return "the source was there before"
        if now.mode != SUBMODULE_MODE:
            size = self._trees.size(now.oid)
            if size is not None and size != fact.get("size"):
                return f"it has {size} bytes"
        return None

    def _of_edit(self) -> str | None:
        path, fact = self._path("filePath"), self._fact
        now = self._trees.at(self._commit.oid, path)
        if now.oid != fact.get("hash") or fact.get("mode", now.mode) != now.mode:
            return "the commit has something else there"
        before = self._before(path)
        renamed = self._checkout.index.events.event(fact.parents[0]) if fact.parents else None
        if renamed is not None and renamed.type == "FILE_RENAMED" and renamed.graph_commit == self._commit.oid:
            before += self._before(raw_path(renamed.fields, str(renamed["oldPath"])))
        said = [each for each in before if each.oid == fact.get("lastHash")]
        said = [each for each in said if fact.get("lastMode", now.mode) == each.mode]
        if not said or now in before:
            return "no parent of the commit had that there"
        return None

    def _of_removal(self) -> str | None:
        path = self._path("filePath")
        if self._trees.at(self._commit.oid, path).oid:
            return "the source is still there"
        if not any(before.oid == self._fact.get("lastHash") for before in self._before(path)):
            return "no parent of the commit had that there"
        return None

    def _of_rename(self) -> str | None:
        old, new = self._path("oldPath"), self._path("newPath")
        if not self._trees.at(self._commit.oid, new).oid or self._trees.at(self._commit.oid, old).oid:
            return "the commit did not rename it"
        if self._parents and self._trees.at(self._parents[0], new).oid:
            return "the new path was there before"
        if not any(before.oid == self._fact.get("hash") for before in self._before(old)):
            return "no parent of the commit had that there"
        return None

    def _of_move(self) -> str | None:
        """A split or merge of files: of `lines-1` there is one account only, which was derived."""
        return "the lines did not move so"


def untrue_verdict(verdict: Event, fact: Event | None) -> str | None:
    """What is not true of a verdict, as a sentence, given the fact that it hangs on; None if it may be."""
    if fact is None:
        return "it hangs on no fact of its commit"
    if verdict.type not in VERDICT_TYPES:
        return "it is no verdict"
    copied = {name: fact.get(name) for name in COPIED}
    if {name: verdict.get(name) for name in COPIED} != copied:
        return "it does not say of whom, when and of which commit its fact is"
    if verdict.get("filePath") not in (fact.get("newPath"), fact.get("filePath")):
        return "it is about another source than its fact"
    return _untrue_hashes(verdict.fields, fact.fields)


@dataclass(frozen=True, slots=True)
class Drops:
    """The changes of one side that a merge does not have, though git by itself would have kept them."""

    merge: Commit
    changes: Sequence[Change]

    @classmethod
    def of(cls, checkout: Checkout, oid: ObjectId) -> Self:
        """Those of one merge, which is made again for that. Raises GitFailed."""
        merge = read_commits(checkout.scratch, [oid])[0]
        differing = differences_from_automatic(checkout.scratch, [merge]).get(oid, frozenset())
        return cls(merge, dropped_in(checkout.scratch, merge, differing))

    def untruth(self, verdict: Event) -> str | None:
        """What is not true of the verdict on one of them, as a sentence; None if it may be."""
        if verdict.timestamp != self.merge.timestamp or dict(verdict.actor) != self.merge.actor():
            return "it does not say of whom and when its commit is"
        said = raw_path(verdict.fields, str(verdict["filePath"])), verdict.get("lastHash"), verdict.get("hash")
        if not any((each.path, each.old_id, each.new_id) == said for each in self.changes):
            return "the merge dropped no such change"
        return None


def _untrue_hashes(verdict: Mapping[str, Any], fact: Mapping[str, Any]) -> str | None:
    if fact.get("type") != "FILE_EDITED":
        return None
    if verdict.get("type") == "ROGUE_EDIT_DETECTED":
        said = verdict.get("lastHash"), verdict.get("hash")
        return None if said == (fact["lastHash"], fact["hash"]) else "it names other contents than its fact"
    said_range = f"{fact['lastHash']}..{fact['hash']}"
    return None if verdict.get("diffRef") == said_range else "it names other contents than its fact"
