"""Which earlier edits a change does again (SPEC 6.2), told by git's own three-way merge.

A rebase, squash or cherry-pick applies what was done from `before` to `after` to another version; so does this, and
compares. Not here: which edits are candidates, what follows for a verdict (`standing`), and how git is asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, pairwise, takewhile
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.judgement.prospects import Prospects, telling
from sage_git.judgement.resolution import is_resolution
from sage_git.judgement.versions import ABSENT, Chain, Edit, MergedVersion, Version, merged
from sage_git.judgement.workshop import Hunk, Workshop

__all__ = [
    "ABSENT", "Edit", "Fit", "Replay", "Version", "chains_among", "find_replays",
]  # fmt: skip

MAX_EDITS: Final = 64
MAX_CHAINS: Final = 256
MAX_MERGES: Final = 32


class Fit(StrEnum):
    """How much of a change the replay of a chain explains."""

    WHOLE = "whole"
    """All of it."""
    PART = "part"
    """The chain is all there, and more was done."""
    RESOLVED = "resolved"
    """All of it, but for a conflict that was settled with lines of its base and sides only."""
    CONFLICTED = "conflicted"
    """The chain met a conflict, and lines of neither base nor sides came in, or some that this history had removed."""


_PREFERENCE: Final = (Fit.WHOLE, Fit.RESOLVED, Fit.PART, Fit.CONFLICTED)


@dataclass(frozen=True, slots=True)
class Replay:
    """Edits done again, oldest first. The `kind` of the last of several replays tells if anything is left over."""

    chain: tuple[EventId, ...]
    kind: Fit


@dataclass(frozen=True, slots=True)
class Found:
    """A chain that explains a change, or what others left of it."""

    chain: Chain
    kind: Fit
    may_be_whole: bool = True
    """False where counting lines has ruled that out, and so for every chain after it."""
    so_far: Version | None = None
    """The source with the chain and nothing else done to it."""
    shared: int = 0
    """Lines that chain and change both brought in, where they met a conflict: the more, the likelier it is this one."""

    @property
    def rank(self) -> tuple[int, int]:
        """What fits best comes first."""
        return _PREFERENCE.index(self.kind), -self.shared


def find_replays(change: Edit, chains: Sequence[Chain], workshop: Workshop) -> tuple[Replay, ...]:
    """The chains that `change` does again, each applied to what the ones before it left; () if it replays nothing.

    One that is all of it is taken before one that is a part, that before one of which more is not there, and of these
    the first in the order of `chains_among`. What a part leaves is looked at as a change of its own.
    """
    found = explanations(change, chains, workshop)
    return tuple(Replay(_ids(less_detours(_since_removal(each.chain))), each.kind) for each in found)


def explanations(change: Edit, chains: Sequence[Chain], workshop: Workshop) -> Iterator[Found]:
    """The same as found, with the chains as they were given."""
    search = _Search(workshop)
    while chains and (found := search.best(change, chains)):
        yield found
        if found.kind is not Fit.PART or found.so_far is None:
            break
        change = Edit(change.fact, found.so_far, change.after)
        used = set(_ids(found.chain))
        chains = [chain for chain in chains if used.isdisjoint(_ids(chain))]


class _Search:
    """The search for the chain that fits best, again and again, until the merges that a question may cost are used."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._merges_left = MAX_MERGES

    def best(self, change: Edit, chains: Sequence[Chain]) -> Found | None:
        """The chain that explains most of `change`."""
        for chain in chains:
            if chain[0].before == change.before and chain[-1].after == change.after:
                return Found(chain, Fit.WHOLE)
        best: Found | None = None
        for found in self._fits(change, chains):
            if best is None or found.rank < best.rank:
                best = found
            if best.kind is Fit.WHOLE or (best.kind is Fit.PART and not found.may_be_whole):
                return best
        return best

    def _fits(self, change: Edit, chains: Sequence[Chain]) -> Iterator[Found]:
        """Whatever fits, what may be the whole change first."""
        prospects = Prospects(change, self._workshop)
        for chain, may_be_whole in islice(_likely(prospects, chains), MAX_CHAINS):
            start, end = chain[0].before, chain[-1].after
            if change.before == ABSENT and end == change.after and start.path is not None:
                # Removed here and changed there: git stops with the source as it was left there, and it was kept.
                yield Found(chain, Fit.CONFLICTED, may_be_whole, end, prospects.shared_text(start, end))
                continue
            # All three differ: git is asked.
            self._merges_left -= len({start.blob, change.before.blob, end.blob}) == 3
            if self._merges_left < 0:
                return
            made = merged(start, change.before, end, self._workshop)
            if made is None or made.version == change.before:
                continue
            shared = 0 if made.version else prospects.shared_text(start, end)
            if made.version is not None:
                kind = self._clean_fit(made.version, change)
            else:
                kind = self._conflicted_fit(made, change) if shared else None
            if kind is not None:
                yield Found(chain, kind, may_be_whole, made.version, shared)

    def _clean_fit(self, made: Version, change: Edit) -> Fit | None:
        """How `made`, the change's `before` with a chain done to it, explains the change's `after`."""
        if made == change.after:
            return Fit.WHOLE
        return Fit.PART if self._has_all(made, change) else None

    def _conflicted_fit(self, made: MergedVersion, change: Edit) -> Fit | None:
        """The same where `made` is in conflict."""
        after, template = change.after, made.content.template
        lines = self._workshop.lines(after.blob) if after.blob else None
        if template is None or lines is None or (made.path, made.mode) != (after.path, after.mode):
            return None
        return Fit.RESOLVED if is_resolution(template, lines) else Fit.CONFLICTED

    def _has_all(self, made: Version, change: Edit) -> bool:
        """True if what led to `made` is still there in the change's `after`: no line gone, none come back."""
        before, after = change.before.blob, change.after.blob
        if made.blob is None or after is None:
            return False
        if made.blob in (before, after):
            return True
        old = self._workshop.lines(before) if before else ()
        middle, new = self._workshop.lines(made.blob), self._workshop.lines(after)
        if old is None or middle is None or new is None:
            return False
        done = self._workshop.differences(before, made.blob) if before else (Hunk(0, 0, 0, len(middle)),)
        more = self._workshop.differences(made.blob, after)
        return not any(_spoils(later, hunk, old, new) for later in more for hunk in _touched(done, later))


