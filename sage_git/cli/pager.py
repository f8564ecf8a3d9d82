"""The pager, chosen and run as git does it (git-var(1), GIT_PAGER)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Final

_DEFAULTS: Final = {"LESS": "FRX", "LV": "-c"}


def pager_command(environment: Mapping[str, str], configured: Callable[[], str]) -> str:
    """The shell command of the pager; empty if none is wanted. `configured` is asked for git's `core.pager`."""
    command = environment.get("GIT_PAGER")
    if command is None:
        command = configured() or environment.get("PAGER", "less")
    return "" if command.strip() in ("", "cat") else command


class Pager:
    """A running pager. Write to `input`; `close` waits until the reader has seen enough."""

    def __init__(self, process: subprocess.Popen[bytes], input: IO[bytes]) -> None:
        self._process = process
        self.input = input

    @classmethod
    def start(cls, command: str, environment: Mapping[str, str]) -> Pager | None:
        """The pager that `command` starts; None if there is no shell to start it."""
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command], stdin=subprocess.PIPE, env={**_DEFAULTS, **environment}
            )
        except OSError:
            return None
        assert process.stdin is not None
        return cls(process, process.stdin)

    def close(self) -> None:
        """End its input and wait for it; an interrupt is the pager's to answer, as it owns the terminal."""
        while True:
            try:
                with suppress(BrokenPipeError):
                    self.input.close()
                self._process.wait()
            except KeyboardInterrupt:
                continue
            return
