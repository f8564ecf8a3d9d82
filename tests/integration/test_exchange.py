"""Logs between real bare repositories: listed, fetched into quarantine, taken over, pushed, bundled."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_git.errors import PeerFailed
from sage_git.gitrepo.exchange import Quarantine, list_logs, push_logs, write_bundle
from sage_git.gitrepo.log_tree import Half
from sage_git.gitrepo.remote_environment import RemoteEnvironment
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.store import Store

WRITER, OTHER = "ab" * 32, "cd" * 32
ABOUT = b'{"key":"","repository":"r"}\n'
ENTRIES = [(b'{"eventId":"%064x"}' % number, b'{"action":"%d"}' % number) for number in range(1024)]


class Clone:
    """A clone's `sage/` directory with its store, and its ways to others."""

    def __init__(self, repository, name: str, **options: Any) -> None:
        self.sage = repository.path.parent / name / "sage"
        self.sage.mkdir(parents=True)
        users = Repository.discover(repository.path, os.environ)
        self.store = Store(self.sage, users.object_format, {"PATH": os.environ["PATH"]})
        self.remote = RemoteEnvironment.of(users, self.sage, **options)
        self.url = str(self.sage / "store.git")

    def says(self, count: int, *revealed: int, writer: str = WRITER, note: bytes = b"") -> str:
        """Publish the first entries; gives the commit."""
        bodies = {number: ENTRIES[number][1] for number in revealed}
        self.store.publish(writer, ENTRIES[:count], bodies, note or b"note %d" % count, ABOUT)
        return self.store.writers()[writer]

    def listed(self, url: str) -> dict[str, str]:
        return list_logs(url, self.remote)

    def take(self, url: str, half: Half = Half.PUBLIC) -> dict[str, str]:
        """Take over, unlooked at, what is at `url`."""
        there, here = self.listed(url), self.store.writers(half)
        with Quarantine(self.sage, self.store, half) as quarantine:
            came = quarantine.fetch(url, there, self.remote)
            assert came == there
            assert all(quarantine.files(commit) for commit in came.values())
            return self.store.adopt(quarantine.path, {w: (here.get(w, ""), c) for w, c in came.items()}, half)

    def bodies(self, writer: str = WRITER) -> list[bytes]:
        return [entry.body for entry in self.store.entries(writer)]


@pytest.fixture
def alice(repository) -> Clone:
    return Clone(repository, "alice")


@pytest.fixture
def bob(repository) -> Clone:
    return Clone(repository, "bob")


@pytest.fixture
def forge(tmp_path) -> str:
    git(tmp_path, "init", "--bare", "--quiet", "forge.git")
    return str(tmp_path / "forge.git")


def git(directory: Path | str, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=directory, input=stdin, capture_output=True, text=True, check=True
    )  # fmt: skip
    return done.stdout


def test_what_a_clone_published_is_taken_over_by_another(alice, bob):
    commit = alice.says(300, 1, 299)
    assert bob.listed(alice.url) == {WRITER: commit}
    assert bob.take(alice.url) == {WRITER: commit}
    assert bob.store.writers() == {WRITER: commit}
    assert (bob.store.size(WRITER), bob.store.revealed(WRITER)) == (300, {1, 299})
    assert list((bob.sage / "incoming.git/objects/pack").iterdir()) == []


def test_a_store_in_which_nothing_was_published_has_no_logs(alice, bob):
    alice.store.ensure()
    alice.store.seal(WRITER, 0, ENTRIES[:256], ABOUT)
    assert (bob.listed(alice.url), bob.listed(str(alice.sage / "private.git"))) == ({}, {WRITER: ANY})
    with pytest.raises(PeerFailed, match="does not appear to be a git repository"):
        bob.listed(str(alice.sage / "nothing"))


def test_only_what_is_new_is_fetched(alice, bob):
    alice.says(300)
    bob.take(alice.url)
    alice.says(301, 300)
    with Quarantine(bob.sage, bob.store) as quarantine:
        quarantine.fetch(alice.url, bob.listed(alice.url), bob.remote)
        (pack,) = quarantine.path.glob("objects/pack/*.idx")
        came = subprocess.run(["git", "show-index"], input=pack.read_bytes(), capture_output=True, check=True)
    # a commit, its tree, those of leaves and events, a segment of each, a checkpoint, and what one is a change of
    assert len(came.stdout.splitlines()) <= 8


