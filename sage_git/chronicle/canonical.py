"""JSON as the record writes and accepts it: RFC 8785 text, strict parsing, one profile (SPEC 4.1).

Two paths give the same bytes. orjson is twenty times faster, and equals RFC 8785 for values that have no floats, only
ASCII keys and integers within ±(2^53 − 1). Everything else goes through the rfc8785 package, after a walk that names
the field that breaks the profile. Not here: what an event must contain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import orjson

from sage_git.errors import Detail, ValidationError

if TYPE_CHECKING:
    from json import JSONDecoder

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 64
"""Containers within containers; a bare string has depth 0, `[]` depth 1."""
MAX_LINE_BYTES: Final = 1 << 20
"""Without the newline."""

_ATOMS: Final = frozenset((str, int, bool, type(None)))
_SORTED: Final = orjson.OPT_SORT_KEYS
_STRICT: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


class NotJson(ValidationError):
    """The bytes are not JSON text in UTF-8 at all."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in a parsed value where the text broke the profile, until the walk knows the path to it."""

    reason: str
    received: object
    expected: str
    key: str | None = None


def canonical_json(value: object) -> bytes:
    """The RFC 8785 text of `value`. Raises ValidationError naming the first field outside the profile."""
    line = _by_orjson(value)
    if line is None:
        import rfc8785  # rarely needed, and the hooks must not wait for it

        line = rfc8785.dumps(_checked(value, "", MAX_DEPTH))
    if len(line) > MAX_LINE_BYTES:
        raise _too_long(len(line))
    return line


def canonical_of_own(value: object) -> bytes:
    """The RFC 8785 text of a value that needs no check.

    Precondition: ASCII keys, integers within ±(2^53 − 1), valid Unicode, no floats, no type but JSON's own. Otherwise
    the bytes may differ from those of `canonical_json`, and nothing says so.
    """
    return orjson.dumps(value, option=_SORTED)


def parse_json(raw: bytes) -> Any:
    """The value of one JSON text. Raises NotJson, or ValidationError naming the first field outside the profile."""
    value = parse_canonical(raw)
    return _parse_slowly(raw) if value is None else value


def parse_canonical(raw: bytes) -> Any | None:
    """The value of `raw` if it provably is canonical text within the profile; None when only `parse_json` can say.

    Equality with its own canonical form rules out duplicate keys, foreign spacing, order and escapes all at once.
    """
    if len(raw) > MAX_LINE_BYTES:
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if _by_orjson(value) == raw else None


def _by_orjson(value: object) -> bytes | None:
    """The canonical text of `value` if orjson provably writes it; None otherwise."""
    try:
        return orjson.dumps(value, option=_STRICT) if _is_plain(value, MAX_DEPTH) else None
    except TypeError:  # a key that is no string, a lone surrogate, an integer out of range
        return None


def _is_plain(value: object, depth: int) -> bool:
    """True if orjson writes `value` as RFC 8785 does, or refuses it. Raises TypeError on a key that is no string."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if not depth:
        return False
    members: Any = value
    if kind is dict:
        # ASCII keys sort alike by UTF-16 code unit (RFC 8785 3.2.3) and by UTF-8 byte (orjson).
        if not "".join(members).isascii():
            return False
        members = members.values()
    elif kind is not list and kind is not tuple:
        return False
    kinds = set(map(type, members))
    return kinds <= _ATOMS or all(_is_plain(member, depth - 1) for member in members if type(member) not in _ATOMS)


def _checked(value: object, field: str, depth: int) -> Any:
    """`value` in plain dicts, lists and atoms; `depth` containers may still open. Raises ValidationError."""
    match value:
        case None | bool():
            return value
        case str():
            return _checked_text(value, field)
        case int():
            return _checked_integer(int.__int__(value), field)
        case float():
            return _checked_float(float.__float__(value), field)
        case Mapping() | list() | tuple() if not depth:
            raise _refusal(field, "is nested too deeply", None, f"at most {MAX_DEPTH} levels")
        case Mapping():
            return {
                _checked_key(key, field): _checked(member, _below(field, key), depth - 1)
                for key, member in value.items()
            }
        case list() | tuple():
            return [_checked(member, _below(field, at), depth - 1) for at, member in enumerate(value)]
        case _Refused():
            where = _below(field, value.key) if value.key is not None else field
            raise _refusal(where, value.reason, value.received, value.expected)
        case _:
            expected = "null, a boolean, a number, a string, a list or an object"
            raise _refusal(field, "is not a JSON value", type(value).__name__, expected)


def _checked_text(text: str, field: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        received = ascii(text[problem.start])
        raise _refusal(field, "must not hold a lone surrogate", received, "Unicode text") from None
    return str.__str__(text)


def _checked_key(key: object, field: str) -> str:
    if not isinstance(key, str):
        raise _refusal(field, "has a key that is not a string", type(key).__name__, "string keys")
    return _checked_text(key, _below(field, key))


def _checked_integer(number: int, field: str) -> int:
    if not -MAX_INTEGER <= number <= MAX_INTEGER:
        received = number if number.bit_length() <= 64 else f"{number.bit_length()} bits"  # str() has a limit
        raise _refusal(field, "is an integer out of range", received, "within ±(2^53 − 1)")
    return number


def _checked_float(number: float, field: str) -> float:
    if not isfinite(number):
        raise _refusal(field, "is not a finite number", str(number), "a finite number")
    if MAX_INTEGER < abs(number) < 1e21:  # RFC 8785 writes these as integers, which nobody could read back
        raise _refusal(field, "is an integer out of range", number, "within ±(2^53 − 1)")
    return number


def _parse_slowly(raw: bytes) -> Any:
    """The value of any JSON text within the profile. Raises like `parse_json`."""
    if len(raw) > MAX_LINE_BYTES:
        raise _too_long(len(raw))
    try:
        value = _decoder().decode(raw.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise NotJson(Detail("", f"the text is not UTF-8 at byte {problem.start}", None, "JSON in UTF-8")) from None
    except RecursionError:
        raise _refusal("", "is nested too deeply", None, f"at most {MAX_DEPTH} levels") from None
    except ValueError as problem:  # json.JSONDecodeError, named without importing json
        raise NotJson(Detail("", f"the text is not JSON: {problem}", None, "one JSON value")) from None
    return _checked(value, "", MAX_DEPTH)


@cache
def _decoder() -> JSONDecoder:
    """The stdlib's decoder with everything that it lets pass made visible; imported only for foreign lines."""
    from json import JSONDecoder

    return JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Refused:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return _Refused("stands twice", twice[:80], "distinct keys", twice)


def _integer(token: str) -> int | _Refused:
    if len(token) <= len(str(-MAX_INTEGER)):
        return int(token)
    return _Refused("is an integer out of range", token[:40], "within ±(2^53 − 1)")  # int() itself is quadratic


def _constant(token: str) -> _Refused:
    return _Refused("is not a finite number", token, "a finite number")


def _below(field: str, name: str | int) -> str:
    """The dotted path of member `name` in `field`."""
    return f"{field}.{name}" if field else str(name)


def _refusal(field: str, reason: str, received: object, expected: str) -> ValidationError:
    return ValidationError(Detail(field, reason if field else f"the value {reason}", received, expected))


def _too_long(length: int) -> ValidationError:
    return _refusal("", "is too long for one line", f"{length} bytes", f"at most {MAX_LINE_BYTES} bytes")
