"""Peers that send without end, or more than anybody needs: cut off in time, with a reason, and nothing changed."""

from __future__ import annotations

import hashlib
import time
import zlib
from pathlib import Path

import pytest

from tests.peers.clones import Clone
from tests.peers.forging import NO_COMMIT, Log, action, git_bytes, plant, point, write_commit, write_object
from tests.peers.hostile_server import Count, endless_pack, endless_refs, serving, silence
from tests.peers.mallory import assert_refused, mallorys

MOST_BYTES_OF_REFS = 4 << 30


def assert_cut_off(clone: Clone, url: str, *said: str) -> None:
    """A sync gives up and says why, and nothing of what it was sent is left."""
    before, kept = clone.snapshot(), size_of(clone.directory)
    done = clone.sage("sync", "--json", url)
    assert done.returncode in (1, 4), (done.stdout, done.stderr)
    assert any(f'"{code}"' in done.stdout for code in said), (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert clone.snapshot() == before
    assert size_of(clone.directory) < kept + (1 << 20), "what was sent is still there"


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_an_endless_list_of_refs_is_cut_off(village):
    count = Count()
    with serving(endless_refs(), count) as url:
        assert_cut_off(village["bob"], url, "too-large", "unreachable")
    assert 0 < count.sent < MOST_BYTES_OF_REFS


@pytest.mark.soak
def test_an_endless_pack_is_cut_off(village):
    count, writer = Count(), Log("ab" * 32).writer
    with serving(endless_pack(f"refs/sage/writers/{writer}", NO_COMMIT), count) as url:
        assert_cut_off(village["bob"], url, "bad-log-tree")
    assert 0 < count.sent < 10 << 30  # it is tried with all others, and once more alone
    print(f"cut off after {count.sent >> 20} MiB")


@pytest.mark.soak
def test_a_peer_that_says_nothing_is_left_alone_in_time(village):
    began = time.monotonic()
    with serving(silence()) as url:
        assert_cut_off(village["bob"], url, "unreachable")
    assert time.monotonic() - began < 300


def zeros(bare: Path, size: int) -> str:
    """The id of a loose blob of zeros, a thousandth of its size on disk."""
    header, block = f"blob {size}\0".encode(), bytes(1 << 20)
    identifier, packed = hashlib.sha1(header), zlib.compressobj(1)
    temporary = bare / "objects/zeros"
    with temporary.open("wb") as file:
        file.write(packed.compress(header))
        for _ in range(size >> 20):
            identifier.update(block)
            file.write(packed.compress(block))
        file.write(packed.flush())
    oid = identifier.hexdigest()
    target = bare / "objects" / oid[:2] / oid[2:]
    target.parent.mkdir(exist_ok=True)
    temporary.rename(target)
    return oid


def replaced(tree: bytes, name: str, oid: str) -> bytes:
    """A raw tree with another object under a name."""
    at = tree.index(f" {name}\0".encode()) + len(name) + 2
    return tree[:at] + bytes.fromhex(oid) + tree[at + 20 :]


@pytest.mark.parametrize(
    "name, size",
    [
        ("checkpoint", 1 << 20),
        ("leaves/000", 1 << 20),
        pytest.param("events/000", 300 << 20, marks=pytest.mark.soak),
        pytest.param("events/000", 10 << 30, marks=pytest.mark.soak),
    ],
)
def test_a_file_that_unpacks_to_more_than_any_log_has_is_refused(village, name, size):
    log = mallorys(village)
    commit = plant(village.remote, log.ref, log.files())
    folder, _, file = name.rpartition("/")
    listed = git_bytes(village.remote, "cat-file", "tree", f"{commit}:{folder}")
    with_zeros = replaced(listed, file, zeros(village.remote, size))
    tree = write_object(village.remote, "tree", with_zeros)
    if folder:
        tree = write_object(
            village.remote, "tree", replaced(git_bytes(village.remote, "cat-file", "tree", f"{commit}:"), folder, tree)
        )
    point(village.remote, log.ref, write_commit(village.remote, tree))
    assert_refused(village["bob"], "too-large", "bad-log-tree", "bad-checkpoint")


def test_a_writer_with_lines_that_are_too_long_is_refused(village):
    log = mallorys(village)
    line = action("x" * (1 << 20))
    log.add(line)
    plant(village.remote, log.ref, log.files())
    assert_refused(village["bob"], "too-large", "bad-log-tree", "body-not-its-leaf")


def test_a_deep_tree_is_refused(village):
    log = mallorys(village)
    plant(village.remote, log.ref, {**log.files(), "leaves/" + "x000/" * 500 + "000": b"x"})
    assert_refused(village["bob"], "bad-log-tree", "too-large")


@pytest.mark.parametrize("writers", [50, pytest.param(1_000, marks=pytest.mark.soak)])
def test_many_writers_are_taken_one_by_one_and_the_false_ones_left(village, writers):
    bob, good = village["bob"], []
    for number in range(writers):
        log = Log(bob.id)
        log.say(f"from {number}.")
        if number % 2:
            good.append(log.writer)
            plant(village.remote, log.ref, log.files())
        else:
            plant(village.remote, log.ref, log.files(checkpoint=b"no checkpoint\n"))
    done = bob.sage("sync", "--json", "origin")
    assert done.returncode == 1
    assert done.stdout.count('"bad-checkpoint"') == writers - len(good)
    assert set(bob.writers()) == {*good, bob.writer, village["alice"].writer}
