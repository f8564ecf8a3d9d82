"""Paths as git has them (bytes) and as events carry them (text; percent-encoded where one is not UTF-8, SPEC 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from sage_git.observation.commit import percent_encoded


def path_text(path: bytes) -> str:
    """`path` as an event that has no other path carries it."""
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return percent_encoded(path)


def raw_path(event: Mapping[str, Any], text: str) -> bytes:
    """The path that git has for `text`, one of the event's own paths."""
    if event.get("pathEncoding") == "percent":
        return unquote_to_bytes(text)
    return text.encode("utf-8", "surrogateescape")


def paths_of(event: Mapping[str, Any]) -> list[str]:
    """Every path that an event names, its newest first."""
    named: list[object] = [
        event.get(field) for field in ("newPath", "filePath", "resultPath", "originalPath", "oldPath", "subject")
    ]
    for field in ("resultingPaths", "sourcePaths"):
        several = event.get(field)
        named += several if isinstance(several, list) else []
    return list(dict.fromkeys(path for path in named if isinstance(path, str)))
