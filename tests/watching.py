"""`sage-git sync --watch` as a process whose lines a test waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class Watcher:
    """A process that watches in `path` until the test leaves the block; then it is interrupted, as by Ctrl-C."""

    def __init__(self, path: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sage_git", "sync", "--watch", *arguments],
            cwd=path,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.lines: list[str] = []

    def until(self, words: str) -> str:
        """The next line with these words. Raises AssertionError if the process ends before."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}: {self.lines}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        _, _ = self._process.communicate(timeout=30)
        if kind is None:
            assert self._process.returncode == 130, self.lines
