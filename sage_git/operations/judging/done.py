"""Whether a history has an earlier edit already, or again: to do it once more is then a change of its own.

Not here: which edits are candidates (`candidates`), and which of them a change does again (`judgement.replay`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sage_git.judgement.prospects import telling
from sage_git.judgement.replay import Fit
from sage_git.judgement.workshop import Workshop
from sage_git.operations.judging.evidence import from_json
from sage_git.operations.judging.selection import edit_of
from sage_git.storage import queries
from sage_git.storage.index import Index, Reach

_MOST_GENERATIONS: Final = 100
_ALL_OF_IT: Final = (Fit.WHOLE, Fit.RESOLVED)


class Doings:
    """What histories have of the facts of an index, which are named by their numbers."""

    def __init__(self, index: Index, workshop: Callable[[], Workshop]) -> None:
        self._index = index
        self._workshop = workshop
        self._complete: dict[tuple[int, int], bool] = {}

    def has(self, reach: Reach, fact: int, depth: int = 0) -> bool:
        """True if a history has a replay of the fact, or, of all that it replays, the original or another replay."""
        waiting, seen = [fact], {fact}
        while waiting:
            edit = waiting.pop()
            for again in self._index.evidence.replays_of(edit):
                if again in seen or not self._is_complete(edit, again):
                    continue
                if self._is_in(reach, again):
                    return True
                seen.add(again)
                waiting.append(again)
        originals = self._index.evidence.originals_of(fact) if depth < _MOST_GENERATIONS else []
        return (
            bool(originals)
            and all(self._is_in(reach, each) or self.has(reach, each, depth + 1) for each in originals)
            and self._is_nothing_more(fact)
        )

    def _is_in(self, reach: Reach, fact: int) -> bool:
        place = self._index.events.place(fact)
        return place is not None and reach.has(*place)

    def _is_nothing_more(self, fact: int) -> bool:
        """True if a fact is only what it replays: nothing is left over."""
        body = self._index.evidence.of(fact)
        return body is not None and from_json(body).fit in _ALL_OF_IT

    def _is_complete(self, fact: int, again: int) -> bool:
        """False if `again` settled a conflict, and not all came over of what it does again of `fact`."""
        key = fact, again
        if key not in self._complete:
            self._complete[key] = self._came_over(*key)
        return self._complete[key]

    def _came_over(self, fact: int, again: int) -> bool:
        body = self._index.evidence.of(again)
        names = queries.ids_of(self._index.connection, [fact])
        replays = [replay for replay in (from_json(body).replays if body else ()) if names and names[0] in replay.chain]
        if not replays or replays[0].kind is Fit.WHOLE:
            return True
        chain = replays[0].chain
        first, last = self._index.events.event(chain[0]), self._index.events.event(chain[-1])
        result = next(map(self._index.events.event, queries.ids_of(self._index.connection, [again])), None)
        if first is None or last is None or result is None:  # redacted
            return True
        blobs = edit_of(first).before.blob, edit_of(last).after.blob, edit_of(result).after.blob
        texts = [self._workshop().counts(blob) if blob else {} for blob in blobs]
        old, new, now = ((text.keys() if text is not None else None) for text in texts)
        if old is None or new is None or now is None:
            return True
        added = telling(new - old)
        return added <= now if added else telling(old - new).isdisjoint(now)
