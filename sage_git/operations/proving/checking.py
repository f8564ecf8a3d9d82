"""`check-proof` for one proof file: what it proves, and what it only says. Needs no repository and no network.

A file can name any writer: whoever makes one up can make up a key as well. So what is proved is proved of a key, and
whose key that is must be known otherwise. Not here: bundles (`unbundling`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id, is_hex, leaf
from sage_git.errors import ProofFailed, UsageError, ValidationError, WrongOrigin
from sage_git.proof.checkpoint import Checkpoint, Origin, claimed, named
from sage_git.proof.tlog_proof import Proof

_ID_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Given:
    """What whoever checks knows otherwise, if anything: writer key ids that they trust, and the repository."""

    writers: frozenset[str] = field(default_factory=frozenset)
    repository: str | None = None

    @classmethod
    def of(cls, writers: Collection[str], repository: str | None) -> Self:
        """What was given on a command line. Raises UsageError."""
        for each in writers:
            if not is_hex(each, _ID_DIGITS):
                remedy = "it has 64 hex digits; `sage-git peer key` prints it, over there"
                raise UsageError(f"'{each[:80]}' is no writer key id", remedy=remedy)
        if repository is not None and not is_hex(repository, *range(8, _ID_DIGITS + 1)):
            raise UsageError(f"'{repository[:80]}' is no repository id", remedy="it stands in .sage/config.toml")
        return cls(frozenset(writers), repository)

    def check_repository(self, repository: str) -> None:
        """Raises WrongOrigin for another repository than the one given."""
        if self.repository not in (None, repository):
            raise WrongOrigin(f"this is of the repository {repository[:64]}, not of {self.repository}")

    def check_writer(self, writer: str) -> None:
        """Raises WrongOrigin for another writer than those given."""
        if self.writers and writer not in self.writers:
            raise WrongOrigin(f"this is of a log by {writer[:64]}, not by the writer whose key was given")


@dataclass(frozen=True, slots=True)
class Proved:
    """An entry that is in a log. `event` is None if only its leaf is known, since its body was redacted."""

    event_id: EventId
    event: Event | None
    number: int
    checkpoint: Checkpoint
    origin: Origin


def check_proof(content: bytes, identifier: EventId | None = None) -> Proved:
    """What the proof file with this content proves, of the event `identifier` if it has no body itself.

    Raises ProofFailed if it proves nothing.
    """
    proof = Proof.parse(content)
    origin = named(claimed(proof.checkpoint))
    event = _event(proof.extra) if proof.extra else None
    proved = identifier if event is None else event_id(event.fields)
    if proved is None:
        raise ProofFailed("the proof does not have the event that it is about")
    if identifier not in (None, proved):
        raise ProofFailed("the proof is of another event than it should be")
    checkpoint = proof.verify(leaf(proved), origin.repository, origin.writer)
    return Proved(proved, event, proof.index, checkpoint, origin)


def _event(line: bytes) -> Event:
    """The event on a canonical line. Raises ProofFailed unless it is one, with the id that its content has if any."""
    try:
        event = Event.from_line(line)
    except ValidationError as problem:
        raise ProofFailed(f"the event in the proof is none: {problem}") from None
    if event.line != line:
        raise ProofFailed("the event in the proof is not canonical JSON")
    if "eventId" in event and not event.has_true_id():
        raise ProofFailed("the event in the proof says another id than its content has")
    return event
