"""Two clones and a bare remote through which logs go, and ways to damage a log that came.

ada = found(repository, remote)                  a commit of ada's, pushed; hooks are on
ada = begin(repository, folder / "remote.git")   planned work of ada's, pushed, her log published; hooks are off
bob = join(ada, folder / "bob")                  another clone, which knows no log but its own
store = fetch_logs(bob)                          … and now hers, unlooked at
alter(store, note=…, leaves=…, bodies=…)         change files of it
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sage_git.gitrepo.log_tree import ref_of
from sage_git.gitrepo.segments import SegmentRepository
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof import merkle
from sage_git.proof.checkpoint import Checkpoint, origin_of
from sage_git.storage.keys import load_key
from tests.kit import GitRepository, run_sage
from tests.recorded import keep_record, sage
from tests.verified import approve, findings

LOGS = "+refs/sage/writers/*:refs/sage/writers/*"
NOTE, LEAVES, BODIES, ABOUT = "checkpoint", "leaves/000", "events/000", "writer.json"


def found(repository: GitRepository, remote: Path) -> GitRepository:
    """A recorded clone whose one commit is pushed to `remote`, which is there."""
    repository.git("remote", "add", "origin", str(remote))
    repository.commit("begin", **{"src/a.py": "a = 1\n"})
    sage(repository.path, "init")
    repository.git("push", "--quiet", "-u", "origin", "main")
    return repository


def begin(repository: GitRepository, remote: Path) -> GitRepository:
    """A clone with planned work, pushed to `remote`, where its log is published."""
    GitRepository.create(remote, "--bare")
    repository.git("remote", "add", "origin", str(remote))
    repository.commit("first", **{"src/a.py": "a = 1\n"})
    keep_record(repository)
    approval = approve(repository.path, "p1", ["src/**"])
    repository.commit(f"work\n\nSage-Plan: p1 {approval[:16]}", **{"src/a.py": "a = 2\n", "src/b.py": "b = 1\n"})
    publish(repository)
    return repository


def join(ada: GitRepository, path: Path, url: str = "") -> GitRepository:
    """Another clone of what ada pushed to, or of `url`, which has joined and knows no log but its own."""
    ada.git("clone", "--quiet", url or ada.git("remote", "get-url", "origin"), str(path))
    sage(path, "init")
    return GitRepository(path, ada._clock)


def publish(ada: GitRepository) -> None:
    """Push all, with the log."""
    ada.git("push", "--quiet", "-u", "origin", "main")
    assert run_sage("sync", "origin", cwd=ada.path).returncode == 0


def fetch_logs(bob: GitRepository) -> SegmentRepository:
    """Have the remote's logs in bob's store, unlooked at; gives the store."""
    store = bob.path / ".git/sage/store.git"
    if not store.exists():
        GitRepository.create(store, "--bare").git("config", "sage.ready", "true")
    bob.git("--git-dir", str(store), "fetch", "--quiet", bob.git("remote", "get-url", "origin"), LOGS)
    return SegmentRepository(store, "sha1", {"PATH": os.environ["PATH"]})


def writer_of(clone: GitRepository) -> str:
    return sage(clone.path, "peer", "key").strip()


def alter(store: SegmentRepository, **changes: Callable[[bytes], bytes]) -> None:
    """Change files of the only log in a store, by their short names."""
    names = {"note": NOTE, "leaves": LEAVES, "bodies": BODIES, "about": ABOUT}
    (writer,) = store.writers()
    tip = store.tip(ref_of(writer))
    files = {}
    for name, change in changes.items():
        path = names.get(name, name)
        (content,) = store.blobs([tip.files[path]]) if path in tip.files else (b"",)
        files[path] = change(content)
    assert store.commit(ref_of(writer), tip, files)


def codes(path: Path, *arguments: str) -> set[str]:
    return {finding["code"] for finding in findings(path, *arguments)}


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def without_last_line(content: bytes) -> bytes:
    return content[: content.rindex(b"\n", 0, -1) + 1]


def note_of(ada: GitRepository, repository: str, leaves: list[bytes]) -> bytes:
    """A checkpoint of ada's, in truth signed with her key."""
    writer, key = writer_of(ada), load_key(ada.path / ".git/sage")
    return checkpoints.issue(Checkpoint(origin_of(repository, writer), len(leaves), root_of(leaves)), key)


def root_of(leaves: list[bytes]) -> bytes:
    return merkle.Tree.of(leaves).root()
