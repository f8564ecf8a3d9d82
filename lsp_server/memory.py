"""Giving memory back: what a big file took for a moment stays with the process otherwise, as many threads took it."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import Final

_AFTER_S: Final = 1.0


class Tidying:
    """Tidies up a moment after the last thing was done, in a thread."""

    def __init__(self) -> None:
        self._waiting: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Something was done."""
        if self._waiting is not None:
            self._waiting.cancel()
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(_AFTER_S, lambda: loop.run_in_executor(None, give_back))


def give_back() -> None:
    """Return to the system what nobody uses, where the C library can."""
    import ctypes

    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
