"""Runs of git that go on while they are read: one long answer, or a dialogue."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from threading import Thread
from types import TracebackType
from typing import IO, Self

from sage_git.errors import GitFailed
from sage_git.gitrepo.command.environments import sealed_environment
from sage_git.gitrepo.command.running import without_settings


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
        return GitFailed(without_settings(self._arguments), self._process.wait(), stderr)

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
        return GitFailed(without_settings(self._arguments), self._process.wait(), "it ended without an answer")
