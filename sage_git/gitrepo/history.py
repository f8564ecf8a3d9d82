"""New commits and what they did, streamed from git. Not here: which of it was recorded before, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.command import Stream
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.scratch import Scratch
from sage_git.observation.changes import (
    SUBMODULE_MODE,
    Change,
    ChangeKind,
    MergeChange,
    parse_changes,
    parse_merge_changes,
)
from sage_git.observation.commit import Commit, parse_commit
from sage_git.observation.moves import MAX_FILE_BYTES, blobs_to_compare

_RAW = (
    "-r",
    "--root",
    "--always",
    "--raw",
    "-z",
    "--no-abbrev",
    "--ignore-submodules=none",
    "--no-textconv",
    "--no-ext-diff",
)
_RENAMES = ("-M50%", "-C50%", "-l2000")
WINDOW: Final = 512
"""Commits that are read at once."""


@dataclass(slots=True)
class CommitChanges:
    """A commit and its differences from its parent, or, for a merge, the paths that differ from all of its parents.

    `renames` are a merge's renames against its first parent, by new path, where `merge_changes` may come from one.
    """

    commit: Commit
    changes: list[Change] = field(default_factory=list)
    merge_changes: list[MergeChange] = field(default_factory=list)
    renames: dict[bytes, Change] = field(default_factory=dict)

    @property
    def is_merge(self) -> bool:
        return len(self.commit.parents) > 1

    def added_blobs(self) -> Iterator[ObjectId]:
        """The blobs whose sizes FILE_ADDED may have to tell."""
        for change in self.changes:
            if change.kind in (ChangeKind.ADDED, ChangeKind.COPIED) and change.new_mode != SUBMODULE_MODE:
                yield change.new_id
        for merged in self.merge_changes:
            if merged.is_new_to_first and merged.new_mode != SUBMODULE_MODE:
                yield merged.new_id


@dataclass(slots=True)
class Window:
    """Some commits in a row, parents first, with what their facts need: blob sizes, and contents to look for moves."""

    commits: list[CommitChanges]
    sizes: dict[ObjectId, int | None] = field(default_factory=dict)
    contents: dict[ObjectId, bytes | None] = field(default_factory=dict)


def commits_not_in(
    repository: Repository, tips: Iterable[ObjectId], known: Iterable[ObjectId], *, less_remotes: bool = False
) -> list[ObjectId]:
    """The commits that `tips` reach and `known` do not, parents first; tips that are gone count for nothing.

    `less_remotes` leaves out what any remote-tracking ref reaches as well.
    """
    wanted = [*tips, *(f"^{oid}" for oid in known)]
    rest = ["--not", "--remotes"] if less_remotes else []
    asked = ["rev-list", "--topo-order", "--reverse", "--ignore-missing", "--stdin", *rest]
    shown = repository.git(*asked, input="".join(f"{line}\n" for line in wanted).encode("ascii"))
    return [ObjectId(oid) for oid in shown.decode("ascii").split()]


def read_commits(scratch: Scratch, oids: Sequence[ObjectId]) -> list[Commit]:
    """The commit objects, in order; one that is not here counts as a commit without anything in it."""
    contents = zip(oids, scratch.contents(oids), strict=True)
    return [parse_commit(oid, content or b"") for oid, content in contents]


def read_windows(scratch: Scratch, commits: Sequence[Commit]) -> Iterator[Window]:
    """What all of `commits` did, in order, in windows. Raises GitFailed if an object that a diff needs is not here."""
    merges = [commit.oid for commit in commits if len(commit.parents) > 1]
    others = [commit.oid for commit in commits if len(commit.parents) < 2]
    with ExitStack() as processes:
        plain_fields = merge_fields = None
        if others:
            git = scratch.stream("diff-tree", "--stdin", *_RAW, *_RENAMES, requests=others)
            plain_fields = _Fields(processes.enter_context(git))
        if merges:
            git = scratch.stream("diff-tree", "--stdin", "-c", "--no-renames", *_RAW, requests=merges)
            merge_fields = _Fields(processes.enter_context(git))
        for start in range(0, len(commits), WINDOW):
            window = Window([])
            for commit in commits[start : start + WINDOW]:
                entry = CommitChanges(commit)
                if merge_fields is not None and entry.is_merge:
                    entry.merge_changes = parse_merge_changes(merge_fields.of(commit.oid))
                elif plain_fields is not None:
                    entry.changes = parse_changes(plain_fields.of(commit.oid))
                window.commits.append(entry)
            _add_renames_of_merges(scratch, window)
            _add_sizes_and_contents(scratch, window)
            yield window


def is_readable(scratch: Scratch, oid: ObjectId) -> bool:
    """True if git can say what the commit did, so that a stream which broke did not break because of it."""
    combined = ("-c", *_RAW, "--no-renames")
    try:
        scratch.run("diff-tree", *combined, oid)
        scratch.run("diff-tree", *_RAW, *_RENAMES, oid)
    except GitFailed:
        return False
    return True


def _add_renames_of_merges(scratch: Scratch, window: Window) -> None:
    """Fill `renames` of the merges that have a path which their first parent lacks."""
    asking = [entry for entry in window.commits if any(change.is_new_to_first for change in entry.merge_changes)]
    for entry in asking:
        first, merge = entry.commit.parents[0], entry.commit.oid
        shown = scratch.run("diff-tree", *_RAW, *_RENAMES, first, merge)
        changes = parse_changes(shown.split(b"\0")[:-1])
        entry.renames = {change.path: change for change in changes if change.kind is ChangeKind.RENAMED}


def _add_sizes_and_contents(scratch: Scratch, window: Window) -> None:
    added: dict[ObjectId, None] = {}
    compared: dict[ObjectId, None] = {}
    for entry in window.commits:
        added.update(dict.fromkeys(entry.added_blobs()))
        compared.update(dict.fromkeys(blobs_to_compare(entry.changes)))
    window.sizes = scratch.sizes(list(added))
    wanted = list(compared)
    window.contents = dict(zip(wanted, scratch.contents(wanted, MAX_FILE_BYTES), strict=True))


class _Fields:
    """The NUL-separated output of `diff-tree --stdin`, cut into commits at the lines that name them."""

    def __init__(self, git: Stream) -> None:
        self._git = git
        self._buffer: list[bytes] = []
        self._rest = b""
        self._ended = False

    def of(self, oid: ObjectId) -> list[bytes]:
        """The fields of the next commit, which must be `oid`. Raises GitFailed if git ended before."""
        name = oid.encode("ascii")
        if self._next() != name:
            raise self._git.failure()
        fields: list[bytes] = []
        while (entry := self._peek()) is not None and entry.startswith(b":"):
            fields.append(self._next() or b"")
            paths = 2 if fields[-1].rsplit(b" ", 1)[1][:1] in (b"R", b"C") and not entry.startswith(b"::") else 1
            for _ in range(paths):
                path = self._next()
                if path is None:
                    raise self._git.failure()
                fields.append(path)
        return fields

    def _peek(self) -> bytes | None:
        while not self._buffer and not self._ended:
            portion = self._git.answers.read1(1 << 18)  # type: ignore[attr-defined]
            self._ended = not portion
            *whole, self._rest = (self._rest + portion).split(b"\0")
            self._buffer = whole[::-1]
        return self._buffer[-1] if self._buffer else None

    def _next(self) -> bytes | None:
        entry = self._peek()
        if entry is not None:
            self._buffer.pop()
        return entry