def _since_removal(chain: Chain) -> Chain:
    """The chain from where the source was last removed: of what was done to it before, nothing is done again."""
    removals = (at for at in range(len(chain) - 1, -1, -1) if chain[at].after == ABSENT and _is_in_a_row(chain))
    return chain[next(removals, 0) :]


def _is_in_a_row(chain: Chain) -> bool:
    return all(later.before == earlier.after for earlier, later in pairwise(chain))


def less_detours(chain: Chain) -> Chain:
    """The chain without what was done on the way and exactly taken back: nothing of that is left."""
    if not _is_in_a_row(chain):
        return chain
    kept: list[Edit] = []
    for edit in chain:
        kept.append(edit)
        start = next(at for at, earlier in enumerate(kept) if earlier.before == edit.after or earlier is edit)
        if kept[start].before == edit.after:
            del kept[start:]
    return kept


def _likely(prospects: Prospects, chains: Sequence[Chain]) -> Iterator[tuple[Chain, bool]]:
    """The chains that may be the whole change (True), those that may be a part, those that may have met a conflict.

    None is looked at before it is wanted: the chains of a squash are many, and the first is it.
    """
    partial, in_conflict = [], []
    for chain in chains:
        ends = chain[0].before, chain[-1].after
        if prospects.has_any(*ends):
            if prospects.is_whole(*ends) and prospects.has_all(*ends):
                yield chain, True
            else:
                partial.append(chain)
    for chain in partial:
        ends = chain[0].before, chain[-1].after
        if prospects.has_all(*ends):
            yield chain, False
        elif prospects.shared_text(*ends):
            in_conflict.append(chain)
    yield from ((chain, False) for chain in in_conflict)


