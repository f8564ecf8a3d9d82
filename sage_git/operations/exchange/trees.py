"""The Merkle trees over logs that are here: this clone's own, its unsealed end included, and those of others.

Not here: checkpoints (`publishing`), proofs (`operations.proving`), and what peers offer (`vetting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from sage_git.gitrepo.log_tree import SEGMENT_ENTRIES, segment_path
from sage_git.operations.checkout import Checkout
from sage_git.operations.sealing import store_of
from sage_git.proof import merkle
from sage_git.storage.index import Index
from sage_git.storage.keys import writer_id


class Segments(Protocol):
    """A repository that has logs (the store, the quarantine)."""

    def segments(self, files: Mapping[str, str], paths: Sequence[str]) -> Iterator[list[bytes]]: ...


def own_tree(checkout: Checkout) -> merkle.Tree:
    """The tree over every entry of this clone's log. Raises GitFailed, StorageError."""
    store, writer, log = store_of(checkout), writer_id(checkout.sage), checkout.log
    tail = [entry.leaf for entry in log.read_tail()]
    sealed = log.sealed()
    files = store.tree(writer) if writer is not None and sealed else {}
    roots = segment_roots(checkout.index, store, files, sealed)
    keep_roots(checkout.index, files, roots)
    return tree_over(store, files, sealed + len(tail), roots, tail)


def tree_over(
    logs: Segments, files: Mapping[str, str], size: int, roots: Sequence[bytes], tail: Sequence[bytes] | None = None
) -> merkle.Tree:
    """The tree over the first `size` leaves in `files`, whose whole segments have `roots`.

    `tail` has the leaves that follow those of whole segments, unless `files` has them.
    """

    def hashes(number: int) -> list[bytes]:
        if number == len(roots) and tail is not None:
            leaves = tail
        else:
            leaves = next(iter(logs.segments(files, [segment_path("leaves", number)])))
        return [merkle.leaf_hash(each) for each in leaves[: size - number * SEGMENT_ENTRIES]]

    return merkle.Tree(size, roots, hashes)


def segment_roots(index: Index, logs: Segments, files: Mapping[str, str], size: int) -> list[bytes]:
    """The roots of the whole segments among the first `size` leaves in `files`; only those not kept are computed."""
    paths = [segment_path("leaves", number) for number in range(size // SEGMENT_ENTRIES)]
    roots = index.roots.known(files[path] for path in paths)
    unknown = [path for path in paths if files[path] not in roots]
    for path, leaves in zip(unknown, logs.segments(files, unknown), strict=True):
        roots[files[path]] = merkle.segment_root(leaves)
    return [roots[files[path]] for path in paths]


def keep_roots(index: Index, files: Mapping[str, str], roots: Sequence[bytes]) -> None:
    """Keep the roots of the whole segments in `files`, in order."""
    named = {files[segment_path("leaves", number)]: root for number, root in enumerate(roots)}
    if named.keys() - index.roots.known(named).keys():
        with index.transaction():
            index.roots.keep(named)
