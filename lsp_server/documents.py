"""The open buffers, and where the lines of HEAD's file stand in each: a line that was edited since stands nowhere.

Only the event loop touches these. Not here: what is known of a file (`workspaces`), and positions (`positions`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from lsp_server.positions import Lines

_MOST_COMPARED: Final = 1_000_000
"""Lines of one side times lines of the other: more are not compared, and what is known of them is hidden."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_BIG: Final = 1_000_000
"""Characters from which on a text that nobody asks for is packed."""


class Document:
    """One buffer as the client has it. `generation` grows with every change of the text."""

    __slots__ = ("_lines", "_packed", "_text", "generation", "is_as_on_disk", "uri", "version")

    def __init__(self, uri: str, version: int, text: str) -> None:
        self.uri, self.version = uri, version
        self.generation = 0
        self.is_as_on_disk = True
        """True if nobody typed since it was opened or saved."""
        self._text: str | None = text
        self._packed = b""
        self._lines: Lines | None = None

    @property
    def text(self) -> str:
        """What is written there."""
        text = self._text
        if text is None:
            text = self._text = zlib.decompress(self._packed).decode("utf-8", "surrogatepass")
        return text

    @property
    def lines(self) -> Lines:
        """The text in lines."""
        if self._lines is None:
            self._lines = Lines.of(self.text)
        return self._lines

    def rest(self) -> None:
        """Keep only the text."""
        self._lines = None
        if self._packed:
            self._text = None

    @property
    def is_worth_packing(self) -> bool:
        """True for a text that is big, and is not packed yet."""
        return not self._packed and self._text is not None and len(self._text) >= _BIG

    def pack(self, packed: bytes, generation: int) -> None:
        """Take over the text as `packed` made it of the text of a generation, if it is still that one."""
        if generation == self.generation:
            self._packed = packed
            self.rest()

    def become(self, text: str, version: int) -> None:
        """Take over what the client has now."""
        self._text, self._packed, self.version, self._lines = text, b"", version, None
        self.generation += 1
        self.is_as_on_disk = False


class Documents:
    """The open buffers by uri."""

    def __init__(self) -> None:
        self._open: dict[str, Document] = {}

    def open(self, uri: str, text: str, version: int) -> Document:
        """A buffer that was opened."""
        self._open[uri] = document = Document(uri, version, text)
        return document

    def get(self, uri: str) -> Document | None:
        """The buffer; None if it is not open."""
        return self._open.get(uri)

    def close(self, uri: str) -> Document | None:
        """The buffer that was closed; None if it was not open."""
        return self._open.pop(uri, None)

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)


def packed(text: str) -> bytes:
    """A text as it is kept while nobody asks for it. Takes a while, and may be made in any thread."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where lines of HEAD's file stand in a buffer: `at[n]` is git's line number, from 1, in the buffer's nth line.

    None for a line that HEAD has not so. `changed` are the stretches of such lines, as first and one past the last; one
    without lines is where only something was taken away.
    """

    at: tuple[int | None, ...]
    changed: tuple[tuple[int, int], ...]
    present: dict[int, int]
    """The first line of the buffer by git's line number."""


def placement(committed: str, buffer: Lines) -> Placement:
    """Where the lines of `committed`, HEAD's text, stand in `buffer`.

    Ends of lines and a byte order mark do not count, nor whether the last line has an end.
    """
    before = _lines_of(committed.removeprefix(_BYTE_ORDER_MARK))
    old, new = _written(before.texts), _written(buffer.texts)
    if new and new[0].startswith(_BYTE_ORDER_MARK):
        new = (new[0][1:], *new[1:])
    at: list[int | None] = [None] * len(buffer)
    changed = []
    for kind, first, last, start, end in _compared(old, new):
        if kind == "equal":
            for step in range(last - first):
                at[start + step] = before.of_git[first + step] + 1
        else:
            changed.append((start, end))
    present: dict[int, int] = {}
    for number, line in enumerate(at):
        if line is not None:
            present.setdefault(line, number)
    return Placement(tuple(at), tuple(changed), present)


def _written(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The lines without the empty one behind the end of the last."""
    return texts if texts[-1] else texts[:-1]


@lru_cache(maxsize=16)
def _lines_of(committed: str) -> Lines:
    return Lines.of(committed)


def _compared(old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[tuple[str, int, int, int, int]]:
    """What is equal and what is not, as `difflib` has it; equal beginnings and ends are not looked at twice."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    if start:
        yield "equal", 0, start, 0, start
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    if left or right:
        if len(left) * len(right) > _MOST_COMPARED:
            yield "replace", start, start + len(left), start, start + len(right)
        else:
            for kind, first, last, there, after in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
                yield kind, start + first, start + last, start + there, start + after
    if end:
        yield "equal", len(old) - end, len(old), len(new) - end, len(new)


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many lines they begin with that are the same."""
    if one == other:
        return len(one)
    for count, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return count
    return min(len(one), len(other))
