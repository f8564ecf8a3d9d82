"""A repository of ours stays about as large as what is in it, however often that is replaced."""

from __future__ import annotations

import os
import time
from random import Random

import pytest

from sage_git.gitrepo.segments import SegmentRepository

WRITER = "refs/sage/writers/" + "ab" * 32
FILES = 25  # so that each commit is a pack
FILE_BYTES = 16 << 10
COMMITS = 60


@pytest.fixture
def repository(tmp_path) -> SegmentRepository:
    return SegmentRepository(tmp_path / "store.git", "sha1", {"PATH": os.environ["PATH"]})


def packed_bytes(repository: SegmentRepository) -> int:
    return sum(path.stat().st_size for path in (repository.git_dir / "objects/pack").glob("*.pack"))


def let_pass(repository: SegmentRepository, seconds: float) -> None:
    """Let everything that was written be older."""
    for path in (repository.git_dir / "objects").rglob("*"):
        os.utime(path, (then := time.time() - seconds, then))


def replaced(repository: SegmentRepository, *, age_seconds: float) -> dict[str, bytes]:
    """The last of many contents, each of which took the place of the one before, and was in use so long."""
    random, content = Random(5), {}
    for _ in range(COMMITS):
        content = {f"events/{number:03d}": random.randbytes(FILE_BYTES) for number in range(FILES)}
        assert repository.commit(WRITER, repository.tip(WRITER), content)
        let_pass(repository, age_seconds)
    return content


def assert_there(repository: SegmentRepository, content: dict[str, bytes]) -> None:
    files = repository.tip(WRITER).files
    assert dict(zip(files, repository.blobs(list(files.values())), strict=True)) == content
    assert repository.damage() == ""


def test_what_was_replaced_long_ago_is_thrown_away(repository):
    content = replaced(repository, age_seconds=7_200)
    assert_there(repository, content)
    assert packed_bytes(repository) < COMMITS * FILES * FILE_BYTES / 2


def test_what_was_replaced_just_now_is_still_there_for_whoever_fetches_it(repository):
    first = {"events/000": b"first\n"}
    assert repository.commit(WRITER, repository.tip(WRITER), first)
    before = repository.tip(WRITER).commit
    content = replaced(repository, age_seconds=0)
    assert_there(repository, {**first, **content})
    assert repository.has(before)
