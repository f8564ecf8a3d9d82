"""The folder that git runs hooks from: whether shims may stand there, and which repositories share it.

`core.hooksPath` may name a folder for all of a user's repositories. Shims there do nothing in a repository without a
record; the repositories with one are listed beside them, so that the last to leave takes them away. Not here: shims
(`shims`), and tools that own the folder (`hook_managers`).
"""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed, NotHere
from sage_git.gitrepo.repository import Repository
from sage_git.storage.durable import replace_file, told_as

SHARERS: Final = "sage-git.repositories"
"""The file beside shared shims: the common git directories of the repositories that use them, one a line."""


class Standing(Enum):
    """Whose folder it is, and so whether shims may stand there."""

    OURS = "of this repository, and not in its history"
    SHARED = "of other repositories too"
    SOURCE = "in the history of a repository, or on its way there"
    CLOSED = "not to be written to"
    NONE = "no folder"

    @property
    def takes_shims(self) -> bool:
        """Whether shims may be put there."""
        return self in (Standing.OURS, Standing.SHARED)


def standing(repository: Repository, folder: Path) -> Standing:
    """How `folder`, which may not be there yet, stands to `repository`. Raises GitFailed."""
    place = folder.resolve()
    if place.is_relative_to(repository.common_dir.resolve()):
        return Standing.OURS
    nearest = next(path for path in (place, *place.parents) if path.exists())
    if not nearest.is_dir():
        return Standing.NONE
    if _is_source(repository, place, nearest):
        return Standing.SOURCE
    if not os.access(nearest, os.W_OK):
        return Standing.CLOSED
    return Standing.OURS if place.is_relative_to(_top(repository).resolve()) else Standing.SHARED


def share(folder: Path, common_dir: Path) -> None:
    """List the repository among those that share the shims in `folder`. Raises StorageError."""
    _write(folder, dict.fromkeys((*_listed(folder), os.fsencode(common_dir))))


def leave(folder: Path, common_dir: Path) -> int:
    """Take the repository off the list; gives how many others that keep a record are on it. Raises StorageError."""
    others = {
        name: None
        for name in _listed(folder)
        if name != os.fsencode(common_dir) and Path(os.fsdecode(name), "sage", "hook").is_file()
    }
    _write(folder, others)
    return len(others)


def _is_source(repository: Repository, place: Path, nearest: Path) -> bool:
    """Whether some work tree (a team's, or that of a user's own settings) has `place`, and git does not ignore it."""
    native = {k: v for k, v in repository.environment.items() if k not in ("GIT_DIR", "GIT_WORK_TREE")}
    try:
        around = Repository.discover(nearest, native)
    except NotHere:
        return False
    if around.work_tree is None or not place.is_relative_to(around.work_tree.resolve()):
        return False
    name = str(place.relative_to(around.work_tree.resolve()))
    if around.git("ls-files", "-z", "--", name):
        return True
    try:
        around.git("--no-literal-pathspecs", "check-ignore", "--quiet", "--", f"./{name}/post-commit")
    except GitFailed as failure:
        if failure.status != 1:
            raise
        return True
    return False


def _listed(folder: Path) -> list[bytes]:
    with told_as(folder / SHARERS, "read"):
        try:
            return (folder / SHARERS).read_bytes().split(b"\n")[:-1]
        except (FileNotFoundError, NotADirectoryError):
            return []


def _write(folder: Path, names: dict[bytes, None]) -> None:
    if names:
        replace_file(folder / SHARERS, b"".join(name + b"\n" for name in names))
        return
    with told_as(folder / SHARERS, "remove"):
        (folder / SHARERS).unlink(missing_ok=True)


def _top(repository: Repository) -> Path:
    return repository.work_tree or repository.git_dir
