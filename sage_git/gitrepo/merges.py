"""The automatic merge, made again in the scratch repository. Not here: what to think of a difference from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.scratch import Scratch
from sage_git.observation.commit import Commit

_REMERGE = ("log", "--remerge-diff", "--no-walk=unsorted", "--stdin", "--format=%H", "-r", "-z", "--no-abbrev")
_HEADER = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\n?")


def differences_from_automatic(scratch: Scratch, merges: Iterable[Commit]) -> dict[ObjectId, frozenset[bytes]]:
    """For each of `merges` (parents first), the paths in which it differs from what git makes of its parents by itself.

    A path with conflicts always differs from it. Octopus merges are folded pairwise. A merge that cannot be made again
    (its base is not here) is missing from the answer.
    """
    merges = list(merges)
    pairs = [merge for merge in merges if len(merge.parents) == 2]
    # Descendants first: git log forgets the parents of a commit once it has shown it, and then finds other merge bases
    # for whatever descends from it (builtin/log.c, cmd_log_walk).
    answer = dict(_of_pairs(scratch, [merge.oid for merge in reversed(pairs)]))
    for merge in merges:
        if len(merge.parents) > 2:
            paths = _of_octopus(scratch, merge)
            if paths is not None:
                answer[merge.oid] = paths
    return answer


def _of_pairs(scratch: Scratch, oids: Sequence[ObjectId]) -> Iterator[tuple[ObjectId, frozenset[bytes]]]:
    if not oids:
        return
    asked = "".join(f"{oid}\n" for oid in oids).encode("ascii")
    try:
        shown = scratch.run(*_REMERGE, "--raw", "--no-renames", input=asked)
    except GitFailed:
        if len(oids) > 1:  # one of them cannot be made again: find out which
            for oid in oids:
                yield from _of_pairs(scratch, [oid])
        return
    oid, paths = ObjectId(""), set[bytes]()
    fields = iter(shown.split(b"\0"))
    for raw in fields:
        entry = raw.lstrip(b"\n")
        if _HEADER.fullmatch(entry):
            if oid:
                yield oid, frozenset(paths)
            oid, paths = ObjectId(entry.decode("ascii").strip()), set()
        elif entry.startswith(b":"):
            paths.add(next(fields))
    if oid:
        yield oid, frozenset(paths)


def _of_octopus(scratch: Scratch, merge: Commit) -> frozenset[bytes] | None:
    ours: str = merge.parents[0]
    tree = ""
    for theirs in merge.parents[1:]:
        try:
            shown = scratch.run(
                "merge-tree", "--write-tree", "-z", "--no-messages", "--allow-unrelated-histories", ours, theirs
            )
        except GitFailed as failure:
            if failure.status != 1:  # 1 says that there are conflicts, which git octopus would have refused
                return None
            return _everything(scratch, merge)
        tree = shown.split(b"\0")[0].decode("ascii").strip()
        made = scratch.run("commit-tree", tree, "-p", ours, "-p", theirs, "-m", "fold")
        ours = made.decode("ascii").strip()
    shown = scratch.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", tree, merge.oid)
    return frozenset(filter(None, shown.split(b"\0")))


def _everything(scratch: Scratch, merge: Commit) -> frozenset[bytes]:
    shown = scratch.run("ls-tree", "-r", "-z", "--name-only", merge.oid)
    return frozenset(filter(None, shown.split(b"\0")))
