"""The one way to run git: sealed against the user's configuration, bytes in, bytes out, never a prompt.

Two kinds of runs. In the *user's* repository git sees the user's configuration, less what could run code, fetch, lock
or change what history is. In a repository *of ours* (scratch, store) git sees no configuration but that repository's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from threading import Thread
from types import TracebackType
from typing import IO, Final, Self

from sage_git.errors import GitFailed, NotHere, SigningFailed

# What must never reach a git that works on another repository (`git rev-parse --local-env-vars`, git 2.39).
LOCAL_ENVIRONMENT: Final = frozenset(
    """GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_OBJECT_DIRECTORY GIT_DIR
    GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE
    GIT_PREFIX GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_INTERNAL_SUPER_PREFIX""".split()
)
_COMMON: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_PAGER": "cat",
}
# An object directory and quarantine of the user's stay known: a commit may live only there for now.
_KEPT_FOR_THE_USERS: Final = frozenset(
    ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT")
)
_KEPT_FOR_OURS: Final = frozenset(("PATH", "TMPDIR", "SYSTEMROOT", "GIT_ALTERNATE_OBJECT_DIRECTORIES"))
_USERS_OVERRIDES: Final = (
    "-c", "core.fsmonitor=false",
    "-c", "core.commitGraph=false",
    "-c", "core.quotePath=false",
    "-c", "core.useReplaceRefs=false",  # before 2.42 a `true` in the configuration beats GIT_NO_REPLACE_OBJECTS
    "-c", "log.showSignature=false",
    "-c", "fetch.recurseSubmodules=false",
    "--literal-pathspecs",
)  # fmt: skip


def users_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for git in the user's repository, made from the caller's."""
    dropped = LOCAL_ENVIRONMENT - _KEPT_FOR_THE_USERS
    kept = {k: v for k, v in environment.items() if k not in dropped and not k.endswith("_PATHSPECS")}
    return kept | _COMMON


def sealed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for git in a repository of ours: no configuration, attributes or identity from outside."""
    kept = {k: v for k, v in environment.items() if k in _KEPT_FOR_OURS}
    return kept | _COMMON | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "HOME": "/nonexistent",
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_AUTHOR_NAME": "sage-git",
        "GIT_AUTHOR_EMAIL": "sage-git@localhost",
        "GIT_COMMITTER_NAME": "sage-git",
        "GIT_COMMITTER_EMAIL": "sage-git@localhost",
    }  # fmt: skip


def run(
    arguments: Sequence[str],
    *,
    git_dir: Path,
    input: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints for `arguments` in a repository of ours at `git_dir`. Raises GitFailed.

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
    """What git prints for `arguments` in the user's repository. Raises GitFailed, NotHere (no git at all).

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


class Stream:
    """A git process in a repository of ours that answers `requests` (its standard input) while we read `answers`."""

    def __init__(
        self, arguments: Sequence[str], *, git_dir: Path, requests: bytes, environment: Mapping[str, str] | None = None
    ) -> None:
        self._arguments = tuple(arguments)
        self._process = subprocess.Popen(
            ["git", f"--git-dir={git_dir}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=sealed_environment(environment or {}),
            bufsize=1 << 18,
        )
        assert self._process.stdout is not None
        self.answers: IO[bytes] = self._process.stdout
        # A thread, because git stops reading when nobody reads its answers.
        self._feeder = Thread(target=self._feed, args=(requests,), daemon=True)
        self._feeder.start()

    def _feed(self, requests: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # git has ended: whoever reads the answers finds out why
            self._process.stdin.write(requests)
            self._process.stdin.close()

    def failure(self) -> GitFailed:
        """The error for a process that ended before its last answer did."""
        self._process.kill()
        assert self._process.stderr is not None
        stderr = self._process.stderr.read().decode("utf-8", "replace")
        return GitFailed(_without_settings(self._arguments), self._process.wait(), stderr)

    def close(self) -> None:
        """End the process; safe to call twice."""
        self._process.kill()
        self._feeder.join()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Dialogue:
    """A git process in a repository of ours that is asked one thing at a time and answers at once.

    A command that may keep its answer back until its input ends is given `patience_s`: if there is nothing by then, its
    input ends, `is_over`, and another dialogue is needed for the next question.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        git_dir: Path,
        environment: Mapping[str, str] | None = None,
        patience_s: float | None = None,
    ) -> None:
        self._arguments = tuple(arguments)
        self._patience_s = patience_s
        self._process = subprocess.Popen(
            ["git", f"--git-dir={git_dir}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # nobody reads while it lives, and a full pipe would stop it
            env=sealed_environment(environment or {}),
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._unread = bytearray()

    @property
    def is_over(self) -> bool:
        """True if nothing more can be asked."""
        return self._requests.closed

    def ask(self, request: bytes) -> None:
        """Write `request`, which must be short: nobody reads answers meanwhile. Raises GitFailed."""
        try:
            self._requests.write(request)
        except BrokenPipeError:
            raise self._failure() from None

    def until(self, end: bytes) -> bytes:
        """What comes next, up to and without the byte `end`. Raises GitFailed if git ends before."""
        searched = 0
        while (at := self._unread.find(end, searched)) < 0:
            searched = len(self._unread)
            self._read_more()
        answer = bytes(self._unread[:at])
        del self._unread[: at + 1]
        return answer

    def exactly(self, size_bytes: int) -> bytes:
        """The next `size_bytes` bytes. Raises GitFailed if git ends before."""
        while len(self._unread) < size_bytes:
            self._read_more()
        answer = bytes(self._unread[:size_bytes])
        del self._unread[:size_bytes]
        return answer

    def close(self) -> None:
        """End the process; safe to call twice."""
        self._process.kill()
        self._process.wait()
        self._requests.close()
        self._answers.close()

    def _read_more(self) -> None:
        is_waited_for = self._patience_s is not None and not self.is_over
        if is_waited_for and not select([self._answers], [], [], self._patience_s)[0]:
            self._requests.close()
        more = self._answers.read(1 << 18)
        if not more:
            raise self._failure()
        self._unread += more

    def _failure(self) -> GitFailed:
        self._process.kill()
        return GitFailed(_without_settings(self._arguments), self._process.wait(), "it ended without an answer")


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
        raise GitFailed(_without_settings(shown), done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def _without_settings(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """`arguments` from git's command on, so that an error names that and not what we pinned before it."""
    at = 0
    while arguments[at : at + 1] == ("-c",):
        at += 2
    return arguments[at:]
