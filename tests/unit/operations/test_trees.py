"""The tree over a log: that of its leaves, however many roots are kept, and none of those is computed twice."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.gitrepo.log_tree import segment_path
from sage_git.operations.exchange.trees import keep_roots, segment_roots, tree_over
from sage_git.proof.merkle import SEGMENT_LEAVES, Tree
from sage_git.storage.index import Index

NAMES = count()


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with Index.open(tmp_path_factory.mktemp("index") / "index.sqlite") as index:
        yield index


class Shelf:
    """A log's leaves in files, as a repository has them; `read` tells which were asked for."""

    def __init__(self, leaves):
        parts = [leaves[at : at + SEGMENT_LEAVES] for at in range(0, len(leaves), SEGMENT_LEAVES)]
        self.files = {segment_path("leaves", number): f"blob {next(NAMES)}" for number in range(len(parts))}
        self.read = []
        self._parts = dict(zip(self.files, parts, strict=True))

    def segments(self, files, paths):
        assert files == self.files
        for path in paths:
            self.read.append(path)
            yield self._parts[path]


@given(size=st.integers(0, 4 * SEGMENT_LEAVES), data=st.data())
def test_the_tree_is_that_of_the_leaves_and_whole_segments_are_read_once(index, size, data):
    leaves = [b"%d" % number for number in range(size)]
    in_files = data.draw(st.sampled_from([size, size - size % SEGMENT_LEAVES]), "the rest is in the tail or not")
    shelf = Shelf(leaves[:in_files])
    tail = None if in_files == size else leaves[in_files:]
    earlier = segment_roots(index, shelf, shelf.files, data.draw(st.integers(0, size), "kept before"))
    keep_roots(index, shelf.files, earlier)
    roots = segment_roots(index, shelf, shelf.files, size)
    assert shelf.read == [segment_path("leaves", number) for number in range(size // SEGMENT_LEAVES)]
    tree, expected = tree_over(shelf, shelf.files, size, roots, tail), Tree.of(leaves)
    assert (tree.size, tree.root()) == (size, expected.root())
    for number in {0, size // 2, size - 1} & set(range(size)):
        assert tree.inclusion(number) == expected.inclusion(number)