def test_a_quarantine_that_is_left_changed_nothing(alice, bob):
    alice.says(10)
    before = bob.store.writers()
    with Quarantine(bob.sage, bob.store) as quarantine:
        quarantine.fetch(alice.url, bob.listed(alice.url), bob.remote)
    assert (bob.store.writers(), before) == ({}, {})
    assert not (bob.sage / "store.git").exists()


def test_a_log_that_stands_elsewhere_than_expected_is_left_as_it_is(alice, bob):
    first, second = alice.says(1), alice.says(2)
    with Quarantine(bob.sage, bob.store) as quarantine:
        quarantine.fetch(alice.url, bob.listed(alice.url), bob.remote)
        assert bob.store.adopt(quarantine.path, {WRITER: (first, second)}) == {}
        assert bob.store.writers() == {}
        assert bob.store.adopt(quarantine.path, {WRITER: ("", second)}) == {WRITER: second}
        assert bob.store.adopt(quarantine.path, {WRITER: ("", second)}) == {}
    assert git(bob.sage / "store.git", "for-each-ref", "--format=%(refname)").split() == [f"refs/sage/writers/{WRITER}"]


def test_bodies_that_either_side_lacks_are_put_together_and_both_end_at_one_commit(repository, alice, bob):
    carol = Clone(repository, "carol")
    alice.says(300, 1, 2)
    for each in (bob, carol):
        each.take(alice.url)
    bob.store.redact(WRITER, 1)
    carol.store.redact(WRITER, 2)
    bob.take(carol.url)
    carol.take(bob.url)
    assert bob.store.writers() == carol.store.writers()
    assert bob.store.revealed(WRITER) == {1, 2}
    assert bob.store.checkpoint(WRITER) == b"note 300"


def test_a_longer_log_keeps_the_bodies_that_only_the_shorter_has(alice, bob):
    alice.says(300, 7)
    bob.take(alice.url)
    alice.store.redact(WRITER, 7)
    alice.says(301, 8)
    bob.take(alice.url)
    assert (bob.store.size(WRITER), bob.store.revealed(WRITER)) == (301, {7, 8})
    assert bob.store.checkpoint(WRITER) == b"note 301"


def test_the_past_of_a_log_is_left_behind(alice, bob):
    alice.says(300, 7)
    commit = alice.says(301, 8)
    tree = git(alice.url, "rev-parse", f"{commit}^{{tree}}").strip()
    git(alice.url, "update-ref", "refs/heads/junk", commit)
    junk = git(alice.url, "hash-object", "-w", "--stdin", stdin="what was redacted").strip()
    past = git(alice.url, "mktree", stdin=f"100644 blob {junk}\tjunk\n").strip()
    older = git(alice.url, "-c", "user.name=m", "-c", "user.email=m", "commit-tree", "-m", "x", past).strip()
    forged = git(
        alice.url, "-c", "user.name=m", "-c", "user.email=m", "commit-tree", "-p", older, "-m", "x", tree
    ).strip()
    git(alice.url, "update-ref", f"refs/sage/writers/{WRITER}", forged)
    for _ in range(2):
        assert bob.take(alice.url) == {WRITER: commit}
    every = git(bob.sage / "store.git", "cat-file", "--batch-check=%(objectname)", "--batch-all-objects").split()
    assert set(every).isdisjoint({junk, past, older, forged})


def test_logs_go_to_a_remote_and_come_from_it(alice, bob, forge):
    first = alice.says(3, 0)
    (pushed,) = push_logs(alice.store, forge, {WRITER: (first, "")}, alice.remote)
    assert (pushed.writer, pushed.is_taken) == (WRITER, True)
    assert git(forge, "for-each-ref", "--format=%(refname)").split() == [f"refs/sage/writers/{WRITER}"]
    assert bob.take(forge) == {WRITER: first}
    second = alice.says(4)
    assert push_logs(alice.store, forge, {WRITER: (second, first)}, alice.remote)[0].is_taken
    assert bob.take(forge) == {WRITER: second}


