"""Showing what an event changed in a client that has no view of its own for differences: as a file, or as a message.

The files are in a folder of this server's, which goes with it. Not here: what changed (`commands`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lsp_server.markdown import visible

_NO_NAME: Final = re.compile(r"[^\w.-]+", re.ASCII)
_LONGEST_NAME: Final = 80
_MOST_LINES: Final = 30
"""Of a message: a client shows it above everything else."""


class Pages:
    """Files that were written for the client to show."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def write(self, answer: Mapping[str, Any], diff: str) -> Path:
        """The file that has a difference. Raises OSError."""
        from tempfile import mkdtemp  # seldom needed, and big

        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="sage-git-"))
        name = _NO_NAME.sub("-", answer["title"]).strip("-.")[-_LONGEST_NAME:]
        path = self._folder / f"{name or 'change'}.diff"
        path.write_text(f"{visible(answer['title'])}\n\n{diff}", encoding="utf-8", errors="backslashreplace")
        return path

    def remove(self) -> None:
        """Take them all away."""
        if self._folder is not None:
            for path in self._folder.iterdir():
                path.unlink(missing_ok=True)
            self._folder.rmdir()
            self._folder = None


def message(answer: Mapping[str, Any], diff: str) -> str:
    """The beginning of a difference, escaped."""
    lines = diff.split("\n")
    rest = [f"… and {len(lines) - _MOST_LINES:,} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join(map(visible, [answer["title"], "", *lines[:_MOST_LINES], *rest])).rstrip()
