"""git as others are served: `git upload-pack` on a repository of ours, for whoever is at the other end of two pipes.

Only what `refs/sage/writers/` reaches is given out, and only to who asks for what these refs name: version 0 of the
protocol checks that. Version 2 does not; it gives any object that the repository has to who knows its id. So the
client's wish for a version is never passed on.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from sage_git.errors import NotHere
from sage_git.gitrepo.command.environments import sealed_environment

# Settings on the command line come last, and so beat what the repository's own configuration says.
_SETTINGS: Final = {
    "advice.graftFileDeprecated": "false",  # git would advise the client against our empty one
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "transfer.advertiseSID": "false",
    "uploadpack.allowTipSHA1InWant": "false",
    "uploadpack.allowReachableSHA1InWant": "false",
    "uploadpack.allowAnySHA1InWant": "false",
    "uploadpack.allowFilter": "false",
    "uploadpack.allowRefInWant": "false",
    "uploadpack.keepAlive": "5",
}
_SHOWN: Final = ("refs", "HEAD", "!refs/sage/writers")
"""What is hidden, and what is not: the last that fits counts, and HEAD is no ref under refs."""


class Service:
    """A running `git upload-pack`: what it is asked, and what it answers. Close it."""

    def __init__(self, git_dir: Path, environment: Mapping[str, str]) -> None:
        """Of `environment` git is given the search path only. Raises NotHere."""
        settings = [*_SETTINGS.items(), *(("transfer.hideRefs", name) for name in _SHOWN)]
        # Whoever may read our key may read our repository: git need not ask who owns it.
        settings.append(("safe.directory", str(git_dir)))
        pinned = [word for name, value in settings for word in ("-c", f"{name}={value}")]
        path_only = {name: environment[name] for name in ("PATH",) if name in environment}
        try:
            self._process = subprocess.Popen(
                ["git", *pinned, "upload-pack", "--strict", str(git_dir)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # whatever concerns the client is said in the protocol
                env=sealed_environment(path_only),
                cwd=git_dir,
                bufsize=0,
                start_new_session=True,  # so that what it starts ends with it, and an interrupt is ours alone
            )
        except FileNotFoundError:
            raise NotHere(f"git or {git_dir} is not there", remedy="install git; run `sage-git sync` once") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.requests: IO[bytes] = self._process.stdin
        self.answers: IO[bytes] = self._process.stdout

    def close(self) -> None:
        """End it and all that it started; safe to call twice."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # nobody is left in its group
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.requests.close()
        self.answers.close()
