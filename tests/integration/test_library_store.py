"""Sealed segments of writer logs in real bare repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sage_git.errors import StorageError, ValidationError
from sage_git.gitrepo.segments import segment_path
from sage_git.gitrepo.store import Store

WRITER = "ab" * 32
REF = f"refs/sage/writers/{WRITER}"
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
    listed = git(tmp_path / "store.git", "ls-tree", "-r", "--name-only", REF).split()
    assert listed == ["events/000", "leaves/000", "writer.json"]
    assert git(tmp_path / "store.git", "show", f"{REF}:events/000") == "\n" * 256
    leaves = git(tmp_path / "store.git", "show", f"{REF}:leaves/000")
    assert leaves == "".join(leaf.decode() + "\n" for leaf, _ in ENTRIES[:256])
    assert git(tmp_path / "store.git", "show", f"{REF}:writer.json") == ABOUT.decode()


def test_sealing_again_after_a_crash_changes_nothing(store, tmp_path):
    seal(store, 0, 512)
    before = git(tmp_path / "store.git", "rev-parse", REF)
    assert seal(store, 0, 512) == 512
    assert git(tmp_path / "store.git", "rev-parse", REF) == before
    assert seal(store, 256, 768) == 768
    assert sealed(store) == ENTRIES[:768]


def test_bodies_that_a_crash_left_without_leaves_are_sealed_all_the_same(store):
    store._private.commit(WRITER, {"events/000": b"".join(body + b"\n" for _, body in ENTRIES[:256])})
    assert store.length(WRITER) == 0
    assert seal(store, 0, 256) == 256
    assert sealed(store) == ENTRIES[:256]


def test_equal_logs_make_equal_commits(tmp_path):
    tips = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        seal(Store(tmp_path / name, "sha1", os.environ), 0, 512)
        tips.add(git(tmp_path / name / "store.git", "rev-parse", REF))
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
    for name in ("store.git", "private.git"):
        assert git(tmp_path / name, "rev-list", "--count", REF).strip() == "1"
        every = subprocess.run(
            ["git", "--git-dir", tmp_path / name, "cat-file", "--batch", "--batch-all-objects"],
            capture_output=True,
            check=True,
        )
        assert b'{"action":"300"}' not in every.stdout
    assert seal(store, 512, 768) == 768


def test_locks_that_a_killed_git_left_do_not_stop_the_next_sealing(store, tmp_path):
    seal(store, 0, 256)
    for name in ("store.git", "private.git"):
        (tmp_path / name / f"{REF}.lock").write_bytes(b"")
    assert seal(store, 256, 512) == 512


def test_a_repository_that_a_killed_run_left_half_made_is_made_anew(store, tmp_path):
    (tmp_path / "private.git").mkdir()
    (tmp_path / "private.git" / "config.lock").write_bytes(b"")
    assert seal(store, 0, 256) == 256


def test_a_damaged_segment_is_told(store, tmp_path):
    seal(store, 0, 256)
    store._public.commit(WRITER, {"leaves/000": b"one line\n"})
    with pytest.raises(StorageError, match="has 1 lines"):
        sealed(store)


@pytest.mark.parametrize(
    "number, path",
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1_234_067, "x001/x234/067"), (10**9, "x001/x000/x000/000")],
)
def test_segments_are_numbered_like_tiles(number, path):
    assert segment_path("leaves", number) == f"leaves/{path}"
