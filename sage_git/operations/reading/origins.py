"""The edit that wrote a line first: through whatever replayed it since (rebase, squash, cherry-pick, amend).

A line that is there again because what had removed it was taken back is its that wrote it before that. Not here: which
commit git says a line came in with (`gitrepo.blame`), and what an edit is worth (`standings`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.blame import Authorship, Stretch, blame
from sage_git.gitrepo.history import read_commits
from sage_git.judgement.prospects import telling
from sage_git.judgement.replay import Edit, Fit, Replay
from sage_git.judgement.standing import Circumstance
from sage_git.judgement.tracing import Origin as Traced
from sage_git.judgement.tracing import kept_lines, trace, trace_by_text
from sage_git.judgement.versions import Version
from sage_git.judgement.workshop import Workshop
from sage_git.operations.judging.searching import Search
from sage_git.operations.judging.selection import edit_of
from sage_git.operations.paths import raw_path
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.reading.opening import Reading
    from sage_git.storage.index import Index

_NEWEST: Final = 256
_Traces = Callable[[ObjectId, Sequence[int], Sequence[Edit], Workshop], Sequence[Traced | None]]
_BY_MERGE: Final = (Circumstance.MERGE, Circumstance.AUTOMATIC_MERGE)
_BROUGHT_IN: Final = ("FILE_EDITED", "FILE_ADDED", "FILE_RENAMED")
"""The facts that lines come in with; where a commit made several of one path, the first of these."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a line was written by: a fact, or a commit that none is recorded of."""

    commit: ObjectId | None
    fact: Event | None = None


def fact_of(index: Index, commit: ObjectId, path: bytes) -> Event | None:
    """What `commit` did to `path`, so that it has the lines that it has; None if that is not recorded."""
    place = index.commits.place(commit)
    waiting = list((index.commits.at_or_before(path, place) if place else None) or ())
    facts, seen = list[Event](), set[EventId]()
    while waiting:
        seen.update(waiting)
        own = [row.event for row in queries.by_ids(index.connection, waiting).values() if row.commit == commit]
        facts += [event for event in own if event.type in _BROUGHT_IN and _leaves(event, path)]
        # A split or merge of files hangs on the facts that it is made of, an edit on the renaming that came first.
        waiting = [parent for event in own for parent in event.parents if parent not in seen]
    return min(facts, key=lambda event: _BROUGHT_IN.index(event.type), default=None)


def _leaves(fact: Event, path: bytes) -> bool:
    """True if the fact is about the file that was at `path` afterwards; of a redacted one nobody can say more."""
    named = fact.get("newPath" if fact.type == "FILE_RENAMED" else "filePath")
    return raw_path(fact, named) == path if isinstance(named, str) else bool(fact.get("redacted"))


