"""Finding evidence: what git objects say of a fact beyond the fact, once for every fact, when it is recorded.

Costs nothing for a source that no other branch or earlier version of this one touched. Not here: what follows from
evidence (`judgement.standing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.gitrepo.merges import conflicts_of
from sage_git.gitrepo.threeway import Threeway
from sage_git.judgement.brought import brought_along
from sage_git.judgement.replay import Edit, Fit, Replay, chains_among, find_replays
from sage_git.judgement.resolution import Template, is_resolution
from sage_git.judgement.standing import Circumstance, Evidence
from sage_git.judgement.undoing import taken_back
from sage_git.observation.commit import Commit
from sage_git.operations.checkout import Checkout
from sage_git.operations.judging.candidates import Candidates, Chronicle
from sage_git.operations.judging.done import Doings
from sage_git.operations.judging.evidence import from_json
from sage_git.operations.judging.selection import Told, edit_of
from sage_git.storage.index import Reach

_BY_MERGE: Final = (Circumstance.MERGE, Circumstance.AUTOMATIC_MERGE)


class Search:
    """One search for evidence; processes of git are started when first needed and end with it."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._index = checkout.index
        self._open = ExitStack()
        self._conflicts: Mapping[bytes, Template] | None = None  # of the merge that is looked at
        self._workshop: Threeway | None = None
        self._candidates = Candidates(self._index)
        self._doings = Doings(self._index, lambda: self.workshop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        self._open.close()

    def forget(self) -> None:
        """Drop what was read of the index: others may write to it."""
        self._candidates.forget()

    def of_commit(
        self, commit: Commit, facts: Sequence[Event], circumstances: Mapping[EventId, Circumstance]
    ) -> dict[EventId, Evidence]:
        """The evidence of each of a commit's facts, which the index has already with their place in history."""
        self._index.events.flush()  # what came in the same batch is looked at too
        reach = self._index.commits.reach(commit.oid)
        self._conflicts = None
        found: dict[EventId, Evidence] = {}
        for fact, renamed in _changes(facts):
            assert fact.event_id is not None
            circumstance = circumstances[fact.event_id]
            together = [each.event_id for each in (fact, renamed) if each is not None and each.event_id is not None]
            found |= dict.fromkeys(together, Evidence(circumstance))
            if circumstance in (Circumstance.ORDINARY, Circumstance.MERGE):
                change = edit_of(fact, renamed)
                chronicle = self._candidates.beside(fact, _paths(change), reach)
                evidence = self._of_change(commit, change, chronicle, reach, circumstance)
                found |= dict.fromkeys(together, evidence)
                if renamed is not None and renamed.event_id is not None and evidence.fit is not Fit.WHOLE:
                    found[renamed.event_id] = _of_rename(evidence, edit_of(renamed), chronicle)
        return found

    def _of_change(
        self, commit: Commit, change: Edit, chronicle: Chronicle, reach: Reach, circumstance: Circumstance
    ) -> Evidence:
        replays = self._replays(change, chronicle, reach, circumstance)
        is_explained = bool(replays) and replays[-1].kind in (Fit.WHOLE, Fit.RESOLVED)
        if circumstance is Circumstance.MERGE and len(commit.parents) == 2 and not is_explained:
            if self._conflicts is None:
                self._conflicts = conflicts_of(self._checkout.scratch, commit)
            sides = self._sides(change, chronicle, commit, self._conflicts)
            if sides is not None or not replays:
                return Evidence(circumstance, sides=sides)
        return Evidence(circumstance, replays, undoes=self._undone(change, chronicle, reach))

    def replays(self, fact: Event, renamed: Event | None = None) -> tuple[Replay, ...]:
        """What a recorded fact does again, for those whose evidence nobody kept."""
        assert fact.graph_commit is not None
        change, reach = edit_of(fact, renamed), self._index.commits.reach(fact.graph_commit)
        chronicle = self._candidates.beside(fact, _paths(change), reach)
        by_merge = self._came_by_merge(fact.event_id) if fact.event_id else False
        return self._replays(change, chronicle, reach, Circumstance.MERGE if by_merge else Circumstance.ORDINARY)

    def _replays(
        self, change: Edit, chronicle: Chronicle, reach: Reach, circumstance: Circumstance
    ) -> tuple[Replay, ...]:
        own = self._index.events.node(change.fact)
        assert own is not None

        def is_elsewhere(told: Told) -> bool:
            # What came to be known later may well do this one again: two edits must not stand on each other.
            is_earlier = told.number < own.number
            return is_earlier and not reach.has(*told.place) and not self._doings.has(reach, told.number)

        edits = chronicle.edits(is_elsewhere)
        if not edits:
            return ()
        merges = [fact for fact in edits if self._came_by_merge(fact)]
        if circumstance is Circumstance.MERGE:  # a merge that is made again is like one that was made
            return find_replays(change, [(edits[fact],) for fact in merges], self.workshop)
        chains = chains_among(edits, edits.follows, merges)
        replays = find_replays(change, chains, self.workshop)
        earlier = chronicle.edits(lambda told: told.number < own.number)
        along = brought_along(change, replays, earlier, earlier.follows, merges, edits, self.workshop)
        if replays and replays[-1].kind is Fit.RESOLVED and any(self._is_in(reach, fact) for fact in along):
            replays = (*replays[:-1], replace(replays[-1], kind=Fit.CONFLICTED))  # it brought back what was taken away
        return (*(Replay((fact,), Fit.PART) for fact in along), *replays)

    def _is_in(self, reach: Reach, fact: EventId) -> bool:
        node = self._index.events.node(fact)
        place = None if node is None else self._index.events.place(node.number)
        return place is not None and reach.has(*place)

    def _came_by_merge(self, fact: EventId) -> bool:
        node = self._index.events.node(fact)
        body = None if node is None else self._index.evidence.of(node.number)
        return body is not None and from_json(body).circumstance in _BY_MERGE

    def _undone(self, change: Edit, chronicle: Chronicle, reach: Reach) -> tuple[EventId, ...]:
        """The edits in the commit's history that the change exactly takes back, if one of them is rogue."""
        rogue = chronicle.rogue(lambda told: reach.has(*told.place))
        if not rogue:
            return ()
        edits = chronicle.edits(lambda told: reach.has(*told.place))
        return taken_back(change, rogue[::-1], edits, edits.follows, self._came_by_merge, self.workshop)

    def _sides(
        self, change: Edit, chronicle: Chronicle, commit: Commit, conflicts: Mapping[bytes, Template]
    ) -> tuple[EventId, ...] | None:
        """The edits of both sides, where the change only settles their conflict; None if it does more."""
        template = conflicts.get(change.after.path) if change.after.path else None
        lines = self.workshop.lines(change.after.blob) if template and change.after.blob else None
        if template is None or lines is None or not is_resolution(template, lines):
            return None
        ours, theirs = (self._index.commits.reach(parent) for parent in commit.parents)
        return tuple(chronicle.edits(lambda told: ours.has(*told.place) != theirs.has(*told.place)))

    @property
    def workshop(self) -> Threeway:
        """What compares and merges the contents."""
        if self._workshop is None:
            self._workshop = self._open.enter_context(Threeway.open(self._checkout.scratch))
        return self._workshop


def _of_rename(evidence: Evidence, rename: Edit, chronicle: Chronicle) -> Evidence:
    """The evidence of a rename that came with an edit: nothing of it is left over if what is replayed renamed alike."""
    edits = chronicle.edits(lambda _: True)
    replayed = [edits[fact] for fact in evidence.chain if fact in edits]
    moves = [edit for edit in replayed if edit.before.path != edit.after.path]
    if not moves or (moves[0].before.path, moves[-1].after.path) != (rename.before.path, rename.after.path):
        return evidence
    return Evidence(evidence.circumstance, (Replay(tuple(move.fact for move in moves), Fit.WHOLE),))


def _changes(facts: Iterable[Event]) -> list[tuple[Event, Event | None]]:
    """The facts that can be judged, one that renamed a source together with the one that edited it as well."""
    renames = {fact.event_id: fact for fact in facts if fact.type == "FILE_RENAMED"}
    changes: list[tuple[Event, Event | None]] = []
    for fact in facts:
        if fact.type in ("FILE_ADDED", "FILE_REMOVED"):
            changes.append((fact, None))
        elif fact.type == "FILE_EDITED":
            changes.append((fact, renames.pop(fact.parents[0], None) if fact.parents else None))
    return [*changes, *((fact, None) for fact in renames.values())]


def _paths(change: Edit) -> list[bytes]:
    return list(dict.fromkeys(path for path in (change.after.path, change.before.path) if path is not None))
