"""Which earlier edits a change does again (SPEC 6.2), told by git's own three-way merge.

Responsible for the rule and its bounds. Not here: which edits are candidates, what follows for a verdict (`standing`),
and how git is asked (`gitrepo.threeway`, which is a `Workshop`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.resolution import Template

MAX_EDITS: Final = 64
MAX_CHAINS: Final = 256
MAX_MERGES: Final = 32


@dataclass(frozen=True, slots=True)
class Version:
    """A source at one moment; `path` and `blob` are None where it is not there, and `mode` is then "000000"."""

    path: bytes | None
    mode: str
    blob: ObjectId | None


ABSENT: Final = Version(None, "000000", None)


@dataclass(frozen=True, slots=True)
class Edit:
    """What one fact did. Where a commit renamed and edited, the FILE_EDITED's id stands for both facts."""

    fact: EventId
    before: Version
    after: Version


class Fit(StrEnum):
    """How much of a change the replay of a chain explains."""

    WHOLE = "whole"
    """All of it."""
    PART = "part"
    """The chain is all there, and more was done."""
    RESOLVED = "resolved"
    """All of it, but for a conflict that was settled with lines of its base and sides only."""
    CONFLICTED = "conflicted"
    """The chain met a conflict, and lines of neither base nor sides came in."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Edits done again, oldest first. The `kind` of the last of several replays tells if anything is left over."""

    chain: tuple[EventId, ...]
    kind: Fit


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `old_start` ≤ i < `old_start + old_count` give way to those from `new_start`; counted from 0."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int


@dataclass(frozen=True, slots=True)
class Merge:
    """What git made of three versions of a file: `blob` if clean (None: no file), `template` if text is in conflict."""

    blob: ObjectId | None
    is_clean: bool
    template: Template | None = None


class Workshop(Protocol):
    """What judging needs of blobs and git's merge; `gitrepo.threeway.Threeway` is one."""

    def lines(self, blob: ObjectId) -> tuple[bytes, ...] | None:
        """The blob split at newlines; None if it is binary, larger than 1 MiB or not here."""

    def counts(self, blob: ObjectId) -> Mapping[bytes, int] | None:
        """How often each of `lines` is there; None where there are none."""

    def merge(self, base: ObjectId | None, ours: ObjectId | None, theirs: ObjectId | None) -> Merge:
        """Git's merge of the contents of three regular files; None for no file."""

    def differences(self, before: ObjectId, after: ObjectId) -> tuple[Hunk, ...]:
        """The hunks between two texts, in order, by git's histogram diff without context."""


def find_replays(change: Edit, chains: Sequence[Sequence[Edit]], workshop: Workshop) -> tuple[Replay, ...]:
    """The chains that `change` does again, each applied to what the ones before it left; () if it replays nothing.

    Longer chains are tried first, then smaller ids.
    """
    raise NotImplementedError


def chains_among(
    edits: Mapping[EventId, Edit], parents: Callable[[EventId], Sequence[EventId]]
) -> list[tuple[Edit, ...]]:
    """Every chain from one of `edits` to a descendant among them, with all that lies between; longest first.

    `parents` gives a fact's parents among `edits` (others play no part).
    """
    raise NotImplementedError


def undoes(change: Edit, edit: Edit, workshop: Workshop) -> bool:
    """True if `change` exactly takes back `edit`."""
    raise NotImplementedError
