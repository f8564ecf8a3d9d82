"""A raw commit object, parsed by us: git's own log re-encodes, maps and decorates. Not here: what it changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.chronicle.kinds import timestamp

_FIRST_SECOND: Final = -62_135_596_800  # 0001-01-01T00:00:00Z
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z
_LONGEST_AUTHOR: Final = 4_096
_ACTOR_LINE: Final = re.compile(
    rb"^Sage-Actor: (?P<agent>[A-Za-z0-9._-]{1,64})(?:/(?P<session>[A-Za-z0-9._-]{1,128}))?"
    rb"(?: model=(?P<model>[A-Za-z0-9._:/@+-]{1,128}))?[ \t\r]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Commit:
    """What facts need of a commit object. `committed` is in seconds since 1970, within years 1–9999."""

    oid: ObjectId
    parents: tuple[ObjectId, ...]
    author: bytes
    committed: int
    message: bytes

    @property
    def timestamp(self) -> str:
        """The committer date as events carry it."""
        return timestamp(1000 * self.committed)

    def actor(self) -> dict[str, str]:
        """Who made it: the tool named by the first valid `Sage-Actor` line, else git; and the author as written."""
        found = _ACTOR_LINE.search(self.message) if b"Sage-Actor: " in self.message else None
        if found is None:
            return {"agent": "git", **_author(self.author)}
        named = {name: text.decode("ascii") for name, text in found.groupdict().items() if text is not None}
        return named | _author(self.author)


def parse_commit(oid: ObjectId, raw: bytes) -> Commit:
    """The commit in the object's bytes. A header that git would not have written counts as empty, never as an error."""
    header, _, message = raw.partition(b"\n\n")
    parents: list[ObjectId] = []
    author, committer = b"", b""
    for line in header.split(b"\n"):
        if line.startswith(b"parent ") and not author:
            parents.append(ObjectId(line[7:].decode("ascii", "replace")))
        elif line.startswith(b"author ") and not author:
            author = line[7:]
        elif line.startswith(b"committer ") and not committer:
            committer = line[10:]
    return Commit(oid, tuple(parents), _identity(author), _seconds(committer), message)


def percent_encoded(raw: bytes) -> str:
    """`raw` with `%` and every byte that is not part of valid UTF-8 as `%XX` (SPEC 4.3, `pathEncoding`)."""
    text = raw.replace(b"%", b"%25").decode("utf-8", "surrogateescape")
    return "".join(f"%{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


def _identity(line: bytes) -> bytes:
    """`Name <email>` of an author or committer line: all up to its last `>`."""
    end = line.rfind(b">")
    return (line[: end + 1] if end >= 0 else line)[:_LONGEST_AUTHOR]


def _seconds(line: bytes) -> int:
    words = line[line.rfind(b">") + 1 :].split()
    try:
        seconds = int(words[0]) if words and len(words[0]) < 32 else 0
    except ValueError:
        return 0
    return min(max(seconds, _FIRST_SECOND), _LAST_SECOND)


def _author(raw: bytes) -> dict[str, str]:
    try:
        return {"id": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"id": percent_encoded(raw), "idEncoding": "percent"}
