"""Real git histories of a few files, and the edits and chains that judging makes of them.

line = History(repository)
branch = line.commits("main", [b"a\\n", b"b\\n"])       # two commits on main, of the file `f`
edits = line.edits(branch)                              # what each did, ids by commit
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.scratch import Scratch
from sage_git.gitrepo.threeway import Threeway
from sage_git.judgement.replay import ABSENT, Edit, Replay, Version, chains_among, find_replays
from tests.kit import GitRepository


def workshop(repository: GitRepository) -> Threeway:
    """A workshop over the repository's objects."""
    opened = Repository.discover(repository.path, os.environ)
    return Threeway.open(Scratch.open(repository.path / ".git" / "scratch", opened))


def fact(commit: str) -> EventId:
    """The id of what `commit` did, as these tests call it."""
    return EventId(sha256(commit.encode()).hexdigest())


def edit_of(repository: GitRepository, commit: str, before: str | None = None) -> Edit:
    """What `commit` did to the one file that it changed, compared with its first parent or `before`."""
    shown = repository.git(
        "diff-tree", "-r", "-M", "--root", "--no-commit-id", "--no-abbrev", *filter(None, (before, commit))
    )
    (line,) = shown.splitlines()
    modes, *paths = line.split("\t")
    old_mode, new_mode, old, new, _ = modes.removeprefix(":").split(" ")
    return Edit(fact(commit), _version(paths[0], old_mode, old), _version(paths[-1], new_mode, new))


def _version(path: str, mode: str, oid: str) -> Version:
    return ABSENT if mode == "000000" else Version(path.encode(), mode, ObjectId(oid))


def line_of(edits: Sequence[Edit]) -> list[tuple[Edit, ...]]:
    """The chains among edits that follow each other."""
    parents: Mapping[EventId, list[EventId]] = {
        edit.fact: [edits[at - 1].fact] if at else [] for at, edit in enumerate(edits)
    }
    return chains_among({edit.fact: edit for edit in edits}, lambda name: parents[name])


def replays(change: Edit, edits: Sequence[Edit], shop: Threeway) -> tuple[Replay, ...]:
    """What `change` does again of edits that follow each other."""
    return find_replays(change, line_of(edits), shop)


def grown(repository: GitRepository, branch: str, start: str | None, contents: Sequence[bytes]) -> list[str]:
    """The commits of a branch on which the file `f` has these contents one after the other."""
    script = [b"reset refs/heads/%s\n" % branch.encode()]
    if start:
        script.append(b"from %s\n\n" % start.encode())
    for number, content in enumerate(contents, 1):
        script.append(b"commit refs/heads/%s\nmark :%d\n" % (branch.encode(), number))
        script.append(
            b"committer A <a@b> %d +0000\ndata %d\n%s\n" % (1_700_000_000 + number, len(branch), branch.encode())
        )
        script.append(b"M 100644 inline f\ndata %d\n%s\n" % (len(content), content))
    repository.git("fast-import", "--quiet", "--force", stdin=b"".join(script))
    shown = repository.git("rev-list", "--reverse", *([f"{start}..{branch}"] if start else [branch]))
    return shown.split()
