"""Ending a record in a clone: hooks, lines, sidecars and the exclude block go; the record stays unless it is to go too.

Not here: what was committed (.sage/), which others may use, and taking in what is not recorded yet, which comes before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.errors import NotHere
from sage_git.gitrepo.repository import Repository
from sage_git.operations.identity import FILE_NAME, LEFT, Identity
from sage_git.operations.setup import exclude
from sage_git.operations.setup.hook_folder import Standing, leave
from sage_git.operations.setup.hook_managers import Hooking, withdraw
from sage_git.operations.setup.install import hooking_of
from sage_git.operations.setup.shims import ShimReport, remove_shims
from sage_git.storage.durable import told_as

_LEFT_BY_HOOKS: Final = ("hook", "wanted", "recording", "rewritten")


class Keeping(Enum):
    """What `deinit` leaves in the clone: the record, or nothing."""

    RECORD = "record"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RemoveOutcome:
    """What `deinit` took away. `record` is where the record still is; None if it is gone or never was.

    `shared_with` so many other repositories that keep a record, the shims in a shared folder stay; `was_kept`: there
    was something to end.
    """

    shims: ShimReport
    shared_with: int
    changed: tuple[Path, ...]
    work_tree: Path | None
    sidecars: int
    record: Path | None
    was_kept: bool


def remove(start: Path, environment: Mapping[str, str], keeping: Keeping) -> RemoveOutcome:
    """Take hooks, lines, sidecars and the exclude block out of the clone around `start`; safe to do again.

    Raises NotHere, StorageError, GitFailed.
    """
    repository = Repository.discover(start, environment)
    sage = repository.common_dir / "sage"
    identity = Identity.read(sage) if keeping is Keeping.RECORD else _readable_identity(sage)
    hooks = hooking_of(repository)
    was_kept = sage.exists()
    shims, shared_with = _remove_hooks(hooks, repository.common_dir)
    changed = withdraw(hooks.lines)
    sidecars = (
        sum(_remove_sidecars(tree, repository, identity.suffix) for tree in _work_trees(repository)) if identity else 0
    )
    exclude.remove_block(repository.common_dir)
    if identity and keeping is Keeping.RECORD:
        identity.write(sage, LEFT)
    with told_as(sage, "remove"):
        for name in (*_LEFT_BY_HOOKS, FILE_NAME):
            (sage / name).unlink(missing_ok=True)
        if keeping is Keeping.NOTHING and sage.exists():
            shutil.rmtree(sage)
    return RemoveOutcome(
        shims, shared_with, changed, repository.work_tree, sidecars, sage if sage.exists() else None, was_kept
    )


def _remove_hooks(hooks: Hooking, common_dir: Path) -> tuple[ShimReport, int]:
    """Take the shims out of git's folder and, unless others need them, out of the folder that git uses instead."""
    own = remove_shims(common_dir / "hooks")
    if not hooks.standing.takes_shims or hooks.folder.resolve() == (common_dir / "hooks").resolve():
        return own, 0
    others = leave(hooks.folder, common_dir) if hooks.standing is Standing.SHARED else 0
    if others:
        return own, others
    used = remove_shims(hooks.folder)
    return ShimReport(
        tuple(dict.fromkeys(own.hooks + used.hooks)), own.foreign + used.foreign, own.leftover + used.leftover
    ), 0


def _readable_identity(sage: Path) -> Identity | None:
    """The identity, or None where it is damaged: a purge must not need it."""
    try:
        return Identity.read(sage)
    except NotHere:
        return None


def _work_trees(repository: Repository) -> list[Path]:
    shown = repository.git("worktree", "list", "--porcelain", "-z").split(b"\0")
    places = [Path(os.fsdecode(field.removeprefix(b"worktree "))) for field in shown if field.startswith(b"worktree ")]
    return [place for place in places if (place / ".git").exists()]


def _remove_sidecars(work_tree: Path, repository: Repository, suffix: str) -> int:
    """Remove the chronicles in `work_tree`, and folders that had nothing else; gives their number.

    A file that ends like a sidecar but has no event in its first line is somebody else's.
    """
    inside = Repository.discover(work_tree, repository.environment)
    listed = inside.git("ls-files", "-z", "--others", "--ignored", f"--exclude=*{suffix}").split(b"\0")
    count = 0
    for name in filter(None, listed):
        path = work_tree / os.fsdecode(name)
        with told_as(path, "remove"):
            if path.is_symlink() or not path.is_file() or not _is_chronicle(path):
                continue
            path.unlink()
        count += 1
        with suppress(OSError):
            for folder in path.relative_to(work_tree).parents[:-1]:
                (work_tree / folder).rmdir()
    return count


def _is_chronicle(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(1 << 20)
    return first.startswith(b"{") and b'"eventId"' in first
