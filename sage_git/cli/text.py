"""Text that is safe on a terminal: escaping, width in columns, styles, and lines made of spans. Prints nothing.

Whatever comes from an event or from git is hostile. `span` makes a `Span` and escapes it; a `Line` is spans only. So
nothing reaches the terminal that was not escaped, and columns are counted on what is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from sage_git.operations.wording import UNSAFE, visible


class Style(Enum):
    """How text is meant; the value is its SGR parameters, of the 16 colours that read on dark and light."""

    PLAIN = ""
    FAINT = "2"
    STRONG = "1"
    COMMIT = "33"
    ADDED = "32"
    REMOVED = "31"
    MOVED = "36"
    ANSWERED = "32"  # noqa: PIE796 - the same green, another meaning
    OPEN = "1;31"
    LANE = "35"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line that is safe to show."""

    text: str
    style: Style = Style.PLAIN

    @property
    def width(self) -> int:
        """Its columns."""
        return width(self.text)


Line: TypeAlias = Sequence[Span]
escape: Final = visible


def escape_json(document: bytes) -> bytes:
    r"""A JSON text that says the same with those characters as `\uXXXX`, so that a terminal may show it."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return UNSAFE.sub(_json_escape, document.decode("utf-8", "surrogatepass")).encode("utf-8")


def span(hostile: str, style: Style = Style.PLAIN) -> Span:
    """A span of `hostile`, escaped."""
    return Span(escape(hostile), style)


def width(text: str) -> int:
    """The terminal columns of `text`: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def line_width(line: Iterable[Span]) -> int:
    """The columns of `line`."""
    return sum(piece.width for piece in line)


def cut(text: str, columns: int) -> str:
    """`text` within `columns`, its end as … if something was left out."""
    if width(text) <= columns:
        return text
    return _prefix(text, columns - 1) + "…" if columns > 0 else ""


def cut_line(line: Line, columns: int | None) -> Line:
    """`line` within `columns` (None: as it is)."""
    if columns is None:
        return line
    kept: list[Span] = []
    for piece in line:
        room = columns - line_width(kept)
        if room <= 0:
            break
        kept.append(Span(cut(piece.text, room), piece.style))
    return kept


def cut_path(path: str, columns: int) -> str:
    """`path` within `columns`; its beginning as …/ if something was left out, since the name matters most."""
    if width(path) <= columns:
        return path
    names = path.split("/")
    for first in range(1, len(names)):
        shorter = "…/" + "/".join(names[first:])
        if width(shorter) <= columns:
            return shorter
    return "…" + _prefix(names[-1][::-1], columns - 1)[::-1] if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """`text` with blanks up to `columns`."""
    return text + " " * (columns - width(text))


def _prefix(text: str, columns: int) -> str:
    taken = 0
    for position, character in enumerate(text):
        taken += _columns(character)
        if taken > columns:
            return text[:position]
    return text


def _columns(character: str) -> int:
    if character < "\u0300":
        return 1
    import unicodedata  # a third of a millisecond that ASCII need not pay

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _json_escape(found: re.Match[str]) -> str:
    point = ord(found.group())
    if point == 0x0A:
        return "\n"  # between documents; inside a string JSON has it escaped already
    if point < 0x10000:
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"
