"""What `verify` answers: findings with a place and a remedy, what could not be checked, and whose word counts how much.

Codes are listed in docs/errors.md. Not here: finding them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.operations.checking.flaws import Flaw, Severity

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. `path` is relative to the work tree; `.git/sage` stands for ours."""

    code: str
    message: str
    remedy: str = ""
    severity: Severity = Severity.ERROR
    path: str | None = None
    line: int | None = None
    commit: ObjectId | None = None
    event_id: EventId | None = None
    writer: str | None = None
    """Whose log it is in, if that is not this clone's own."""

    @classmethod
    def of_flaw(cls, flaw: Flaw) -> Finding:
        """What `fsck` says, said by `verify`."""
        place = flaw.path, flaw.line, None, flaw.event_id, flaw.writer
        return cls(flaw.code, flaw.message, flaw.remedy, flaw.severity, *place)

    def as_json(self) -> dict[str, Any]:
        """The finding as SPEC 8.1 has it."""
        always = {"code": self.code, "severity": self.severity.value, "message": self.message, "remedy": self.remedy}
        place = {"path": self.path, "line": self.line, "commit": self.commit, "eventId": self.event_id}
        place["writer"] = self.writer
        return always | {name: value for name, value in place.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that cannot be checked here, and why. Only what lies in the range asked for spoils the answer."""

    what: str
    why: str
    remedy: str
    is_in_range: bool = True
    commits: int = 0

    def as_json(self) -> dict[str, Any]:
        """One of `unchecked[]`."""
        always = {"what": self.what, "why": self.why, "remedy": self.remedy, "inRange": self.is_in_range}
        return always | ({"commits": self.commits} if self.commits else {})


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement that somebody answers for, and how sure it is that they said it.

    `certified_by` are the people who vouch for the writer in whose log it stands, if anybody does.
    """

    event_id: EventId
    type: str
    who: str
    assurance: str
    writer: str
    certified_by: str = ""

    def as_json(self) -> dict[str, str]:
        """One of `answers[]`."""
        said = {"eventId": self.event_id, "type": self.type, "who": self.who, "assurance": self.assurance}
        place = {"writer": self.writer, "certifiedBy": self.certified_by}
        return said | {name: value for name, value in place.items() if value}


@dataclass(slots=True)
class Verification:
    """The whole answer."""

    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """True if nothing was found but notes."""
        return all(finding.severity is Severity.NOTE for finding in self.findings)

    @property
    def is_whole(self) -> bool:
        """True if all that was asked for could be checked."""
        return not any(each.is_in_range for each in self.unchecked)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in what one part of the inspection found; nothing is told twice."""
        known = set(self.findings)
        self.findings += [finding for finding in dict.fromkeys(findings) if finding not in known]

    def sort(self) -> None:
        """The worst first, then by place."""
        self.findings.sort(key=_rank)

    def as_json(self) -> Mapping[str, Any]:
        """The answer of `verify --json` (SPEC 8.1)."""
        return {
            "ok": self.is_clean and self.is_whole,
            "checked": self.checked,
            "findings": [finding.as_json() for finding in self.findings],
            "unchecked": [each.as_json() for each in self.unchecked],
            "answers": [each.as_json() for each in self.answers],
        }


def _rank(finding: Finding) -> tuple[int, str, str, int, str]:
    return (
        _ORDER[finding.severity],
        finding.code,
        finding.path or "",
        finding.line or 0,
        finding.commit or finding.event_id or "",
    )