def test_only_what_is_new_is_pushed(alice, forge):
    git(forge, "config", "receive.unpackLimit", "1")
    alice.store.seal(WRITER, 0, ENTRIES, ABOUT)
    commits = ["", "", ""]
    for at in (1, 2):
        alice.store.publish(WRITER, [], {at: ENTRIES[at][1]}, b"note", ABOUT)
        commits[at] = alice.store.writers()[WRITER]
        assert push_logs(alice.store, forge, {WRITER: (commits[at], commits[at - 1])}, alice.remote)[0].is_taken
    packs = [path.read_bytes() for path in Path(forge).glob("objects/pack/*.idx")]
    sizes = [
        len(subprocess.run(["git", "show-index"], input=pack, capture_output=True, check=True).stdout.splitlines())
        for pack in packs
    ]
    # a commit, its tree, that of events, a segment (and what that is a change of)
    assert min(sizes) <= 5 < max(sizes)
    git(forge, "fsck", "--strict")


def test_a_log_that_another_pushed_meanwhile_is_not_overwritten(alice, bob, forge):
    first = alice.says(3)
    push_logs(alice.store, forge, {WRITER: (first, "")}, alice.remote)
    mine = bob.says(2, writer=WRITER)
    other = bob.says(2, writer=OTHER)
    pushed = push_logs(bob.store, forge, {WRITER: (mine, ""), OTHER: (other, "")}, bob.remote)
    assert [(each.writer, each.is_taken) for each in pushed] == [(WRITER, False), (OTHER, True)]
    assert "sync" in pushed[0].reason
    assert alice.listed(forge) == {WRITER: first, OTHER: other}


def test_a_remote_whose_branches_only_go_forward_takes_logs(alice, forge):
    git(forge, "config", "receive.denyNonFastForwards", "true")  # as `git init --shared` has it; it is about branches
    first = alice.says(3)
    push_logs(alice.store, forge, {WRITER: (first, "")}, alice.remote)
    second = alice.says(4)
    assert push_logs(alice.store, forge, {WRITER: (second, first)}, alice.remote)[0].is_taken


def test_a_remote_that_takes_no_logs_says_why(alice, forge):
    hook = Path(forge) / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no logs here >&2; exit 1\n")
    hook.chmod(0o755)
    commit = alice.says(1)
    (pushed,) = push_logs(alice.store, forge, {WRITER: (commit, "")}, alice.remote)
    assert pushed.reason == "the peer refused it: hook declined"


