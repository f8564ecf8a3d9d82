"""The one way to run git: sealed against the user's configuration, bytes in, bytes out, never a prompt.

Two kinds of runs. In the *user's* repository git sees the user's configuration, less what could run code, fetch, lock
or change what history is. In a repository *of ours* (scratch, store) git sees no configuration but that repository's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from sage_git.errors import GitFailed, NotHere

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
_USERS_OVERRIDES: Final = (
    "-c", "core.fsmonitor=false",
    "-c", "core.commitGraph=false",
    "-c", "core.quotePath=false",
    "-c", "log.showSignature=false",
    "-c", "fetch.recurseSubmodules=false",
    "--literal-pathspecs",
)  # fmt: skip


def users_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for git in the user's repository, made from the caller's."""
    kept = {k: v for k, v in environment.items() if k not in LOCAL_ENVIRONMENT or k in _KEPT_FOR_THE_USERS}
    return kept | _COMMON


def sealed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for git in a repository of ours: no configuration, attributes or identity from outside."""
    kept = {k: v for k, v in environment.items() if k in ("PATH", "TMPDIR", "SYSTEMROOT") or k.startswith("LD_")}
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
    """What git prints for `arguments` in a repository of ours at `git_dir`. Raises GitFailed."""
    command = ["git", f"--git-dir={git_dir}", "--literal-pathspecs", *arguments]
    return _finish(command, arguments, input, sealed_environment(_path_only(environment)), None)


def run_in_users(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    git_dir: Path | None = None,
    work_tree: Path | None = None,
    input: bytes = b"",
    locks: bool = False,
) -> bytes:
    """What git prints for `arguments` in the user's repository. Raises GitFailed, NotHere (no git at all).

    `locks` lets git take optional locks, for the few commands of ours that are asked to write.
    """
    place = [f"--git-dir={git_dir}"] if git_dir else []
    place += [f"--work-tree={work_tree}"] if work_tree else []
    sealed = users_environment(environment)
    if locks:
        del sealed["GIT_OPTIONAL_LOCKS"]
    return _finish(["git", *place, *_USERS_OVERRIDES, *arguments], arguments, input, sealed, cwd)


class Conversation:
    """A git process that answers requests on its standard input (`cat-file --batch`, `diff-tree --stdin`)."""

    def __init__(
        self, arguments: Sequence[str], *, git_dir: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._arguments = tuple(arguments)
        self._process = subprocess.Popen(
            ["git", f"--git-dir={git_dir}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=sealed_environment(_path_only(environment)),
            bufsize=1 << 18,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.requests: IO[bytes] = self._process.stdin
        self.answers: IO[bytes] = self._process.stdout

    def ask_all(self, lines: Iterable[bytes]) -> Iterator[None]:
        """Write request `lines` (with their newline) while the caller reads: yields once per flushed portion.

        A portion is smaller than a pipe's buffer, so that neither side waits for the other.
        """
        portion: list[bytes] = []
        size = 0
        for line in lines:
            portion.append(line)
            size += len(line)
            if size > 32_000:
                self.send(portion)
                yield
                portion, size = [], 0
        self.send(portion)
        yield

    def send(self, lines: Iterable[bytes]) -> None:
        """Write request lines and flush. Raises GitFailed if the process is gone."""
        try:
            self.requests.writelines(lines)
            self.requests.flush()
        except BrokenPipeError:
            raise self.failure() from None

    def finish_requests(self) -> None:
        """Close standard input: nothing more will be asked; answers can still be read."""
        try:
            self.requests.close()
        except BrokenPipeError:
            raise self.failure() from None

    def failure(self) -> GitFailed:
        """The error for a process that ended before its answer did."""
        self._process.kill()
        assert self._process.stderr is not None
        stderr = self._process.stderr.read().decode("utf-8", "replace")
        return GitFailed(self._arguments, self._process.wait(), stderr)

    def close(self) -> None:
        """End the process; safe to call twice."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _finish(
    command: Sequence[str], arguments: Sequence[str], given: bytes, environment: Mapping[str, str], cwd: Path | None
) -> bytes:
    try:
        done = subprocess.run(command, input=given, capture_output=True, env=environment, cwd=cwd, check=False)
    except FileNotFoundError:
        raise NotHere("git is not on PATH", remedy="install git 2.38 or newer") from None
    if done.returncode:
        raise GitFailed(tuple(arguments), done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def _path_only(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    if environment is not None:
        return environment
    import os  # the search path is no decision of the caller's  # noqa: PLC0415

    return {k: os.environ[k] for k in ("PATH", "TMPDIR") if k in os.environ}
