"""Lines and positions as the language server protocol counts them, in whichever encoding the client chose.

The protocol ends lines at `\\n`, `\\r\\n` and `\\r` and at nothing else: a form feed, U+0085 or U+2028 stands inside a
line, though `str.splitlines` (and pygls' documents) end one there. git ends them at `\\n` only, so that a line of git's
may be several of the client's. Not here: what is in a document (`documents`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lsprotocol.types import Position, Range

_END: Final = re.compile(r"\r\n|\n|\r")


class Encoding(Enum):
    """What a character of a position counts."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"

    def width(self, text: str) -> int:
        """The units of `text`."""
        if text.isascii() or self is Encoding.UTF32:
            return len(text)
        if self is Encoding.UTF16:
            return len(text) + sum(character > "\uffff" for character in text)
        return len(text.encode("utf-8", "surrogatepass"))

    def index(self, text: str, units: int) -> int:
        """How many characters of `text` stand before `units`; within one counts as before it, too many as its end."""
        if units <= 0:
            return 0
        if text.isascii() or self is Encoding.UTF32:
            return min(units, len(text))
        passed = 0
        for at, character in enumerate(text):
            passed += self.width(character)
            if passed > units:
                return at
        return len(text)


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text without their ends. `of_git[n]` is the number, from 0, of git's line with the nth of them."""

    texts: tuple[str, ...]
    of_git: Sequence[int]

    @classmethod
    def of(cls, text: str) -> Lines:
        """The lines as a client counts them: a text that ends in a newline has an empty last one."""
        if "\r" not in text:
            texts = tuple(text.split("\n"))
            return cls(texts, range(len(texts)))
        found, of_git, start, number = list[str](), list[int](), 0, 0
        for end in _END.finditer(text):
            found.append(text[start : end.start()])
            of_git.append(number)
            number += end.group() != "\r"
            start = end.end()
        return cls((*found, text[start:]), (*of_git, number))

    def __len__(self) -> int:
        return len(self.texts)


def whole_line(lines: Lines, number: int, encoding: Encoding) -> Range:
    """From the first character of a line that is no blank to its end; an empty range for an empty line."""
    text = lines.texts[number] if 0 <= number < len(lines) else ""
    start = len(text) - len(text.lstrip())
    if start == len(text):
        start = 0
    return Range(Position(number, encoding.width(text[:start])), Position(number, encoding.width(text)))


def whole_lines(lines: Lines, first: int, last: int, encoding: Encoding) -> Range:
    """From the beginning of what is written in `first` to the end of `last`, both inclusive."""
    return Range(whole_line(lines, first, encoding).start, whole_line(lines, last, encoding).end)
