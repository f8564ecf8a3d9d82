"""What the next commit would change: the index held against HEAD, or against every parent of a merge.

Responsible for asking git in a way that no configuration of the user's can change. Not here: whether that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.repository import Repository

_LOOK: Final = (
    "diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--ignore-submodules=none", "--ita-invisible-in-index",
)  # fmt: skip
_WITH_RENAMES: Final = ("-M50%", "-l2000")


class Underway(Enum):
    """What git is in the middle of when it makes a commit."""

    NOTHING = "nothing"
    MERGE = "merge"
    REPLAY = "replay"
    """It makes commits again that there are already: a rebase, a cherry-pick, a squash merge."""


@dataclass(frozen=True, slots=True)
class StagedChange:
    """One change. `status` is git's letter (A, D, M, T, R); `paths` the old and the new of a rename, else one."""

    status: str
    paths: tuple[str, ...]
    has_new_content: bool
    """Content or mode differ; of a rename, too."""


def staged_changes(repository: Repository, index: Path | None) -> list[StagedChange]:
    """What `index` (None: the repository's own) changes in HEAD, renames found. Raises GitFailed."""
    return list(_changes(repository, index, "HEAD", _WITH_RENAMES))


def resolved_changes(repository: Repository, index: Path | None) -> list[StagedChange]:
    """What a merge that is to be committed has otherwise than every one of its parents. Raises GitFailed."""
    found = list(_changes(repository, index, "HEAD", ("--no-renames",)))
    for other in (repository.git_dir / "MERGE_HEAD").read_text("ascii").split():
        there = {change.paths for change in _changes(repository, index, other, ("--no-renames",))}
        found = [change for change in found if change.paths in there]
    return found


def underway(repository: Repository) -> Underway:
    """What git is in the middle of. With a reftable, only git knows of a cherry-pick."""
    git_dir = repository.git_dir
    if (git_dir / "rebase-merge").is_dir() or (git_dir / "rebase-apply" / "rebasing").is_file():
        return Underway.REPLAY
    if (git_dir / "MERGE_HEAD").is_file():
        return Underway.MERGE
    if (git_dir / "SQUASH_MSG").is_file() or (git_dir / "CHERRY_PICK_HEAD").is_file():
        return Underway.REPLAY
    if (repository.common_dir / "reftable").is_dir() and repository.commit_named("CHERRY_PICK_HEAD") is not None:
        return Underway.REPLAY
    return Underway.NOTHING


def author(repository: Repository) -> str:
    """`Name <email>` of whoever would be the author of a commit now; empty if git does not know."""
    try:
        said = repository.git("var", "GIT_AUTHOR_IDENT")
    except GitFailed:
        return ""
    return said.decode("utf-8", "surrogateescape").rsplit(" ", 2)[0]


def commit_second(repository: Repository) -> int:
    """The second that a commit made now would carry, which the environment may set. Raises GitFailed."""
    return int(repository.git("var", "GIT_COMMITTER_IDENT").split()[-2])


def committed_second(repository: Repository, commit: ObjectId) -> int:
    """The second that a commit was made in, as it says. Raises GitFailed."""
    return int(repository.git("show", "--no-patch", "--format=%ct", commit))


def _empty_tree(repository: Repository) -> ObjectId:
    return ObjectId(repository.git("hash-object", "-t", "tree", "--stdin").decode("ascii").strip())


def _changes(
    repository: Repository, index: Path | None, commit: str, options: tuple[str, ...]
) -> Iterator[StagedChange]:
    try:
        shown = repository.git(*_LOOK, *options, commit, index=index)
    except GitFailed:
        if repository.commit_named(commit) is not None:
            raise
        shown = repository.git(*_LOOK, *options, _empty_tree(repository), index=index)  # nothing was committed yet
    words = iter(shown.split(b"\0"))
    for about in words:
        if not about:
            return
        old_mode, new_mode, old, new, status = about.decode("ascii").removeprefix(":").split(" ")
        paths = tuple(next(words).decode("utf-8", "surrogateescape") for _ in range(2 if status[0] == "R" else 1))
        yield StagedChange(status[0], paths, has_new_content=(old_mode, old) != (new_mode, new))
