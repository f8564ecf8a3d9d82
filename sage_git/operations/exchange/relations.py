"""How it stands with peers, for `status`: whom logs are exchanged with, how that went, and who signed two logs.

Meets nobody. Not here: the state of the record itself (`reading.status`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_git.chronicle.kinds import timestamp
from sage_git.errors import SageError
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import equivocations
from sage_git.operations.exchange.kept import PeerBook
from sage_git.operations.exchange.meetings import Meeting, last
from sage_git.operations.exchange.targets import Kind, default_targets
from sage_git.operations.judging.policies import Policies
from sage_git.proof.equivocation import check


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """Whom logs are exchanged with, and how the last meeting ended; `unsent` entries of ours came since.

    `meeting` is None before the first one.
    """

    name: str
    url: str
    meeting: Meeting | None
    unsent: int | None

    def as_json(self) -> dict[str, Any]:
        """One of `peers[]`."""
        found: dict[str, Any] = {"name": self.name, "url": self.url}
        if self.meeting is None:
            return found | {"state": "never"}
        reached = self.meeting.reached_ms
        optional = {
            "lastSync": None if reached is None else timestamp(reached),
            "unsent": self.unsent,
            "reason": self.meeting.reason or None,
        }
        found |= {"state": self.meeting.state, "writers": self.meeting.logs, "refused": list(self.meeting.refused)}
        return found | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Relations:
    """The peers, how many logs of others are here, and by writer what those signed who signed two logs."""

    peers: tuple[KnownPeer, ...] = ()
    others: int = 0
    equivocations: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fields of `status --json`."""
        return {
            "peers": [peer.as_json() for peer in self.peers],
            "otherLogs": self.others,
            "equivocations": [{"writer": writer, "message": said} for writer, said in self.equivocations],
        }


def relations(start: Path, environment: Mapping[str, str]) -> Relations:
    """How it stands around `start`, where something is recorded. What cannot be read, `fsck` tells of."""
    with suppress(SageError), Checkout.open(start, environment) as checkout:
        others = len(checkout.index.writers.tips())
        return Relations(tuple(_peers(checkout)), others, tuple(_equivocations(checkout)))
    return Relations()


def _peers(checkout: Checkout) -> Iterator[KnownPeer]:
    with suppress(SageError):
        for target in default_targets(checkout, PeerBook.read(checkout.sage), Policies(checkout).publish_now()):
            meeting, unsent = last(checkout, target.url), None
            if meeting is not None and meeting.given is not None and target.kind is Kind.REMOTE:
                unsent = max(checkout.log.length() - meeting.given, 0)
            yield KnownPeer(target.name, target.url, meeting, unsent)


def _equivocations(checkout: Checkout) -> Iterator[tuple[str, str]]:
    repository = checkout.known_identity().repository
    with suppress(SageError):
        for writer, evidence in equivocations.known(checkout.sage, repository).items():
            yield writer, check(evidence, repository, writer)
