"""Text that goes to a terminal: nothing in it acts on the terminal, and its columns are what is seen."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.cli.text import cut, cut_path, escape, escape_json, pad, width

ANY_TEXT = st.text(st.characters())


@given(ANY_TEXT)
def test_nothing_escaped_can_act_on_a_terminal(text):
    shown = escape(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "FSI",
        "PDI",
    }


@given(ANY_TEXT)
def test_escaping_twice_changes_nothing_more(text):
    assert escape(escape(text)) == escape(text)


@pytest.mark.parametrize(
    "hostile, shown",
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\x0ab\x09c\x0d"),
        ("\x9b2J", r"\x9b2J"),
        ("abc\u202edcba", r"abc\u{202e}dcba"),
        ("line\u2028end", r"line\u{2028}end"),
        ("x\udc80", r"x\u{dc80}"),
        ("tag\U000e0041", r"tag\u{e0041}"),
        ("zażółć 日本 👩‍💻", "zażółć 日本 👩‍💻"),
    ],
)
def test_hostile_text_is_visible_and_other_text_is_as_it_was(hostile, shown):
    assert escape(hostile) == shown


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_that_is_safe_on_a_terminal_still_says_the_same(value):
    document = json.dumps(value, ensure_ascii=False).encode("utf-8")
    safe = escape_json(document)
    assert json.loads(safe) == value
    assert escape(safe.decode()) == safe.decode()


@given(st.text(), st.integers(0, 30))
def test_a_cut_text_fits(text, columns):
    assert width(cut(escape(text), columns)) <= columns


@given(st.text(), st.integers(0, 30))
def test_a_cut_path_fits(path, columns):
    assert width(cut_path(escape(path), columns)) <= columns


def test_a_path_loses_its_first_folders_not_its_name():
    assert cut_path("packages/server/src/routes/index.ts", 24) == "…/src/routes/index.ts"
    assert cut_path("packages/server/src/routes/index.ts", 10) == "…/index.ts"
    assert cut_path("packages/server/src/routes/index.ts", 6) == "…ex.ts"


def test_wide_characters_take_two_columns_and_combining_ones_none():
    assert (width("日本"), width("e\u0301"), width("abc"), width("é")) == (4, 1, 3, 1)
    assert pad("日本", 6) == "日本  "
