"""The edit that wrote a line first: through whatever replayed it since (rebase, squash, cherry-pick, amend).

Not here: which commit git says a line came in with (`gitrepo.blame`), and what an edit is worth (`standings`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.operations.paths import raw_path
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.reading.opening import Reading
    from sage_git.storage.index import Index

_BROUGHT_IN: Final = ("FILE_EDITED", "FILE_ADDED", "FILE_RENAMED")
"""The facts that lines come in with; where a commit made several of one path, the first of these."""


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
    """From the edit that git finds to the edit that wrote the lines."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def of(self, fact: Event, lines: Iterable[int]) -> dict[int, Event]:
        """For each of `lines` of what `fact` left behind, from 1, the edit that wrote it first."""
        return dict.fromkeys(lines, fact)

    def close(self) -> None:
        """End what was started to look into files."""
