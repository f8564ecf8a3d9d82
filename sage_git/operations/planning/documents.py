"""A plan written down in a file: front matter between `---` or `+++` lines, then text whose list items are its steps.

    ---                             +++
    id: tidy-parser                 id = "tidy-parser"
    summary: Tidy the parser        summary = "Tidy the parser"
    scope:                          scope = ["src/parser/**"]
      - src/parser/**               expires = "+7d"
    expires: +7d                    +++
    ---
    - move the rules into a table
    - have one error for each rule

Between `---` stands a small part of YAML: `key: value` and lists of texts, nothing else. Between `+++` stands TOML. Not
here: what the values mean (drafting), and dates, which are kept as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.errors import Detail, ValidationError

MAX_SIZE_BYTES: Final = 256 << 10
KEYS: Final = ("id", "summary", "scope", "expires", "steps")
_LISTS: Final = ("scope", "steps")
_REMEDY: Final = "docs/cli.md shows a plan that can be read: sage-git plan draft"
_PAIR: Final = re.compile(r"([A-Za-z_-]+)[ \t]*:(?:[ \t]+(.*))?")
_ITEM: Final = re.compile(r"[ \t]*-[ \t]+(.*)")
_STEP: Final = re.compile(r"(?:[-*+]|\d{1,4}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(\S.*)")
_HEADING: Final = re.compile(r"#{1,6}[ \t]+(\S.*)")
_FENCE: Final = re.compile(r"[ \t]*(?:```|~~~)")
_QUOTED: Final = re.compile(r"\"((?:[^\"\\]|\\[\"\\])*)\"|'((?:[^']|'')*)'")
_COMMENT: Final = re.compile(r"[ \t]+#.*")

Value = str | list[str]


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says of a plan; empty where it is silent."""

    plan_id: str
    summary: str
    scope: tuple[str, ...]
    expires: str
    steps: tuple[str, ...]


def parse_document(text: bytes, name: str) -> Document:
    """The plan in the file called `name`. Without a summary, the first heading of the text is it.

    Raises:
        ValidationError: it cannot be read as one; says in which line.
    """
    lines = _lines(text, name)
    marker = lines[0].rstrip() if lines else ""
    if marker not in ("---", "+++"):
        raise _wrong(name, 1, "a plan begins with a line --- or +++, and its id, summary and scope follow")
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == marker), None)
    if end is None:
        raise _wrong(name, len(lines), f"the {marker} of line 1 has no second {marker}")
    front = lines[1:end]
    given = _toml(front, name) if marker == "+++" else _pairs(front, name)
    body = list(_outside_fences(lines[end + 1 :]))
    steps = [found[1].rstrip() for line in body if (found := _STEP.fullmatch(line))]
    heading = next((found[1].strip() for line in body if (found := _HEADING.fullmatch(line))), "")
    return Document(
        plan_id=_text(given, "id"),
        summary=_text(given, "summary") or heading,
        scope=_texts(given, "scope"),
        expires=_text(given, "expires"),
        steps=(*_texts(given, "steps"), *steps),
    )


def _lines(text: bytes, name: str) -> list[str]:
    if len(text) > MAX_SIZE_BYTES:
        raise ValidationError(Detail(name, f"is larger than {MAX_SIZE_BYTES} bytes"), remedy=_REMEDY)
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _wrong(name, text.count(b"\n", 0, problem.start) + 1, "it is not UTF-8") from None
    return [line.removesuffix("\r") for line in decoded.split("\n")]


def _outside_fences(lines: Sequence[str]) -> Iterator[str]:
    """The lines that are not code between fences."""
    is_code = False
    for line in lines:
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            yield line


