"""What two replicas of one log are together, when each has bodies that the other lacks.

The leaves of one are a beginning of the other's (whoever calls has seen to that). Joining is commutative, associative
and idempotent in what it makes of trees, so replicas that have seen the same agree, in whatever order they met. Not
here: whether a body is that of its leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

from sage_git.gitrepo.log_tree import joined, segment_count, segment_path
from sage_git.gitrepo.segments import SegmentRepository, Tip


def join(repository: SegmentRepository, ours: Tip, theirs: Tip) -> str:
    """The commit that has what both have: one of the two if that will do. Raises GitFailed, StorageError."""
    if ours.tree == theirs.tree:
        return ours.commit
    longer, shorter = sorted((ours, theirs), key=lambda tip: _rank(repository, tip), reverse=True)
    files = _union(repository, longer, shorter)
    whole = {**longer.files, **{path: repository.blob_id(content) for path, content in files.items()}}
    for tip in (longer, shorter):
        if whole == tip.files:
            return tip.commit
    return repository.merge(longer, files)


def _rank(repository: SegmentRepository, tip: Tip) -> tuple[int, int, str]:
    """The more entries, the higher; what else decides only has to be the same for everybody."""
    folder = "leaves" if segment_count(tip.files) else "events"
    count = segment_count(tip.files, folder)
    last = [segment_path(folder, count - 1)] if count else []
    return count, sum(map(len, repository.segments(tip.files, last))), tip.tree


def _union(repository: SegmentRepository, longer: Tip, shorter: Tip) -> Mapping[str, bytes]:
    """What is to be put over the files of `longer`: bodies that only `shorter` has, and files that only it has."""
    paths = [path for path, name in shorter.files.items() if longer.files.get(path) != name]
    events = [path for path in paths if path.startswith("events/")]
    pairs = zip(repository.segments(longer.files, events), repository.segments(shorter.files, events), strict=True)
    lines = (zip_longest(*pair, fillvalue=b"") for pair in pairs)
    files = {
        path: joined(max(bodies) for bodies in both)  # an empty line is the least
        for path, both in zip(events, lines, strict=True)
    }
    alone = [path for path in paths if path not in longer.files and path not in files]
    return files | dict(zip(alone, repository.blobs([shorter.files[path] for path in alone]), strict=True))
