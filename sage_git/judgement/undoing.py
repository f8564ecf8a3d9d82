"""Which earlier edits a change takes back (SPEC 6, rule 5), told by git's own three-way merge: one, or several at once.

Who reverts a merged branch, or several commits in one, takes back each of their edits. Not here: whether they were
open, and whether that answers for them (`standing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.judgement.prospects import Prospects
from sage_git.judgement.replay import MAX_EDITS, Fit, explanations, less_detours, placed_among
from sage_git.judgement.versions import Chain, Edit, Version, merged
from sage_git.judgement.workshop import Workshop

_MOST_TRIED: Final = 32


def taken_back(
    change: Edit,
    rogue: Sequence[EventId],
    edits: Mapping[EventId, Edit],
    parents: Callable[[EventId], Sequence[EventId]],
    is_by_merge: Callable[[EventId], bool],
    workshop: Workshop,
) -> tuple[EventId, ...]:
    """Those of `edits`, oldest first, that `change` takes back, if it does nothing else and one is of `rogue`.

    `rogue` is newest first, and of single ones the first counts. `parents` gives the facts that a fact follows. With
    what came by a merge there goes what the merge brought in.
    """
    prospects = Prospects(change, workshop)
    newest = islice((edits[fact] for fact in rogue if fact in edits), _MOST_TRIED)
    tried = [edit for edit in newest if prospects.has_any(edit.after, edit.before)]
    single = undone(change, (edit for edit in tried if not is_by_merge(edit.fact)), workshop)
    if single is not None:
        return (single.fact,)
    several = {fact: edits[fact] for fact in list(edits)[-MAX_EDITS:]} if tried else {}
    if not tried or not prospects.may_undo([*several.values(), *tried]):
        return ()
    own = {(edit.before, edit.after): (edit,) for edit in tried if not is_by_merge(edit.fact)}
    together = _together(change, own, workshop)  # what is nobody's fault is not said to go with it
    if not together:
        together = _together(change, _spans_among(several, parents, prospects), workshop)
    return tuple(fact for fact in edits if fact in together) if not together.isdisjoint(rogue) else ()


def _together(change: Edit, spans: Mapping[tuple[Version, Version], Chain], workshop: Workshop) -> set[EventId]:
    """The edits of the spans that `change` takes back one after the other; none if it does more."""
    inverses = [(Edit(span[-1].fact, after, before),) for (before, after), span in spans.items()]
    found = list(explanations(change, inverses, workshop))
    if not found or found[-1].kind is not Fit.WHOLE:
        return set()
    return {edit.fact for each in found for edit in spans[each.chain[-1].after, each.chain[0].before]}


def undone(change: Edit, edits: Iterable[Edit], workshop: Workshop) -> Edit | None:
    """The first of `edits` that `change` exactly takes back, wherever that stands by now."""
    if change.before == change.after:
        return None
    prospects = Prospects(change, workshop)
    for edit in edits:
        ends = edit.after, edit.before
        if edit.before != edit.after and prospects.has_any(*ends) and prospects.is_whole(*ends):
            made = merged(edit.after, change.before, edit.before, workshop)
            if made is not None and made.version == change.after:
                return edit
    return None


def _spans_among(
    edits: Mapping[EventId, Edit], parents: Callable[[EventId], Sequence[EventId]], prospects: Prospects
) -> dict[tuple[Version, Version], Chain]:
    """The edits between any two versions, the later of which goes on from the earlier; the fewest first.

    Between the version that a merge was made into and the merge there is all that the other side did. Left out are
    those after which a line would be there again that the change ends without, whatever else it takes back.
    """
    placed, reach = placed_among(edits, parents)
    found: dict[tuple[Version, Version], Chain] = {}
    for last in placed:
        for at, first in enumerate(placed):
            if not reach[last.fact] >> at & 1:
                continue
            starts = [(first.before, 0)] if reach[first.fact].bit_count() == 1 else []
            starts += [(first.after, reach[first.fact])] if first is not last else []
            for start, without in starts:
                between = reach[last.fact] & ~without
                ends = start, last.after
                if ends not in found or between.bit_count() < len(found[ends]):
                    found[ends] = [edit for place, edit in enumerate(placed) if between >> place & 1]
    spans = ((ends, less_detours(span)) for ends, span in found.items() if prospects.has_all(*reversed(ends)))
    return {ends: span for ends, span in sorted(spans, key=lambda each: len(each[1])) if span}
