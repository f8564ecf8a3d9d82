"""Lines that a change brings in besides what it is found to do again, and the earlier edits that wrote them.

What settles a conflict may take lines of the base, and the base of what is done again is another history, with edits
of its own that somebody may still have to answer for; and what a merge did beyond git's own is no edit between two
versions that could be merged into a third. Both are known by their lines. Not here: what is done again (`replay`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.prospects import telling
from sage_git.judgement.replay import Edit, Fit, Replay
from sage_git.judgement.workshop import Workshop

_IN_CONFLICT: Final = (Fit.RESOLVED, Fit.CONFLICTED)


def brought_along(
    change: Edit,
    replays: Sequence[Replay],
    edits: Mapping[EventId, Edit],
    follows: Callable[[EventId], Sequence[EventId]],
    merges: Collection[EventId],
    elsewhere: Collection[EventId],
    workshop: Workshop,
) -> tuple[EventId, ...]:
    """Those of `edits` that wrote lines that `change` adds and none of `replays` does, in the order of `edits`.

    Of what went before a replay that met a conflict, or was merged on the way, any such edit, of what else there is
    `elsewhere` those of which all is added; where there was no conflict, those of `merges` of which all is.
    """
    if not edits or (replays and replays[-1].kind is Fit.WHOLE):
        return ()

    def written_by(fact: EventId) -> set[bytes]:
        earlier = [edits[each].after.blob for each in follows(fact) if each in edits]
        return _added(edits[fact].after.blob, [edits[fact].before.blob, *earlier], workshop)

    replayed = {fact for replay in replays for fact in replay.chain}
    added = _added(change.after.blob, [change.before.blob], workshop).difference(
        *(written_by(fact) for fact in replayed if fact in edits)
    )
    if not added:
        return ()
    is_conflict = bool(replays) and replays[-1].kind in _IN_CONFLICT
    whole = elsewhere if is_conflict else merges
    found = {fact for fact in whole if fact in edits and (written := written_by(fact)) and written <= added}
    if is_conflict:
        earlier = _ancestors(replays[-1].chain, follows)
        found |= {fact for fact in earlier if fact in edits and not added.isdisjoint(written_by(fact))}
    new = found - replayed
    return tuple(fact for fact in edits if fact in new) if new else ()


def _added(after: ObjectId | None, before: Iterable[ObjectId | None], workshop: Workshop) -> set[bytes]:
    """The lines that say something, of `after` and of none of `before`; none where one of them is no text."""
    texts = [workshop.lines(blob) if blob else () for blob in (after, *before)]
    known = [set(text) for text in texts if text is not None]
    return telling(known[0].difference(*known[1:])) if len(known) == len(texts) else set()


def _ancestors(facts: Iterable[EventId], follows: Callable[[EventId], Sequence[EventId]]) -> set[EventId]:
    waiting, seen = list(facts), set[EventId]()
    while waiting:
        new = [each for each in follows(waiting.pop()) if each not in seen]
        seen.update(new)
        waiting += new
    return seen
