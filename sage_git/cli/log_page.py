"""The lines of a whole `log`: entries with their commits' titles, the graph, and what came before the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import graph, log_text
from sage_git.cli.text import Line, Span, Style
from sage_git.operations.recording.record import RecordState

if TYPE_CHECKING:
    from sage_git.chronicle.ids import EventId
    from sage_git.cli.log_text import Layout
    from sage_git.operations.reading.before import PlainCommit
    from sage_git.operations.reading.history import Entry, Selection
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.reading.sources import Source

_FIRST: Final = 64
_NEXT: Final = 2_000
_MOST_BEFORE: Final = 1_000


class Page:
    """One log. Asks git for titles a portion at a time, so that the first screen need not wait for the last."""

    def __init__(self, reading: Reading, source: Source | None, selection: Selection, layout: Layout) -> None:
        self._reading, self._source, self._selection = reading, source, selection
        path = source.path if source and not source.is_folder else None
        self._layout = replace(layout, about_one_path=path)
        self._shown = 0

    def lines(self, entries: Iterable[Entry], arguments: Any) -> Iterator[Line]:
        """All lines, as `arguments` (graph, oneline, reverse, max_count) want them."""
        form = log_text.plain_one_line if arguments.oneline or arguments.graph else log_text.plain_commit
        if arguments.reverse:
            found = list(self._counted(entries))
            yield from reversed([form(commit, self._layout) for commit in self._before(arguments.max_count)])
            yield from self._of_entries(found, arguments)
        else:
            yield from self._of_entries(self._counted(entries), arguments)
            older = self._before(arguments.max_count)
            if older:
                yield log_text.remark("before the record, from git:")
            yield from (form(commit, self._layout) for commit in older)
        if not self._shown and arguments.max_count != 0:
            yield log_text.plain_remark(self._nothing())

    def _counted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._shown += 1
            yield entry

    def _of_entries(self, entries: Iterable[Entry], arguments: Any) -> Iterator[Line]:
        if arguments.graph:
            yield from self._graph(list(entries))
            return
        for portion in portions(entries):
            layout = replace(self._layout, titles=self._reading.titles(portion))
            if arguments.oneline:
                yield from (log_text.one_line(entry, layout) for entry in portion)
            else:
                yield from log_text.blocks(portion, layout)

    def _graph(self, entries: Sequence[Entry]) -> Iterator[Line]:
        assert self._source is not None
        layout = replace(self._layout, titles=self._reading.titles(entries))
        parents = visible_parents(entries, self._reading.links(self._source))
        nodes = ((entry, str(entry.event.event_id), parents(entry)) for entry in entries)
        for drawn in graph.draw(nodes):
            lanes = Span(drawn.lanes, Style.LANE)
            yield [lanes] if drawn.node is None else log_text.one_line(drawn.node, layout, [lanes, Span(" ")])

    def _before(self, count: int | None) -> list[PlainCommit]:
        """The commits from before the record that belong to the answer, newest first."""
        room = _MOST_BEFORE if count is None else min(count - self._shown, _MOST_BEFORE)
        if room <= 0 or not self._selection.is_whole:
            return []
        since, until = self._selection.since_ms, self._selection.until_ms
        commits = self._reading.before(self._source, room, None if until is None else until // 1000)
        found = [commit for commit in commits if since is None or commit.committed_at * 1000 >= since]
        self._shown += len(found)
        return found

    def _nothing(self) -> str:
        if self._reading.outcome.state is RecordState.DISABLED:
            return "nothing is recorded until .sage/config.toml is committed"
        if self._selection.only_open:
            return "nothing is unplanned"
        if not self._selection.is_whole or self._selection.since_ms or self._selection.until_ms:
            return "nothing in the record matches"
        if self._reading.outcome.deferred:
            return "nothing could be recorded yet"
        return "nothing is recorded yet; the next commit will be"


def portions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in lists, a short one first, none of which ends inside a commit."""
    portion: list[Entry] = []
    size = _FIRST
    for entry in entries:
        if len(portion) >= size and entry.event.graph_commit != portion[-1].event.graph_commit:
            yield portion
            portion, size = [], _NEXT
        portion.append(entry)
    if portion:
        yield portion


def visible_parents(
    entries: Sequence[Entry], links: Mapping[EventId, tuple[EventId, ...]]
) -> Callable[[Entry], list[str]]:
    """A function that gives the nearest ancestors of an entry that are shown, each once."""
    shown = {entry.event.event_id for entry in entries}

    def parents(entry: Entry) -> list[str]:
        waiting, seen, found = list(entry.event.parents), set[str](), dict[str, None]()
        while waiting:
            name = waiting.pop(0)
            if name in shown:
                found[name] = None
            elif name not in seen:
                seen.add(name)
                waiting[:0] = links.get(name, ())
        return list(found)

    return parents
