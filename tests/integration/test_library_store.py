"""Sealed segments of writer logs in real bare repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_git.errors import StorageError, ValidationError
from sage_git.gitrepo import upkeep
from sage_git.gitrepo.log_tree import segment_path
from sage_git.gitrepo.segments import Tip
from sage_git.gitrepo.store import Store

WRITER = "ab" * 32
REF = f"refs/sage/writers/{WRITER}"
SEALED = f"refs/sage/sealed/{WRITER}"
ABOUT = b'{"key":"","repository":"r"}\n'
ENTRIES = [(b'{"eventId":"%064x"}' % number, b'{"action":"%d"}' % number) for number in range(1024)]


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "--git-dir", directory, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path, "sha1", os.environ)


def seal(store: Store, first: int, until: int) -> int:
    return store.seal(WRITER, first, ENTRIES[first:until], ABOUT)


def sealed(store: Store, start: int = 0) -> list[tuple[bytes, bytes]]:
    return [(entry.leaf, entry.body) for entry in store.entries(WRITER, start)]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_what_is_sealed_is_read_back_in_order(tmp_path, object_format):
    store = Store(tmp_path, object_format, os.environ)
    assert (store.length(WRITER), sealed(store)) == (0, [])
    assert seal(store, 0, 256) == 256
    assert seal(store, 256, 1024) == 1024
    assert (store.length(WRITER), sealed(store)) == (1024, ENTRIES)
    assert sealed(store, 700) == ENTRIES[700:]
    assert git(tmp_path / "store.git", "rev-parse", "--show-object-format").strip() == object_format


def test_the_public_half_holds_leaves_and_no_body(store, tmp_path):
    seal(store, 0, 256)
    listed = git(tmp_path / "store.git", "ls-tree", "-r", "--name-only", SEALED).split()
    assert listed == ["leaves/000", "writer.json"]
    leaves = git(tmp_path / "store.git", "show", f"{SEALED}:leaves/000")
    assert leaves == "".join(leaf.decode() + "\n" for leaf, _ in ENTRIES[:256])
    assert git(tmp_path / "store.git", "show", f"{SEALED}:writer.json") == ABOUT.decode()


def test_what_is_sealed_is_no_part_of_what_is_exchanged_until_it_is_published(store):
    seal(store, 0, 256)
    assert (store.writers(), store.published(WRITER)) == ({}, {})


def test_sealing_again_after_a_crash_changes_nothing(store, tmp_path):
    seal(store, 0, 512)
    before = git(tmp_path / "store.git", "rev-parse", SEALED)
    assert seal(store, 0, 512) == 512
    assert git(tmp_path / "store.git", "rev-parse", SEALED) == before
    assert seal(store, 256, 768) == 768
    assert sealed(store) == ENTRIES[:768]


def test_bodies_that_a_crash_left_without_leaves_are_sealed_all_the_same(store):
    store._private.commit(REF, Tip(), {"events/000": b"".join(body + b"\n" for _, body in ENTRIES[:256])})
    assert store.length(WRITER) == 0
    assert seal(store, 0, 256) == 256
    assert sealed(store) == ENTRIES[:256]


def test_equal_logs_make_equal_commits(tmp_path):
    tips = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        seal(Store(tmp_path / name, "sha1", os.environ), 0, 512)
        tips.add(git(tmp_path / name / "store.git", "rev-parse", SEALED))
    assert len(tips) == 1


def test_other_entries_under_the_same_numbers_are_refused(store):
    seal(store, 0, 256)
    with pytest.raises(StorageError, match="other entries"):
        store.seal(WRITER, 0, ENTRIES[256:512], ABOUT)
    assert sealed(store) == ENTRIES[:256]


@pytest.mark.parametrize("first, until", [(256, 512), (0, 100), (3, 259)])
def test_a_gap_or_a_part_of_a_segment_is_refused(store, first, until):
    with pytest.raises(ValidationError):
        seal(store, first, until)


def test_a_redacted_body_is_gone_from_both_halves_for_good(store, tmp_path):
    seal(store, 0, 256)
    seal(store, 256, 512)
    store.redact(WRITER, 300)
    assert sealed(store) == [*ENTRIES[:300], (ENTRIES[300][0], b""), *ENTRIES[301:512]]
    assert git(tmp_path / "private.git", "rev-list", "--count", REF).strip() == "1"
    for name in ("store.git", "private.git"):
        every = subprocess.run(
            ["git", "--git-dir", tmp_path / name, "cat-file", "--batch", "--batch-all-objects"],
            capture_output=True,
            check=True,
        )
        assert b'{"action":"300"}' not in every.stdout
    assert seal(store, 512, 768) == 768


def test_locks_that_a_killed_git_left_do_not_stop_the_next_sealing(store, tmp_path):
    seal(store, 0, 256)
    for name, ref in (("store.git", SEALED), ("private.git", REF)):
        (tmp_path / name / f"{ref}.lock").write_bytes(b"")
    assert seal(store, 256, 512) == 512


def test_a_repository_that_a_killed_run_left_half_made_is_made_anew(store, tmp_path):
    (tmp_path / "private.git").mkdir()
    (tmp_path / "private.git" / "config.lock").write_bytes(b"")
    assert seal(store, 0, 256) == 256


def test_a_damaged_segment_is_told(store, tmp_path):
    seal(store, 0, 256)
    store._public.commit(SEALED, store._public.tip(SEALED), {"leaves/000": b"no line"})
    with pytest.raises(StorageError, match="has 0 lines"):
        sealed(store)


@pytest.mark.parametrize(
    "number, path",
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1_234_067, "x001/x234/067"), (10**9, "x001/x000/x000/000")],
)
def test_segments_are_numbered_like_tiles(number, path):
    assert segment_path("leaves", number) == f"leaves/{path}"


def published(store: Store, numbers: range, note: bytes = b"note", sealed: int = 0) -> bool:
    """Reveal the bodies of `numbers` in a log whose entries from `sealed` on are not sealed, 300 in all."""
    revealed = {number: ENTRIES[number][1] for number in numbers}
    return store.publish(WRITER, ENTRIES[sealed:300], revealed, note, ABOUT)


def test_a_log_is_published_with_its_unsealed_end_and_the_bodies_that_may_be_seen(store):
    seal(store, 0, 256)
    assert published(store, range(250, 260), sealed=256)
    assert (store.length(WRITER), store.size(WRITER)) == (256, 300)
    assert store.revealed(WRITER) == set(range(250, 260))
    assert sorted(store.published(WRITER)) == [
        "checkpoint", "events/000", "events/001", "leaves/000", "leaves/001", "writer.json",
    ]  # fmt: skip
    bodies = [body if number < 260 else b"" for number, (_, body) in enumerate(ENTRIES[:300])]
    assert [(entry.leaf, entry.body) for entry in store.entries(WRITER)] == [
        (leaf, body) for (leaf, _), body in zip(ENTRIES[:300], bodies, strict=True)
    ]
    assert [entry.number for entry in store.entries(WRITER, 250, 257)] == list(range(250, 257))
    assert store.segment(WRITER, 1) == [leaf for leaf, _ in ENTRIES[256:300]]
    assert (store.checkpoint(WRITER), store.introduction(WRITER), store.certificate(WRITER)) == (b"note", ABOUT, b"")


def test_publishing_what_is_published_makes_no_commit(store):
    published(store, range(3))
    before = store.writers()
    assert not published(store, range(3))
    assert not published(store, range(1))
    assert store.writers() == before
    assert published(store, range(3), note=b"another")


def test_sealing_what_was_published_of_the_tail_keeps_it_published(store):
    published(store, range(7, 9))
    assert seal(store, 0, 256) == 256
    assert store.revealed(WRITER) == {7, 8}
    assert published(store, range(9, 10), sealed=256) is True
    assert store.revealed(WRITER) == {7, 8, 9}


def test_what_others_were_given_cannot_be_published_otherwise_nor_less_of_it(store):
    published(store, range(0))
    with pytest.raises(StorageError, match="other entries"):
        store.publish(WRITER, ENTRIES[1:300], {}, b"", ABOUT)
    with pytest.raises(StorageError, match="other entries"):
        store.publish(WRITER, ENTRIES[:299], {}, b"", ABOUT)
    with pytest.raises(StorageError, match="other entries"):
        store.seal(WRITER, 0, ENTRIES[256:512], ABOUT)


def test_trusted_peers_are_given_the_unsealed_end_as_well(store):
    seal(store, 0, 256)
    assert store.keep_unsealed(WRITER, ENTRIES[256:300])
    assert not store.keep_unsealed(WRITER, ENTRIES[256:300])
    published(store, range(0), sealed=256)
    assert [(entry.leaf, entry.body) for entry in store.entries(WRITER)] == ENTRIES[:300]


def test_a_published_body_of_the_tail_is_redacted_for_good(store, tmp_path):
    published(store, range(300))
    store.redact(WRITER, 299, 3)
    assert store.revealed(WRITER) == set(range(300)) - {3, 299}
    assert git(tmp_path / "store.git", "rev-list", "--count", REF).strip() == "1"


@settings(max_examples=8)
@given(st.lists(st.sets(st.integers(0, 299), max_size=20), min_size=1, max_size=4), st.randoms())
def test_bodies_may_be_revealed_in_any_order_and_at_any_time(tmp_path_factory, sets, random):
    trees = set()
    for is_sealed_first in (True, False):
        directory = tmp_path_factory.mktemp("store")
        store = Store(directory, "sha1", os.environ)
        if is_sealed_first:
            seal(store, 0, 256)
        for numbers in sets:
            store.publish(WRITER, ENTRIES[256 * is_sealed_first : 300], {n: ENTRIES[n][1] for n in numbers}, b"", ABOUT)
        trees.add(tuple(store.published(WRITER).items()))
        random.shuffle(sets)
    assert len(trees) == 1


def test_many_small_publications_are_put_together(store, tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "_MANY_LOOSE", 1)  # some 256 objects, of which a real store may have five times as many
    number = 0
    while not list((tmp_path / "store.git/objects/pack").glob("*.pack")):
        store.publish(WRITER, ENTRIES[: number + 1], {number: ENTRIES[number][1]}, b"%d" % number, ABOUT)
        number += 1
        assert number < 200
    assert int(git(tmp_path / "store.git", "count-objects").split()[0]) == 0
    assert [entry.body for entry in store.entries(WRITER)] == [body for _, body in ENTRIES[:number]]
