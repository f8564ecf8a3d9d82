"""Path patterns with the meaning that they have in a .gitignore at the root of the repository (`man gitignore`).

Responsible for agreeing with `git check-ignore`, byte for byte. Not here: reading ignore files, or what a match means.
A pattern becomes a regular expression over UTF-8 bytes. Each run between two wildcards is matched at the first place
where it fits and never tried again (an atomic group), which is enough for globs and leaves no exponential pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_WILDCARDS: Final = re.compile(rb"[*?\[\\]")
_CLASSES: Final = {
    b"alnum": rb"[0-9A-Za-z]", b"alpha": rb"[A-Za-z]", b"blank": rb"[ \t]", b"cntrl": rb"[\x00-\x1f\x7f]",
    b"digit": rb"[0-9]", b"graph": rb"[!-~]", b"lower": rb"[a-z]", b"print": rb"[ -~]",
    b"punct": rb"[!-/:-@\[-`{-~]", b"space": rb"[ \t-\r]", b"upper": rb"[A-Z]", b"xdigit": rb"[0-9A-Fa-f]",
}  # fmt: skip
_NEVER: Final = b"(?!)"
_STAR: Final = rb"[^/]*?"
_FOLDERS: Final = rb"(?:.*?/)??"
_ANYTHING: Final = rb".*?"
_SLASH: Final = ord("/")


class _Unmatchable(Exception):
    """The pattern is broken in a way that git answers by never matching it."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One pattern, ready to be matched."""

    negated: bool
    folders_only: bool
    anchored: bool
    expression: re.Pattern[bytes]


class Patterns:
    """An ordered list of patterns, of which the last that matches decides."""

    __slots__ = ("_patterns", "texts")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = tuple(texts)
        self._patterns = tuple(filter(None, map(_compile, self.texts)))[::-1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patterns) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"Patterns({list(self.texts)!r})"

    def matches(self, path: str) -> bool:
        """True if the file at `path` (repository-relative, with `/`) matches, or a folder that it lies in does."""
        name = path.encode("utf-8", "surrogateescape")
        end = name.find(b"/")
        while end >= 0:
            if self._decides(name[:end], is_folder=True):
                return True
            end = name.find(b"/", end + 1)
        return self._decides(name, is_folder=False)

    def _decides(self, name: bytes, *, is_folder: bool) -> bool:
        base = name[name.rfind(b"/") + 1 :]
        for pattern in self._patterns:
            if (is_folder or not pattern.folders_only) and pattern.expression.fullmatch(
                name if pattern.anchored else base
            ):
                return not pattern.negated
        return False


def _compile(text: str) -> _Pattern | None:
    """The pattern that `text` is as a line of a .gitignore; None for a blank line or a comment."""
    glob = _without_trailing_spaces(text.encode("utf-8", "surrogateescape"))
    if not glob or glob.startswith(b"#"):
        return None
    negated = glob.startswith(b"!")
    glob = glob[negated:]
    folders_only = glob.endswith(b"/")
    glob = glob[: len(glob) - folders_only]
    anchored = b"/" in glob
    try:
        expression = _translate(glob.removeprefix(b"/") if anchored else glob, anchored=anchored)
    except _Unmatchable:
        expression = _NEVER
    return _Pattern(negated, folders_only, anchored, re.compile(expression, re.DOTALL))


def _without_trailing_spaces(glob: bytes) -> bytes:
    """`glob` less the spaces at its end that no backslash keeps."""
    kept = glob.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return glob[: len(kept) + 1] if backslashes % 2 and len(kept) < len(glob) else kept


def _translate(glob: bytes, *, anchored: bool) -> bytes:
    """A regular expression for a whole path, or, if not `anchored`, for its last component.

    Raises:
        _Unmatchable: git never matches it.
    """
    expression = in_star = in_deep = b""  # and what closes the groups that are open
    for part in _parts(glob, anchored=anchored):
        if part is _STAR:
            expression += in_star + b"(?>"
            in_star = b")"
        elif part in (_FOLDERS, _ANYTHING):
            expression += in_star + in_deep + b"(?>"
            in_star, in_deep = b"", b")"
        expression += part
    return expression + rb"\Z" + in_star + in_deep


def _parts(glob: bytes, *, anchored: bool) -> Iterator[bytes]:
    """The expressions of what stands in `glob`: wildcards as the constants, everything else one byte long."""
    wildcard = _WILDCARDS.search(glob)
    beginning = wildcard.start() if wildcard else 0  # git compares what stands before by itself, and `**` begins anew
    at = 0
    while at < len(glob):
        match glob[at : at + 1]:
            case b"*":
                stars = len(glob) - at - len(glob[at:].lstrip(b"*"))
                is_deep = anchored and stars > 1 and (at == beginning or glob[at - 1] == _SLASH)
                at += stars
                part = _deep(glob[at:]) if is_deep else _STAR
                at += part is _FOLDERS
                yield part
            case b"?":
                at += 1
                yield rb"[^/]"
            case b"[":
                allowed, at = _bracket(glob, at + 1)
                yield b"[%s]" % b"".join(rb"\x%02x" % byte for byte in sorted(allowed))
            case character:
                at += character == b"\\"
                if at == len(glob):
                    raise _Unmatchable
                yield re.escape(glob[at : at + 1])
                at += 1


def _deep(rest: bytes) -> bytes:
    """What `**` means before `rest`: folders, anything at all, or no more than `*`."""
    if rest.startswith(b"/"):
        return _FOLDERS
    return _ANYTHING if not rest or rest.startswith(rb"\/") else _STAR


def _bracket(glob: bytes, at: int) -> tuple[set[int], int]:
    """The bytes that the bracket expression allows whose `[` stands before `at`, and where `glob` goes on after it.

    Raises:
        _Unmatchable: it has no end, or names a class that does not exist.
    """
    inner = _Cursor(glob, at)
    negated = inner.byte in b"!^"
    inner.at += negated
    allowed: set[int] = set()
    previous = b""
    while True:
        previous = _allow(inner, allowed, previous)
        inner.at += 1
        if inner.byte == b"]":
            break
    return (set(range(1, 256)) - allowed if negated else allowed) - {_SLASH}, inner.at + 1


class _Cursor:
    """A place in a glob at which there must be a byte."""

    __slots__ = ("at", "glob")

    def __init__(self, glob: bytes, at: int) -> None:
        self.glob, self.at = glob, at

    @property
    def byte(self) -> bytes:
        if self.at >= len(self.glob):
            raise _Unmatchable
        return self.glob[self.at : self.at + 1]

    def unescaped(self) -> bytes:
        """The byte here, or, of a backslash, the next."""
        self.at += self.byte == b"\\"
        return self.byte


def _allow(inner: _Cursor, allowed: set[int], previous: bytes) -> bytes:
    """Add the next item of a bracket to `allowed`, stay on its last byte; gives the byte that may begin a range."""
    following = inner.glob[inner.at + 1 : inner.at + 2]
    if inner.byte == b"-" and previous and following not in (b"", b"]"):
        inner.at += 1
        allowed.update(range(previous[0], inner.unescaped()[0] + 1))
        return b""
    if inner.byte == b"[" and following == b":":
        end = inner.glob.find(b"]", inner.at + 2)
        name = inner.glob[inner.at + 2 : end]
        if end < 0 or (name.endswith(b":") and name[:-1] not in _CLASSES):
            raise _Unmatchable
        if name.endswith(b":"):
            inner.at = end
            allowed.update(b"".join(re.findall(_CLASSES[name[:-1]], bytes(range(256)))))
            return b""
    last = inner.unescaped()
    allowed.add(last[0])
    return last
