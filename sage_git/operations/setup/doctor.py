"""Whether recording works here: each thing that it needs, looked at, and a commit in a throw-away worktree to prove it.

Looks only; what it makes to prove a capture is gone afterwards: no ref, no reflog, no object, no event. Not here:
whether the record is sound (`fsck`).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.errors import ConfigError, GitFailed, NotHere, StorageError
from sage_git.gitrepo.repository import OLDEST_GIT, Repository
from sage_git.operations.identity import Identity
from sage_git.operations.setup import exclude
from sage_git.operations.setup.first_config import CONFIG, TO_COMMIT, committed_config
from sage_git.operations.setup.hook_folder import Standing
from sage_git.operations.setup.hook_managers import Hooking, Manager, is_written
from sage_git.operations.setup.install import hooking_of, packagers
from sage_git.operations.setup.shims import HOOKS, dispatcher, effective_shim

AGAIN: Final = "run `sage-git init` again"
_INTERPRETER: Final = re.compile(r"^python=(?:'([^']*)'|(\S+))$", re.MULTILINE)
_LOG_TAIL_BYTES: Final = 4_096


class State(Enum):
    """What a check found; the value is what people read."""

    FINE = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what, what was found, and what to do if it is not fine."""

    name: str
    state: State
    message: str
    remedy: str = ""


