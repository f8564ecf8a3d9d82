"""Which files of a commit were split or gathered, found by the lines that moved (SPEC 5, strategy `lines-1`).

Responsible for the definition below, which two clones must apply alike. Not here: reading the blobs, renames and copies
(git's, in `changes`), and the events (`facts`). Why it is as it is: docs/decisions/0004-lines-1.md.

* The **lines** of a content are the distinct byte strings between `\\n`, without ASCII white space at either end (code
  that moves into a class is indented anew, and CRLF is no change), that are *telling*: they have three word characters
  in a row (`[0-9A-Za-z_]` or any byte from 0x80) and are no bare keyword (`else:`, `return`), annotation or import.
* A file **lost** the lines that it had before and no longer has, and **gained** those that it has and had not before. A
  rename compares both its paths; an added or copied file gained all of its lines; a removed one lost them all.
* A line is **common** to O and N if O lost it and N gained it. It is their **own** if no other file of the commit lost
  it and none gained it: what comes or goes in several files at once (licence headers, duplicates) tells nothing alone.
* A **part** of O is in N, measured against a whole, if at least 5 common lines, and at least 20 % of the whole, speak
  for it, and half as many (3; 10 %) own ones.
* **Split**: O (edited, renamed or removed) into the added or copied files N that have a part of O, measured against N.
  A renamed O counts its new path among the results; a removed O needs two results.
* **Merge**: into R (added, copied, edited or renamed) from the removed files S of which R has a part, measured against
  S. If R lived before, here or at its old path, that is a source too. It takes two sources.

Regular files with text take part: no NUL among the first 8,000 bytes, at most MAX_FILE_BYTES on either side. A commit
with more than MAX_FILES such files, or more than MAX_COMMIT_BYTES in them, has no moves. Work is linear in the bytes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.observation.changes import Change, ChangeKind

STRATEGY: Final = "lines-1"
MIN_LINES: Final = 5
ONE_IN: Final = 5
"""At least one line in so many: 20 %."""
MAX_FILES: Final = 200
MAX_FILE_BYTES: Final = 1 << 20
MAX_COMMIT_BYTES: Final = 8 << 20

_BINARY_WINDOW = 8_000  # where git looks for a NUL
_REGULAR_MODES = frozenset(("100644", "100755"))
_NEW_KINDS = frozenset((ChangeKind.ADDED, ChangeKind.COPIED))
_WORD = re.compile(rb"[0-9A-Za-z_\x80-\xff]{3}")
_SAYS_NOTHING = re.compile(
    rb"\W*(?:begin|break|case|catch|continue|default|done|else|end|endif|ensure|esac|except|finally|loop|pass|private"
    rb"|protected|public|rescue|return|then|try)\W*\Z"
    rb"|@\w+\Z"
    rb"|import\b|from\s+\S+\s+import\b|#\s*(?:include|import)\b|package\s+[\w.]+;?\Z|(?:use|using)\s[^;]+;\Z"
)
"""A bare keyword; a bare annotation; an import, which each file states that needs it."""

_Lines = frozenset[bytes]
_OwnLines = Mapping[tuple[int, int], int]
"""How many lines are the own ones of two numbered texts, where there are enough."""


@dataclass(frozen=True, slots=True)
class Split:
    """Lines of `original` (its path before the commit) moved to `results`, which are new paths, sorted."""

    original: bytes
    results: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Lines of `sources` (paths before the commit, sorted) are together in `result`."""

    sources: tuple[bytes, ...]
    result: bytes


@dataclass(frozen=True, slots=True)
class _Text:
    """What one changed file lost and gained: stripped lines, telling or not."""

    change: Change
    lost: _Lines
    gained: _Lines


def blobs_to_compare(changes: Iterable[Change]) -> tuple[ObjectId, ...]:
    """The blobs that `find_moves` needs, each once; none at all for a commit that cannot have moved lines."""
    taking_part = [change for change in changes if _takes_part(change)]
    if not _can_move(taking_part):
        return ()
    return tuple(dict.fromkeys(blob for change in taking_part for blob in _sides(change) if blob))


def find_moves(changes: Iterable[Change], contents: Mapping[ObjectId, bytes | None]) -> list[Split | Merge]:
    """The splits, then the merges, of one commit against one parent, each in the order of their paths.

    `contents` has every blob that `blobs_to_compare` names; None stands for one over MAX_FILE_BYTES. Raises KeyError.
    """
    taking_part = [change for change in changes if _takes_part(change)]
    if not _can_move(taking_part):
        return []
    texts = _texts(taking_part, contents)
    own = _own_lines(texts)
    splits = sorted(_splits(texts, own), key=lambda split: split.original)
    merges = sorted(_merges(texts, own), key=lambda merge: merge.result)
    return [*splits, *merges]


