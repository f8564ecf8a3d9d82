"""Laws of conflict templates: what they accept is the definition, taken literally as a regular expression."""

from __future__ import annotations

import re
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from sage_git.judgement.resolution import (
    EITHER,
    Region,
    Side,
    Template,
    as_shown,
    is_resolution,
    parse_template,
)

NAMES = b"a" * 40, b"b" * 40
SIZE = 9
texts = st.lists(st.sampled_from([b"", b"x", b"y", b"z", b"=======", b"<<<<<<< a"]), max_size=4).map(tuple)
regions = st.builds(Region, texts, texts, texts)
sides = st.sets(st.sampled_from(Side)).map(frozenset)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    found = draw(st.lists(regions, min_size=1, max_size=3))
    return Template(tuple(draw(texts) for _ in range(len(found) + 1)), tuple(found))


def printed(template: Template) -> list[bytes]:
    """The template as git leaves it."""
    lines = list(template.fixed[0])
    for region, fixed in zip(template.regions, template.fixed[1:], strict=True):
        lines += [b"<" * SIZE + b" " + NAMES[0], *region.ours, b"|" * SIZE + b" 1234567", *region.base]
        lines += [b"=" * SIZE, *region.theirs, b">" * SIZE + b" " + NAMES[1] + b":path", *fixed]
    return lines


def accepts(template: Template, lines: list[bytes], drawn: frozenset[Side]) -> bool:
    """The definition, with every line as a word that ends in a newline."""
    pattern = b""
    for fixed, region in zip(template.fixed, [*template.regions, None], strict=True):
        pattern += b"".join(re.escape(line) + b"\n" for line in fixed)
        if region is not None:
            words = sorted(re.escape(line) for line in region.vocabulary(drawn))
            pattern += b"(?:(?:%s)\n)*" % b"|".join(words) if words else b""
    return re.fullmatch(pattern, b"".join(line + b"\n" for line in lines)) is not None


@given(templates())
def test_a_template_is_read_as_it_was_printed(template: Template) -> None:
    assert parse_template(printed(template), NAMES, SIZE) == template


@given(templates(), st.data())
def test_any_mix_of_lines_of_base_and_sides_is_a_resolution_and_a_foreign_line_is_not(
    template: Template, data: st.DataObject
) -> None:
    mixes = [
        data.draw(st.lists(st.sampled_from(sorted(each)), max_size=5)) if (each := region.vocabulary(EITHER)) else []
        for region in template.regions
    ]
    parts = [template.fixed[0], *chain.from_iterable(zip(mixes, template.fixed[1:], strict=True))]
    lines = list(chain.from_iterable(parts))
    assert is_resolution(template, lines)
    at = data.draw(st.integers(0, len(lines)))
    assert not is_resolution(template, [*lines[:at], b"foreign", *lines[at:]])


@given(templates(), st.lists(st.sampled_from([b"", b"x", b"y", b"z"]), max_size=8), sides)
def test_what_is_a_resolution_is_the_definition(template: Template, lines: list[bytes], drawn: frozenset[Side]) -> None:
    assert is_resolution(template, lines, drawn) == accepts(template, lines, drawn)


@given(templates(), st.lists(st.sampled_from([b"", b"x", b"y", b"z"]), max_size=8), sides)
def test_what_is_a_resolution_is_one_of_what_git_shows(
    template: Template, lines: list[bytes], drawn: frozenset[Side]
) -> None:
    assert is_resolution(as_shown(template), lines, drawn) or not is_resolution(template, lines, drawn)
    assert as_shown(as_shown(template)) == as_shown(template)


@given(templates(), st.data())
def test_a_marker_too_many_makes_no_template(template: Template, data: st.DataObject) -> None:
    lines = printed(template)
    labels = b"<" * SIZE + b" " + NAMES[0], b"|" * SIZE, b"=" * SIZE, b">" * SIZE + b" " + NAMES[1]
    at = data.draw(st.integers(0, len(lines)))
    forged = [*lines[:at], data.draw(st.sampled_from(labels)), *lines[at:]]
    assert parse_template(forged, NAMES, SIZE) is None
