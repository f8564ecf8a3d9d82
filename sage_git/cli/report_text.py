"""`report` for people: the verdict in one line, then each file with what became of it and how that stands.

    unplanned and open: 2 changes in 1 of 3 files
    5 commits · 3 files · +52 −3 · main..HEAD

      added    src/lexer.py                                    +40   −0  parser-2
      edited   src/parser.py                                   +12   −3  unplanned 2

Sentences that other forms share are here as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sage_git.cli import wording
from sage_git.cli.text import Line, Span, Style, cut, cut_line, cut_path, escape, line_width, pad, span, width
from sage_git.operations.reading.authors import Authored
from sage_git.operations.reading.report import FileReport, PlanUsed, Report, Verdict

_VERB: Final = 8
_LEAST_PATH: Final = 16
_MOST_STANDING: Final = 26
DOUBTFUL: Final = ("unsafe", "denied", "expired")
"""How a plan stands that a reader should look at."""
_STYLES: Final = {
    "added": Style.ADDED,
    "removed": Style.REMOVED,
    "renamed": Style.MOVED,
    "undone": Style.FAINT,
}


def lines(report: Report, measure: int, limit: int | None) -> Iterator[Line]:
    """The report in `measure` columns; paths are cut only if there is a `limit`."""
    bad = report.verdict in (Verdict.OPEN, Verdict.INCOMPLETE) or report.halts
    yield [Span(headline(report), Style.OPEN if bad else Style.ANSWERED)]
    yield cut_line([Span(f"{amount(report)} · {escape(report.limits.name)}", Style.FAINT)], limit)
    if report.files:
        yield []
        yield from _files(report.files, measure, limit)
    for heading, rows in (
        ("plans", [_plan(plan) for plan in report.plans]),
        ("by", [_contributor(*each) for each in contributors(report.commits)]),
        ("halted", [[span(wording.statement(halt)), Span("  "), span(halt.subject or "")] for halt in report.halts]),
        ("not recorded", [[Span(wording.short(commit), Style.COMMIT)] for commit in report.not_recorded]),
    ):
        if rows:
            yield []
            yield [Span(heading, Style.STRONG)]
            yield from (cut_line([Span("  "), *row], limit) for row in rows)


def headline(report: Report) -> str:
    """How all of it stands, in one sentence."""
    also = []
    if report.not_recorded and report.verdict is not Verdict.INCOMPLETE:
        also.append(f"{many(len(report.not_recorded), 'commit')} not recorded")
    if report.halts:
        also.append(f"{many(len(report.halts), 'halt')} to be lifted")
    return "; ".join([_verdict(report), *also])


def _verdict(report: Report) -> str:
    match report.verdict:
        case Verdict.OPEN:
            edits = sum(len(file.open) for file in report.files)
            files = sum(1 for file in report.files if file.open)
            return f"unplanned and open: {many(edits, 'change')} in {files:,} of {many(len(report.files), 'file')}"
        case Verdict.INCOMPLETE:
            missing, all_of_them = len(report.not_recorded), len(report.commits)
            return f"not everything is recorded: {missing:,} of {many(all_of_them, 'commit')} missing from the record"
        case Verdict.ANSWERED:
            return "every change is planned or answered for"
        case Verdict.COVERED:
            return "nothing is unplanned"
        case Verdict.UNJUDGED:
            return "nothing that needs a plan was changed" if report.files else "nothing was changed"


def amount(report: Report) -> str:
    """How much the range is."""
    added = sum(file.net.lines_added or 0 for file in report.files)
    removed = sum(file.net.lines_removed or 0 for file in report.files)
    parts = (many(len(report.commits), "commit"), many(len(report.files), "file"), f"+{added:,} −{removed:,}")
    return " · ".join(parts)


def many(count: int, word: str) -> str:
    """`count` of what `word` names."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def standing(file: FileReport) -> list[tuple[str, Style]]:
    """How a file stands: what is unplanned or answered, and the plans. Not escaped."""
    found = []
    for word, facts, style in (
        ("unplanned", file.open, Style.OPEN),
        ("answered", file.answered, Style.ANSWERED),
    ):
        if facts:
            found.append((f"{word} {len(facts):,}" if len(facts) > 1 else word, style))
    found += [(plan, Style.PLAIN) for plan in file.plans]
    if found:
        return found
    rulings = dict.fromkeys(fact.stands.ruling.value for fact in file.facts)
    return [(wording.strategy(ruling), Style.FAINT) for ruling in rulings if ruling != "unjudged"]


