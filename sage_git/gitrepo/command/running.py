"""Runs of git, and of ssh-keygen, from beginning to end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed, GitKilled, NotHere, SigningFailed
from sage_git.gitrepo.command.environments import sealed_environment, users_environment

_USERS_OVERRIDES: Final = (
    "-c", "core.fsmonitor=false",
    "-c", "core.commitGraph=false",
    "-c", "core.quotePath=false",
    "-c", "core.useReplaceRefs=false",  # before 2.42 a `true` in the configuration beats GIT_NO_REPLACE_OBJECTS
    "-c", "log.showSignature=false",
    "-c", "fetch.recurseSubmodules=false",
    "--literal-pathspecs",
)  # fmt: skip


def run(
    arguments: Sequence[str],
    *,
    git_dir: Path,
    input: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints for `arguments` in a repository of ours at `git_dir`. Raises GitFailed, GitKilled.

    Of `environment` git is given the search path and the object directories to borrow from, nothing else.
    """
    command = ["git", f"--git-dir={git_dir}", "--literal-pathspecs", *arguments]
    return _finish(command, arguments, input, sealed_environment(environment or {}), None)


def run_in_users(
    arguments: Sequence[str | bytes],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    git_dir: Path | None = None,
    work_tree: Path | None = None,
    index: Path | None = None,
    input: bytes = b"",
    locks: bool = False,
) -> bytes:
    """What git prints for `arguments` in the user's repository. Raises GitFailed, GitKilled, NotHere (no git at all).

    `index` is another index than the repository's. `locks` lets git take optional locks, for the few commands of ours
    that are asked to write.
    """
    place = [f"--git-dir={git_dir}"] if git_dir else []
    place += [f"--work-tree={work_tree}"] if work_tree else []
    sealed = users_environment(environment)
    if locks:
        del sealed["GIT_OPTIONAL_LOCKS"]
    if index is not None:
        sealed["GIT_INDEX_FILE"] = str(index)
    return _finish(["git", *place, *_USERS_OVERRIDES, *arguments], arguments, input, sealed, cwd)


def run_ssh_keygen(arguments: Sequence[str], *, environment: Mapping[str, str], input: bytes) -> bytes:
    """What ssh-keygen prints for `arguments`. It may ask the user for a passphrase or a touch, on the terminal.

    Raises SigningFailed with its words alone, NotHere.
    """
    command = ["ssh-keygen", *arguments]
    sealed = {**environment, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, input=input, capture_output=True, env=sealed, check=False)
    except FileNotFoundError:
        remedy = "install OpenSSH 8.2 or newer (openssh-client)"
        raise NotHere("ssh-keygen, which signs, is not on PATH", remedy=remedy) from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace")
        raise SigningFailed("ssh-keygen did not sign", words)
    return done.stdout


def _finish(
    command: Sequence[str | bytes],
    arguments: Sequence[str | bytes],
    given: bytes,
    environment: Mapping[str, str],
    cwd: Path | None,
) -> bytes:
    try:
        done = subprocess.run(command, input=given, capture_output=True, env=environment, cwd=cwd, check=False)
    except FileNotFoundError:
        raise NotHere("git is not on PATH", remedy="install git 2.38 or newer") from None
    if done.returncode:
        shown = tuple(each if isinstance(each, str) else each.decode("utf-8", "replace") for each in arguments)
        if done.returncode < 0:
            raise GitKilled(without_settings(shown), -done.returncode)
        raise GitFailed(without_settings(shown), done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def without_settings(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """`arguments` from git's command on, so that an error names that and not what we pinned before it."""
    at = 0
    while arguments[at : at + 1] == ("-c",):
        at += 2
    return arguments[at:]
