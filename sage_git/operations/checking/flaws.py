"""What `fsck` finds: stable codes (docs/errors.md), a place, and what to do. Not here: looking, and mending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from sage_git.chronicle.ids import EventId

REPAIR: Final = "sage-git fsck --repair"


class Severity(Enum):
    """How bad it is. Notes are no findings by themselves: everything is well, only worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is not as it should be. `path` is relative to the work tree; `.git/sage` stands for ours."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    remedy: str = REPAIR
    path: str | None = None
    line: int | None = None
    event_id: EventId | None = None
    writer: str | None = None
    """Whose log it is in, if it is in one that others wrote or that was published."""

    def as_json(self) -> dict[str, Any]:
        """The finding as SPEC 8.1 has it for `verify`."""
        always = {"code": self.code, "severity": self.severity.value, "message": self.message, "remedy": self.remedy}
        place = {"path": self.path, "line": self.line, "eventId": self.event_id, "writer": self.writer}
        return always | {name: value for name, value in place.items() if value is not None}


@dataclass(slots=True)
class Report:
    """Everything that was found, and how much was looked at."""

    flaws: list[Flaw] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """True if there is nothing but notes."""
        return all(flaw.severity is Severity.NOTE for flaw in self.flaws)

    def add(self, flaws: list[Flaw], **checked: int) -> None:
        """Take in what one part of the inspection found."""
        self.flaws += flaws
        for name, count in checked.items():
            self.checked[name] = self.checked.get(name, 0) + count

    def as_json(self) -> Mapping[str, Any]:
        """The answer of `fsck --json`."""
        return {"ok": self.is_clean, "checked": self.checked, "findings": [flaw.as_json() for flaw in self.flaws]}


def shown(path: bytes) -> str:
    """A path as text that any encoding can carry."""
    return path.decode("utf-8", "backslashreplace")