def _pairs(lines: Sequence[str], name: str) -> dict[str, Value]:
    """The keys of front matter in the little YAML that is read here."""
    given: dict[str, Value] = {}
    key = ""
    for number, line in enumerate(lines, 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item, pair = _ITEM.fullmatch(line), _PAIR.fullmatch(line)
        if pair:
            key = _known(pair[1], name, number)
            if key in given:
                raise _wrong(name, number, f"{key} stands there twice")
            given[key] = _value(key, pair[2] or "", name, number)
        elif item and isinstance(given.get(key), list):
            listed = given[key]
            assert isinstance(listed, list)
            listed.append(_scalar(item[1], name, number))
        elif item:
            raise _wrong(name, number, f"a list item stands where {key or 'no key'} wants no list")
        else:
            raise _wrong(name, number, "it is neither `key: value` nor `- item`")
    return given


def _value(key: str, written: str, name: str, number: int) -> Value:
    """The value behind a key; a list that has only begun, if nothing stands there."""
    text = written.strip()
    if key not in _LISTS:
        return _scalar(text, name, number)
    if not text or text.startswith("#"):
        return []
    if not text.startswith("["):
        return [_scalar(text, name, number)]
    inner = _COMMENT.sub("", text) if not text.endswith("]") else text
    if not inner.endswith("]"):
        raise _wrong(name, number, f"the list of {key} has no ]")
    return [_scalar(part, name, number) for part in _split(inner[1:-1])]


def _split(inner: str) -> Iterator[str]:
    """The parts between commas that stand in no quotes; a comma at the end begins nothing."""
    part, quote = "", ""
    for character in inner:
        if character == "," and not quote:
            yield part
            part = ""
            continue
        quote = "" if character == quote else quote or (character if character in "\"'" and not part.strip() else "")
        part += character
    if part.strip():
        yield part


def _scalar(written: str, name: str, number: int) -> str:
    text = written.strip()
    if text[:1] in ("'", '"'):
        found = _QUOTED.match(text)
        if found is None or _COMMENT.sub("", text[found.end() :]).strip():
            raise _wrong(name, number, "a quoted text has no end, or more stands behind it")
        double, single = found.groups()
        return re.sub(r"\\(.)", r"\1", double) if double is not None else single.replace("''", "'")
    if text[:1] in ("{", "|", ">", "&"):
        raise _wrong(name, number, f"{text[:1]} is more YAML than is read here; put the text in quotes")
    return "" if text.startswith("#") else _COMMENT.sub("", text)


def _toml(lines: Sequence[str], name: str) -> dict[str, Value]:
    import tomllib

    try:
        table = tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError) as problem:
        raise ValidationError(Detail(name, f"is not TOML between the +++ lines: {problem}"), remedy=_REMEDY) from None
    given: dict[str, Value] = {}
    for written, value in table.items():
        key = _known(written, name, None)
        if key in _LISTS:
            if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                raise ValidationError(Detail(name, f"{key} must be a list of texts"), remedy=_REMEDY)
            given[key] = value
        elif key == "expires" and hasattr(value, "isoformat"):
            given[key] = value.isoformat()
        elif isinstance(value, str):
            given[key] = value
        else:
            raise ValidationError(Detail(name, f"{key} must be a text"), remedy=_REMEDY)
    return given


def _known(key: str, name: str, number: int | None) -> str:
    if key in KEYS:
        return key
    from difflib import get_close_matches

    nearest = get_close_matches(key[:64], KEYS, 1, 0.0)[0]
    said = f"'{key[:64]}' is not a key of a plan; the nearest is {nearest}"
    if number is None:
        raise ValidationError(Detail(name, said), remedy=_REMEDY)
    raise _wrong(name, number, said)


def _text(given: Mapping[str, Value], key: str) -> str:
    value = given.get(key, "")
    assert isinstance(value, str)
    return value.strip()


def _texts(given: Mapping[str, Value], key: str) -> tuple[str, ...]:
    value = given.get(key, [])
    assert isinstance(value, list)
    return tuple(filter(None, (each.strip() for each in value)))


def _wrong(name: str, number: int, said: str) -> ValidationError:
    return ValidationError(Detail(f"{name}, line {number}", said), remedy=_REMEDY)
