"""What the tests of storage share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sage_git.storage import recent


@pytest.fixture
def forgotten() -> Iterator[Callable[[], None]]:
    """Makes this process know nothing of chronicle files, like a new one."""
    yield recent._remembered.cache_clear
    recent._remembered.cache_clear()
