"""What the user chose in the editor. Whatever is missing or of another type is as if nobody had said anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from lsprotocol.types import DiagnosticSeverity


class Weight(Enum):
    """How heavily an open edit weighs in the list of problems."""

    WARNING = "warning"
    INFORMATION = "information"
    HINT = "hint"
    OFF = "off"

    @property
    def severity(self) -> DiagnosticSeverity:
        """The protocol's word for it."""
        return DiagnosticSeverity[self.value.capitalize()]


@dataclass(frozen=True, slots=True)
class Settings:
    """See docs/editors.md; the names there are these, with dots."""

    has_hover: bool = True
    has_lenses: bool = True
    has_hints: bool = True
    recent_days: int = 7
    """Lines younger than this get a hint; 0: only what is unplanned does."""
    rogue: Weight = Weight.WARNING
    shows_uncovered: bool = True
    shows_gaps: bool = True
    exchanges: bool = False
    """True if chronicles are to be kept current with the peers of their records."""
    opens_documents: bool = False
    """True for a client that opens itself what a command answers."""
    shows_diffs: bool = False
    """True for a client that shows itself what `sage.showDiff` answers."""
    hears_changes: bool = False
    """True for a client that knows what `sage/changed` is; others warn of what they do not know."""

    def opening_as(self, before: Settings) -> Settings:
        """The same with what only the client itself can say, which it said at the beginning."""
        return replace(
            self,
            opens_documents=before.opens_documents,
            shows_diffs=before.shows_diffs,
            hears_changes=before.hears_changes,
        )

    @classmethod
    def of(cls, said: object) -> Settings:
        """From initializationOptions or a configuration, bare or under its own name."""
        found = _part(said, "sageGit") or said
        hints, lenses, hover, diagnostics = (_part(found, name) for name in ("hints", "lenses", "hover", "diagnostics"))
        days = _part_of(hints, "recentDays")
        weight = _part_of(diagnostics, "rogue")
        return cls(
            has_hover=_flag(hover, "enabled", default=True),
            has_lenses=_flag(lenses, "enabled", default=True),
            has_hints=_flag(hints, "enabled", default=True),
            recent_days=days if isinstance(days, int) and not isinstance(days, bool) and 0 <= days < 100_000 else 7,
            rogue=Weight(weight) if weight in {each.value for each in Weight} else Weight.WARNING,
            shows_uncovered=_flag(diagnostics, "uncovered", default=True),
            shows_gaps=_flag(diagnostics, "gaps", default=True),
            exchanges=_flag(found, "sync", default=False),
            opens_documents=_ability(said, found, "opensDocuments"),
            shows_diffs=_ability(said, found, "showsDiffs"),
            hears_changes=_ability(said, found, "hearsChanges"),
        )


def _part(said: object, name: str) -> dict[str, Any] | None:
    found = _part_of(said, name)
    return found if isinstance(found, dict) else None


def _part_of(said: object, name: str) -> Any:
    return said.get(name) if isinstance(said, dict) else None


def _ability(said: object, found: object, name: str) -> bool:
    """What a client says of itself, which is no setting, stands beside the settings or among them."""
    return _flag(said, name, default=False) or _flag(found, name, default=False)


def _flag(said: object, name: str, *, default: bool) -> bool:
    found = _part_of(said, name)
    return found if isinstance(found, bool) else default
