"""The answer of `verify` as SARIF 2.1.0 (OASIS Standard, Errata 01), which code scanning services read."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sage_git.cli.text import escape

if TYPE_CHECKING:
    from sage_git.operations.verifying.report import Finding, Unchecked, Verification

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME: Final = "https://pypi.org/project/sage-git/"
_LEVELS: Final = {"error": "error", "warning": "warning", "note": "note"}


def sarif(verification: Verification) -> dict[str, Any]:
    """One log with one run: each finding a result, each code a rule, what was not checked as notifications."""
    findings = verification.findings
    codes = list(dict.fromkeys(finding.code for finding in findings))
    driver = {
        "name": "sage-git",
        "informationUri": _HOME,
        "version": version("sage-git"),
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(verification)],
        "results": [_result(finding, codes.index(finding.code)) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    words = code.replace("-", " ")
    return {
        "id": code,
        "name": words.title().replace(" ", ""),
        "shortDescription": {"text": words},
        "help": {"text": f"docs/errors.md explains {code}, and what to do about it"},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    said = f"{finding.message}. To do: {finding.remedy}" if finding.remedy else finding.message
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity.value],
        "message": {"text": escape(said)},
    }
    if finding.path is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path)}}
        if finding.line:
            physical["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": physical}]
    known = {"commit": finding.commit, "eventId": finding.event_id}
    properties = {name: value for name, value in known.items() if value is not None}
    if properties:
        result["properties"] = properties
        result["partialFingerprints"] = {"sageGit/v1": "/".join([finding.code, *properties.values()])}
    return result


def _invocation(verification: Verification) -> dict[str, Any]:
    told = list(_notifications(verification.unchecked))
    return {"executionSuccessful": True, **({"toolExecutionNotifications": told} if told else {})}


def _notifications(unchecked: Iterable[Unchecked]) -> Iterable[dict[str, Any]]:
    for each in unchecked:
        level = "error" if each.is_in_range else "note"
        yield {"level": level, "message": {"text": escape(f"not checked: {each.what}: {each.why}. {each.remedy}")}}


def _uri(path: str) -> str:
    """A path as a relative reference (RFC 3986); one that begins like a scheme is marked as a path."""
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/@!$&'()*+,;=~-._")
    return f"./{quoted}" if "%3A" in quoted.split("/")[0] else quoted
