"""What judging asks of git about the contents of files: `gitrepo.threeway` answers. Not here: any answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sage_git.chronicle.ids import ObjectId
from sage_git.judgement.resolution import Template


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `old_start` ≤ i < `old_start + old_count` give way to those from `new_start`; counted from 0."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int

    @property
    def old_end(self) -> int:
        return self.old_start + self.old_count

    @property
    def new_end(self) -> int:
        return self.new_start + self.new_count


@dataclass(frozen=True, slots=True)
class Merge:
    """What git made of three versions of a file: `blob` if clean (None: no file), `template` if text is in conflict."""

    blob: ObjectId | None
    is_clean: bool
    template: Template | None = None


class Workshop(Protocol):
    """Git's answers about single blobs. It is asked the same again and again, and had better remember."""

    def lines(self, blob: ObjectId) -> tuple[bytes, ...] | None:
        """The blob split at newlines; None if it is binary, larger than 1 MiB or not here."""

    def counts(self, blob: ObjectId) -> Mapping[bytes, int] | None:
        """How often each of `lines` is there; None where there are none."""

    def merge(self, base: ObjectId | None, ours: ObjectId | None, theirs: ObjectId | None) -> Merge:
        """Git's merge of the contents of three regular files; None for no file."""

    def differences(self, before: ObjectId, after: ObjectId) -> tuple[Hunk, ...]:
        """The hunks between two texts, in order, by git's histogram diff without context."""
