"""Writer logs in two repositories of ours: what anybody may be given, and what stays with this clone and its friends.

`store.git` is what peers fetch: under `refs/sage/writers/` the logs as their writers published and signed them, with
the bodies that anybody may see; a withheld body is an empty line. Beside them, in a ref that no peer is told of, stands
what this clone sealed and may not have signed yet: leaves alone. `private.git` has the bodies of all that was sealed,
withheld or not. Not here: the tail (storage.writerlog), who may see what, what is to be believed, and `log.lock`, which
the caller of anything that writes holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from sage_git.chronicle.canonical import parse_json
from sage_git.chronicle.ids import event_id, leaf
from sage_git.errors import Detail, ValidationError
from sage_git.gitrepo.joining import join
from sage_git.gitrepo.log_tree import (
    CERTIFICATE,
    CHECKPOINT,
    INTRODUCTION,
    SEGMENT_ENTRIES,
    Half,
    by_segment,
    joined,
    ref_of,
    segment_count,
    segment_path,
)
from sage_git.gitrepo.publication import other_entries, published_files
from sage_git.gitrepo.segments import SegmentRepository, Tip, sealed_ref

Pair = tuple[bytes, bytes]
"""A leaf and its body, or b""."""


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """One entry of a log; `body` is its event's canonical line, empty if it was redacted or never given to us."""

    number: int
    leaf: bytes
    body: bytes


