"""Which earlier edits a change does again (SPEC 6.2), told by git's own three-way merge.

A rebase, squash or cherry-pick applies what was done from `before` to `after` to another version; so does this, and
compares. Not here: which edits are candidates, what follows for a verdict (`standing`), and how git is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.judgement.prospects import Prospect, Prospects, telling
from sage_git.judgement.resolution import is_resolution
from sage_git.judgement.versions import ABSENT, Chain, Edit, MergedVersion, Version, merged
from sage_git.judgement.workshop import Hunk, Workshop

__all__ = [
    "ABSENT", "Edit", "Fit", "Replay", "Version", "chains_among", "find_replays", "undoes",
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
    """The chain met a conflict, and lines of neither base nor sides came in."""


_PREFERENCE: Final = (Fit.RESOLVED, Fit.PART, Fit.CONFLICTED)


@dataclass(frozen=True, slots=True)
class Replay:
    """Edits done again, oldest first. The `kind` of the last of several replays tells if anything is left over."""

    chain: tuple[EventId, ...]
    kind: Fit


@dataclass(frozen=True, slots=True)
class _Found:
    chain: Chain
    kind: Fit
    so_far: Version | None = None
    """The source with the chain and nothing else done to it."""


def find_replays(change: Edit, chains: Sequence[Chain], workshop: Workshop) -> tuple[Replay, ...]:
    """The chains that `change` does again, each applied to what the ones before it left; () if it replays nothing.

    Of those that explain all of it, the longest and then the one with the smallest ids; where none does, one whose
    conflict was settled, then one that explains a part, and what is left is looked at as a change of its own.
    """
    replays: list[Replay] = []
    search = _Search(workshop)
    while chains and (found := search.best(change, chains)):
        replays.append(Replay(_ids(found.chain), found.kind))
        if found.kind is not Fit.PART or found.so_far is None:
            break
        change = Edit(change.fact, found.so_far, change.after)
        used = set(replays[-1].chain)
        chains = [chain for chain in chains if used.isdisjoint(_ids(chain))]
    return tuple(replays)


class _Search:
    """The search for the chain that fits best, again and again, until the merges that a question may cost are used."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._merges_left = MAX_MERGES

    def best(self, change: Edit, chains: Sequence[Chain]) -> _Found | None:
        """The chain that explains most of `change`."""
        same = [each for each in chains if (each[0].before, each[-1].after) == (change.before, change.after)]
        if same:
            return _Found(min(same, key=_rank), Fit.WHOLE)
        fits = []
        for found in self._fits(change, chains):
            if found.kind is Fit.WHOLE:
                return found
            fits.append(found)
        return min(fits, key=lambda found: _PREFERENCE.index(found.kind), default=None)

    def _fits(self, change: Edit, chains: Sequence[Chain]) -> Iterator[_Found]:
        """Whatever fits, in order."""
        prospects = Prospects(change, self._workshop)
        likely = [(prospects.of(chain[0].before, chain[-1].after), chain) for chain in chains]
        likely = [(prospect, chain) for prospect, chain in likely if prospect is not Prospect.NONE]
        for _, chain in sorted(likely, key=lambda each: (each[0], *_rank(each[1])))[:MAX_CHAINS]:
            start, end = chain[0].before, chain[-1].after
            # All three differ: git is asked.
            self._merges_left -= len({start.blob, change.before.blob, end.blob}) == 3
            if self._merges_left < 0:
                return
            made = merged(start, change.before, end, self._workshop)
            kind = made and self._kind(made, change, prospects.shares_text(start, end))
            if made and kind:
                yield _Found(chain, kind, made.version)

    def _kind(self, made: MergedVersion, change: Edit, shares_text: bool) -> Fit | None:  # noqa: FBT001
        """How `made`, the change's `before` with a chain done to it, explains the change's `after`."""
        after, version = change.after, made.version
        if version == change.before:
            return None
        if version == after:
            return Fit.WHOLE
        if version is not None:
            return Fit.PART if self._has_all(version, change) else None
        lines = self._workshop.lines(after.blob) if after.blob else None
        template = made.content.template
        if (made.path, made.mode) != (after.path, after.mode) or template is None or lines is None or not shares_text:
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
        return not any(_spoils(later, hunk, old, new) for hunk in done for later in more)


def _spoils(later: Hunk, hunk: Hunk, old: Sequence[bytes], new: Sequence[bytes]) -> bool:
    """True if `later` takes lines away that `hunk` wrote, or brings lines back where it removed them."""
    if later.old_start > hunk.new_end or later.old_end < hunk.new_start:
        return False
    if max(later.old_start, hunk.new_start) < min(later.old_end, hunk.new_end):
        return True
    removed, inserted = old[hunk.old_start : hunk.old_end], new[later.new_start : later.new_end]
    return not (telling(removed) or set(removed)).isdisjoint(inserted)


def undoes(change: Edit, edit: Edit, workshop: Workshop) -> bool:
    """True if `change` exactly takes back `edit`, wherever that stands by now."""
    if edit.before == edit.after or change.before == change.after:
        return False
    if Prospects(change, workshop).of(edit.after, edit.before) is not Prospect.FIT:
        return False
    made = merged(edit.after, change.before, edit.before, workshop)
    return made is not None and made.version == change.after


def chains_among(
    edits: Mapping[EventId, Edit], parents: Callable[[EventId], Sequence[EventId]]
) -> list[tuple[Edit, ...]]:
    """Every chain from one of `edits` to itself or a descendant among them, longest first, then smallest ids.

    A chain holds all that lies between, and what a merge in it brought in besides. `parents` gives the facts that a
    fact follows; where it follows one, that one's result is where it began. Of more than 64 edits the first 64 count.
    """
    known = dict(list(edits.items())[:MAX_EDITS])
    links = {fact: _links(edit, known, parents(fact)) for fact, edit in known.items()}
    placed: list[Edit] = []
    reach: dict[EventId, int] = {}  # bit n: reaches placed[n]
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
    found = []
    for last in placed:
        for at, first in enumerate(placed):
            if reach[last.fact] >> at & 1:
                between = reach[last.fact] & ~reach[first.fact]
                found.append((first, *(edit for n, edit in enumerate(placed) if between >> n & 1)))
    return sorted(found, key=_rank)


def _links(edit: Edit, known: Mapping[EventId, Edit], parents: Sequence[EventId]) -> list[EventId]:
    """The parents among `known` that `edit` goes on from; a merge goes on from each."""
    return [
        fact
        for fact in parents
        if fact in known and fact != edit.fact and (len(parents) > 1 or known[fact].after.blob == edit.before.blob)
    ]


def _ids(chain: Chain) -> tuple[EventId, ...]:
    return tuple(edit.fact for edit in chain)


def _rank(chain: Chain) -> tuple[int, tuple[EventId, ...]]:
    return -len(chain), _ids(chain)
