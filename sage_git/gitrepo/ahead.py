"""Preparing what comes next while what is here is worked on: git runs on one core, its reader on another."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same items in the same order, each made in a thread while the one before is in use. Raises what they do.

    `items` is closed once the last one was taken or nobody wants more.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, "ahead") as maker:
        try:
            upcoming = maker.submit(next, items, None)
            while (item := upcoming.result()) is not None:
                upcoming = maker.submit(next, items, None)
                yield item
        finally:
            maker.submit(items.close)