def contributors(commits: Sequence[Authored]) -> list[tuple[str, int, Mapping[str, int]]]:
    """Who made commits, how many, and how many of them with which agent; the most first."""
    people = Counter(commit.actor for commit in commits)
    agents = Counter((commit.actor, agent) for commit in commits for agent in commit.agents)
    return [
        (who, count, {agent: together for (actor, agent), together in agents.most_common() if actor == who})
        for who, count in sorted(people.items(), key=lambda each: (-each[1], each[0]))
    ]


def name(actor: str) -> str:
    """A person's name without the address. Not escaped."""
    return actor.partition(" <")[0].strip() or actor or "somebody"


def _files(files: Sequence[FileReport], measure: int, limit: int | None) -> Iterator[Line]:
    counts = [(_lines("+", file.net.lines_added), _lines("−", file.net.lines_removed)) for file in files]
    more, less = (max(width(count[side]) for count in counts) for side in (0, 1))
    standings = [_standing(file) for file in files]
    last = max(line_width(line) for line in standings)
    room = measure - 2 - _VERB - 1 - 2 - more - 1 - less - 2 - last
    room = max(min(room, max(width(_whole_name(file)) for file in files)), _LEAST_PATH)
    for file, (added, removed), stands in zip(files, counts, standings, strict=True):
        change = file.net.change.value
        path = _whole_name(file)
        path = _cut_name(file, room) if limit is not None and width(path) > room else path
        yield [
            Span("  "),
            Span(pad(change, _VERB + 1), _STYLES.get(change, Style.PLAIN)),
            Span(pad(path, room + 2)),
            Span(f"{added:>{more}}", Style.ADDED if file.net.lines_added else Style.FAINT),
            Span(f" {removed:>{less}}  ", Style.REMOVED if file.net.lines_removed else Style.FAINT),
            *stands,
        ]


def _lines(sign: str, count: int | None) -> str:
    return "binary" if count is None and sign == "+" else "" if count is None else f"{sign}{count:,}"


def _whole_name(file: FileReport) -> str:
    return escape(file.path) if file.old_path is None else f"{escape(file.old_path)} → {escape(file.path)}"


def _cut_name(file: FileReport, room: int) -> str:
    if file.old_path is None:
        return cut_path(escape(file.path), room)
    after = cut_path(escape(file.path), room - 3 - min(width(escape(file.old_path)), (room - 3) // 2))
    return f"{cut_path(escape(file.old_path), room - 3 - width(after))} → {after}"


def _standing(file: FileReport) -> Line:
    pieces: list[Span] = []
    for words, style in standing(file):
        left = _MOST_STANDING - line_width(pieces)
        if left < 6:
            return [*pieces, Span(" …", Style.FAINT)]
        pieces += [*([Span(" ")] if pieces else []), Span(cut(escape(words), left), style)]
    return pieces


def _plan(used: PlanUsed) -> Line:
    plan, state = used.plan, used.state.value
    shown = Span(pad(state, _VERB + 1), Style.OPEN if state in DOUBTFUL else Style.PLAIN)
    return [shown, span(plan.plan_id, Style.STRONG), Span("  "), Span(cut(escape(plan.summary), 60), Style.FAINT)]


def _contributor(who: str, commits: int, agents: Mapping[str, int]) -> Line:
    tools = "".join(f", {count:,} with {agent}" for agent, count in agents.items())
    return [span(name(who)), Span("  "), span(f"{many(commits, 'commit')}{tools}", Style.FAINT)]
