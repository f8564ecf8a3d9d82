"""From a line of a result back to the edit of a chain that wrote it. Not here: which chain that is (`replay`)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sage_git.chronicle.ids import ObjectId
from sage_git.judgement.prospects import telling
from sage_git.judgement.versions import Chain
from sage_git.judgement.workshop import Hunk, Workshop


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line was written: the index of the edit in its chain, and the line's number in its result, from 0."""

    edit: int
    line: int


def trace(result: ObjectId, numbers: Sequence[int], chain: Chain, workshop: Workshop) -> tuple[Origin | None, ...]:
    """For each of the line `numbers` (from 0) of `result`, the edit of `chain` that added it; None if none did."""
    end = chain[-1].after.blob
    if end is None or workshop.lines(end) is None or workshop.lines(result) is None:
        return (None,) * len(numbers)
    hunks = workshop.differences(end, result)
    return tuple(_origin(_line_before(number, hunks), chain, workshop) for number in numbers)


def trace_by_text(result: ObjectId, numbers: Sequence[int], chain: Chain, workshop: Workshop) -> list[Origin | None]:
    """The same of lines that stand elsewhere than a diff looks for them, as after conflicts: by their text.

    Only of those that say something, and that the chain ends with once.
    """
    end = chain[-1].after.blob
    lines, ended = workshop.lines(result), workshop.lines(end) if end else None
    if end is None or lines is None or ended is None:
        return [None] * len(numbers)
    counts = workshop.counts(end) or {}
    places = {text: at for at, text in enumerate(ended) if counts.get(text) == 1}
    there = [places.get(lines[number]) for number in numbers]
    asked = [at for at in there if at is not None and telling([ended[at]])]
    found = dict(zip(asked, trace(end, asked, chain, workshop), strict=True))
    return [None if at is None else found.get(at) for at in there]


def kept_lines(result: ObjectId, numbers: Sequence[int], before: ObjectId | None, workshop: Workshop) -> dict[int, int]:
    """Those of the line `numbers` (from 0) of `result` that `before` has as well, with their numbers there."""
    kept = {number: _kept(number, before, result, workshop) for number in numbers}
    return {number: old for number, old in kept.items() if old is not None}


def _origin(line: int | None, chain: Chain, workshop: Workshop) -> Origin | None:
    """The origin of a line of the chain's end."""
    at: int | None = len(chain) - 1
    while at is not None and line is not None:
        before, after = chain[at].before.blob, chain[at].after.blob
        kept = _kept(line, before, after, workshop)
        sources = [each for each in range(at) if chain[each].after.blob == before]
        if kept is not None and sources:
            at, line = sources[-1], kept
            continue
        for tip in _tips(at, chain):  # also where what is gone on from was a merge that is no edit of the chain
            there = _kept(line, chain[tip].after.blob, after, workshop)
            if there is not None:
                break
        else:
            return Origin(at, line) if kept is None else None
        at, line = tip, there
    return None


def _tips(at: int, chain: Chain) -> list[int]:
    """The edits before `at` that none up to it goes on from: a merge has brought them in. Latest first."""
    continued = {edit.before.blob for edit in chain[: at + 1]}
    return [each for each in range(at - 1, -1, -1) if chain[each].after.blob not in continued]


def _kept(line: int, before: ObjectId | None, after: ObjectId | None, workshop: Workshop) -> int | None:
    """The number in `before` of a line of `after`; None if it was not there."""
    if before is None or after is None or workshop.lines(before) is None or workshop.lines(after) is None:
        return None
    return _line_before(line, workshop.differences(before, after))


def _line_before(line: int, hunks: Sequence[Hunk]) -> int | None:
    at = bisect_right(hunks, line, key=lambda hunk: hunk.new_start) - 1
    if at < 0:
        return line
    hunk = hunks[at]
    return None if line < hunk.new_end else line - hunk.new_end + hunk.old_end
