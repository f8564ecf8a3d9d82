"""Giving memory back: what a big file took for a moment stays with the process otherwise, as many threads took it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import linecache
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_AFTER_S: Final = 1.0
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""Names of options in the C library's malloc.h."""
_BIG: Final = 256 * 1024


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


def keep_together() -> None:
    """Have every thread take memory from one place, and what is big return as soon as it is free."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, _BIG)


def give_back() -> None:
    """Return to the system what nobody uses, where the C library can."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def settle() -> None:
    """Let go of what the imports left, so that what comes next takes its room; the rest stays for good.

    Most of it are the texts of the classes that attrs wrote, which are for debuggers.
    """
    linecache.clearcache()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