class Store:
    """The logs in the directory `sage/`, in the user's `object_format`. Making one touches nothing."""

    def __init__(self, directory: Path, object_format: str, environment: Mapping[str, str]) -> None:
        self._public = SegmentRepository(directory / Half.PUBLIC.value, object_format, environment)
        self._private = SegmentRepository(directory / Half.PRIVATE.value, object_format, environment)

    def repository(self, half: Half) -> SegmentRepository:
        """The repository of one half."""
        return self._public if half is Half.PUBLIC else self._private

    def ensure(self) -> None:
        """Have both halves there, if empty, so that whoever asks is told that there is nothing. Raises GitFailed."""
        self._public.ensure()
        self._private.ensure()

    def writers(self, half: Half = Half.PUBLIC) -> dict[str, str]:
        """The commit of every writer who published something, or of whom something private is here."""
        return self.repository(half).writers()

    def tree(self, writer: str) -> dict[str, str]:
        """The object ids of all that is here of a log, sealed leaves included, published or not, by path."""
        published, sealed = self._public.tips(ref_of(writer), sealed_ref(writer))
        return {**published.files, **{path: name for path, name in sealed.files.items() if path.startswith("leaves/")}}

    def published(self, writer: str) -> Mapping[str, str]:
        """The object ids of a log's files as peers are given them, by path."""
        return self._public.tip(ref_of(writer)).files

    def withheld(self, writer: str) -> Mapping[str, str]:
        """The object ids of the files in which this clone has bodies of a log that not everybody may see, by path."""
        return self._private.tip(ref_of(writer)).files

    def segments(self, files: Mapping[str, str], paths: Sequence[str]) -> Iterator[list[bytes]]:
        """The lines of each of these segments, none for one that is not there. Raises GitFailed, StorageError."""
        return self._public.segments(files, paths)

    def has(self, commit: str) -> bool:
        """Whether this commit of a log is, or was, in the store. Raises GitFailed."""
        return self._public.has(commit)

    def checkpoint(self, writer: str) -> bytes:
        """The signed note on the log that was published; empty if none was."""
        return self._document(writer, CHECKPOINT)

    def introduction(self, writer: str) -> bytes:
        """The writer.json of the log that was published; empty if none was."""
        return self._document(writer, INTRODUCTION)

    def certificate(self, writer: str) -> bytes:
        """The signature of whoever vouches for the writer; empty if nobody does."""
        return self._document(writer, CERTIFICATE)

    def length(self, writer: str) -> int:
        """How many entries of this clone's own log are sealed. Raises GitFailed."""
        return segment_count(self._public.tip(sealed_ref(writer)).files) * SEGMENT_ENTRIES

    def size(self, writer: str) -> int:
        """How many entries of anybody's log are here, sealed or published. Raises GitFailed, StorageError."""
        return self._size(self.tree(writer))

    def segment(self, writer: str, number: int) -> list[bytes]:
        """The leaves of segment `number` of a log, at most 256. Raises GitFailed, StorageError."""
        return next(self.segments(self.tree(writer), [segment_path("leaves", number)]))

    def entries(self, writer: str, start: int = 0, end: int | None = None) -> Iterator[SealedEntry]:
        """The entries from number `start` on, before `end`, oldest first; each with its body from whoever gave it.

        Of this clone's own log that includes what was published of its tail. Raises GitFailed, StorageError.
        """
        public, private = self.tree(writer), self._private.tip(ref_of(writer)).files
        count = segment_count(public)
        last = count if end is None else min(count, -(-end // SEGMENT_ENTRIES))
        numbers = range(start // SEGMENT_ENTRIES, last)
        events = [segment_path("events", number) for number in numbers]
        leaves = self._public.segments(public, [segment_path("leaves", number) for number in numbers])
        segments = zip(
            leaves, self._private.segments(private, events), self._public.segments(public, events), strict=True
        )
        for segment, (its_leaves, kept, given) in zip(numbers, segments, strict=True):
            rows = zip_longest(its_leaves, kept[: len(its_leaves)], given[: len(its_leaves)], fillvalue=b"")
            for number, (its_leaf, mine, everybodys) in enumerate(rows, segment * SEGMENT_ENTRIES):
                if number >= start and (end is None or number < end):
                    yield SealedEntry(number, its_leaf, mine or everybodys)

    def revealed(self, writer: str) -> set[int]:
        """The numbers of the entries whose bodies anybody may see. Raises GitFailed, StorageError."""
        files = self.published(writer)
        events = [segment_path("events", number) for number in range(segment_count(files, "events"))]
        lines = (line for segment in self._public.segments(files, events) for line in segment)
        return {number for number, line in enumerate(lines) if line}

    def seal(self, writer: str, first: int, entries: Sequence[Pair], about: bytes) -> int:
        """How many entries are sealed, durably, now that `entries` (leaf, body or b"") from number `first` on are.

        Whole segments; those that are sealed already are left alone. `about` is the content of writer.json. Raises
        GitFailed; ValidationError for a gap; StorageError if other leaves are sealed under these numbers.
        """
        ref = sealed_ref(writer)
        base = self._public.tip(ref)
        sealed = segment_count(base.files)
        if first % SEGMENT_ENTRIES or len(entries) % SEGMENT_ENTRIES or first > sealed * SEGMENT_ENTRIES:
            expected = f"whole segments of {SEGMENT_ENTRIES}, the first at {sealed * SEGMENT_ENTRIES}"
            raise ValidationError(Detail("first", "would leave a gap in the log", first, expected))
        segments = _segments(first, entries)
        self._check_same(self.tree(writer), segments)
        new = {number: part for number, part in segments.items() if number >= sealed}
        if new:
            # Bodies first, so that whatever has a leaf has its body.
            self._keep(writer, new)
            leaves = {segment_path("leaves", n): joined(leaf for leaf, _ in part) for n, part in new.items()}
            self._public.commit(ref, base, {**leaves, INTRODUCTION: about})
        return SEGMENT_ENTRIES * (sealed + len(new))

    def publish(
        self,
        writer: str,
        unsealed: Sequence[Pair],
        revealed: Mapping[int, bytes],
        note: bytes,
        about: bytes,
        certificate: bytes | None = None,
    ) -> bool:
        """True if anything is new to peers: leaves of all that is sealed and of `unsealed`, which comes after it, and
        the bodies in `revealed`, by number; what was revealed before stays so. The contents of the checkpoint, of
        writer.json and, if there is one, of writer.sig are taken as they are.

        Raises GitFailed; StorageError if other entries were published, or more.
        """
        self.ensure()
        sealed = self._public.tip(sealed_ref(writer)).files
        ends = _segments(segment_count(sealed) * SEGMENT_ENTRIES, unsealed)
        leaves = {number: [leaf for leaf, _ in part] for number, part in ends.items()}
        base = self._public.tip(ref_of(writer))
        files = published_files(self._public, base, sealed, leaves, revealed)
        files |= {CHECKPOINT: note, INTRODUCTION: about}
        files |= {CERTIFICATE: certificate} if certificate else {}
        return self._public.commit(ref_of(writer), base, files)

    def keep_unsealed(self, writer: str, unsealed: Sequence[Pair]) -> bool:
        """True if trusted peers, who are given the private half, have anything new in `unsealed`. Raises GitFailed."""
        return self._keep(writer, _segments(self.length(writer), unsealed))

    def adopt(self, source: Path, offers: Mapping[str, tuple[str, str]], half: Half = Half.PUBLIC) -> dict[str, str]:
        """Have what lies in the repository at `source`: writer → (commit that is expected here or "", commit there).

        The commits that the writers' refs have now: the one there, or ours, or one that joins both, as bodies are here
        or there; a writer whose ref stands elsewhere than expected is not among them, and stays as it is. Raises
        GitFailed, StorageError.
        """
        if not offers:
            return {}
        repository = self.repository(half)
        commits = self._borrow(repository, source, {theirs for _, theirs in offers.values()})
        trees = repository.trees([*commits.values(), *(ours for ours, _ in offers.values() if ours)])
        new = {}
        for writer, (ours, offered) in offers.items():
            theirs = commits[offered]
            if not ours:
                new[writer] = theirs
            elif ours in trees:
                tips = (Tip(each, trees[each], repository.files(each)) for each in (ours, theirs))
                new[writer] = join(repository, *tips)
        moved = repository.swap({ref_of(writer): (offers[writer][0], commit) for writer, commit in new.items()})
        return {writer: commit for writer, commit in new.items() if ref_of(writer) in moved}

    def replace(self, source: Path, writer: str, commit: str) -> None:
        """Have the log that lies in the repository at `source` in the place of this clone's own. Raises GitFailed.

        What was sealed under these numbers and is not in that log is forgotten; bodies that are stay. Safe to do again.
        """
        commit = self._borrow(self._public, source, {commit})[commit]
        ref, sealed = ref_of(writer), sealed_ref(writer)
        expected = {each: self._public.tip(each).commit for each in (ref, sealed)}
        self._public.swap({ref: (expected[ref], commit), sealed: (expected[sealed], "")})
        self._forget_strange_bodies(writer)

    def damage(self) -> list[str]:
        """What git finds damaged, in its own words."""
        return [words for repository in (self._public, self._private) if (words := repository.damage())]

    def redact(self, writer: str, *numbers: int) -> None:
        """Drop the bodies of these entries for good; their leaves stay. Raises GitFailed, StorageError.

        What only older commits reached is deleted: it would still hold the bodies.
        """
        gone = {
            segment_path("events", segment): lines for segment, lines in by_segment(dict.fromkeys(numbers, b"")).items()
        }
        for repository in (self._public, self._private):
            tip = repository.tip(ref_of(writer))
            paths = [path for path in gone if path in tip.files]
            files = {
                path: joined(gone[path].get(at, line) for at, line in enumerate(lines))
                for path, lines in zip(paths, repository.segments(tip.files, paths), strict=True)
            }
            if files:
                repository.commit(ref_of(writer), tip, files)
                repository.forget_unreachable()

    def _borrow(self, repository: SegmentRepository, source: Path, commits: set[str]) -> dict[str, str]:
        """For each of `commits` at `source` the one with its tree and no past, which is here now. Raises GitFailed."""
        there = SegmentRepository(source, repository.object_format, repository.environment)
        own = there.without_past(sorted(commits))
        there.lend(repository, sorted(set(own.values())))
        return own

    def _document(self, writer: str, path: str) -> bytes:
        files = self.published(writer)
        return next(self._public.blobs([files[path]])) if path in files else b""

    def _keep(self, writer: str, segments: Mapping[int, Sequence[Pair]]) -> bool:
        """True if any of these bodies was not in the private half."""
        ref = ref_of(writer)
        bodies = {segment_path("events", n): joined(body for _, body in part) for n, part in segments.items()}
        return self._private.commit(ref, self._private.tip(ref), bodies)

    def _forget_strange_bodies(self, writer: str) -> None:
        """Drop the withheld bodies that are not those of the leaves that have their numbers now."""
        tip, files = self._private.tip(ref_of(writer)), self.tree(writer)
        numbers = range(segment_count(tip.files, "events"))
        events = [segment_path("events", number) for number in numbers]
        leaves = self._public.segments(files, [segment_path("leaves", number) for number in numbers])
        kept = {}
        for path, bodies, theirs in zip(events, self._private.segments(tip.files, events), leaves, strict=True):
            pairs = zip_longest(bodies, theirs[: len(bodies)], fillvalue=b"")
            kept[path] = joined(body if body and _leaf_of(body) == its_leaf else b"" for body, its_leaf in pairs)
        self._private.commit(ref_of(writer), tip, kept)

    def _size(self, files: Mapping[str, str]) -> int:
        count = segment_count(files)
        last = [segment_path("leaves", count - 1)] if count else []
        return max(0, count - 1) * SEGMENT_ENTRIES + sum(map(len, self.segments(files, last)))

    def _check_same(self, files: Mapping[str, str], segments: Mapping[int, Sequence[Pair]]) -> None:
        """Raises StorageError unless these begin with the leaves that are here under their numbers."""
        there = self._public.segments(files, [segment_path("leaves", number) for number in segments])
        for part, leaves in zip(segments.values(), there, strict=True):
            if leaves != [leaf for leaf, _ in part[: len(leaves)]]:
                raise other_entries(self._public)


def _segments(first: int, entries: Sequence[Pair]) -> dict[int, Sequence[Pair]]:
    """Segment number → its entries, for entries that follow each other from number `first` on, where one begins."""
    starts = range(0, len(entries), SEGMENT_ENTRIES)
    return {(first + at) // SEGMENT_ENTRIES: entries[at : at + SEGMENT_ENTRIES] for at in starts}


def _leaf_of(body: bytes) -> bytes:
    """The leaf of an event's canonical line."""
    return leaf(event_id(parse_json(body)))
