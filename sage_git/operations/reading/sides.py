"""What a source was before and after one event, whole, for programs that show differences themselves.

Not here: the change as git prints it (`explain.diff`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sage_git.chronicle.ids import ObjectId, is_hex
from sage_git.errors import NotHere
from sage_git.operations.reading import explain

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.reading.opening import Reading


@dataclass(frozen=True, slots=True)
class Sides:
    """The event, the path that it names, and both contents; None where there was none, or none that is here."""

    event: Event
    path: str
    before: bytes | None
    after: bytes | None


def sides_of(reading: Reading, name: str) -> Sides:
    """Both sides of what the event with this id did. Raises UsageError, NotHere."""
    event = explain.find(reading.readings, name)[0].event
    before, after = _blobs(event)
    if before is None and after is None:
        raise NotHere(f"{event.type} {name[:12]} changed no content", remedy="sage-git show tells all of it")
    wanted = [blob for blob in (before, after) if blob is not None]
    found = dict(zip(wanted, reading.checkout.scratch.contents(wanted), strict=True))
    path = event.get("newPath") or event.get("filePath") or ""
    contents = [found.get(blob) if blob is not None else None for blob in (before, after)]
    return Sides(event, str(path), *contents)


def _blobs(event: Event) -> tuple[ObjectId | None, ObjectId | None]:
    """The contents' ids; None for a side without any."""
    reference = event.get("diffRef")
    if isinstance(reference, str):
        old, _, new = reference.partition("..")
    else:
        old, new = str(event.get("lastHash", "")), str(event.get("hash", ""))
        old = old or (new if event.type == "FILE_RENAMED" else "")
    return _blob(old), _blob(new)


def _blob(name: str) -> ObjectId | None:
    return ObjectId(name) if is_hex(name, 40, 64) and name.strip("0") else None
