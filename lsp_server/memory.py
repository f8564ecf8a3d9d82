"""Giving memory back: what a big file took for a moment stays with the process otherwise, as many threads took it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_AFTER_S: Final = 1.0


class Tidying:
    """Tidies up a moment after the last thing was done."""

    def __init__(self, tidy: Callable[[], None]) -> None:
        self._tidy = tidy
        self._waiting: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Something was done."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().call_later(_AFTER_S, self._tidy)


def give_back() -> None:
    """Return to the system what nobody uses, where the C library can."""
    import ctypes

    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