def _takes_part(change: Change) -> bool:
    """True if `change` can lose or gain lines: a regular file on each side that exists, and not the same content."""
    match change.kind:
        case ChangeKind.ADDED | ChangeKind.COPIED:
            return change.new_mode in _REGULAR_MODES
        case ChangeKind.REMOVED:
            return change.old_mode in _REGULAR_MODES
        case ChangeKind.EDITED | ChangeKind.RENAMED:
            return {change.old_mode, change.new_mode} <= _REGULAR_MODES and change.old_id != change.new_id


def _can_move(changes: Sequence[Change]) -> bool:
    """True if the kinds of `changes` leave room for a split or a merge; decided without reading any content."""
    added = sum(change.kind in _NEW_KINDS for change in changes)
    removed = sum(change.kind is ChangeKind.REMOVED for change in changes)
    kept = len(changes) - added - removed
    into_new = added > 0 and (kept > 0 or (removed > 0 and added > 1))
    out_of_old = removed > 0 and (kept > 0 or (added > 0 and removed > 1))
    return len(changes) <= MAX_FILES and (into_new or out_of_old)


def _sides(change: Change) -> tuple[ObjectId | None, ObjectId | None]:
    """The blobs before and after; a copy has no before, its source keeps that."""
    before = None if change.kind in _NEW_KINDS else change.old_id
    return before, None if change.kind is ChangeKind.REMOVED else change.new_id


def _texts(changes: Iterable[Change], contents: Mapping[ObjectId, bytes | None]) -> list[_Text]:
    """The text files among `changes`; none of them if they are too large together."""
    texts, size_bytes = [], 0
    for change in changes:
        before, after = (contents[blob] if blob else b"" for blob in _sides(change))
        if before is None or after is None or not (_is_text(before) and _is_text(after)):
            continue
        size_bytes += len(before) + len(after)
        if size_bytes > MAX_COMMIT_BYTES:
            return []
        old, new = _lines(before), _lines(after)
        texts.append(_Text(change, lost=old - new, gained=new - old))
    return texts


def _is_text(content: bytes) -> bool:
    return len(content) <= MAX_FILE_BYTES and b"\0" not in content[:_BINARY_WINDOW]


def _lines(content: bytes) -> _Lines:
    return frozenset(map(bytes.strip, content.split(b"\n")))


def _is_telling(line: bytes) -> bool:
    return _WORD.search(line) is not None and _SAYS_NOTHING.match(line) is None


def _count_telling(lines: _Lines) -> int:
    return sum(map(_is_telling, lines))


def _own_lines(texts: Sequence[_Text]) -> _OwnLines:
    """The pairs of texts that share enough own lines; by sets, never by comparing every pair."""
    own = _in_one(text.lost for text in texts) & _in_one(text.gained for text in texts)
    own = set(filter(_is_telling, own))
    left = {line: number for number, text in enumerate(texts) for line in own & text.lost}
    counts = Counter((left[line], number) for number, text in enumerate(texts) for line in own & text.gained)
    return {pair: count for pair, count in counts.items() if 2 * count >= MIN_LINES}


def _in_one(families: Iterable[_Lines]) -> set[bytes]:
    """The lines that are in exactly one of `families`."""
    once: set[bytes] = set()
    again: set[bytes] = set()
    for lines in families:
        again |= once & lines
        once |= lines
    return once - again


def _is_part(origin: _Text, target: _Text, own: int, whole: int) -> bool:
    """True if a part of `origin` is in `target`; `whole` is the count of telling lines to measure against."""
    if 2 * own * ONE_IN < whole:  # leaves ten pairs for each whole, which keeps the work linear
        return False
    common = _count_telling(origin.lost & target.gained)
    return common >= MIN_LINES and common * ONE_IN >= whole


def _splits(texts: Sequence[_Text], own: _OwnLines) -> Iterator[Split]:
    new = {target for _, target in own if texts[target].change.kind in _NEW_KINDS}
    wholes = {target: _count_telling(texts[target].gained) for target in new}
    results: defaultdict[int, set[bytes]] = defaultdict(set)
    for (origin, target), count in own.items():
        if target in wholes and _is_part(texts[origin], texts[target], count, wholes[target]):
            results[origin].add(texts[target].change.path)
    for origin, paths in results.items():
        change = texts[origin].change
        if change.kind is ChangeKind.RENAMED:
            paths.add(change.path)
        if change.kind is not ChangeKind.REMOVED or len(paths) > 1:
            yield Split(change.source or change.path, tuple(sorted(paths)))


def _merges(texts: Sequence[_Text], own: _OwnLines) -> Iterator[Merge]:
    removed = {origin for origin, _ in own if texts[origin].change.kind is ChangeKind.REMOVED}
    wholes = {origin: _count_telling(texts[origin].lost) for origin in removed}
    sources: defaultdict[int, set[bytes]] = defaultdict(set)
    for (origin, target), count in own.items():
        if origin in wholes and _is_part(texts[origin], texts[target], count, wholes[origin]):
            sources[target].add(texts[origin].change.path)
    for target, paths in sources.items():
        change = texts[target].change
        if change.kind not in _NEW_KINDS:
            paths.add(change.source or change.path)
        if len(paths) > 1:
            yield Merge(tuple(sorted(paths)), change.path)
