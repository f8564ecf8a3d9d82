"""RFC 8785 on the published vectors; the profile; strict parsing."""

import enum
import hashlib
import json
import struct
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest
import rfc8785

from sage_git.chronicle.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_LINE_BYTES,
    NotJson,
    canonical_json,
    parse_json,
)
from sage_git.errors import ValidationError

# https://github.com/cyberphone/json-canonicalization, testdata/input and testdata/output
PUBLISHED = {
    "arrays": (
        r'[56, {"d": true, "10": null, "1": [ ]}]',
        '[56,{"1":[],"10":null,"d":true}]',
    ),
    "french": (
        r"""{
          "peach": "This sorting order",
          "péché": "is wrong according to French",
          "pêche": "but canonicalization MUST",
          "sin":   "ingnore locale"
        }""",
        (
            '{"peach":"This sorting order","péché":"is wrong according to French",'
            '"pêche":"but canonicalization MUST","sin":"ingnore locale"}'
        ),
    ),
    "structures": (
        r'{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ { } ], "A": { }}',
        r'{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}',
    ),
    "unicode": (
        r'{"Unnormalized Unicode":"A\u030a"}',
        '{"Unnormalized Unicode":"A\u030a"}',
    ),
    "values (RFC 8785 3.2.4)": (
        r"""{
          "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
          "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
          "literals": [null, true, false]
        }""",
        (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ),
    ),
    "weird": (
        r"""{
          "\u20ac": "Euro Sign", "\r": "Carriage Return", "\u000a": "Newline", "1": "One",
          "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley", "\u00f6": "Latin Small Letter O With Diaeresis",
          "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge"
        }""",
        (
            '{"\\n":"Newline","\\r":"Carriage Return","1":"One","</script>":"Browser Challenge",'
            '"\x80":"Control\x7f","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😂":"Smiley",'
            '"\ufb33":"Hebrew Letter Dalet With Dagesh"}'
        ),
    ),
}

# RFC 8785, appendix B
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}
OUT_OF_RANGE = {
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
}

