"""Readers of single values of a TOML file: each gives the value in its own type, or says that it is not one.

Not here: which key takes which value (policy).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, TypeVar

from sage_git.chronicle.ids import ObjectId, is_hex

_SHOWN_CHARACTERS: Final = 120
_One = TypeVar("_One")
_Word = TypeVar("_Word", bound=Enum)
Reader = Callable[[Any], object]


class WrongValueError(Exception):
    """A value is not what its key takes."""


def object_id(value: object) -> ObjectId:
    """A full object id."""
    if not (isinstance(value, str) and is_hex(value, 40, 64)):
        raise WrongValueError
    return ObjectId(value)


def boolean(value: object) -> bool:
    """True or false; 0 and 1 are neither."""
    if not isinstance(value, bool):
        raise WrongValueError
    return value


def number_up_to(maximum: int) -> Callable[[object], int]:
    """A reader of whole numbers from 1."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= maximum:
            raise WrongValueError
        return value

    return read


def matching(form: re.Pattern[str]) -> Callable[[object], str]:
    """A reader of strings that have this form from end to end."""

    def read(value: object) -> str:
        if not (isinstance(value, str) and form.fullmatch(value)):
            raise WrongValueError
        return value

    return read


def pattern(value: object) -> str:
    """A path pattern: a line of text that is not blank."""
    if not (isinstance(value, str) and value.isprintable() and value.strip()):
        raise WrongValueError
    return value


def one_of(words: type[_Word]) -> Callable[[object], _Word]:
    """A reader of the members of `words`, by their values."""

    def read(value: object) -> _Word:
        for word in words:
            if word.value == value:
                return word
        raise WrongValueError

    return read


def each(read_one: Callable[[object], _One], gather: Callable[[Iterable[_One]], object] = tuple) -> Reader:
    """A reader of lists of what `read_one` reads."""

    def read(value: object) -> object:
        if not isinstance(value, list):
            raise WrongValueError
        return gather([read_one(one) for one in value])

    return read


def words_of(words: type[Enum]) -> str:
    """The values of `words`, quoted, with commas."""
    return ", ".join(f'"{word.value}"' for word in words)


def shown(value: object) -> str:
    """`value` about as it stands in the file, safe to print."""
    if isinstance(value, str):
        return printable(f'"{value}"')
    return printable(str(value).lower() if isinstance(value, bool) else repr(value))


def printable(text: str) -> str:
    """`text`, cut to a line, with everything escaped that a terminal could take for more than a character."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in cut)
