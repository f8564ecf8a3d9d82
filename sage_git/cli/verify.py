"""`verify`: what is wrong with the record and the history it tells of, for people, programs and services."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render
from sage_git.cli.text import Line, Span, Style, cut_path, escape, span, width

if TYPE_CHECKING:
    from sage_git.cli.render import Screen
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.verifying.report import Finding, Verification

_FORMATS: Final = ("text", "json", "sarif", "github")
_STYLES: Final = {"error": Style.OPEN, "warning": Style.COMMIT, "note": Style.FAINT}
_SHOWN: Final = 8
_ADDRESS_COLUMNS: Final = 44


def register(commands: Any) -> None:
    """Add `verify`."""
    verify = commands.add_parser(
        "verify",
        description="prove that nothing is missing, forged or unapproved; writes nothing",
        usage="sage-git verify [OPTIONS] [PATH…]",
    )
    verify.add_argument("paths", nargs="*", metavar="PATH", help="only what is about these sources")
    verify.add_argument("--range", metavar="A..B", help="only the commits that B has and A has not")
    verify.add_argument("--complete", action="store_true", help="every change must be told of by a log")
    verify.add_argument("--policy-from", metavar="REV", help="judge everything by the policy that REV has")
    verify.add_argument("--allow-unchecked", action="store_true", help="what cannot be checked here is no failure")
    verify.add_argument("--format", choices=_FORMATS, default="text", metavar="FORMAT", help=", ".join(_FORMATS))
    render.reading_options(verify)
    verify.set_defaults(run=verify_command)


def verify_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Verify; 0 if all is well, 1 if there are findings, 3 if something that was asked for cannot be checked here."""
    from sage_git.operations.verifying.verify import Request, verify

    request = Request(arguments.range, arguments.paths, arguments.policy_from, arguments.complete)
    with render.Progress(surroundings, "verifying commits") as progress:
        found = verify(surroundings.cwd, surroundings.environment, request, progress)
    with render.screen(arguments, surroundings) as out:
        _show(found, "json" if arguments.json else arguments.format, out)
    if not found.is_clean:
        return 1
    return 0 if found.is_whole or arguments.allow_unchecked else 3


def _show(found: Verification, form: str, out: Screen) -> None:
    match form:
        case "json":
            out.json(found.as_json())
        case "sarif":
            from sage_git.cli.sarif import sarif

            out.json(sarif(found))
        case "github":
            from sage_git.cli.annotations import workflow_commands

            for line in workflow_commands(found):
                out.line(Span(line))  # escaped there, once, as GitHub wants it
        case _:
            out.lines(lines(found, out.measure))


def lines(found: Verification, columns: int) -> Iterator[Line]:
    """The answer for people: findings of one kind together, what was not checked, whose word it rests on, a summary."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in found.findings:
        grouped.setdefault((finding.severity.value, finding.code), []).append(finding)
    for (severity, code), several in grouped.items():
        yield from _group(severity, code, several, columns)
    yield from _unchecked(found, columns)
    yield from _answers(found)
    yield _summary(found)


def _group(severity: str, code: str, several: list[Finding], columns: int) -> Iterator[Line]:
    yield [
        Span(severity, _STYLES[severity]),
        Span(f"  {code}", Style.STRONG),
        Span(f"  {len(several):,}" if len(several) > 1 else "", Style.FAINT),
    ]
    by_message: dict[str, list[Finding]] = {}
    for finding in several[:_SHOWN]:
        by_message.setdefault(finding.message, []).append(finding)
    for message, alike in by_message.items():
        yield from ([Span("  "), *_place(finding)] for finding in alike)
        yield from ([Span(line)] for line in _wrapped(message, columns, "    "))
    if len(several) > _SHOWN:
        yield [Span(f"  and {len(several) - _SHOWN:,} more: sage-git verify --json", Style.FAINT)]
    for remedy in list(dict.fromkeys(each.remedy for each in several if each.remedy))[:2]:
        yield from ([Span(line, Style.FAINT)] for line in _wrapped(f"→ {remedy}", columns, "  "))
    yield []


def _place(finding: Finding) -> Line:
    """Where it is: source or file with line, commit, event."""
    at = f":{finding.line}" if finding.line else ""
    pieces = [span(cut_path(finding.path, _ADDRESS_COLUMNS) + at, Style.STRONG)] if finding.path else []
    if finding.commit:
        pieces += [Span("  " if pieces else ""), Span(f"commit {finding.commit[:12]}", Style.COMMIT)]
    if finding.event_id:
        pieces += [Span("  " if pieces else ""), Span(f"event {finding.event_id[:12]}", Style.FAINT)]
    if finding.writer:
        pieces += [Span("  " if pieces else ""), Span(f"writer {finding.writer[:16]}", Style.FAINT)]
    return pieces or [Span("the repository", Style.STRONG)]


def _unchecked(found: Verification, columns: int) -> Iterator[Line]:
    for each in found.unchecked:
        where = "" if each.is_in_range else ", outside of what was asked for"
        yield [Span("not checked", Style.COMMIT), span(f"  {each.what}{where}", Style.STRONG)]
        yield from ([Span(line)] for line in _wrapped(each.why, columns, "    "))
        if each.remedy:
            yield from ([Span(line, Style.FAINT)] for line in _wrapped(f"→ {each.remedy}", columns, "  "))
        yield []


def _answers(found: Verification) -> Iterator[Line]:
    """How many answers rest on what, and who gave them."""
    people: dict[str, dict[str, int]] = {}
    for answer in found.answers:
        vouched = f", in a log that {answer.certified_by} certifies" if answer.certified_by else ""
        of_kind = people.setdefault(answer.assurance + vouched, {})
        of_kind[answer.who] = of_kind.get(answer.who, 0) + 1
    for assurance, by in people.items():
        named = ", ".join(f"{who} ({count})" for who, count in list(by.items())[:3])
        rest = f" and {len(by) - 3} more" if len(by) > 3 else ""
        yield [span(f"{_many(sum(by.values()), 'answer')} {assurance}: {named}{rest}", Style.FAINT)]


def _summary(found: Verification) -> Line:
    checked = found.checked
    looked = f"{_many(checked.get('commits', 0), 'commit')}, {_many(checked.get('edits', 0), 'judged change')}"
    entries = checked.get("entries", 0)
    looked += f", {_many(entries, 'log entry').replace('entrys', 'entries')}"
    failures = [each for each in found.findings if each.severity.value != "note"]
    if failures:
        return [Span(_many(len(failures), "finding"), Style.OPEN), Span(f" in {looked}")]
    if not found.is_whole:
        return [Span("nothing wrong in what could be checked", Style.COMMIT), Span(f": {looked}")]
    return [Span("verified", Style.ANSWERED), Span(f": {looked}")]


def _wrapped(hostile: str, columns: int, indent: str) -> Iterator[str]:
    """The words of a text, escaped, in lines of that many columns."""
    line = indent
    for word in escape(hostile).split(" "):
        if line.strip() and width(line) + 1 + width(word) > columns:
            yield line
            line = indent + ("  " if indent.strip() == "" and hostile.startswith("→") else "")
        line += f"{'' if line == indent or not line.strip() else ' '}{word}"
    yield line


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
