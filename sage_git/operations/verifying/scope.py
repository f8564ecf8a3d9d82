"""What is asked for: a range of commits and paths. Everything recorded up to HEAD unless something narrows it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.gitrepo.history import commits_not_in
from sage_git.gitrepo.repository import Repository
from sage_git.operations.paths import paths_of


@dataclass(frozen=True, slots=True)
class Scope:
    """The commits up to `tip` that are asked for, and the paths (none: all of them)."""

    tip: ObjectId
    commits: frozenset[ObjectId]
    paths: tuple[str, ...] = ()
    is_narrowed: bool = False
    """True if a range was given."""
    names: dict[str, bool] = field(default_factory=dict, compare=False)
    """Which paths were asked about before, and what the answer was."""

    def has_path(self, path: str | None) -> bool:
        """True if a source's path is asked for; what is about no path is, unless paths were given."""
        if not self.paths:
            return True
        if path is None:
            return False
        if path not in self.names:
            self.names[path] = any(not each or path == each or path.startswith(f"{each}/") for each in self.paths)
        return self.names[path]

    def has(self, event: Event) -> bool:
        """True if an event's commit and one of its paths are asked for; a statement has no commit."""
        commit = event.graph_commit
        if commit is not None and commit not in self.commits:
            return False
        return not self.paths or any(map(self.has_path, paths_of(event)))


def scope_of(
    repository: Repository, asked: str | None, since: ObjectId | None, head: ObjectId | None, paths: Sequence[str]
) -> Scope:
    """The scope of `A..B`, of `B` (all that it reaches), or, for None, of HEAD. Raises UsageError, NotHere."""
    if asked is None:
        if head is None:
            raise NotHere("there is no commit yet", remedy="commit something")
        tip, excluded = head, []
    else:
        first, dots, last = asked.partition("..")
        if last.startswith("."):
            raise UsageError(
                f"--range {asked}: three dots name no history", remedy="write A..B, what B has and A has not"
            )
        tip = _commit(repository, (last or "HEAD") if dots else first)
        excluded = [_commit(repository, first or "HEAD")] if dots else []
    known = [*excluded, *([since] if since is not None else [])]
    try:
        commits = frozenset(commits_not_in(repository, [tip], known))
    except GitFailed as failure:
        raise NotHere(f"git cannot walk that history: {failure}", remedy="run `git fsck`") from None
    return Scope(tip, commits, tuple(path.rstrip("/") for path in paths), asked is not None)


def path_within(repository: Repository, start: Path, typed: str) -> str:
    """A typed path relative to the top of the work tree; empty for the top itself. Raises UsageError."""
    top = os.path.realpath(repository.work_tree or repository.git_dir)
    folder, name = os.path.split(os.path.normpath(os.path.join(start, typed)))
    whole = os.path.join(os.path.realpath(folder), name)
    relative = os.path.relpath(whole, top)
    if Path(relative).parts[:1] == ("..",):
        raise UsageError(f"{typed} is outside of this repository", remedy="name a path inside of it")
    return "" if relative == "." else relative


def _commit(repository: Repository, name: str) -> ObjectId:
    commit = repository.commit_named(name)
    if commit is None:
        raise UsageError(f"--range: {name} names no commit here", remedy="git fetch it, or name another")
    return commit
