"""Whether a writer's log that a peer offers is to be believed, decided from what lies in the quarantine (SPEC 11).

Every step reads and compares; nothing is changed here. What is refused is a status of one writer, never an error of the
whole exchange. Not here: bringing objects into the quarantine (gitrepo.exchange), and taking over what is believed
(`adopting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import Protocol

from sage_git.chronicle.ids import RepositoryId, event_id, is_leaf, leaf
from sage_git.chronicle.ndjson import LineState, check_line
from sage_git.errors import ProofFailed, StorageError, ValidationError, WrongOrigin
from sage_git.gitrepo.log_tree import CHECKPOINT, INTRODUCTION, SEGMENT_ENTRIES, segment_count, segment_path
from sage_git.operations.exchange.trees import Segments, tree_over
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof import equivocation, merkle
from sage_git.proof.checkpoint import Checkpoint
from sage_git.proof.introduction import Introduction, introduced


class Growth(Enum):
    """How a log on offer goes on from the one that is here."""

    NEW = "new"
    GROWN = "grown"
    SAME = "same"
    OLDER = "older"
    """It is a part of ours: the peer is behind."""


@dataclass(frozen=True, slots=True)
class Believed:
    """A log that is what its writer signed. `roots` are those of its whole segments; `changed` ones have new bodies."""

    writer: str
    commit: str
    checkpoint: Checkpoint
    introduction: Introduction
    growth: Growth
    roots: Sequence[bytes]
    has_bodies: bool
    """True if it has bodies that are not here."""
    lacks_bodies: bool
    """True if bodies are here that it has not."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A log that is not taken, and why: a stable code (docs/errors.md) and a sentence."""

    writer: str
    code: str
    reason: str
    evidence: equivocation.Evidence | None = None


class Quarantine(Segments, Protocol):
    """Where what a peer offers lies until it is believed."""

    def files(self, commit: str) -> Mapping[str, str]: ...
    def blobs(self, names: Sequence[str]) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What this clone has of a writer's log: its files in the store, its checkpoint, the roots of whole segments."""

    files: Mapping[str, str]
    note: bytes
    size: int
    roots: Sequence[bytes]


