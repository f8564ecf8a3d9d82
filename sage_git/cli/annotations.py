"""Findings as GitHub's workflow commands, which show them at their lines in a pull request.

`::error file=F,line=N,title=T::MESSAGE`, with `%`, CR and LF escaped in the message, and `:` and `,` as well in a
property (GitHub Docs, Workflow commands for GitHub Actions; actions/toolkit, command.ts).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sage_git.cli.text import escape

if TYPE_CHECKING:
    from sage_git.operations.verifying.report import Finding, Verification

_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def workflow_commands(verification: Verification) -> Iterator[str]:
    """A line for each finding, and for each thing in the range that could not be checked."""
    for finding in verification.findings:
        yield _command(finding)
    for each in verification.unchecked:
        kind = "error" if each.is_in_range else "notice"
        yield f"::{kind} title=not checked::{_text(f'{each.what}: {each.why}. {each.remedy}')}"


def _command(finding: Finding) -> str:
    place = {"file": finding.path, "line": str(finding.line) if finding.line else None, "title": finding.code}
    properties = ",".join(f"{name}={_property(value)}" for name, value in place.items() if value)
    said = f"{finding.message}. To do: {finding.remedy}" if finding.remedy else finding.message
    commit = f" (commit {finding.commit[:12]})" if finding.commit else ""
    return f"::{_COMMANDS[finding.severity.value]} {properties}::{_text(said + commit)}"


def _text(hostile: str) -> str:
    shown = "\n".join(map(escape, hostile.split("\n")))
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(hostile: str) -> str:
    return _text(hostile).replace(":", "%3A").replace(",", "%2C")
