"""Writes that are whole, whatever the system does with them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from errno import EIO, ENOSPC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.errors import PermissionRefused, StorageError
from sage_git.storage import durable


@pytest.fixture
def opened(tmp_path):
    """A file with the content "old\\n", open for appending: (descriptor, path)."""
    path = tmp_path / "file"
    path.write_bytes(b"old\n")
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    yield fd, path
    os.close(fd)


@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_everything_is_written_however_little_the_system_takes_at_a_time(content, portions):
    written = bytearray()
    sizes = iter(portions * 300)

    def some(_: int, part: bytes | memoryview) -> int:
        taken = bytes(part[: next(sizes)])
        written.extend(taken)
        return len(taken)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", some)
        durable.write_all(7, content)
    assert written == content


@pytest.mark.parametrize("call, reason", [("write", ENOSPC), ("fsync", EIO)])
def test_a_failed_append_is_taken_back(opened, monkeypatch, call, reason):
    fd, path = opened
    real: Callable[..., int | None] = getattr(os, call)
    calls: list[int] = []

    def fails(fd: int, *content: bytes) -> int | None:
        calls.append(fd)
        if len(calls) > 1:
            return real(fd, *content)
        real(fd, *(part[:3] for part in content))
        raise OSError(reason, "no")

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(StorageError) as caught:
        durable.append_and_sync(fd, b"new\n", 4, path)
    assert (caught.value.operation, caught.value.path) == ("append to", str(path))
    assert path.read_bytes() == b"old\n"


@given(st.binary(max_size=200), st.integers(0, 250), st.integers(0, 250))
def test_a_part_of_a_file_is_read_where_it_is(content, offset, size):
    fd = os.memfd_create("part")
    try:
        os.write(fd, content)
        assert durable.read_at(fd, offset, size) == content[offset : offset + size]
    finally:
        os.close(fd)


def test_a_replaced_file_is_new_and_leaves_no_draft(tmp_path):
    path = tmp_path / "writer.key"
    durable.unfinished(path).write_bytes(b"left by a killed run")
    durable.replace_file(path, b"one", 0o600)
    durable.replace_file(path, b"two", 0o600)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [left.name for left in tmp_path.iterdir()] == ["writer.key"]


def test_a_file_that_cannot_be_replaced_is_as_before(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "no")))
    with pytest.raises(PermissionRefused):
        durable.replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


def test_a_draft_is_not_written_through_a_link(tmp_path):
    path, victim = tmp_path / "file", tmp_path / "victim"
    victim.write_bytes(b"precious")
    durable.unfinished(path).symlink_to(victim)
    durable.replace_file(path, b"new")
    assert (path.read_bytes(), victim.read_bytes()) == (b"new", b"precious")


@pytest.mark.parametrize("name", ["foo.py.sage", "x" * 250 + ".sage", "ü" * 125 + ".sage"])
def test_a_draft_is_ignored_by_git_if_its_file_is(name):
    draft = durable.unfinished(Path("folder", name))
    assert draft.name.endswith(".sage")
    assert len(os.fsencode(draft.name)) <= 255
    assert draft.parent == Path("folder")


def test_what_is_set_aside_twice_is_kept_once(tmp_path):
    kept = tmp_path / "lost" / "tail"
    for fragment in (b"{", b"{", b'{"a', b"{"):
        durable.set_aside(fragment, kept)
    assert kept.read_bytes() == b'{\n{"a\n{\n'