class Vetting:
    """Looks at one log after the other."""

    def __init__(self, repository: RepositoryId, quarantine: Quarantine, store: Segments) -> None:
        self._repository = repository
        self._quarantine = quarantine
        self._store = store

    def look_at(self, writer: str, commit: str, known: Known | None) -> Believed | Refused:
        """What is to be thought of the log that `commit` has. Raises GitFailed, if git itself fails."""
        try:
            return self._look_at(writer, commit, known)
        except _Unbelievable as problem:
            return Refused(writer, problem.code, problem.reason, problem.evidence)

    def look_at_private(self, writer: str, commit: str, ours: Mapping[str, str]) -> Refused | None:
        """Why withheld bodies are not to be believed, which must be those of the leaves in our files; None if they are.

        Raises GitFailed, if git itself fails.
        """
        try:
            files = self._quarantine.files(commit)
            count = min(segment_count(files, "events"), segment_count(ours))
            leaves = self._store.segments(ours, [segment_path("leaves", number) for number in range(count)])
            offered = self._segments(files, [segment_path("events", number) for number in range(count)])
            for number, (segment, bodies) in enumerate(zip(leaves, offered, strict=True)):
                if number < count - 1 and len(bodies) != len(segment):
                    return Refused(writer, "bad-log-tree", f"it has {len(bodies)} bodies for {len(segment)} leaves")
                for at, (its_leaf, body) in enumerate(zip(segment, bodies, strict=False)):
                    if body:
                        _check_body(body, its_leaf, number * SEGMENT_ENTRIES + at)
        except (ValidationError, StorageError) as problem:
            return Refused(writer, "bad-log-tree", str(problem))
        except _Unbelievable as problem:
            return Refused(writer, problem.code, problem.reason)
        return None

    def _look_at(self, writer: str, commit: str, known: Known | None) -> Believed | Refused:
        try:
            files = self._quarantine.files(commit)
        except (ValidationError, StorageError) as problem:
            raise _Unbelievable("bad-log-tree", str(problem)) from None
        note, about = self._documents(files, CHECKPOINT, INTRODUCTION)
        checkpoint = self._checkpoint(writer, note)
        introduction = self._introduction(writer, about)
        roots = self._roots(files, checkpoint, known)
        tree = tree_over(self._quarantine, files, checkpoint.size, roots)
        if tree.root() != checkpoint.root:
            raise _Unbelievable("bad-checkpoint", "the leaves are not those that its checkpoint signs")
        growth = self._growth(writer, checkpoint, tree, known, note)
        has_bodies, lacks_bodies = self._bodies(files, checkpoint.size, known)
        return Believed(writer, commit, checkpoint, introduction, growth, roots, has_bodies, lacks_bodies)

    def _checkpoint(self, writer: str, note: bytes) -> Checkpoint:
        try:
            return checkpoints.opened(note, self._repository, writer)
        except WrongOrigin as problem:
            raise _Unbelievable("wrong-origin", str(problem)) from None
        except ProofFailed as problem:
            raise _Unbelievable("bad-checkpoint", str(problem)) from None

    def _introduction(self, writer: str, about: bytes) -> Introduction:
        try:
            return introduced(about, self._repository, writer)
        except ProofFailed as problem:
            raise _Unbelievable("wrong-origin", str(problem)) from None

    def _roots(self, files: Mapping[str, str], checkpoint: Checkpoint, known: Known | None) -> list[bytes]:
        """The roots of the whole segments, once all leaves are leaves. Segments that we know are not read."""
        whole, rest = divmod(checkpoint.size, SEGMENT_ENTRIES)
        if segment_count(files) != whole + bool(rest):
            raise _Unbelievable("bad-checkpoint", f"it has not the {checkpoint.size} leaves that its checkpoint signs")
        paths = [segment_path("leaves", number) for number in range(whole + bool(rest))]
        roots = {
            number: root
            for number, root in enumerate(known.roots[:whole] if known is not None else ())
            if known is not None and known.files.get(paths[number]) == files[paths[number]]
        }
        unknown = [number for number in range(len(paths)) if number not in roots]
        segments = self._segments(files, [paths[number] for number in unknown])
        for number, leaves in zip(unknown, segments, strict=True):
            if len(leaves) != (SEGMENT_ENTRIES if number < whole else rest) or not all(map(is_leaf, leaves)):
                raise _Unbelievable("bad-log-tree", f"{paths[number]} has not the leaves that belong there")
            if number < whole:
                roots[number] = merkle.segment_root(leaves)
        return [roots[number] for number in range(whole)]

    def _growth(
        self, writer: str, checkpoint: Checkpoint, tree: merkle.Tree, known: Known | None, note: bytes
    ) -> Growth:
        """How it goes on from ours. Raises _Unbelievable with the evidence if both cannot be true."""
        if known is None:
            return Growth.NEW
        ours = checkpoints.opened(known.note, self._repository, writer)
        if checkpoint.size >= ours.size:
            if tree.root_at(ours.size) == ours.root:
                return Growth.SAME if checkpoint.size == ours.size else Growth.GROWN
        else:
            tree = tree_over(self._store, known.files, known.size, known.roots)
            if tree.root_at(checkpoint.size) == checkpoint.root:
                return Growth.OLDER
        evidence = equivocation.prove(known.note, note, tree, self._repository, writer)
        code = "log-rewritten" if evidence is None else "equivocation"
        reason = f"its {checkpoint.size} entries and the {ours.size} that are known cannot both be its log"
        raise _Unbelievable(code, reason, evidence)

    def _bodies(self, files: Mapping[str, str], size: int, known: Known | None) -> tuple[bool, bool]:
        """Whether it has bodies that we lack, and lacks some that we have. Every one is held against its leaf."""
        ours = known.files if known is not None else {}
        numbers = [
            number
            for number in range(-(-size // SEGMENT_ENTRIES))
            if ours.get(path := segment_path("events", number)) != files[path]
        ]
        paths = [segment_path("events", number) for number in numbers]
        leaves = self._segments(files, [segment_path("leaves", number) for number in numbers])
        has_more = has_less = False
        offered, kept = self._segments(files, paths), self._store.segments(ours, paths)
        for number, segment, bodies, known_bodies in zip(numbers, leaves, offered, kept, strict=True):
            if len(bodies) != len(segment):
                raise _Unbelievable("bad-log-tree", f"it has {len(bodies)} bodies for {len(segment)} leaves")
            for at, (its_leaf, body, ours_is) in enumerate(zip_longest(segment, bodies, known_bodies, fillvalue=b"")):
                if body and body != ours_is:
                    _check_body(body, its_leaf, number * SEGMENT_ENTRIES + at)
                    has_more = True
                has_less |= bool(ours_is) and not body
        return has_more, has_less

    def _documents(self, files: Mapping[str, str], *paths: str) -> list[bytes]:
        try:
            return list(self._quarantine.blobs([files[path] for path in paths]))
        except (StorageError, ValidationError) as problem:
            raise _Unbelievable("bad-log-tree", str(problem)) from None

    def _segments(self, files: Mapping[str, str], paths: Sequence[str]) -> Iterator[list[bytes]]:
        try:
            yield from self._quarantine.segments(files, paths)
        except (StorageError, ValidationError) as problem:
            raise _Unbelievable("bad-log-tree", str(problem)) from None


class _Unbelievable(Exception):
    def __init__(self, code: str, reason: str, evidence: equivocation.Evidence | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.evidence = code, reason, evidence


def _check_body(body: bytes, its_leaf: bytes, number: int) -> None:
    """Raises _Unbelievable unless `body` is the event that the leaf names, in its one spelling, and keeps the rules.

    What was appended without an id is given without one.
    """
    line = check_line(body, 1, 0)
    if line.event is None or line.state not in (LineState.VALID, LineState.NO_ID) or not line.is_canonical:
        how = line.reason or "it is not spelled as canonical JSON is"
        raise _Unbelievable("body-not-its-leaf", f"entry {number} is no event: {how}")
    identifier = line.event.event_id if line.state is LineState.VALID else event_id(line.event.fields)
    if identifier is None or leaf(identifier) != its_leaf:
        raise _Unbelievable("body-not-its-leaf", f"the event of entry {number} is not the one that its leaf names")
