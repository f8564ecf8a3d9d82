"""Beginning to keep a record in a clone, and ending it: config, identity, exclude block and hooks.

Everything is put in place in an order that makes a second `init` finish what a first one began. Not here: what the
pieces are (`exclude`, `shims`, `hook_managers`, `identity`, `judgement.policy`), and recording itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.errors import ConfigError, NotHere, UsageError
from sage_git.gitrepo.reflog import marks
from sage_git.gitrepo.repository import OLDEST_GIT, Repository
from sage_git.operations import exclude
from sage_git.operations.first_config import Config, ensure_config
from sage_git.operations.hook_managers import Hooking, Lines, hooking, is_written, withdraw, write
from sage_git.operations.identity import FILE_NAME, Identity
from sage_git.operations.shims import HOOKS, ShimReport, install_dispatcher, install_shims, remove_shims
from sage_git.storage.durable import told_as

_LEFT_BY_HOOKS: Final = ("hook", "wanted", "recording", "rewritten")


class ConfigCommit(Enum):
    """Whether `init` commits the config that it writes."""

    MAKE = "make"
    LEAVE = "leave"


class ManagersLines(Enum):
    """Whether lines that a hook manager's files need are written there, or only told."""

    TELL = "tell"
    WRITE = "write"


class Beginning(Enum):
    """What `init` found: nothing, a config that others committed, or a record that this clone keeps already."""

    CREATED = "created"
    JOINED = "joined"
    RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class InitWish:
    """What `init` is asked. `suffix` is None where the config, or the default, decides."""

    start: Path
    environment: Mapping[str, str]
    interpreter: str
    now: datetime
    suffix: str | None = None
    commit: ConfigCommit = ConfigCommit.MAKE
    lines: ManagersLines = ManagersLines.TELL


@dataclass(frozen=True, slots=True)
class InitOutcome:
    """What `init` did, and what is left for a person: `missing` lines, an `overruled` block, `packagers` to tell."""

    beginning: Beginning
    repository: Repository
    identity: Identity
    config: Config
    hooks: Hooking
    shims: ShimReport
    written: tuple[Path, ...]
    missing: tuple[Lines, ...]
    overruled: exclude.Overruled | None
    packagers: tuple[str, ...]


class Keeping(Enum):
    """What `deinit` leaves in the clone: the record, or nothing."""

    RECORD = "record"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RemoveOutcome:
    """What `deinit` took away. `record` is where the record still is; None if it is gone or never was."""

    shims: ShimReport
    changed: tuple[Path, ...]
    sidecars: int
    record: Path | None


def initialise(wish: InitWish) -> InitOutcome:
    """Keep a record in the clone around `wish.start` from now on; safe to do again.

    Raises NotHere (no repository, bare, git too old, SageMath, no state to commit in), UsageError, ConfigError,
    StorageError, GitFailed.
    """
    repository = _usable(Repository.discover(wish.start, wish.environment))
    before = Identity.read(repository.common_dir / "sage")
    read = marks(repository)
    config = ensure_config(repository, wish.suffix, commits=wish.commit is ConfigCommit.MAKE)
    identity = _identity(config, before, wish, read)
    sage = repository.common_dir / "sage"
    identity.write(sage)
    exclude.install_block(repository.common_dir, identity.suffix)
    install_dispatcher(sage, wish.interpreter)
    hooks, shims, written, missing = _install_hooks(repository, wish.lines)
    is_new = config.is_new and before is None
    return InitOutcome(
        beginning=Beginning.CREATED if is_new else Beginning.RENEWED if before else Beginning.JOINED,
        repository=repository,
        identity=identity,
        config=config,
        hooks=hooks,
        shims=shims,
        written=written,
        missing=missing,
        overruled=exclude.overruled(repository, identity.suffix),
        packagers=packagers(repository.work_tree or repository.git_dir, identity.suffix),
    )


