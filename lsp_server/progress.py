"""Telling the client how far a long recording is, where the client shows such things."""

from __future__ import annotations

from pathlib import Path

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport
from pygls.progress import Progress as Reports


class Progress:
    """What is told of every repository that is being recorded."""

    def __init__(self, reports: Reports) -> None:
        self.is_shown = False
        self._reports = reports
        self._tokens: dict[Path, str] = {}
        self._count = 0

    def tell(self, root: Path, done: int, of: int) -> None:
        """So many commits of so many are recorded."""
        if not self.is_shown:
            return
        if root not in self._tokens:
            self._begin(root)
        token, share = self._tokens[root], min(100, 100 * done // max(of, 1))
        self._reports.report(token, WorkDoneProgressReport(message=f"{done:,} of {of:,}", percentage=share))
        if done >= of:
            self._reports.end(token, WorkDoneProgressEnd())
            del self._tokens[root]

    def _begin(self, root: Path) -> None:
        self._count += 1
        self._tokens[root] = token = f"sage-git-{self._count}"
        self._reports.create(token)
        self._reports.begin(token, WorkDoneProgressBegin("recording commits", cancellable=False, percentage=0))
