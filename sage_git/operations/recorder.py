"""The recorder that hooks start: records until no hook wants anything more, and then ends (hooks/hook, SPEC 7).

A hook writes `sage/wanted`, and starts a recorder unless `sage/recording` names one that lives. A recorder takes `wanted`
away before it records, and `recording` before it looks at `wanted` for the last time. So no wish is lost: a hook that
found it alive had written its wish before that look.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from sage_git.errors import StorageError
from sage_git.operations.checkout import Checkout
from sage_git.operations.record import record

_MOST_ROUNDS: Final = 10_000


def record_while_wanted(checkout: Checkout) -> None:
    """Record once, and again as long as hooks want it. Raises as `operations.record.record`."""
    checkout.known_identity()
    wanted = checkout.sage / "wanted"
    for _ in range(_MOST_ROUNDS):
        with _Announced(checkout.sage / "recording"):
            _take_away(wanted)
            record(checkout)
            while wanted.exists():
                _take_away(wanted)
                record(checkout)
        if not wanted.exists():
            return


class _Announced:
    """While it lasts, `path` says that this process records."""

    def __init__(self, path: Path) -> None:
        self._path, self._said = path, f"{os.getpid()}\n"

    def __enter__(self) -> None:
        try:
            self._path.write_text(self._said, encoding="ascii")
        except OSError as problem:
            raise StorageError.from_os(problem, str(self._path), "write") from problem

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, ValueError):
            if self._path.read_text(encoding="ascii") == self._said:  # else another recorder announced itself since
                self._path.unlink()


def _take_away(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        raise StorageError.from_os(problem, str(path), "remove") from problem
