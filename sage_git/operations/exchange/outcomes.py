"""What came of meeting a peer, as commands, the editor and JSON tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a meeting ended."""

    CURRENT = "current"
    """Both sides have what they may have."""
    REFUSED = "refused"
    """Something on offer was not believed; the rest was exchanged."""
    UNREACHABLE = "unreachable"
    """Nothing could be read from it."""
    BEHIND = "behind"
    """It was read, and did not take ours."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A log, or a part of one, that was not taken, and why: a code of docs/errors.md and a sentence."""

    writer: str
    code: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """As in `sync --json`."""
        return {"writer": self.writer, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One peer's: `received` and `sent` count entries of logs; `reason` says why it is not current."""

    peer: str
    url: str
    state: State
    received: int = 0
    sent: int = 0
    refused: tuple[Refusal, ...] = ()
    reason: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """As `sync --json` prints it."""
        known: dict[str, Any] = {
            "peer": self.peer,
            "url": self.url,
            "state": self.state.value,
            "received": self.received,
            "sent": self.sent,
            "refused": [each.as_json() for each in self.refused],
        }
        return known | ({"reason": self.reason} if self.reason else {})
