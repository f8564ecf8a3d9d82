"""Work in a thread that ends soon after nobody waits for it any more: who types asks, cancels, and asks again.

A thread cannot be stopped from outside, so long work goes through its rows by `Wanted.rows`. Not here: lanes
(`records`), where a question that has not begun is dropped when nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Row = TypeVar("Row")
Answer = TypeVar("Answer")


class GivenUp(Exception):
    """Nobody waits for what was being worked out."""


class Wanted:
    """Whether somebody waits for an answer: known on the event loop, asked in the thread that works it out."""

    def __init__(self) -> None:
        self._is_over = False

    @contextmanager
    def while_awaited(self) -> Iterator[None]:
        """Around the one `await`: whoever cancels it wants nothing more."""
        try:
            yield
        except asyncio.CancelledError:
            self._is_over = True
            raise

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows while they are wanted. Raises GivenUp before the next one that is not."""
        for row in rows:
            if self._is_over:
                raise GivenUp
            yield row


async def in_a_thread(work: Callable[[Wanted], Answer]) -> Answer:
    """What `work` gives, which runs beside the event loop."""
    wanted = Wanted()
    with wanted.while_awaited():
        return await asyncio.to_thread(work, wanted)