# The first values of the published sequence of numbers: testdata/README.md of the same repository.
EDGES = """
0000000000000000 8000000000000000 0000000000000001 8000000000000001
c46696695dbd1cc3 c43211ede4974a35 c3fce97ca0f21056 c3c7213080c1a6ac c39280f39a348556 c35d9b1f5d20d557 c327af4c4a80aaac
c2f2f2a36ecd5556 c2be51057e155558 c28840d131aaaaac c253670dc1555557 c21f0b4935555557 c1e8d5d42aaaaaac c1b3de4355555556
c17fca0555555556 c1496e6aaaaaaaab c114585555555555 c0e046aaaaaaaaab c0aa0aaaaaaaaaaa c074d55555555555 c040aaaaaaaaaaab
c00aaaaaaaaaaaab bfd5555555555555 bfa1111111111111 bf6b4e81b4e81b4f bf35d867c3ece2a5 bf0179ec9cbd821e becbf647612f3696
be965e9f80f29212 be61e54c672874db be2ca213d840baf8 bdf6e80fe033c8c6 bdc2533fe68fd3d2 bd8d51ffd74c861c bd5774ccac3d3817
bd22c3d6f030f9ac bcee0624b3818f79 bcb804ea293472c7 bc833721ba905bd3 bc4ebe9c5db3c61e bc18987d17c304e5 bbe3ad30dfcf371d
bbaf7b816618582f bb792f9ab81379bf bb442615600f9499 bb101e77800c76e1 bad9ca58cce0be35 baa4a1e0a3e6fe90 ba708180831f320d
ba3a68cd9e985016
446696695dbd1cc3 443211ede4974a35 43fce97ca0f21056 43c7213080c1a6ac 439280f39a348556 435d9b1f5d20d557 4327af4c4a80aaac
42f2f2a36ecd5556 42be51057e155558 428840d131aaaaac 4253670dc1555557 421f0b4935555557 41e8d5d42aaaaaac 41b3de4355555556
417fca0555555556 41496e6aaaaaaaab 4114585555555555 40e046aaaaaaaaab 40aa0aaaaaaaaaaa 4074d55555555555 4040aaaaaaaaaaab
400aaaaaaaaaaaab 3fd5555555555555 3fa1111111111111 3f6b4e81b4e81b4f 3f35d867c3ece2a5 3f0179ec9cbd821e 3ecbf647612f3696
3e965e9f80f29212 3e61e54c672874db 3e2ca213d840baf8 3df6e80fe033c8c6 3dc2533fe68fd3d2 3d8d51ffd74c861c 3d5774ccac3d3817
3d22c3d6f030f9ac 3cee0624b3818f79 3cb804ea293472c7 3c833721ba905bd3 3c4ebe9c5db3c61e 3c18987d17c304e5 3be3ad30dfcf371d
3baf7b816618582f 3b792f9ab81379bf 3b442615600f9499 3b101e77800c76e1 3ad9ca58cce0be35 3aa4a1e0a3e6fe90 3a708180831f320d
3a3a68cd9e985016
4024000000000000 4014000000000000 3fe0000000000000 3fa999999999999a 3f747ae147ae147b 3f40624dd2f1a9fc 3f0a36e2eb1c432d
3ed4f8b588e368f1 3ea0c6f7a0b5ed8d 3e6ad7f29abcaf48 3e35798ee2308c3a 3ed539223589fa95 3ed4ff26cd5a7781 3ed4f95a762283ff
3ed4f8c60703520c 3ed4f8b72f19cd0d 3ed4f8b5b31c0c8d 3ed4f8b58d1c461a 3ed4f8b5894f7f0e 3ed4f8b588ee37f3 3ed4f8b588e47da4
3ed4f8b588e3849c 3ed4f8b588e36bb5 3ed4f8b588e36937 3ed4f8b588e368f8 3ed4f8b588e368f1
3ff0000000000000 bff0000000000000 bfeffffffffffffa bfeffffffffffffb 3feffffffffffffa 3feffffffffffffb 3feffffffffffffc
3feffffffffffffe bfefffffffffffff bfefffffffffffff 3fefffffffffffff 3fefffffffffffff 3fd3333333333332 3fd3333333333333
3fd3333333333334 0010000000000000 000ffffffffffffd 000fffffffffffff 7fefffffffffffff ffefffffffffffff 4340000000000000
c340000000000000 4430000000000000 44b52d02c7e14af5 44b52d02c7e14af6 44b52d02c7e14af7 444b1ae4d6e2ef4e 444b1ae4d6e2ef4f
444b1ae4d6e2ef50 3eb0c6f7a0b5ed8c 3eb0c6f7a0b5ed8d 41b3de4355555553 41b3de4355555554 41b3de4355555555 41b3de4355555556
41b3de4355555557 becbf647612f3696 43143ff3c1cb0959
""".split()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_texts_become_their_published_form(name):
    given, canonical = PUBLISHED[name]
    assert canonical_json(parse_json(given.encode())).decode() == canonical


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_forms_are_read_back_unchanged(name):
    canonical = PUBLISHED[name][1].encode()
    assert canonical_json(parse_json(canonical)) == canonical


def test_numbers_are_written_as_in_appendix_b():
    assert {bits: canonical_json(_double(bits)).decode() for bits in NUMBERS} == NUMBERS


def test_integers_of_appendix_b_that_nobody_could_read_back_are_refused():
    for bits, text in OUT_OF_RANGE.items():
        assert rfc8785.dumps(_double(bits)).decode() == text
        with pytest.raises(ValidationError, match="out of range"):
            canonical_json(_double(bits))
        with pytest.raises(ValidationError, match="out of range"):
            parse_json(text.encode())


@pytest.mark.parametrize(
    "lines, checksum",
    [
        (10_000, "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"),
        pytest.param(
            1_000_000, "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16", marks=pytest.mark.soak
        ),
    ],
)
def test_the_published_sequence_of_numbers_has_its_published_checksum(lines, checksum):
    written = hashlib.sha256()
    for bits in islice(_published_numbers(), lines):
        number = _double(f"{bits:016x}")
        unreadable = MAX_INTEGER < abs(number) < 1e21
        text = rfc8785.dumps(number) if unreadable else canonical_json(number)
        written.update(b"%x,%s\n" % (bits, text))
    assert written.hexdigest() == checksum


def _published_numbers() -> Iterator[int]:
    """The sequence that testdata/README.md defines, as bit patterns."""
    yield from (int(bits, 16) for bits in EDGES)
    yield from range(0x0010000000000000, 0x0010000000000000 + 2000)
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        for bits in struct.unpack("<4Q", block):
            if bits & 0x7FFFFFFFFFFFFFFF and bits >> 52 & 0x7FF != 0x7FF:
                yield bits


