"""`report`: what a range of commits did, for people, for a pull request, and as JSON."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sage_git.cli import render

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.reading.report import FileReport, Report


def register(commands: Any) -> None:
    """Add `report`."""
    report = commands.add_parser(
        "report",
        description="what a range of commits did: files, plans, what is unplanned, who, and which agents",
        usage="sage-git report [OPTIONS] [A..B]",
    )
    report.add_argument(
        "range",
        nargs="?",
        default="",
        metavar="A..B",
        help="what B has and A has not; A alone is A..HEAD; else since HEAD left the branch that it came from",
    )
    report.add_argument("--markdown", action="store_true", help="for a pull request's comment or release notes")
    render.reading_options(report)
    report.set_defaults(run=report_command)


def report_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show what a range did; 0."""
    from sage_git.cli import report_markdown, report_text
    from sage_git.errors import UsageError
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.reading.report import report

    if arguments.markdown and arguments.json:
        raise UsageError("report: --markdown does not go with --json", remedy="ask for one of them")
    with (
        render.Progress(surroundings, "recording commits") as progress,
        Reading.open(surroundings.cwd, surroundings.environment, progress) as reading,
    ):
        progress.clear()
        found = report(reading, arguments.range, int(surroundings.now.timestamp()))
        with render.screen(arguments, surroundings, reading.configured_pager) as out:
            if arguments.json:
                out.json(as_json(found))
            elif arguments.markdown:
                for line in report_markdown.lines(found):
                    out.line(line)
            else:
                out.lines(report_text.lines(found, out.measure, out.limit))
    return 0


def as_json(report: Report) -> dict[str, Any]:
    """One object, as docs/cli.md tells."""
    limits, missing = report.limits, frozenset(report.not_recorded)
    return {
        "range": {"name": limits.name, "from": limits.start, "to": limits.end, "base": limits.base},
        "verdict": report.verdict.value,
        "files": [_file(file) for file in report.files],
        "plans": [
            {
                "planId": used.plan.plan_id,
                "planHash": used.plan.plan_hash,
                "state": used.state.value,
                "summary": used.plan.summary,
                "approvedBy": list(used.approved_by),
            }
            for used in report.plans
        ],
        "commits": [
            {
                "commit": each.commit,
                "actor": each.actor,
                "agents": list(each.agents),
                "recorded": each.commit not in missing,
            }
            for each in report.commits
        ],
        "halts": [dict(halt.fields) for halt in report.halts],
    }


def _file(file: FileReport) -> dict[str, Any]:
    net = file.net
    return {
        "path": file.path,
        **({"oldPath": file.old_path} if file.old_path is not None else {}),
        "change": net.change.value,
        "linesAdded": net.lines_added,
        "linesRemoved": net.lines_removed,
        "verdict": file.verdict.value,
        "plans": list(file.plans),
        "open": [fact.event.event_id for fact in file.open],
        "answered": [fact.event.event_id for fact in file.answered],
        "events": [fact.event.event_id for fact in file.facts],
        "actors": list(file.actors),
        "agents": list(file.agents),
    }
