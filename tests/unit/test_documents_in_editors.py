"""Buffers of an editor while nobody asks for them."""

from __future__ import annotations

import pytest

pytest.importorskip("pygls")

from lsp_server.documents import Document, packed

BIG = "ein Zeichen \U0001f600, eine halbe Seite \f, eine halbe Figur \ud83d\r\n" * 30_000


def test_a_big_text_is_the_same_after_a_rest():
    document = Document("file:///a", 1, BIG)
    was_worth_it = document.is_worth_packing
    document.pack(packed(document.text), document.generation)
    assert (was_worth_it, document.is_worth_packing) == (True, False)
    assert document.text == BIG
    document.rest()
    assert document.lines.texts[0] == BIG.partition("\r")[0]


def test_what_was_packed_of_an_older_text_is_not_taken():
    document = Document("file:///a", 1, BIG)
    generation, old = document.generation, packed(document.text)
    document.become("short", 2)
    document.pack(old, generation)
    document.rest()
    assert document.text == "short"
    assert not document.is_worth_packing


def test_a_text_that_was_packed_and_changed_is_the_changed_one():
    document = Document("file:///a", 1, BIG)
    document.pack(packed(document.text), document.generation)
    document.become(BIG + "more", 2)
    document.rest()
    assert document.text.endswith("more")