def remove(start: Path, environment: Mapping[str, str], keeping: Keeping) -> RemoveOutcome:
    """Take hooks, lines, sidecars and the exclude block out of the clone around `start`; safe to do again.

    Raises NotHere, StorageError, GitFailed.
    """
    repository = Repository.discover(start, environment)
    sage = repository.common_dir / "sage"
    identity = Identity.read(sage) if keeping is Keeping.RECORD else _readable_identity(sage)
    hooks = hooking_of(repository)
    shims = remove_shims(repository.common_dir / "hooks")
    changed = withdraw(hooks.lines)
    sidecars = (
        sum(_remove_sidecars(tree, repository, identity.suffix) for tree in _work_trees(repository)) if identity else 0
    )
    exclude.remove_block(repository.common_dir)
    with told_as(sage, "remove"):
        for name in (*_LEFT_BY_HOOKS, FILE_NAME):
            (sage / name).unlink(missing_ok=True)
        if keeping is Keeping.NOTHING and sage.exists():
            shutil.rmtree(sage)
    return RemoveOutcome(shims, changed, sidecars, sage if sage.exists() else None)


def hooking_of(repository: Repository) -> Hooking:
    """How hooks are run in `repository`, which has a work tree. Raises GitFailed."""
    shown = os.fsdecode(repository.git("rev-parse", "--git-path", "hooks").removesuffix(b"\n"))
    top = repository.work_tree or repository.git_dir
    return hooking(top, repository.common_dir, top / shown)


def packagers(work_tree: Path, suffix: str) -> tuple[str, ...]:
    """The packaging tools in use here that read `.gitignore` but not git's exclude file, and so would pack sidecars."""
    ignored = _text(work_tree / ".gitignore").splitlines()
    if any(line.strip() in (f"*{suffix}", f"**/*{suffix}") for line in ignored):
        return ()
    used = {
        "npm": (work_tree / "package.json").is_file() and not (work_tree / ".npmignore").is_file(),
        "hatch": "hatchling" in _text(work_tree / "pyproject.toml"),
    }
    return tuple(name for name, is_used in used.items() if is_used)


def _usable(repository: Repository) -> Repository:
    if repository.version() < OLDEST_GIT:
        found, oldest = (".".join(map(str, version)) for version in (repository.version(), OLDEST_GIT))
        raise NotHere(f"git {found} is too old", remedy=f"sage-git needs git {oldest} or newer")
    if repository.work_tree is None:
        raise NotHere(
            f"{repository.git_dir} is a bare repository: nobody commits in it",
            remedy="run `sage-git init` in a clone of it; git carries the config there",
        )
    return repository


def _identity(config: Config, before: Identity | None, wish: InitWish, read: Mapping[str, str]) -> Identity:
    lasting, sidecars = config.policy.identity, config.policy.sidecars
    if before and before.repository != lasting.repository:
        raise UsageError(
            f"this clone keeps the record of {before.repository}, but {config.source} names {lasting.repository}",
            remedy="git log -- .sage/config.toml shows who changed it; `sage-git deinit` lets go of the old record",
        )
    return Identity(
        repository=lasting.repository,
        since=lasting.since,
        backfill=lasting.backfill,
        rules=lasting.rules,
        suffix=sidecars.suffix,
        place=str(sidecars.place),
        joined=before.joined if before else wish.now.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        reflog_marks=before.reflog_marks if before else read,
    )


def _install_hooks(
    repository: Repository, lines: ManagersLines
) -> tuple[Hooking, ShimReport, tuple[Path, ...], tuple[Lines, ...]]:
    hooks = hooking_of(repository)
    written: tuple[Path, ...] = ()
    if lines is ManagersLines.WRITE:
        written, missing = write(hooks.lines)
    else:
        missing = tuple(one for one in hooks.lines if not is_written(one))
    if not hooks.manager.leaves_gits_folder:
        return hooks, ShimReport((), ()), written, missing
    called = hooks.called_by_lines()
    return hooks, install_shims(hooks.folder, [name for name in HOOKS if name not in called]), written, missing


def _readable_identity(sage: Path) -> Identity | None:
    """The identity, or None where it is damaged: a purge must not need it."""
    try:
        return Identity.read(sage)
    except ConfigError:
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
    return not first or (first.startswith(b"{") and b'"eventId"' in first)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
