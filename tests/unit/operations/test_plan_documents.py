"""Plans written down in files: what is read, and what is refused in which line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.errors import UsageError, ValidationError
from sage_git.operations.planning.documents import MAX_SIZE_BYTES, Document, parse_document
from sage_git.operations.planning.drafting import Draft, slug

WHOLE = Document("tidy", "Tidy up", ("src/**", "!src/gen.py"), "+7d", ("one", "two"))


def parse(text: str) -> Document:
    return parse_document(text.encode(), "plan.md")


FORMS = (
    """---
id: tidy
summary: Tidy up
scope:
  - src/**
  - '!src/gen.py'
expires: +7d
---

- one
- two
""",
    """---
id: tidy
summary: "Tidy up"
scope: [src/**, '!src/gen.py',]
expires: +7d # a week
steps:
- one
- two
---
""",
    """\ufeff---
# of plans
id: 'tidy'

scope:
- "src/**"
# but
- '!src/gen.py'
expires: +7d
---
## Tidy up
* [ ] one
2) two""",
    """+++
id = "tidy"
summary = "Tidy up"
scope = ["src/**", "!src/gen.py"]
expires = "+7d"
steps = ["one"]
+++
+ [x] two
""",
)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", FORMS)
def test_the_forms_that_people_write_say_the_same(text, newline):
    assert parse(text.replace("\n", newline)) == WHOLE


def test_code_in_fences_is_no_step_and_a_nested_item_neither():
    text = "---\nsummary: x\n---\n# heading\n```\n- not this\n```\n- this\n  - nor this\n"
    assert parse(text) == Document("", "x", (), "", ("this",))


def test_one_text_is_a_list_of_one_and_quotes_keep_what_they_hold():
    assert parse("---\nscope: src/**\n---").scope == ("src/**",)
    assert parse("---\nsummary: 'it''s # here'\n---").summary == "it's # here"
    assert parse('---\nsummary: "a \\"word\\", \\\\"\nscope: ["a,b", c]\n---').scope == ("a,b", "c")


def test_a_date_of_toml_is_read_as_written():
    assert parse("+++\nexpires = 2026-01-31\n+++").expires == "2026-01-31"
    assert parse("+++\nexpires = 2026-01-31T12:00:00Z\n+++").expires == "2026-01-31T12:00:00+00:00"


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "line 1: a plan begins with a line --- or +++"),
        ("# Tidy\n", "line 1: a plan begins with"),
        ("---\nid: tidy\n", "the --- of line 1 has no second ---"),
        ("---\nid: tidy\nowner: ada\n---", "line 3: 'owner' is not a key of a plan; the nearest is"),
        ("---\nsumary: x\n---", "line 2: 'sumary' is not a key of a plan; the nearest is summary"),
        ("---\nid: a\nid: b\n---", "line 3: id stands there twice"),
        ("---\n- a\n---", "line 2: a list item stands where no key wants no list"),
        ("---\nid: a\n- a\n---", "line 3: a list item stands where id wants no list"),
        ("---\njust words\n---", "line 2: it is neither"),
        ("---\nsummary: |\n---", "line 2: | is more YAML than is read here"),
        ("---\nsummary: 'x\n---", "line 2: a quoted text has no end"),
        ("---\nscope: [a, b\n---", "line 2: the list of scope has no ]"),
        ("+++\nid = \n+++", "plan.md: is not TOML"),
        ("+++\nowner = 1\n+++", "'owner' is not a key of a plan"),
        ("+++\nid = 1\n+++", "id must be a text"),
        ("+++\nscope = 'src'\n+++", "scope must be a list of texts"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line(text, said):
    with pytest.raises(ValidationError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_bytes_that_are_no_text_and_files_without_end_are_refused():
    with pytest.raises(ValidationError, match="line 2: it is not UTF-8"):
        parse_document(b"---\n\xff\n---", "plan.md")
    with pytest.raises(ValidationError, match="larger"):
        parse_document(b"-" * (MAX_SIZE_BYTES + 1), "plan.md")


@given(st.text(alphabet="-+:#'\"[]{}|,\\ \n\r\tabid=summaryscope", max_size=80), st.sampled_from(["---", "+++"]))
def test_whatever_is_written_is_read_or_refused(text, marker):
    with suppress(ValidationError):
        parse(f"{marker}\n{text}\n{marker}\n{text}")


@pytest.mark.parametrize(
    "summary, name",
    [
        ("Tidy the parser", "tidy-the-parser"),
        ("Größe & Maß prüfen!", "grosse-mass-prufen"),
        ("日本語", "plan"),
        ("x" * 100, "x" * 40),
        ("move the rules of the grammar into one table", "move-the-rules-of-the-grammar-into-one"),
    ],
)
def test_a_plan_is_named_after_its_summary(summary, name):
    assert slug(summary, set()) == name
    assert slug(summary, {name}) == f"{name}-2"


@pytest.mark.parametrize("pattern", ["", "  ", "a\nb", "./src", "../x", "a/../b", "#x", "a\x1b"])
def test_a_scope_that_can_match_nothing_is_refused(pattern):
    with pytest.raises(UsageError) as caught:
        Draft("tidy", (pattern,)).check(0)
    assert caught.value.remedy


@pytest.mark.parametrize("pattern", ["src/**", "*.py", "!vendor/", "/README.md", "a b", "日本/*"])
def test_a_scope_as_in_a_gitignore_is_taken(pattern):
    Draft("tidy", (pattern,)).check(0)
