"""What changes whenever a writer's ref does, told without starting git, so that whoever looks often can afford it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_CHANGED_WITH_REFS: Final = ("refs/sage/writers", "packed-refs", "reftable/tables.list")
"""git puts every new value in its place by renaming, which changes the folder."""


def refs_seen(*repositories: Path) -> str | None:
    """When anything last changed where these repositories keep writers' refs; None if none of them keeps any."""
    times = [str(_changed_ns(repository / name)) for repository in repositories for name in _CHANGED_WITH_REFS]
    return " ".join(times) if any(time != "0" for time in times) else None


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
