"""`log` as text: each commit with what it did to which source, in columns that fit the terminal.

    4f2a91c0  lexer: take trailing commas          Ada Lovelace, claude  2 hours ago
              edited   src/parser.py                            unplanned  1c9d03e7
              added    src/lexer.py                                        88e0a1b2

Ids of commits stand at the left edge, ids of events at the right. A statement is one line, its id at the left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.cli import wording
from sage_git.cli.dates import DateStyle, parse_timestamp, show_date
from sage_git.cli.text import Line, Span, Style, cut, cut_line, escape, line_width, pad, span, width
from sage_git.operations.paths import paths_of
from sage_git.operations.reading.before import PlainCommit
from sage_git.operations.reading.history import Entry, is_fact

_INDENT: Final = wording.SHORT + 2
_VERB: Final = 9
_LEAST_TITLE: Final = 24
_SPACE: Final = Span("  ")


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide and in which words. `measure`: columns to align to; `limit`: columns there are (None: no limit)."""

    measure: int
    limit: int | None
    now: datetime
    dates: DateStyle = DateStyle.RELATIVE
    titles: Mapping[ObjectId, PlainCommit] = field(default_factory=dict)
    about_one_path: str | None = None
    """The path that was asked for: statements about it need not say so."""


def blocks(entries: Iterable[Entry], layout: Layout) -> Iterator[Line]:
    """The lines of `entries`, those of one commit together under its title."""
    for commit, together in groupby(entries, key=_commit_of):
        group = list(together)
        if commit is None:
            for entry in group:
                yield from _statement(entry, layout)
            continue
        yield _commit_heading(commit, group[0], layout)
        if layout.about_one_path is None:
            group.sort(key=lambda entry: paths_of(entry.event)[:1])
        for entry in group:
            yield _fact(entry, layout)


def one_line(entry: Entry, layout: Layout, lead: Line = ()) -> Line:
    """`entry` on one line after `lead`: its id, what happened, how it stands, the title of its commit."""
    event, stands = entry.event, wording.mark(entry)
    identifier = Span(wording.short(event.event_id), Style.COMMIT)
    if not is_fact(event):
        said = [*lead, identifier, Span(" "), span(wording.statement(event))]
        return cut_line([*said, *([_SPACE, stands] if stands.text else [])], layout.limit)
    commit = event.graph_commit
    known = layout.titles.get(commit) if commit else None
    title = known.title if known else wording.short(commit)
    room = None if layout.limit is None else max(layout.limit - line_width(lead) - 19 - stands.width, 12)
    happened = [identifier, Span(" "), _padded(wording.verb(event), _VERB - 1), wording.what(event, room)]
    standing = [_SPACE, stands] if stands.text else []
    return cut_line([*lead, *happened, *standing, _SPACE, span(title, Style.FAINT)], layout.limit)


def plain_commit(commit: PlainCommit, layout: Layout) -> Line:
    """A commit from before the record, as git has it."""
    when = datetime.fromtimestamp(min(max(commit.committed_at, -62_000_000_000), 250_000_000_000), UTC)
    heading = _heading(Span(wording.short(commit.commit)), span(commit.title), commit.author, when, layout)
    return [Span(piece.text, Style.FAINT) for piece in heading]


def plain_one_line(commit: PlainCommit, layout: Layout) -> Line:
    """A commit from before the record on one line."""
    return cut_line([span(f"{wording.short(commit.commit)} {commit.title}", Style.FAINT)], layout.limit)


def plain_remark(words: str) -> Line:
    """A sentence of ours in the place of entries."""
    return [span(words, Style.FAINT)]


def remark(words: str) -> Line:
    """A sentence of ours among the entries."""
    return [Span(" " * _INDENT), span(words, Style.FAINT)]


def _commit_of(entry: Entry) -> ObjectId | None:
    return entry.event.graph_commit if is_fact(entry.event) or entry.event.type in _OF_COMMITS else None


_OF_COMMITS: Final = frozenset(("ROGUE_EDIT_DETECTED", "RECONCILIATION"))


def _commit_heading(commit: ObjectId, first: Entry, layout: Layout) -> Line:
    known = layout.titles.get(commit)
    title = span(known.title, Style.STRONG) if known else Span("(this commit is not in this clone)", Style.FAINT)
    event = first.event
    return _heading(
        Span(wording.short(commit), Style.COMMIT),
        title,
        wording.actor(event.actor),
        parse_timestamp(event.timestamp),
        layout,
    )


def _heading(identifier: Span, title: Span, actor: str, when: datetime, layout: Layout) -> Line:
    """Identifier, title, and at the right who and when; the title gives way first, then the actor."""
    date = show_date(when, layout.dates, layout.now)
    who = escape(actor)
    if layout.limit is not None:
        who = cut(who, max(layout.limit - _INDENT - _LEAST_TITLE - 4 - len(date), 8))
    right = [span(who, Style.MOVED), _SPACE, Span(date, Style.FAINT)]
    if layout.limit is not None:
        title = Span(cut(title.text, max(layout.limit - _INDENT - 2 - line_width(right), 8)), title.style)
    return _justified([identifier, _SPACE, title], right, layout)


def _fact(entry: Entry, layout: Layout) -> Line:
    stands = wording.mark(entry)
    right = [*([stands, _SPACE] if stands.text else []), Span(wording.short(entry.event.event_id), Style.FAINT)]
    room = None if layout.limit is None else max(layout.limit - _INDENT - _VERB - 2 - line_width(right), 12)
    left = [Span(" " * _INDENT), _padded(wording.verb(entry.event), _VERB), wording.what(entry.event, room)]
    return _justified(left, right, layout)


def _statement(entry: Entry, layout: Layout) -> Iterator[Line]:
    event = entry.event
    said = span(wording.statement(event), Style.STRONG)
    yield _heading(
        Span(wording.short(event.event_id), Style.FAINT),
        said,
        wording.actor(event.actor),
        parse_timestamp(event.timestamp),
        layout,
    )
    stands = wording.mark(entry)
    about = event.subject if event.subject != layout.about_one_path else None
    if about or stands.text:
        left = [Span(" " * _INDENT), *([Span(pad("about", _VERB), Style.FAINT), span(about)] if about else [])]
        yield _justified(left, [stands, Span(" " * _INDENT)] if stands.text else [], layout)


def _justified(left: Sequence[Span], right: Sequence[Span], layout: Layout) -> Line:
    """`left`, and `right` at the measure's right edge, or just behind if there is no room."""
    gap = max(layout.measure - line_width(left) - line_width(right), 2)
    return [*left, Span(" " * gap), *right]


def _padded(piece: Span, columns: int) -> Span:
    return Span(pad(piece.text, max(columns, width(piece.text) + 1)), piece.style)
