"""On which lines of HEAD's files the open edits stand: as `blame` tells them, which asks git for one file at a time.

Of the files beyond the first few dozen only those are looked at that are still as the edit left them, all by one
process. Not here: which edits are open (`status`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.operations.paths import raw_path

if TYPE_CHECKING:
    from sage_git.operations.reading.history import AsksGit
    from sage_git.operations.reading.opening import Reading

_MOST_BLAMED: Final = 48
_INDEX_LINE: Final = re.compile(rb"index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})")
_HUNK: Final = re.compile(rb"@@ -\S+ \+(\d+)(?:,(\d+))? @@")

Range = tuple[int, int]
"""First and last line, from 1."""


@dataclass(frozen=True, slots=True)
class OpenEdit:
    """An unplanned edit: what an answer names, its fact, and the rogue edits that it is or does again (`origins`).

    `lines` are where it stands in HEAD's file; empty if it brought none, or it is not known.
    """

    event: Event
    fact: Event
    origins: frozenset[EventId] = frozenset()
    lines: tuple[Range, ...] = ()

    @property
    def path(self) -> str:
        return str(self.fact.get("newPath") or self.fact.get("filePath", ""))


def by_path(edits: Iterable[OpenEdit]) -> list[tuple[str, list[OpenEdit]]]:
    """The edits of each path, newest first, the path with the newest edit first."""
    grouped: dict[str, list[OpenEdit]] = {}
    for edit in edits:
        grouped.setdefault(edit.path, []).append(edit)
    return list(grouped.items())


def placed(reading: Reading, head: ObjectId, edits: Sequence[OpenEdit]) -> list[OpenEdit]:
    """The edits with their lines in HEAD's files."""
    blamed = [path for path, _ in by_path(edits)[:_MOST_BLAMED]]
    lines = {path: _open_lines(reading, several[0]) for path, several in by_path(edits) if path in set(blamed)}
    rest = iter(with_lines(reading.repository, head, [edit for edit in edits if edit.path not in lines]))
    return [
        replace(edit, lines=tuple(_ranges(lines[edit.path], edit))) if edit.path in lines else next(rest)
        for edit in edits
    ]


def with_lines(repository: AsksGit, head: ObjectId, edits: Sequence[OpenEdit]) -> list[OpenEdit]:
    """The edits with the lines that they brought into HEAD's files: those whose file is still as they left it."""
    if not edits:
        return []
    now = _blobs_at(repository, head, {edit.path for edit in edits})
    current = [edit for edit in edits if now.get(edit.path) == edit.fact.get("hash")]
    changed = _changed_lines(repository, current)
    return [
        replace(edit, lines=changed.get(_sides(edit), ())) if now.get(edit.path) == edit.fact.get("hash") else edit
        for edit in edits
    ]


def _open_lines(reading: Reading, edit: OpenEdit) -> dict[int, EventId]:
    """The open lines of a file at HEAD, each with the edit that wrote it."""
    from sage_git.operations.reading.blame import blame

    top = reading.repository.work_tree
    if top is None:
        return {}
    try:
        found = blame(reading, top, os.fsdecode(raw_path(edit.fact, edit.path)), "")
    except (NotHere, UsageError, GitFailed):  # it is gone, binary, or not in this clone: it has no lines to show
        return {}
    wrote = ((line.number, line.origin) for line in found.lines if line.origin.stands.is_open)
    return {number: origin.fact.event_id for number, origin in wrote if origin.fact and origin.fact.event_id}


def _ranges(lines: Mapping[int, EventId], edit: OpenEdit) -> Iterator[Range]:
    """The lines that an edit, or what it does again, wrote; those in a row as one range."""
    wanted = sorted(number for number, wrote in lines.items() if wrote in edit.origins)
    for _, together in groupby(enumerate(wanted), key=lambda each: each[1] - each[0]):
        several = [number for _, number in together]
        yield several[0], several[-1]


def _sides(edit: OpenEdit) -> tuple[str, str]:
    return str(edit.fact.get("lastHash")), str(edit.fact.get("hash"))


def _blobs_at(repository: AsksGit, head: ObjectId, paths: Iterable[str]) -> Mapping[str, str]:
    """The object id of each of `paths` in HEAD's tree."""
    wanted = set(paths)
    found = {}
    for entry in repository.git("ls-tree", "-r", "-z", "--full-tree", head).split(b"\0"):
        fields, _, path = entry.partition(b"\t")
        name = path.decode("utf-8", "surrogateescape")
        if name in wanted:
            found[name] = fields.split()[2].decode("ascii")
    return found


def _changed_lines(repository: AsksGit, edits: Sequence[OpenEdit]) -> dict[tuple[str, str], tuple[Range, ...]]:
    """For each pair of blobs, the lines of the newer that differ; one git process for all commits."""
    commits = dict.fromkeys(edit.event.graph_commit for edit in edits)
    if not commits:
        return {}
    asked = "".join(f"{commit}\n" for commit in commits).encode("ascii")
    options = ("-r", "-m", "--root", "-p", "-U0", "-M", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")
    try:
        patch = repository.git("diff-tree", "--stdin", *options, input=asked)
    except GitFailed:
        return {}
    found: dict[tuple[str, str], list[Range]] = {}
    ranges: list[Range] = []
    for line in patch.split(b"\n"):
        if heading := _INDEX_LINE.match(line):
            ranges = found.setdefault((heading[1].decode(), heading[2].decode()), [])
            ranges.clear()
        elif hunk := _HUNK.match(line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            if count:
                ranges.append((first, first + count - 1))
    return {sides: tuple(several) for sides, several in found.items()}