def _double(bits: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


def test_keys_are_sorted_by_utf16_code_units():
    value = {"\ufb33": 1, "\U0001f602": 2, "\u20ac": 3, "1": 4, "\r": 5}
    assert list(json.loads(canonical_json(value))) == ["\r", "1", "\u20ac", "\U0001f602", "\ufb33"]


def test_separators_that_other_readers_split_at_stand_raw():
    assert canonical_json("\u2028\u2029\u0085\x7f") == '"\u2028\u2029\u0085\x7f"'.encode()


def test_subclasses_and_tuples_are_written_as_what_they_are():
    class Colour(enum.StrEnum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    assert canonical_json({Colour.RED: (Level.HIGH, Colour.RED, True)}) == b'{"red":[3,"red",true]}'


def test_depth_is_counted_in_containers():
    def nested(depth):
        value: object = "x"
        for _ in range(depth):
            value = [value]
        return value

    assert parse_json(canonical_json(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(ValidationError, match="nested too deeply"):
        canonical_json(nested(MAX_DEPTH + 1))
    with pytest.raises(ValidationError, match="nested too deeply"):
        parse_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_a_value_that_contains_itself_is_refused():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValidationError, match="nested too deeply"):
        canonical_json({"meta": endless})


def test_a_line_may_have_a_mebibyte_and_no_more():
    text = "x" * (MAX_LINE_BYTES - 2)
    assert parse_json(canonical_json(text)) == text
    for refused in (lambda: canonical_json(text + "x"), lambda: parse_json(b'"' + text.encode() + b'x"')):
        with pytest.raises(ValidationError, match="too long"):
            refused()


@pytest.mark.parametrize(
    "value, field",
    [
        ({"a": {"b": [0, float("nan")]}}, "a.b.1"),
        ({"a": float("inf")}, "a"),
        ({"a": 2**53}, "a"),
        ({"a": -(2**53)}, "a"),
        ({"a": 1e20}, "a"),
        ({"a": ["\ud800"]}, "a.0"),
        ({"a": {"x\udfff": 1}}, "a.x\udfff"),
        ({"a": {1: 2}}, "a"),
        ({10**5000: 2}, ""),
        ({"a": 10**5000}, "a"),
        ({"a": b"bytes"}, "a"),
        ({"a": {1, 2}}, "a"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "a"),
        ({"a": uuid.UUID(int=0)}, "a"),
        (2**64, ""),
    ],
)
def test_what_is_outside_the_profile_is_refused_by_the_name_of_its_field(value, field):
    with pytest.raises(ValidationError) as caught:
        canonical_json(value)
    assert caught.value.code == "EVALIDATION"
    assert [detail.field for detail in caught.value.details] == [field]
    assert caught.value.details[0].expected


@pytest.mark.parametrize(
    "raw, field",
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":{"":1,"":2}}', "a."),
        (b'{"x":[{"b":1,"c":2,"b":3}]}', "x.0.b"),
        (b'{"a":NaN}', "a"),
        (b'{"a":[-Infinity]}', "a.0"),
        (b'{"a":1e400}', "a"),
        (b'{"a":9007199254740992}', "a"),
        (b'{"a":18446744073709551616}', "a"),
        (b'{"a":1e20}', "a"),
        (b'{"a":' + b"9" * 100_000 + b"}", "a"),
        (rb'{"a":"\ud800"}', "a"),
        (rb'{"a":{"\udc00\ud800":1}}', "a.\udc00\ud800"),
        (b"[" * 100_000, ""),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, ""),
    ],
)
def test_text_outside_the_profile_is_refused_by_the_name_of_its_field(raw, field):
    with pytest.raises(ValidationError) as caught:
        parse_json(raw)
    assert not isinstance(caught.value, NotJson)
    assert [detail.field for detail in caught.value.details] == [field]


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{", b'{"a":1,}', b"{'a':1}", b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b"[1 2]", b"nul", b"1 2",
        b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"', b"\xef\xbb\xbf{}", b'"\x01"', b'"a\nb"', b'"\\x41"', b"\x00",
        '"a"'.encode("utf-16"), b"{}\x00", b"// comment\n{}",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_as_that(raw):
    with pytest.raises(NotJson):
        parse_json(raw)


@pytest.mark.parametrize(
    "raw, value",
    [
        (b"null", None),
        (b' {"b" : 1, "a":[ ] }\r', {"b": 1, "a": []}),
        (rb'"\u0041\/\ud83d\ude02"', "A/😂"),
        (b"-0", 0),
        (b"1.50e1", 15.0),
        (b"9007199254740991", MAX_INTEGER),
    ],
)
def test_foreign_spacing_order_and_escapes_are_read(raw, value):
    assert parse_json(raw) == value