def _touched(done: Sequence[Hunk], later: Hunk) -> Iterator[Hunk]:
    """The hunks of `done` that a later hunk overlaps or borders on."""
    first = bisect_left(done, later.old_start, key=lambda hunk: hunk.new_end)
    following = map(done.__getitem__, range(first, len(done)))
    return takewhile(lambda hunk: hunk.new_start <= later.old_end, following)


def _spoils(later: Hunk, hunk: Hunk, old: Sequence[bytes], new: Sequence[bytes]) -> bool:
    """True if `later` takes lines away that `hunk` wrote, or brings lines back where it removed them."""
    if max(later.old_start, hunk.new_start) < min(later.old_end, hunk.new_end):
        return True
    removed, inserted = old[hunk.old_start : hunk.old_end], new[later.new_start : later.new_end]
    return not (telling(removed) or set(removed)).isdisjoint(inserted)


def chains_among(
    edits: Mapping[EventId, Edit],
    parents: Callable[[EventId], Sequence[EventId]],
    merges: Collection[EventId] = (),
) -> list[tuple[Edit, ...]]:
    """Every chain from one of `edits` to itself or a descendant among them, longest first, then smallest ids.

    Those in which the source is removed and added again come last: what they come to is mostly another's doing.

    A chain holds all that lies between, and what a merge in it brought in besides. Of chains with the same ends
    only the shortest is given: what another did more it took back. `parents` gives the facts that a fact follows;
    where it follows one, that one's result is where it began. Of more than 64 edits the first 64 count. None begins
    with one of `merges`: what a merge changed of its first parent is mostly what others did on the other side.
    """
    known = dict(islice(edits.items(), MAX_EDITS))
    placed, reach = placed_among(known, parents)
    found: dict[tuple[Version, Version], Chain] = {}
    for end, last in enumerate(placed):
        for start, first in reversed(list(enumerate(placed[: end + 1]))):
            ends = first.before, last.after
            between = reach[last.fact] & ~reach[first.fact]
            is_longer = ends in found and len(found[ends]) <= between.bit_count() + 1
            if is_longer or first.fact in merges or not reach[last.fact] >> start & 1:
                continue
            if between == (2 << end) - (2 << start):  # all that were placed between: mostly so
                found[ends] = placed[start : end + 1]
            else:
                found[ends] = [first, *(edit for at, edit in enumerate(placed) if between >> at & 1)]
    removals = {edit.fact for edit in placed if edit.after == ABSENT}

    def turn(chain: Sequence[Edit]) -> tuple[bool, int, EventId, EventId]:
        is_through_removal = bool(removals) and any(edit.fact in removals for edit in chain[:-1])
        return is_through_removal, -len(chain), chain[0].fact, chain[-1].fact

    return sorted(map(tuple, found.values()), key=turn)


def placed_among(
    known: Mapping[EventId, Edit], parents: Callable[[EventId], Sequence[EventId]]
) -> tuple[list[Edit], dict[EventId, int]]:
    """The edits, each after those that it goes on from; and which each reaches: bit n for the n-th, itself too."""
    links = {fact: _links(edit, known, parents(fact)) for fact, edit in known.items()}
    placed: list[Edit] = []
    reach: dict[EventId, int] = {}
    waiting = sorted(known)
    while waiting:
        fact = next((each for each in waiting if all(link in reach for link in links[each])), None)
        if fact is None:  # a circle, which ids that are true cannot make
            break
        waiting.remove(fact)
        reach[fact] = 1 << len(placed)
        placed.append(known[fact])
        for link in links[fact]:
            reach[fact] |= reach[link]
    return placed, reach


def _links(edit: Edit, known: Mapping[EventId, Edit], parents: Sequence[EventId]) -> list[EventId]:
    """The parents among `known` that `edit` goes on from; a merge goes on from each."""
    return [
        fact
        for fact in parents
        if fact in known and fact != edit.fact and (len(parents) > 1 or known[fact].after.blob == edit.before.blob)
    ]


def _ids(chain: Chain) -> tuple[EventId, ...]:
    return tuple(edit.fact for edit in chain)
