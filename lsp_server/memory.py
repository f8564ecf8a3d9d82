"""Giving memory back: what a big file took for a moment stays with the process otherwise, as many threads took it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import linecache
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from lsprotocol import types

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

    Most of it is what attrs keeps of each class that it writes: the text, for debuggers, and all names of the module.
    """
    linecache.clearcache()
    for each in vars(types).values():
        if isinstance(each, type):
            keep_names_used(each)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def keep_names_used(written: type) -> None:
    """Take from a class that attrs wrote the names that none of its functions has.

    They are there for `typing.get_type_hints` of its `__init__`, which nobody asks for.
    """
    own = vars(written)
    names = getattr(own.get("__init__"), "__globals__", None)
    if names is None or "__attrs_attrs__" not in own or names is vars(sys.modules[written.__module__]):
        return  # not attrs', or with an __init__ of its module's
    functions = (each.__code__ for each in own.values() if getattr(each, "__globals__", None) is names)
    used = {"__builtins__"}.union(*(code.co_names for code in functions))
    kept = {name: value for name, value in names.items() if name in used}
    names.clear()  # gives its room back, as taking one after another would not
    names.update(kept)
