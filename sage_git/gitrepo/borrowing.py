"""A view of the user's objects through which nothing of them can be touched, for whoever may only read.

Where git is to write an object that is there already, it makes the file that has it younger instead (object-file.c,
`freshen_packed_object`), so that a merge made in a repository of ours would change times in the user's. It leaves packs
alone that hold what nobody reaches ("cruft packs", which a `.mtimes` file marks since git 2.37). Here every pack is a
link to the user's and marked so; loose objects are copied. Reads only, but for `folder`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sage_git.errors import StorageError
from sage_git.gitrepo.repository import Repository

_PACK_PARTS: Final = (".pack", ".idx", ".rev", ".promisor")
_MOST_DIRECTORIES: Final = 32


def borrowed(repository: Repository, folder: Path) -> list[Path]:
    """Object directories, made in `folder`, that show what the user's hold now. Raises StorageError."""
    shown = []
    for number, objects in enumerate(_directories(repository)):
        copy = folder / str(number)
        try:
            _show(objects, copy)
        except (OSError, shutil.Error) as problem:
            raise StorageError(str(objects), "read", str(problem), remedy="make sure that you may read it") from problem
        shown.append(copy)
    return shown


def _directories(repository: Repository) -> list[Path]:
    """Where the user's objects lie: a quarantine, the repository, and whatever these borrow from."""
    users = repository.environment
    top = repository.work_tree or repository.git_dir
    waiting = [repository.common_dir / "objects"]
    if users.get("GIT_OBJECT_DIRECTORY"):
        waiting.insert(0, Path(top, users["GIT_OBJECT_DIRECTORY"]))
    waiting += [Path(top, each) for each in users.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "").split(":") if each]
    found: dict[Path, None] = {}
    while waiting and len(found) < _MOST_DIRECTORIES:
        objects = waiting.pop(0)
        if objects not in found and objects.is_dir():
            found[objects] = None
            waiting += _alternates(objects)
    return list(found)


def _alternates(objects: Path) -> Iterator[Path]:
    try:
        lines = (objects / "info" / "alternates").read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        if line and not line.startswith((b"#", b'"')):
            yield objects / line.decode("utf-8", "surrogateescape")


def _show(objects: Path, copy: Path) -> None:
    packs = copy / "pack"
    packs.mkdir(parents=True)
    for file in (objects / "pack").glob("pack-*"):
        if file.suffix in _PACK_PARTS:
            (packs / file.name).symlink_to(file.absolute())
        if file.suffix == ".pack":
            (packs / file.with_suffix(".mtimes").name).touch()
    for fan in objects.glob("[0-9a-f][0-9a-f]"):
        shutil.copytree(fan, copy / fan.name, copy_function=shutil.copyfile)
