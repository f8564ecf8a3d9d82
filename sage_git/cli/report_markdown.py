"""`report` as GitHub's Markdown, for a pull request's comment or release notes.

Every text that is not ours is shown as code, whatever it is: in code nothing is a link, an image, a mention, a
reference to an issue, or HTML. `code` is the only way from such a text to a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from sage_git.cli import wording
from sage_git.cli.report_text import DOUBTFUL, amount, contributors, headline, many, name, standing
from sage_git.cli.text import Style, cut, escape
from sage_git.operations.reading.report import FileReport, Report

_MOST_OPEN: Final = 50
"""Files that are shown at once; further ones are folded."""
_MOST_CHARACTERS: Final = 20_000
"""Of each of the two tables; a comment may have 65,536 altogether."""
_MOST_LISTED: Final = 20
_MOST_IN_A_CELL: Final = 3
_LONGEST: Final = 200
_HEADING: Final = ("| File | Change | Lines | Stands | By |", "|---|---|---:|---|---|")


def lines(report: Report) -> Iterator[str]:
    """The report, a line at a time; the first says how it stands."""
    said = headline(report)
    yield f"**{said[:1].upper()}{said[1:]}.**"
    yield ""
    yield f"{amount(report)} · {code(report.limits.name)}"
    yield from _files(report.files)
    yield from _section("Unplanned", _open(report.files), "`sage-git reconcile EVENT -m WHY` answers for one.")
    yield from _section("Plans", _plans(report))
    yield from _section("By", _contributors(report))
    yield from _section(
        "Halted", (f"{code(halt.subject or '')} {code(wording.statement(halt))}" for halt in report.halts)
    )
    yield from _section("Not recorded", (code(wording.short(commit)) for commit in report.not_recorded))


def code(hostile: str) -> str:
    r"""`hostile` as code that nothing in it can end: escaped, a backtick as `\x60`, a table's bar as `\x7c`."""
    text = escape(hostile).replace("`", r"\x60").replace("|", r"\x7c")
    return f"`{cut(text, _LONGEST) or '-'}`"


def _files(files: Sequence[FileReport]) -> Iterator[str]:
    if not files:
        return
    yield ""
    yield from _HEADING
    shown = list(_as_many_as_fit(map(_row, files[:_MOST_OPEN])))
    yield from shown
    folded = files[len(shown) :]
    if folded:
        yield from ("", f"<details><summary>and {many(len(folded), 'more file')}</summary>", "")
        yield from _HEADING
        rows = list(_as_many_as_fit(map(_row, folded)))
        yield from rows
        if len(rows) < len(folded):
            yield from ("", f"and {len(folded) - len(rows):,} more that `sage-git report` shows")
        yield from ("", "</details>")


def _as_many_as_fit(rows: Iterable[str]) -> Iterator[str]:
    left = _MOST_CHARACTERS
    for row in rows:
        left -= len(row)
        if left < 0:
            return
        yield row


def _row(file: FileReport) -> str:
    net = file.net
    path = code(file.path) if file.old_path is None else f"{code(file.old_path)} → {code(file.path)}"
    changed = "binary" if net.lines_added is None else f"+{net.lines_added:,} −{net.lines_removed:,}"
    return f"| {path} | {net.change.value} | {changed} | {_stands(file)} | {_who(file.actors, file.agents)} |"


def _stands(file: FileReport) -> str:
    """Our own words in bold or plain, the names of plans as code."""
    bold = {Style.OPEN, Style.ANSWERED}
    parts = []
    for words, style in standing(file):
        parts.append(f"**{words}**" if style in bold else code(words) if style is Style.PLAIN else words)
    return _few(parts)


def _who(actors: Iterable[str], agents: Iterable[str]) -> str:
    people, tools = (_few(list(map(code, names))) for names in (map(name, actors), agents))
    return f"{people} with {tools}" if tools else people


def _few(parts: Sequence[str]) -> str:
    """The first of `parts`, and how many more there are."""
    more = len(parts) - _MOST_IN_A_CELL
    return ", ".join(parts[:_MOST_IN_A_CELL]) + (f" and {more:,} more" if more > 0 else "")


def _open(files: Sequence[FileReport]) -> Iterator[str]:
    for file in files:
        for fact in file.open:
            event = fact.event
            names = (wording.short(event.event_id), file.path, wording.short(event.graph_commit))
            identifier, path, commit = map(code, names)
            yield f"{identifier} {path} in {commit} by {code(wording.actor(event.actor))}"


def _plans(report: Report) -> Iterator[str]:
    for used in report.plans:
        state = f"**{used.state.value}**" if used.state.value in DOUBTFUL else used.state.value
        approved = ", ".join(code(name(who)) for who in used.approved_by)
        approval = f", approved by {approved}" if approved else ""
        yield f"{code(used.plan.plan_id)} {state}: {code(used.plan.summary)}{approval}"


def _contributors(report: Report) -> Iterator[str]:
    for actor, commits, agents in contributors(report.commits):
        tools = "".join(f", {count:,} with {code(agent)}" for agent, count in agents.items())
        yield f"{code(name(actor))}: {many(commits, 'commit')}{tools}"


def _section(heading: str, items: Iterable[str], after: str = "") -> Iterator[str]:
    """A heading with a list, at most `_MOST_LISTED` long; nothing if there is nothing to list."""
    items = iter(items)
    shown = list(islice(items, _MOST_LISTED))
    if not shown:
        return
    yield from ("", f"**{heading}**", "")
    yield from (f"* {item}" for item in shown)
    rest = sum(1 for _ in items)
    if rest:
        yield f"* and {rest:,} more"
    if after:
        yield from ("", after)
