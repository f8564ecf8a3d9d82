"""Beginning to keep a record in a clone: config, identity, exclude block and hooks.

Everything is put in place in an order that makes a second `init` finish what a first one began. Not here: what the
pieces are (`first_config`, `identity`, `exclude`, `shims`, `hook_managers`), ending it (`removal`), and recording.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from sage_git.errors import NotHere, UsageError
from sage_git.gitrepo.reflog import marks
from sage_git.gitrepo.repository import OLDEST_GIT, Repository
from sage_git.judgement.policy import Mode
from sage_git.operations.identity import LEFT, Identity
from sage_git.operations.setup import exclude
from sage_git.operations.setup.first_config import Config, Preferences, ensure_config
from sage_git.operations.setup.hook_folder import Standing, share, standing
from sage_git.operations.setup.hook_managers import Hooking, Lines, hooking, is_written, write
from sage_git.operations.setup.shims import HOOKS, ShimReport, effective_shim, install_dispatcher, install_shims
from sage_git.storage.durable import make_directory, told_as


class ConfigCommit(Enum):
    """Whether `init` commits the config that it writes."""

    MAKE = "make"
    LEAVE = "leave"


class ManagersLines(Enum):
    """Whether lines that a hook manager's files need are written there, or only told."""

    TELL = "tell"
    WRITE = "write"


class Beginning(Enum):
    """What `init` found: nothing, a config of others, a record that this clone left, or one that it keeps already."""

    CREATED = "created"
    JOINED = "joined"
    RESUMED = "resumed"
    RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class InitWish:
    """What `init` is asked. `suffix` and `mode` are None where the config, or the default, decides."""

    start: Path
    environment: Mapping[str, str]
    interpreter: str
    now: datetime
    suffix: str | None = None
    mode: Mode | None = None
    commit: ConfigCommit = ConfigCommit.MAKE
    lines: ManagersLines = ManagersLines.TELL


@dataclass(frozen=True, slots=True)
class InitOutcome:
    """What `init` did, and what is left for a person.

    That is `missing` lines, `absent` hooks (their folder is not to be written to), an `overruled` block, and
    `packagers` to tell.
    """

    beginning: Beginning
    repository: Repository
    identity: Identity
    config: Config
    hooks: Hooking
    shims: ShimReport
    written: tuple[Path, ...]
    missing: tuple[Lines, ...]
    absent: tuple[str, ...]
    overruled: exclude.Overruled | None
    packagers: tuple[str, ...]


def initialise(wish: InitWish) -> InitOutcome:
    """Keep a record in the clone around `wish.start` from now on; safe to do again.

    Raises NotHere (no repository, bare, git too old, SageMath, no state to commit in), UsageError, ConfigError,
    StorageError, GitFailed.
    """
    repository = _usable(Repository.discover(wish.start, wish.environment))
    sage = repository.common_dir / "sage"
    before = Identity.read(sage)
    left = before or Identity.read(sage, LEFT)
    read = marks(repository)
    wanted = Preferences(wish.suffix, wish.mode)
    config = ensure_config(repository, left, wanted, commits=wish.commit is ConfigCommit.MAKE)
    _refuse_another_record(config, left)
    identity = _identity(config, before, wish, read)
    identity.write(sage)
    with told_as(sage / LEFT, "remove"):
        (sage / LEFT).unlink(missing_ok=True)
    exclude.install_block(repository.common_dir, identity.suffix)
    install_dispatcher(sage, wish.interpreter)
    hooks = hooking_of(repository)
    written, missing = _put_lines(hooks, wish.lines)
    shims, absent = _put_shims(hooks, repository.common_dir)
    return InitOutcome(
        beginning=_beginning(config, before, left),
        repository=repository,
        identity=identity,
        config=config,
        hooks=hooks,
        shims=shims,
        written=written,
        missing=missing,
        absent=absent,
        overruled=exclude.overruled(repository, identity.suffix),
        packagers=packagers(repository.work_tree or repository.git_dir, identity.suffix),
    )


def hooking_of(repository: Repository) -> Hooking:
    """How hooks are run in `repository`, which has a work tree. Raises GitFailed."""
    shown = os.fsdecode(repository.git("rev-parse", "--git-path", "hooks").removesuffix(b"\n"))
    top = repository.work_tree or repository.git_dir
    return hooking(top, top / shown, standing(repository, top / shown))


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


def _beginning(config: Config, before: Identity | None, left: Identity | None) -> Beginning:
    if before:
        return Beginning.RENEWED
    if left:
        return Beginning.RESUMED
    return Beginning.CREATED if config.is_new else Beginning.JOINED


def _refuse_another_record(config: Config, left: Identity | None) -> None:
    """Raise UsageError if the config names another record than the one in this clone's log."""
    named = config.policy.identity.repository
    if left and left.repository != named:
        raise UsageError(
            f"this clone has the record of {left.repository[:16]}, but {config.source} names {named[:16]}",
            remedy="git log -- .sage/config.toml shows who changed it\n"
            "sage-git deinit --purge deletes the old record, then sage-git init begins with the other",
        )


def _identity(config: Config, before: Identity | None, wish: InitWish, read: Mapping[str, str]) -> Identity:
    lasting, sidecars = config.policy.identity, config.policy.sidecars
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


def _put_lines(hooks: Hooking, wished: ManagersLines) -> tuple[tuple[Path, ...], tuple[Lines, ...]]:
    """The files written, and the lines that their owner's files still need."""
    if wished is ManagersLines.WRITE:
        return write(hooks.lines)
    return (), tuple(one for one in hooks.lines if not is_written(one))


def _put_shims(hooks: Hooking, common_dir: Path) -> tuple[ShimReport, tuple[str, ...]]:
    """The shims that stand in the folder now, and the hooks that should and cannot."""
    called = hooks.called_by_lines()
    needed = [name for name in HOOKS if name not in called] if hooks.needs_shims else []
    if not needed:
        return ShimReport((), ()), ()
    if not hooks.standing.takes_shims:
        there = tuple(name for name in needed if effective_shim(hooks.folder, name))
        return ShimReport(there, ()), tuple(name for name in needed if name not in there)
    if hooks.standing is Standing.SHARED:
        make_directory(hooks.folder)
        share(hooks.folder, common_dir)
    return install_shims(hooks.folder, needed), ()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
