"""Text of others in a report's Markdown: whatever it is, it is shown, and does nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.cli.report_markdown import code
from sage_git.cli.text import cut, escape

markdown_it = pytest.importorskip("markdown_it")
PARSER = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
HOSTILE = st.text(st.sampled_from("`|\\<>&;#@![]()*_~-+.:/ \n\taZ1é\u202e$=\"'"), max_size=30) | st.text(max_size=30)


def inline(cell):
    """The tokens that a cell of a table is parsed to."""
    tokens = PARSER.parse(f"| a | b |\n|---|---|\n| {cell} | end |\n")
    rows = [token for token in tokens if token.type == "inline"]
    assert [token.content for token in rows[:2]] == ["a", "b"]
    assert len(rows) == 4, "neither fewer nor more cells"
    assert rows[3].content == "end"
    return rows[2].children


def shown(tokens):
    """What a reader sees, all of which must be code."""
    assert [token.type for token in tokens] == ["code_inline"]
    return tokens[0].content


@given(HOSTILE)
def test_any_text_stays_inside_code(text):
    expected = cut(escape(text).replace("`", r"\x60").replace("|", r"\x7c"), 200) or "-"
    assert shown(inline(code(text))).strip(" ") == expected.strip(" ")


@given(HOSTILE)
def test_any_text_stays_inside_code_in_a_list(text):
    tokens = PARSER.parse(f"* {code(text)}\n")
    assert [token.type for token in tokens] == [
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close",
        "bullet_list_close",
    ]  # fmt: skip
    shown(tokens[3].children)


@pytest.mark.parametrize(
    "text, written",
    [
        ("src/parser.py", "`src/parser.py`"), ("@ada #12 <b>", "`@ada #12 <b>`"), ("a|b", r"`a\x7cb`"),
        ("tick`s", r"`tick\x60s`"), ("", "`-`"), ("a\nb", r"`a\x0ab`"),
    ],
)  # fmt: skip
def test_what_is_plain_is_written_plainly(text, written):
    assert code(text) == written


def test_a_long_text_is_cut():
    assert len(code("x" * 10_000)) < 210
