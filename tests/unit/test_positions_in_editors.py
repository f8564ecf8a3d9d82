"""Lines and positions as editors count them, and where committed lines stand in an edited buffer."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("pygls")

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import placement
from lsp_server.markdown import escaped, visible
from lsp_server.positions import Encoding, Lines, whole_line

markdown_it = pytest.importorskip("markdown_it")
AWKWARD = "a\u2028b\x0cc\x85d"
texts = st.text(alphabet=["a", "é", "€", "😀", "\u2028", "\x0c", "\x85", "\n", "\r", "\t", "\ud800"], max_size=30)


def test_only_newlines_and_returns_end_a_line():
    assert Lines.of(f"{AWKWARD}\nx\r\ny\rz").texts == (AWKWARD, "x", "y", "z")


def test_a_lone_return_ends_no_line_of_gits():
    assert list(Lines.of("a\rb\r\nc\nd").of_git) == [0, 0, 1, 2]


def test_an_empty_text_has_one_empty_line():
    assert Lines.of("").texts == ("",)


@pytest.mark.parametrize(
    "encoding, width", [(Encoding.UTF8, 1 + 4 + 3), (Encoding.UTF16, 1 + 2 + 1), (Encoding.UTF32, 3)]
)
def test_width_counts_what_the_client_counts(encoding, width):
    assert encoding.width("a😀\u2028") == width
    assert whole_line(Lines.of("a😀\u2028\nx"), 0, encoding).end.character == width


@given(texts, st.sampled_from(Encoding))
def test_an_index_is_where_so_many_units_end(text, encoding):
    for at in range(len(text) + 1):
        assert encoding.index(text, encoding.width(text[:at])) == at


@given(texts, st.sampled_from(Encoding), st.integers(-3, 200))
def test_an_index_is_never_outside_the_text(text, encoding, units):
    assert 0 <= encoding.index(text, units) <= len(text)


@given(texts)
def test_lines_put_together_are_the_text(text):
    assert "\n".join(Lines.of(text).texts) == text.replace("\r\n", "\n").replace("\r", "\n")


@given(texts)
def test_an_unedited_buffer_has_every_line_where_git_has_it(text):
    found, lines = placement(text, Lines.of(text)), Lines.of(text)
    written = len(lines) - (not lines.texts[-1])
    assert found.changed == ()
    assert list(found.at[:written]) == [number + 1 for number in lines.of_git[:written]]


@given(texts, texts)
def test_whatever_was_edited_a_placed_line_says_what_git_has_there(before, after):
    old, new = Lines.of(before), Lines.of(after)
    found = placement(before, new)
    assert len(found.at) == len(new)
    of_git: dict[int, list[str]] = {}
    for number, text in zip(old.of_git, old.texts, strict=True):
        of_git.setdefault(number + 1, []).append(text)
    for text, line in zip(new.texts, found.at, strict=True):
        assert line is None or text in of_git[line]
    placed = [number for number in found.at if number is not None]
    assert placed == sorted(placed)


def test_lines_move_with_what_is_typed_above_them():
    found = placement("a\nb\nc\n", Lines.of("a\nnew\nb\nc\n"))
    assert found.at == (1, None, 2, 3, None)
    assert found.changed == ((1, 2),)


def test_a_byte_order_mark_and_other_line_ends_change_nothing():
    assert placement("\ufeffa\nb\n", Lines.of("a\r\nb\r\n")).changed == ()
    assert placement("a\nb\n", Lines.of("\ufeffa\nb")).changed == ()


def test_a_rewritten_giant_is_hidden_instead_of_compared():
    before = "\n".join(f"old {number}" for number in range(5_000))
    after = "\n".join(f"new {number}" for number in range(5_000))
    found = placement(before, Lines.of(after))
    assert set(found.at) == {None}


HOSTILE = "[x](command:y) ![i](http://z/p.png) <img src=x> **b** `c` www.evil.example a_b http://q # h\n- i"


def test_markdown_shows_hostile_text_as_text():
    html = markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(escaped(visible(HOSTILE)))
    assert not any(tag in html for tag in ("<a", "<img", "<strong", "<code", "<h1", "<li", "<em"))


lively = st.lists(st.sampled_from([*"#+-=!:_*~`[]()<>&.1a \\|/", "==", "12", "\n", "é", "<b>", "]("]), max_size=14).map(
    "".join
)


@given(st.text(max_size=60) | lively)
def test_nothing_that_is_escaped_becomes_anything_but_a_paragraph(text):
    tokens = markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(escaped(visible(text)))
    assert [token.type for token in tokens] in (["paragraph_open", "inline", "paragraph_close"], [])
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special"}


def test_what_people_write_of_their_work_stays_as_it_is():
    said = "fix(core): read my_name from src/app.py at 00:01 UTC, not 1.5 days later! a+b=c (3) (#12)"
    assert escaped(said) == said


@given(
    st.lists(
        st.sampled_from(["http", "://", "www", ".", "mailto:", "a", "b.c", "@", "/", " ", "ftp:", "1"]), max_size=9
    )
)
def test_nothing_that_is_escaped_holds_an_address_that_a_client_makes_a_link_of(words):
    assert not re.search(r"\w://|www\.\w|\w@\w|(?:mailto|xmpp):\w", escaped("".join(words)), re.IGNORECASE)


def test_controls_and_bidirectional_marks_are_seen():
    assert visible("a\x1b[31m\u202eb\nc") == "a\\x1b[31m\\u{202e}b\\x0ac"
