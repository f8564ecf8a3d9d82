"""From a line of a result back to the edit of a chain that wrote it. Not here: which chain that is (`replay`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sage_git.chronicle.ids import ObjectId
from sage_git.judgement.replay import Edit, Workshop


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line was written: which edit of the chain, and the line's number in its result, from 0."""

    edit: int
    line: int


def trace(
    result: ObjectId, numbers: Sequence[int], chain: Sequence[Edit], workshop: Workshop
) -> tuple[Origin | None, ...]:
    """For each of the line `numbers` (from 0) of `result`, the edit of `chain` that added it; None if none did."""
    raise NotImplementedError
