"""The tree of a writer's ref: which files it has, what they are called, and how lines fill them.

`leaves/…` and `events/…` are files of 256 lines, the last may be shorter; a body that is withheld or was redacted is an
empty line. Segments are numbered like C2SP tlog-tiles (`000`, `x001/234`). Beside them stand the signed `checkpoint`,
`writer.json` and, if the writer is certified, `writer.sig`. Not here: git, and what the lines mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final

from sage_git.chronicle.ids import is_hex
from sage_git.errors import Detail, ValidationError

SEGMENT_ENTRIES: Final = 256
LEAF_BYTES: Final = len(b'{"eventId":""}') + 64
CHECKPOINT: Final = "checkpoint"
INTRODUCTION: Final = "writer.json"
CERTIFICATE: Final = "writer.sig"
WRITERS: Final = "refs/sage/writers/"
"""What is exchanged: logs as their writers signed them."""


class Half(Enum):
    """The two repositories of a clone with segments of logs, by the names of their directories."""

    PUBLIC = "store.git"
    """Leaves, and bodies that anybody may see."""
    PRIVATE = "private.git"
    """Bodies alone, for this clone and the peers that it trusts."""


def ref_of(writer: str, namespace: str = WRITERS) -> str:
    """The ref of a writer's log. Raises ValidationError if `writer` is no key id."""
    if not is_hex(writer, 64):
        raise ValidationError(Detail("writer", "is no writer key id", writer, "64 hex digits"))
    return namespace + writer


def writer_of(ref: str, namespace: str = WRITERS) -> str | None:
    """The writer whose log `ref` is; None if it is no such ref."""
    writer = ref.removeprefix(namespace)
    return writer if writer != ref and is_hex(writer, 64) else None


def segment_path(folder: str, number: int) -> str:
    """Where segment `number` lies in a writer's tree, as in C2SP tlog-tiles: `leaves/x001/x234/067`."""
    digits = f"{number % 1000:03d}"
    while number := number // 1000:
        digits = f"x{number % 1000:03d}/{digits}"
    return f"{folder}/{digits}"


def segment_count(files: Iterable[str], folder: str = "leaves") -> int:
    """How many segments of `folder` are among these paths."""
    return sum(path.startswith(f"{folder}/") for path in files)


def joined(lines: Iterable[bytes]) -> bytes:
    """The content of a segment's file."""
    return b"".join([line + b"\n" for line in lines])


def split(content: bytes) -> list[bytes]:
    """The lines of a segment's file. Raises ValidationError unless it has 1 to 256 whole ones."""
    lines = content.split(b"\n")
    if lines.pop() or not 0 < len(lines) <= SEGMENT_ENTRIES:
        raise ValidationError(Detail("segment", f"has {len(lines)} lines", None, "1 to 256 that end in newlines"))
    return lines


def check_shape(paths: Sequence[str], half: Half) -> None:
    """Raises ValidationError unless a writer's tree has these files and no other: segments from 0 on, none left out."""
    there = set(paths)
    counts = {folder: segment_count(paths, folder) for folder in ("leaves", "events")}
    wanted = {segment_path("events", number) for number in range(counts["events"])}
    if half is Half.PUBLIC:
        if counts["leaves"] != counts["events"]:
            raise ValidationError(Detail("tree", f"has {counts['leaves']} segments of leaves", counts["events"]))
        wanted |= {segment_path("leaves", number) for number in range(counts["leaves"])} | {CHECKPOINT, INTRODUCTION}
    allowed = wanted | {CERTIFICATE} if half is Half.PUBLIC else wanted
    odd = sorted((wanted - there) | (there - allowed))
    if odd:
        state = "is missing" if odd[0] in wanted else "does not belong there"
        raise ValidationError(Detail("tree", f"{odd[0][:80]!r} {state}"))


def place(number: int) -> tuple[int, int]:
    """The segment of entry `number`, and its line there."""
    return divmod(number, SEGMENT_ENTRIES)


def by_segment(bodies: Mapping[int, bytes]) -> dict[int, dict[int, bytes]]:
    """`bodies` by number of segment, then by line."""
    segments: dict[int, dict[int, bytes]] = {}
    for number in sorted(bodies):
        segment, line = place(number)
        segments.setdefault(segment, {})[line] = bodies[number]
    return segments
