"""Laws of canonical JSON: it is RFC 8785, it is read back as it was, and nothing outside the profile gets through."""

import json
import random
import struct
from contextlib import suppress
from math import isfinite
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from sage_git.chronicle.canonical import MAX_DEPTH, MAX_INTEGER, canonical_json, canonical_of_own, parse_json
from sage_git.errors import ValidationError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not MAX_INTEGER < abs(number) < 1e21)


def values(atoms, keys=TEXT):
    return st.recursive(
        atoms,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


PROFILE = values(st.none() | st.booleans() | INTEGERS | FLOATS | TEXT)
OWN = values(st.none() | st.booleans() | INTEGERS | TEXT, st.text(st.characters(codec="ascii"), max_size=8))


@given(PROFILE)
def test_it_is_what_rfc8785_says(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@given(PROFILE)
def test_what_is_written_is_read_back_and_written_the_same(value):
    line = canonical_json(value)
    assert parse_json(line) == value
    assert canonical_json(parse_json(line)) == line


@given(PROFILE, st.booleans(), st.sampled_from([None, 2]))
def test_any_spelling_of_a_value_has_one_canonical_form(value, ascii_only, indent):
    foreign = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert canonical_json(parse_json(foreign)) == canonical_json(value)


@given(OWN)
def test_our_own_values_need_no_check(value):
    assert canonical_of_own(value) == canonical_json(value)


def _inside(value: Any, path: list[Any]) -> tuple[Any, str]:
    """`value` wrapped so that it stands at `path`, and the dotted name of that place."""
    for step in reversed(path):
        value = {step: value, "beside": [1]} if isinstance(step, str) else ["before"] * step + [value]
    return value, ".".join(map(str, path))


NAMES = st.text("abcdefgé€", min_size=1, max_size=4)
PATHS = st.lists(NAMES | st.integers(0, 3), min_size=1, max_size=5)
SURROGATES = st.integers(0xD800, 0xDFFF).map(chr)
OUTSIDE = st.one_of(
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.integers(min_value=MAX_INTEGER + 1) | st.integers(max_value=-MAX_INTEGER - 1),
    st.floats(MAX_INTEGER + 1, 1e21, exclude_max=True),
    SURROGATES,
    st.binary(max_size=3),
    st.just(object()),
    st.frozensets(st.integers(), max_size=2),
    st.complex_numbers(),
)


@given(OUTSIDE, PATHS)
def test_a_value_outside_the_profile_is_refused_by_name(value, path):
    wrapped, field = _inside(value, path)
    with pytest.raises(ValidationError) as caught:
        canonical_json(wrapped)
    assert caught.value.code == "EVALIDATION"
    assert caught.value.details[0].field == field


@given(st.sampled_from(["NaN", "-Infinity", "1e999", "9007199254740992", "-1e17", r'"\ud83d"', '{"a":1,"a":2}']), PATHS)
def test_text_outside_the_profile_is_refused_by_name(text, path):
    wrapped, field = _inside("?", path)
    raw = json.dumps(wrapped).replace('"?"', text).encode()
    with pytest.raises(ValidationError) as caught:
        parse_json(raw)
    assert caught.value.details[0].field == (f"{field}.a" if text.startswith("{") else field)


@given(st.binary(max_size=40) | st.text(r'{}[]":,\u0129.eE+-ntfalsr ', max_size=40).map(str.encode))
def test_no_bytes_do_worse_than_being_refused(raw):
    try:
        value = parse_json(raw)
    except ValidationError:
        return
    assert parse_json(canonical_json(value)) == value


@given(PROFILE, st.data())
def test_two_spellings_are_never_both_canonical(value, data):
    line = canonical_json(value)
    at = data.draw(st.integers(0, len(line)))
    other = line[:at] + data.draw(st.sampled_from([b" ", b"\n", b"0", b"\\u0041", b'"', b"{}"])) + line[at:]
    assume(other != line)
    with suppress(ValidationError):
        assert parse_json(other) != parse_json(line) or canonical_json(parse_json(other)) != other


@pytest.mark.parametrize("count", [5_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_many_random_values_agree_with_rfc8785(count):
    """Faster than Hypothesis, for the sake of numbers: values of every kind, strings and doubles of every shape."""
    dice = random.Random(8785)
    for _ in range(count):
        value = _random_value(dice, 4)
        line = canonical_json(value)
        assert line == rfc8785.dumps(value), value
        assert parse_json(line) == value


def _random_value(dice: random.Random, depth: int) -> Any:
    match dice.randrange(9 if depth else 6):
        case 0:
            return dice.choice((None, True, False))
        case 1:
            return dice.randint(-MAX_INTEGER, MAX_INTEGER) >> dice.randrange(54)
        case 2:
            return _random_double(dice)
        case 3 | 4 | 5:
            return _random_text(dice)
        case 6:
            return [_random_value(dice, depth - 1) for _ in range(dice.randrange(4))]
        case _:
            return {_random_text(dice): _random_value(dice, depth - 1) for _ in range(dice.randrange(5))}


def _random_double(dice: random.Random) -> float:
    number: float = struct.unpack("<d", dice.randbytes(8))[0]
    if dice.randrange(2):
        number = round(dice.uniform(-1e6, 1e6), dice.randrange(9)) * 10.0 ** dice.randrange(-12, 12)
    outside = not isfinite(number) or MAX_INTEGER < abs(number) < 1e21
    return 0.5 if outside else number


RANGES = (
    (0, 0x20),
    (0x20, 0x7F),
    (0x20, 0x7F),
    (0x7F, 0x100),
    (0x2020, 0x2030),
    (0xE000, 0x10000),
    (0x10000, 0x110000),
)


def _random_text(dice: random.Random) -> str:
    low, high = dice.choice(RANGES)
    return "".join(chr(dice.randrange(low, high)) for _ in range(dice.randrange(6)))


def test_depth_is_the_same_for_both_paths():
    for leaf in (1, 1.5):
        value: Any = leaf
        for _ in range(MAX_DEPTH):
            value = {"a": value}
        assert parse_json(canonical_json(value)) == value
        with pytest.raises(ValidationError, match="nested too deeply"):
            canonical_json([value])
