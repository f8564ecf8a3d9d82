"""Sources at a moment, what an edit made of them, and the three-way merge of whole sources: path, mode and content.

Not here: the merge of texts, which is git's (`workshop`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.workshop import Merge, Workshop

_REGULAR: Final = ("100644", "100755")
T = TypeVar("T")


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


Chain = Sequence[Edit]
"""Edits in a row, oldest first: from the first one's `before` to the last one's `after`."""


@dataclass(frozen=True, slots=True)
class MergedVersion:
    """A source as a merge leaves it, its content perhaps in conflict."""

    path: bytes | None
    mode: str
    content: Merge

    @property
    def version(self) -> Version | None:
        """The source; None while its content is in conflict."""
        return Version(self.path, self.mode, self.content.blob) if self.content.is_clean else None


def merged(base: Version, ours: Version, theirs: Version, workshop: Workshop) -> MergedVersion | None:
    """What becomes of `ours` when it takes over what was done from `base` to `theirs`.

    None where git would stop without a text to settle: at paths, modes, or a file that one side removed.
    """
    for whole, other in ((ours, theirs), (theirs, ours)):
        if base == other or ours == theirs:
            return MergedVersion(whole.path, whole.mode, Merge(whole.blob, is_clean=True))
    if ours.path is None or theirs.path is None:
        return None
    path, mode = _picked(base.path, ours.path, theirs.path), _picked(base.mode, ours.mode, theirs.mode)
    if path is None or mode is None:
        return None
    blob = _picked(base.blob, ours.blob, theirs.blob)
    if blob is not None:
        return MergedVersion(path, mode, Merge(blob, is_clean=True))
    modes = [each.mode for each in (base, ours, theirs) if each.blob is not None]
    if any(each not in _REGULAR for each in modes):
        return None
    return MergedVersion(path, mode, workshop.merge(base.blob, ours.blob, theirs.blob))


def _picked(base: T | None, ours: T, theirs: T) -> T | None:
    """The one of two values that was changed, or that both agree on; None if they are at odds."""
    if theirs in (base, ours):
        return ours
    return theirs if ours == base else None
