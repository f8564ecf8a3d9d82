"""The files of a log as peers are given it: every leaf, and the bodies that were revealed so far.

Revealing is a set that only grows: in whatever order bodies are revealed, the files end up the same. Not here: who may
see what, and signing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sage_git.errors import StorageError
from sage_git.gitrepo.log_tree import by_segment, joined, segment_count, segment_path
from sage_git.gitrepo.segments import SegmentRepository, Tip


def published_files(
    repository: SegmentRepository,
    base: Tip,
    sealed: Mapping[str, str],
    ends: Mapping[int, Sequence[bytes]],
    revealed: Mapping[int, bytes],
) -> dict[str, bytes]:
    """The segments that are not in `base` as they are to be: leaves as `sealed` has them, then `ends` by segment.

    Raises GitFailed; StorageError if `base` has other entries, or more.
    """
    leaves = {**_sealed_leaves(repository, base, sealed), **ends}
    if segment_count(base.files) > segment_count(sealed) + len(ends):
        raise other_entries(repository)
    there = repository.segments(base.files, [segment_path("leaves", number) for number in leaves])
    for lines, published in zip(leaves.values(), there, strict=True):
        if lines[: len(published)] != published:
            raise other_entries(repository)
    bodies = by_segment({number: body for number, body in revealed.items() if body})
    numbers = sorted(leaves.keys() | bodies.keys())
    kept = repository.segments(base.files, [segment_path("events", number) for number in numbers])
    files = {segment_path("leaves", number): joined(lines) for number, lines in leaves.items()}
    for number, before in zip(numbers, kept, strict=True):
        lines = before + [b""] * (len(leaves.get(number, before)) - len(before))
        for at, body in bodies.get(number, {}).items():
            lines[at] = body
        files[segment_path("events", number)] = joined(lines)
    return files


def other_entries(repository: SegmentRepository) -> StorageError:
    """The error for a log that does not begin with what is in the store under its name."""
    remedy = "keep both and run `sage-git fsck`; perhaps one of them was restored from a backup"
    where = str(repository.git_dir)
    return StorageError(where, "write to", "it has other entries under these numbers", remedy=remedy)


def _sealed_leaves(repository: SegmentRepository, base: Tip, sealed: Mapping[str, str]) -> dict[int, Sequence[bytes]]:
    """The sealed segments that were not published as they are now, by number."""
    paths = {number: segment_path("leaves", number) for number in range(segment_count(sealed))}
    new = [number for number, path in paths.items() if base.files.get(path) != sealed[path]]
    return dict(zip(new, repository.segments(sealed, [paths[number] for number in new]), strict=True))
