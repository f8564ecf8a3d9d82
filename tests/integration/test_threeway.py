"""What git answers about single files, and how it is kept talking."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.bench import Bench
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.scratch import Scratch
from sage_git.gitrepo.threeway import MAX_TEXT_BYTES, Threeway, _Merger
from sage_git.judgement.resolution import Region
from sage_git.judgement.workshop import Hunk
from tests.kit import GitRepository
from tests.replaying import workshop


@pytest.fixture
def shop(repository: GitRepository) -> Iterator[Threeway]:
    with workshop(repository) as opened:
        yield opened


def blob(repository: GitRepository, content: bytes) -> ObjectId:
    return ObjectId(repository.git("hash-object", "-w", "--stdin", stdin=content))


def test_a_clean_merge_and_a_conflict(repository: GitRepository, shop: Threeway) -> None:
    base, ours, theirs, both, other = (
        blob(repository, text) for text in (b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n", b"A\nb\nC\n", b"AA\nb\nc\n")
    )
    merge = shop.merge(base, ours, theirs)
    assert (merge.is_clean, merge.blob) == (True, both)
    merge = shop.merge(base, ours, other)
    assert not merge.is_clean
    assert merge.template is not None
    assert merge.template.regions == (Region((b"A",), (b"a",), (b"AA",)),)
    assert merge.template.fixed == ((), (b"b", b"c", b""))
    assert shop.merge(base, ours, theirs).blob == both


def test_files_that_come_and_go(repository: GitRepository, shop: Threeway) -> None:
    one, two = blob(repository, b"a\nb\n"), blob(repository, b"a\nc\n")
    assert shop.merge(None, None, one).blob == one
    assert shop.merge(one, one, None).is_clean
    assert shop.merge(one, one, None).blob is None
    assert not shop.merge(one, two, None).is_clean
    added = shop.merge(None, one, two)
    assert added.template is not None
    assert added.template.regions[0].base == ()


def test_what_is_not_text_has_no_lines_and_no_merge(repository: GitRepository, shop: Threeway) -> None:
    text, binary = blob(repository, b"a\n"), blob(repository, b"a\n\0")
    large, gone = blob(repository, b"x" * (MAX_TEXT_BYTES + 1)), ObjectId("1" * 40)
    assert shop.lines(text) == (b"a", b"")
    for other in (binary, large, gone):
        assert shop.lines(other) is None
        assert shop.counts(other) is None
        merge = shop.merge(text, blob(repository, b"b\n"), other)
        assert (merge.is_clean, merge.template) == (False, None)


def test_hunks_are_counted_from_nought(repository: GitRepository, shop: Threeway) -> None:
    old, new = blob(repository, b"a\nb\nc\nd\n"), blob(repository, b"new\na\nB\nc\n")
    assert shop.differences(old, new) == (Hunk(0, 0, 0, 1), Hunk(1, 1, 2, 1), Hunk(3, 1, 4, 0))
    assert shop.differences(old, old) == ()
    like_an_end = blob(repository, b"end\n@@ -1 +1 @@\n")
    assert shop.differences(like_an_end, old) == (Hunk(0, 2, 0, 4),)


def test_markers_in_the_text_fake_nothing(repository: GitRepository, shop: Threeway) -> None:
    fake = b"".join(mark * 61 + b"\n" for mark in (b"<", b"|", b"=", b">"))
    base, ours, theirs = (blob(repository, text) for text in (b"a\n", b"ours\n" + fake, b"theirs\n"))
    merge = shop.merge(base, ours, theirs)
    assert (merge.is_clean, merge.template) == (False, None)


def test_windows_newlines_and_none_at_the_end(repository: GitRepository, shop: Threeway) -> None:
    base, ours, theirs = (blob(repository, b"%s\r\nb\r\nlast" % text) for text in (b"a", b"ours", b"theirs"))
    template = shop.merge(base, ours, theirs).template
    assert template is not None
    assert template.regions == (Region((b"ours\r",), (b"a\r",), (b"theirs\r",)),)
    assert template.can_end_bare


def test_a_git_that_keeps_its_answers_back_gives_them_in_the_end(repository: GitRepository) -> None:
    oid = blob(repository, b"text")
    scratch = Scratch.open(repository.path / ".git/scratch", Repository.discover(repository.path, os.environ))
    git = scratch.dialogue("cat-file", "--batch-check", "--buffer", patience_s=0.01)
    git.ask(oid.encode() + b"\n")
    assert git.until(b"\n").endswith(b"blob 4")
    assert git.is_over
    with pytest.raises(GitFailed):
        git.exactly(1)
    git.close()
    git.close()


def test_a_git_without_a_dialogue_is_asked_one_by_one(repository: GitRepository, monkeypatch) -> None:
    base, ours, theirs, both = (
        blob(repository, text) for text in (b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n", b"A\nb\nC\n")
    )
    monkeypatch.setattr(_Merger, "_in_dialogue", _Merger._alone)
    with workshop(repository) as shop:
        assert shop.merge(base, ours, theirs).blob == both
        assert shop.merge(base, ours, blob(repository, b"X\nb\nc\n")).template is not None


def test_a_bench_is_thrown_away(repository: GitRepository) -> None:
    scratch = Scratch.open(repository.path / ".git/scratch", Repository.discover(repository.path, os.environ))
    with Bench(scratch) as bench:
        place = bench.git.git_dir
        oid = bench.write(b"blob", b"text", 40)
        assert list(bench.git.contents([oid])) == [b"text"]
    assert not place.exists()
    assert repository.run("cat-file", "-e", oid).returncode