def examine(start: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Every check in turn. Raises NotHere outside a repository, or where `init` was never run."""
    repository = Repository.discover(start, environment)
    sage = repository.common_dir / "sage"
    identity = Identity.read(sage)
    if repository.work_tree is None or identity is None:
        raise NotHere("no record is kept in this repository", remedy="run `sage-git init`")
    hooks = hooking_of(repository)
    yield _git_version(repository)
    yield _config(repository, identity)
    found = [*_hooks(hooks), _interpreter(sage)]
    yield from found
    yield _excluded(repository, identity)
    yield from _packagers(repository.work_tree, identity)
    yield _recorder(sage)
    at_fault = [check.name for check in found if check.state is State.FAULT]
    yield capture(repository, hooks.folder, f"see {at_fault[0]} above" if at_fault else AGAIN)


def capture(repository: Repository, hooks: Path, remedy: str) -> Check:
    """Whether a commit in a throw-away worktree makes git run our hook in `hooks`, and the hook start sage-git."""
    name = "live capture"
    if repository.head() is None:
        return Check(name, State.SKIPPED, "there is no commit yet to make a worktree from")
    with tempfile.TemporaryDirectory(prefix="sage-git-doctor-", ignore_cleanup_errors=True) as folder:
        try:
            said = _commit_in_worktree(repository, Path(folder), hooks)
        except GitFailed as failure:
            return Check(name, State.FAULT, f"a commit in a throw-away worktree failed: {failure}")
    if said is None:
        return Check(name, State.FAULT, "git ran no hook of ours for a commit in a throw-away worktree", remedy)
    if not said.startswith("sage-git "):
        return Check(name, State.FAULT, "the hook ran, but sage-git did not start", remedy)
    return Check(name, State.FINE, f"a commit in a throw-away worktree reached {said}")


def _commit_in_worktree(repository: Repository, folder: Path, hooks: Path) -> str | None:
    """What the program that our post-commit hook started said of itself; None if the hook was not run."""
    tree, objects, heard = folder / "worktree", folder / "objects", folder / "heard"
    objects.mkdir()
    add = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--no-checkout", "--detach")
    repository.git(*add, str(tree), "HEAD")
    try:
        aside = {
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.common_dir / "objects"),
            "SAGE_DOCTOR": str(heard),
            "SAGE_SYNC": "1",
        }
        inside = replace(
            Repository.discover(tree, {k: v for k, v in repository.environment.items() if not k.startswith("GIT_")}),
            environment={**repository.environment, **aside},
        )
        # a relative core.hooksPath would be looked for in the throw-away worktree
        settings = (
            f"core.hooksPath={hooks}",
            "user.name=sage-git doctor",
            "user.email=doctor@localhost",
            "commit.gpgSign=false",
        )
        given = [word for setting in settings for word in ("-c", setting)]
        inside.git(*given, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "sage-git doctor")
    finally:
        repository.git("worktree", "remove", "--force", "--force", str(tree))
    return heard.read_text(encoding="utf-8").strip() if heard.exists() else None


def _git_version(repository: Repository) -> Check:
    version = repository.version()
    shown, oldest = ".".join(map(str, version)), ".".join(map(str, OLDEST_GIT))
    if version < OLDEST_GIT:
        return Check("git", State.FAULT, f"{shown} is too old", f"install git {oldest} or newer")
    return Check("git", State.FINE, shown)


def _config(repository: Repository, identity: Identity) -> Check:
    name = "config"
    try:
        found = committed_config(repository)
    except ConfigError as problem:
        return Check(name, State.FAULT, str(problem), problem.remedy)
    if found is None:
        message = f"{CONFIG} is not committed, so nothing is recorded"
        return Check(name, State.FAULT, message, TO_COMMIT)
    if found.policy.identity.repository != identity.repository:
        return Check(name, State.FAULT, f"{found.source} names another record than this clone keeps", AGAIN)
    if found.source != "HEAD":
        return Check(name, State.WARNING, f"HEAD has no {CONFIG}; {found.source} has it", "merge that branch")
    return Check(name, State.FINE, f"{CONFIG} is committed")


def _hooks(hooks: Hooking) -> Iterator[Check]:
    name = "hooks"
    if hooks.standing is Standing.NONE or (hooks.manager is Manager.FOLDER and not hooks.folder.is_dir()):
        remedy = "git config --unset core.hooksPath, with --global if it is set there"
        yield Check(name, State.FAULT, f"core.hooksPath is {hooks.folder}, which is no folder", remedy)
        return
    if not hooks.needs_shims:
        missing = [lines.path for lines in hooks.lines if not is_written(lines)]
        if missing:
            message = f"{len(missing)} scripts of {hooks.owner} do not call sage-git"
            yield Check(name, State.FAULT, message, "run `sage-git init --hook-manager`")
        elif not hooks.folder.is_dir():
            yield Check(
                name, State.FAULT, f"{hooks.folder} is missing, so git runs no hook", "run husky's `npm run prepare`"
            )
        else:
            yield Check(name, State.FINE, f"called from the scripts of {hooks.owner}")
        return
    called = hooks.called_by_lines()
    shims = {hook: effective_shim(hooks.folder, hook) for hook in HOOKS if hook not in called}
    absent = [hook for hook, shim in shims.items() if shim is None]
    idle = [hook for hook, shim in shims.items() if shim is not None and not os.access(shim, os.X_OK)]
    if absent:
        which = "none of ours" if len(absent) == len(shims) else f"{', '.join(absent)} missing or replaced"
        yield Check(name, State.FAULT, f"in {hooks.folder}: {which}", _to_write(hooks))
    elif idle:
        message = f"{', '.join(idle)} in {hooks.folder}: not executable"
        yield Check(name, State.FAULT, message, f"{AGAIN}; a file system mounted noexec runs no hooks")
    else:
        yield Check(name, State.FINE, f"in {hooks.folder}, run by {_owner(hooks)}")


def _to_write(hooks: Hooking) -> str:
    if hooks.standing is Standing.CLOSED:
        return "you may not write there; git config core.hooksPath FOLDER names another, then `sage-git init`"
    return AGAIN


def _owner(hooks: Hooking) -> str:
    return "git" if hooks.manager is Manager.NOBODY else f"git beside {hooks.owner}"


def _interpreter(sage: Path) -> Check:
    name = "interpreter"
    try:
        text = (sage / "hook").read_text(encoding="utf-8", errors="surrogateescape")
        found = _INTERPRETER.search(text)
    except OSError:
        return Check(name, State.FAULT, f"{sage / 'hook'} is missing", AGAIN)
    path = (found[1] or found[2]) if found else ""
    if not os.access(path, os.X_OK):
        return Check(name, State.FAULT, f"{path or 'what the hooks start'} is gone", AGAIN)
    if dispatcher(path) != text:
        return Check(name, State.WARNING, f"{path}; the hooks are those of another version", AGAIN)
    return Check(name, State.FINE, path)


def _excluded(repository: Repository, identity: Identity) -> Check:
    name = "exclude"
    if not exclude.has_block(repository.common_dir):
        return Check(name, State.FAULT, "info/exclude has no block of ours, so git sees the chronicles", AGAIN)
    beaten = exclude.overruled(repository, identity.suffix)
    if beaten is None:
        return Check(name, State.FINE, "git does not see chronicles")
    if not beaten.source:
        return Check(name, State.FAULT, f"git sees {beaten.sidecar}", AGAIN)
    message = f"git sees {beaten.sidecar}: `{beaten.pattern}` in {beaten.source} line {beaten.line} says so"
    return Check(name, State.WARNING, message, f"add `*{identity.suffix}` as the last line of {beaten.source}")


def _packagers(work_tree: Path, identity: Identity) -> Iterator[Check]:
    for tool in packagers(work_tree, identity.suffix):
        message = f"{tool} reads only .gitignore, so it would pack chronicles"
        yield Check("packaging", State.WARNING, message, f"add `*{identity.suffix}` to .gitignore")


def _recorder(sage: Path) -> Check:
    name = "recorder"
    try:
        with (sage / "recorder.log").open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_TAIL_BYTES))
            said = file.read().decode("utf-8", "replace").strip().splitlines()
    except FileNotFoundError:
        said = []
    except OSError as problem:
        raise StorageError.from_os(problem, str(sage / "recorder.log"), "read") from problem
    if said:
        return Check(
            name, State.WARNING, f"last said: {said[-1]}", "run `sage-git record` to see whether it still does"
        )
    if (sage / "recording").exists():
        return Check(name, State.FINE, "is at work")
    return Check(name, State.FINE, "idle; had nothing to complain of")