def test_a_bundle_is_a_peer(alice, bob, tmp_path):
    path = tmp_path / "stick" / "logs.bundle"
    path.parent.mkdir()
    assert not write_bundle(alice.store, path)
    commit = alice.says(300, 5)
    (path.parent / "logs.bundle.lock").write_bytes(b"")  # of a run that was killed
    assert write_bundle(alice.store, path)
    assert [each.name for each in path.parent.iterdir()] == ["logs.bundle"]
    assert bob.take(str(path)) == {WRITER: commit}
    assert bob.store.revealed(WRITER) == {5}


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_a_broken_bundle_is_told(alice, bob, tmp_path, cut):
    path = tmp_path / "logs.bundle"
    alice.says(300, 5)
    write_bundle(alice.store, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(PeerFailed):
        bob.take(str(path))
    assert bob.store.writers() == {}


def test_private_bodies_come_from_who_trusts_us(alice, bob):
    alice.store.seal(WRITER, 0, ENTRIES[:256], ABOUT)
    alice.store.keep_unsealed(WRITER, ENTRIES[256:300])
    alice.store.publish(WRITER, ENTRIES[256:300], {}, b"note", ABOUT)
    bob.take(alice.url)
    assert bob.bodies() == [b""] * 300
    bob.take(str(alice.sage / "private.git"), Half.PRIVATE)
    assert bob.bodies() == [body for _, body in ENTRIES[:300]]
    assert bob.store.revealed(WRITER) == set()


def test_the_same_key_used_elsewhere_gives_its_place_to_that_log(alice, bob):
    events = [(ENTRIES[0][0], b'{"action":"not of this leaf"}'), *ENTRIES[1:256]]
    bob.store.seal(WRITER, 0, events, ABOUT)
    commit = alice.says(300, 1)
    with Quarantine(bob.sage, bob.store) as quarantine:
        quarantine.fetch(alice.url, bob.listed(alice.url), bob.remote)
        for _ in range(2):
            bob.store.replace(quarantine.path, WRITER, commit)
    assert (bob.store.writers(), bob.store.size(WRITER), bob.store.length(WRITER)) == ({WRITER: commit}, 300, 0)
    assert bob.bodies()[:2] == [b"", ENTRIES[1][1]]


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_both_object_formats_are_exchanged(tmp_path, object_format):
    from tests.kit import GitRepository

    repository = GitRepository.create(tmp_path / "repository", f"--object-format={object_format}")
    alice, bob = Clone(repository, "alice"), Clone(repository, "bob")
    commit = alice.says(3, 1)
    assert bob.take(alice.url) == {WRITER: commit}


SHOWN = st.tuples(st.integers(250, 270), st.sets(st.integers(0, 249), max_size=3))


@settings(max_examples=6)
@given(st.lists(SHOWN, min_size=2, max_size=3), st.randoms())
def test_replicas_come_to_one_log_in_whatever_order_they_meet(tmp_path_factory, shown, random):
    """Each knows another length of the log and other bodies; joining is commutative, associative and idempotent."""
    folder = tmp_path_factory.mktemp("replicas")
    places = [folder / str(number) for number in range(len(shown))]
    stores = [Store(place, "sha1", os.environ) for place in places if place.mkdir() is None]
    for store, (size, bodies) in zip(stores, shown, strict=True):
        revealed = {number: ENTRIES[number][1] for number in bodies}
        store.publish(WRITER, ENTRIES[:size], revealed, b"note %d" % size, ABOUT)
    pairs = [(one, other) for one in stores for other in stores if one is not other] * 2
    random.shuffle(pairs)
    for one, other in pairs * 2:
        ours, theirs = one.writers()[WRITER], other.writers()[WRITER]
        one.adopt(other.repository(Half.PUBLIC).git_dir, {WRITER: (ours, theirs)})
    assert len({store.writers()[WRITER] for store in stores}) == 1
    assert stores[0].size(WRITER) == max(size for size, _ in shown)
    assert stores[0].revealed(WRITER) == set().union(*(bodies for _, bodies in shown))


def test_two_that_join_the_same_make_the_same_commit(repository, alice, bob):
    pair = Clone(repository, "one"), Clone(repository, "other")
    first, second = alice.says(300, 1), bob.says(290, 2)
    made = set()
    for clone, order in zip(pair, ((alice, bob), (bob, alice)), strict=True):
        for each in order:
            clone.take(each.url)
        made.add(clone.store.writers()[WRITER])
    assert len(made) == 1
    assert made.isdisjoint({first, second})


def test_what_a_killed_exchange_left_is_taken_away_by_the_next(alice, bob):
    alice.says(300, 1)
    bob.take(alice.url)
    store, quarantine = bob.sage / "store.git", bob.sage / "incoming.git"
    tip = bob.store.writers()[WRITER]
    git(store, "update-ref", f"refs/sage/incoming/{tip}", tip)
    (store / f"refs/sage/writers/{WRITER}.lock").write_bytes(b"")
    (store / "objects/pack/tmp_pack_x").write_bytes(b"")
    (quarantine / "HEAD").unlink()
    (quarantine / "objects/pack/tmp_pack_x").write_bytes(b"")
    commit = alice.says(301, 2)
    assert bob.take(alice.url) == {WRITER: commit}
    assert git(store, "for-each-ref", "--format=%(refname)").split() == [f"refs/sage/writers/{WRITER}"]
    assert not [*bob.sage.glob("*/objects/pack/tmp_*"), *store.rglob("*.lock")]