class Origins:
    """From the edit that git finds to the edit that wrote the lines. Starts processes of git when first needed."""

    def __init__(self, reading: Reading) -> None:
        self._scratch = reading.checkout.scratch
        self._boundary = reading.repository.shallow_boundary
        self._index = reading.checkout.index
        self._judge = reading.readings.judge
        self._reach = reading.readings.reach
        self._search = Search(reading.checkout)
        self._keeps_evidence = self._judge.has_work
        self._replays: dict[EventId, tuple[Replay, ...]] = {}
        self._beside: dict[tuple[frozenset[int], bytes | None], bool] = {}
        self.authorship: dict[ObjectId, Authorship] = {}
        """Of the commits that git was asked about on the way."""

    def of(self, fact: Event, lines: Iterable[int]) -> dict[int, Source]:
        """For each of `lines` of what `fact` left behind, from 1, what wrote it first."""
        if fact.get("redacted"):
            return dict.fromkeys(lines, Source(fact.graph_commit, fact))
        if (wholly := self._wholly(fact)) is not None:
            return dict.fromkeys(lines, Source(wholly.graph_commit, wholly))
        found: dict[int, Source] = {}
        # An edit, the numbers of lines in what it left behind with those of `fact`, the edits passed on the way, and
        # the first of these that may not rest on what it does again, or may have: what is not rogue is then its own.
        waiting: list[tuple[Event, Mapping[int, int], frozenset[EventId], Event | None]]
        waiting = [(fact, {line: line for line in lines}, frozenset(), None)]
        while waiting:
            edit, numbers, passed, owner = waiting.pop()
            passed |= {identifier} if (identifier := edit.event_id) else set()
            for stretch, there in self._from_before(edit, numbers):
                numbers = {line: here for line, here in numbers.items() if here not in there.values()}
                before = fact_of(self._index, stretch.commit, stretch.path)
                if before is None or before.get("redacted"):
                    found.update(dict.fromkeys(there.values(), Source(stretch.commit, before)))
                else:
                    waiting.append((before, there, passed, owner))
            for how, chain in product((trace, trace_by_text), self._chains(edit) if numbers else ()):
                if numbers and passed.isdisjoint(each.event_id for each in chain if each.event_id):
                    earlier, numbers = self._traced(edit, chain, numbers, how)
                    waiting += [
                        (each, there, passed, owner or (None if how is trace and self._rests_on(edit, each) else edit))
                        for each, there in ((chain[at], there) for at, there in earlier.items())
                    ]
            wrote = edit if owner is None or self._judge.is_rogue(edit.event_id or EventId("")) else owner
            found.update(dict.fromkeys(numbers.values(), Source(wrote.graph_commit, wrote)))
        return found

    def close(self) -> None:
        """End what was started to look into files."""
        self._search.close()

    def _wholly(self, fact: Event) -> Event | None:
        """The one edit that `fact` does again, through however many that did, if it does nothing else.

        `fact` itself if it does none again; None where lines have to be told apart.
        """
        seen: set[EventId | None] = set()
        while fact.event_id is not None and fact.event_id not in seen:
            seen.add(fact.event_id)
            replays = self._done_again(fact)
            if not replays:
                return None if self._taken_back_by(fact) or self._judge.evidence(fact.event_id).sides else fact
            if len(replays) > 1 or replays[0].kind is not Fit.WHOLE or len(replays[0].chain) > 1:
                return None
            earlier = self._index.events.event(replays[0].chain[0])
            if earlier is not None and not self._rests_on(fact, earlier):
                return None
            if earlier is None:  # its body was redacted
                return fact
            fact = earlier
        return None

    def _rests_on(self, fact: Event, earlier: Event) -> bool:
        """True if `fact` may do `earlier` again; nobody asks while nothing is judged.

        What was in the history of `fact` and taken away since may have come along in a conflict: to bring it back is
        its own doing.
        """
        if fact.event_id is None or earlier.event_id is None or not (replays := self._judge.replays(fact.event_id)):
            return True
        is_counted = earlier.event_id in self._judge.counted(fact.event_id)
        return is_counted and (len(replays) == 1 or not self._judge.follows(fact.event_id, earlier.event_id))

    def _chains(self, fact: Event) -> Iterator[list[Event]]:
        """The chains of edits that `fact` does again; those are left out of which something was redacted."""
        for replay in self._done_again(fact):
            events = [self._index.events.event(each) for each in replay.chain]
            known = [event for event in events if event is not None]
            if len(known) == len(events):
                yield known

    def _traced(
        self, fact: Event, chain: Sequence[Event], numbers: Mapping[int, int], how: _Traces
    ) -> tuple[dict[int, dict[int, int]], dict[int, int]]:
        """The lines that edits of `chain` wrote, by the edit's place in it; and the lines that none of them did."""
        asked = list(numbers)
        result = ObjectId(str(fact["hash"]))
        edits = [edit_of(event) for event in chain]
        traced = how(result, [number - 1 for number in asked], edits, self._search.workshop)
        earlier: dict[int, dict[int, int]] = {}
        rest: dict[int, int] = {}
        for number, origin in zip(asked, traced, strict=True):
            found = rest if origin is None else earlier.setdefault(origin.edit, {})
            line = number if origin is None else origin.line + 1
            if line in found:  # which is there twice by now
                found, line = rest, number
            found[line] = numbers[number]
        return earlier, rest

    def _from_before(self, fact: Event, numbers: Mapping[int, int]) -> Iterator[tuple[Stretch, dict[int, int]]]:
        """Those of the lines that `fact` has that were there before, though not in what it is held against.

        Where they came in, and their numbers there with those that were asked about.
        """
        if not numbers or "hash" not in fact or fact.event_id is None:
            return
        evidence = self._judge.evidence(fact.event_id)
        if evidence.circumstance not in _BY_MERGE:
            yield from self._restored(fact, numbers)
            return
        left = dict(numbers)
        for stretch, there in self._of_other_parents(fact, numbers):
            left = {line: here for line, here in left.items() if here not in there.values()}
            yield stretch, there
        if evidence.sides is not None:
            yield from self._taken(fact, left)

    def _restored(self, fact: Event, numbers: Mapping[int, int]) -> Iterator[tuple[Stretch, dict[int, int]]]:
        """The lines that `fact` brought back by taking edits back: where they came in before these."""
        result, left = ObjectId(str(fact["hash"])), dict(numbers)
        for commit, before in self._taken_back_by(fact):
            kept = kept_lines(result, [number - 1 for number in left], before.blob, self._search.workshop)
            there = {old + 1: left.pop(now + 1) for now, old in kept.items()}
            for parent in self._parents_with(commit, before) if there else ():
                yield from self._blamed(parent, before.path, there)

    def _of_other_parents(self, fact: Event, numbers: Mapping[int, int]) -> Iterator[tuple[Stretch, dict[int, int]]]:
        """The lines that a merge has from other parents than that which it is held against."""
        if fact.graph_commit is not None:
            for stretch, there in self._blamed(fact.graph_commit, edit_of(fact).after.path, numbers):
                if stretch.commit != fact.graph_commit:
                    yield stretch, there

    def _taken(self, fact: Event, numbers: Mapping[int, int]) -> Iterator[tuple[Stretch, dict[int, int]]]:
        """The lines that settled a conflict, and that a side had elsewhere: git calls them the merge's own."""
        lines = self._search.workshop.lines(ObjectId(str(fact["hash"])))
        if lines is None or fact.graph_commit is None:
            return
        wanted = {lines[number - 1]: here for number, here in numbers.items()}
        edit = edit_of(fact, self._renaming_in(fact))
        (commit,) = read_commits(self._scratch, [fact.graph_commit])
        for parent in commit.parents:
            for path in dict.fromkeys(each for each in (edit.after.path, edit.before.path) if each is not None):
                blob = self._blob_at(parent, path)
                side = (self._search.workshop.lines(blob) if blob else None) or ()
                numbered = list(enumerate(side, start=1))
                there = {number: wanted.pop(text) for number, text in numbered if text in telling(wanted)}
                yield from self._blamed(parent, path, there)

    def _blamed(
        self, commit: ObjectId, path: bytes | None, numbers: Mapping[int, int]
    ) -> Iterator[tuple[Stretch, dict[int, int]]]:
        """Where lines of a source came in, as git tells it; nothing where earlier versions are not in this clone."""
        if path is None or not numbers:
            return
        asked = [(line, line) for line in sorted(numbers)]
        try:
            blamed = blame(self._scratch, commit, path, asked, self._boundary())
        except GitFailed:
            return
        self.authorship.update(blamed.authorship)
        for stretch in blamed.stretches:
            yield stretch, {stretch.original + at: numbers[stretch.first + at] for at in range(stretch.count)}

    def _parents_with(self, commit: ObjectId, version: Version) -> list[ObjectId]:
        """The parents of a commit that have a source as it is in `version`; the first of them is enough."""
        (known,) = read_commits(self._scratch, [commit])
        path = version.path
        return [] if path is None else [each for each in known.parents if self._blob_at(each, path) == version.blob][:1]

    def _blob_at(self, commit: ObjectId, path: bytes) -> ObjectId | None:
        """What a commit has at `path`."""
        about = self._scratch.run("ls-tree", "-z", "--full-tree", commit, "--", os.fsdecode(path))
        words = about.partition(b"\t")[0].split()
        return ObjectId(words[2].decode("ascii")) if words else None

    def _taken_back_by(self, fact: Event) -> list[tuple[ObjectId, Version]]:
        """What was before each edit that `fact` takes back and so answers for, oldest first, and the edit's commit."""
        undone = self._judge.standing(fact.event_id).undone if fact.event_id else ()
        events = [event for event in map(self._index.events.event, undone) if event is not None]
        edits = [(each.graph_commit, edit_of(each, self._renaming_in(each))) for each in events]
        return [(commit, edit.before) for commit, edit in edits if commit is not None]

    def _done_again(self, fact: Event) -> tuple[Replay, ...]:
        """What `fact` does again, as kept or, while nothing is judged by it and it was not kept, found out now."""
        assert fact.event_id is not None
        if fact.event_id not in self._replays:
            found = self._judge.replays(fact.event_id)
            is_searched = self._keeps_evidence and fact.type == "FILE_EDITED"  # or was so later (`verdicts.catch_up`)
            if not found and not is_searched and self._is_beside_others(fact):
                found = self._search.replays(fact, self._renaming_in(fact))
            self._replays[fact.event_id] = found
        return self._replays[fact.event_id]

    def _is_beside_others(self, fact: Event) -> bool:
        """True if the source was changed anywhere but in HEAD's history, so that there is something to do again."""
        node = self._index.events.node(fact.event_id or EventId(""))
        components = frozenset(map(self._index.events.component, node.lineages if node else ()))
        key = components, edit_of(fact).after.path
        if key not in self._beside:
            self._beside[key] = self._are_beside_others(*key)
        return self._beside[key]

    def _are_beside_others(self, components: frozenset[int], path: bytes | None) -> bool:
        """The same, for all facts of these chronicles that left the source at `path`."""
        connection, reach = self._index.connection, self._reach
        if reach is None:
            return False
        rows = queries.observed(connection, queries.newest_of_components(connection, components, _NEWEST))
        if any(row.place is not None and not reach.has(*row.place) for row in rows):
            return True
        return path is not None and bool(queries.events_beyond(connection, path, reach, 1))

    def _renaming_in(self, fact: Event) -> Event | None:
        """The renaming by the same commit that an edit follows."""
        before = self._index.events.event(fact.parents[0]) if fact.type == "FILE_EDITED" and fact.parents else None
        is_same = before is not None and (before.type, before.graph_commit) == ("FILE_RENAMED", fact.graph_commit)
        return before if is_same else None
