"""The sealed part of writer logs: what others may be given, and what stays here, in two repositories of ours.

`store.git` is what peers fetch: leaves, and the bodies that were published; a withheld body is an empty line.
`private.git` has the bodies that nobody was given. Everything is sealed as withheld; publishing comes with the exchange
of logs. Not here: the tail (storage.writerlog), and `log.lock`, which the caller of anything that writes holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.errors import Detail, StorageError, ValidationError
from sage_git.gitrepo.segments import SEGMENT_ENTRIES, Onto, SegmentRepository, joined, segment_path

_READ_AT_ONCE: Final = 64
_WITHHELD: Final = b"\n" * SEGMENT_ENTRIES


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """One entry of a log; `body` is its event's canonical line, empty if it was redacted or never given to us."""

    number: int
    leaf: bytes
    body: bytes


class Store:
    """The sealed logs in the directory `sage/`, in the user's `object_format`. Making one touches nothing."""

    def __init__(self, directory: Path, object_format: str, environment: Mapping[str, str]) -> None:
        self._public = SegmentRepository(directory / "store.git", object_format, environment)
        self._private = SegmentRepository(directory / "private.git", object_format, environment)

    def length(self, writer: str) -> int:
        """How many entries of the writer's log are sealed. Raises GitFailed."""
        return SEGMENT_ENTRIES * _count(self._public.files(writer))

    def seal(self, writer: str, first: int, entries: Sequence[tuple[bytes, bytes]], about: bytes) -> int:
        """How many entries are sealed, durably, now that `entries` (leaf, body or b"") from number `first` on are.

        Whole segments; those that are sealed already are left alone. `about` is the content of writer.json. Raises
        GitFailed; ValidationError for a gap; StorageError if other leaves are sealed under these numbers.
        """
        files = self._public.files(writer)
        sealed = SEGMENT_ENTRIES * _count(files)
        if first % SEGMENT_ENTRIES or len(entries) % SEGMENT_ENTRIES or first > sealed:
            expected = f"whole segments of {SEGMENT_ENTRIES}, the first at {sealed}"
            raise ValidationError(Detail("first", "would leave a gap in the log", first, expected))
        segments = {
            (first + at) // SEGMENT_ENTRIES: entries[at : at + SEGMENT_ENTRIES]
            for at in range(0, len(entries), SEGMENT_ENTRIES)
        }
        self._check_same(files, {number: part for number, part in segments.items() if number < _count(files)})
        new = {number: part for number, part in segments.items() if number >= _count(files)}
        if new:
            # Bodies first, so that whatever has a leaf has its body.
            self._private.commit(
                writer, {segment_path("events", n): joined(b for _, b in part) for n, part in new.items()}
            )
            leaves = {segment_path("leaves", n): joined(leaf for leaf, _ in part) for n, part in new.items()}
            withheld = {segment_path("events", n): _WITHHELD for n in new}
            self._public.commit(writer, {**leaves, **withheld, "writer.json": about})
        return sealed + SEGMENT_ENTRIES * len(new)

    def entries(self, writer: str, start: int = 0) -> Iterator[SealedEntry]:
        """The sealed entries from number `start` on, oldest first. Raises GitFailed, StorageError."""
        public, private = self._public.files(writer), self._private.files(writer)
        count = _count(public)
        for begin in range(start // SEGMENT_ENTRIES, count, _READ_AT_ONCE):
            numbers = range(begin, min(count, begin + _READ_AT_ONCE))
            events = [segment_path("events", number) for number in numbers]
            leaves = self._public.lines(public, [segment_path("leaves", number) for number in numbers])
            bodies = zip(self._private.lines(private, events), self._public.lines(public, events), strict=True)
            for number, (leaf, (kept, given)) in enumerate(zip(leaves, bodies, strict=True), begin * SEGMENT_ENTRIES):
                if number >= start:
                    yield SealedEntry(number, leaf, kept or given)

    def damage(self) -> list[str]:
        """What git finds damaged, in its own words."""
        return [words for repository in (self._public, self._private) if (words := repository.damage())]

    def redact(self, writer: str, number: int) -> None:
        """Drop the body of the sealed entry `number` for good; its leaf stays. Raises GitFailed, StorageError.

        The chain of commits begins anew, and what only the old one reached is deleted: it would still hold the body.
        """
        path = segment_path("events", number // SEGMENT_ENTRIES)
        for repository in (self._public, self._private):
            files = repository.files(writer)
            if path in files:
                lines = repository.lines(files, [path])
                lines[number % SEGMENT_ENTRIES] = b""
                repository.commit(writer, {path: joined(lines)}, Onto.NOTHING)
                repository.forget_unreachable()

    def _check_same(self, files: Mapping[str, str], segments: Mapping[int, Sequence[tuple[bytes, bytes]]]) -> None:
        """Raises StorageError unless these are the leaves that are sealed."""
        there = self._public.lines(files, [segment_path("leaves", number) for number in segments])
        if there != [leaf for part in segments.values() for leaf, _ in part]:
            remedy = "keep both and run `sage-git fsck`; perhaps one of them was restored from a backup"
            where = str(self._public.git_dir)
            raise StorageError(where, "seal into", "it has other entries under these numbers", remedy=remedy)


def _count(files: Mapping[str, str]) -> int:
    """How many segments a writer's files hold."""
    return sum(path.startswith("leaves/") for path in files)
