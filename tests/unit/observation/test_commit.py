"""Raw commit objects, as git writes them and as it would not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.ids import ObjectId
from sage_git.chronicle.kinds import is_timestamp
from sage_git.observation.commit import Commit, parse_commit, percent_encoded

OID = ObjectId("c" * 40)
ONE, OTHER = "1" * 40, "2" * 40
PERSON = "Ada Lovelace <ada@example.org> 1767225600 +0100"


def commit(*headers: str, message: str = "say something\n") -> Commit:
    return parse_commit(OID, "\n".join((f"tree {'4' * 40}", *headers, "", message)).encode())


def actor(message: str) -> dict[str, str]:
    return commit(f"author {PERSON}", f"committer {PERSON}", message=message).actor()


def committed(words: str) -> str:
    return commit(f"author {PERSON}", f"committer Ada <ada@example.org> {words}").timestamp


def test_a_commit_has_its_parents_in_order_its_author_as_written_and_the_committer_date():
    found = commit(f"parent {ONE}", f"parent {OTHER}", f"author {PERSON}", "committer B <b@x> 0 +0000")
    assert found.parents == (ONE, OTHER)
    assert (found.author, found.timestamp) == (b"Ada Lovelace <ada@example.org>", "1970-01-01T00:00:00.000Z")
    assert found.message == b"say something\n"
    assert found.actor() == {"agent": "git", "id": "Ada Lovelace <ada@example.org>"}


def test_only_the_header_has_headers():
    found = commit(f"author {PERSON}", f"committer {PERSON}", message=f"parent {ONE}\nauthor Eve <eve@x> 1 +0000\n")
    assert (found.parents, found.author) == ((), b"Ada Lovelace <ada@example.org>")


def test_lines_of_a_signature_or_mergetag_are_no_headers():
    tag = f"mergetag object {ONE}\n parent {OTHER}\n author Eve <eve@x> 1 +0000"
    found = commit(f"parent {ONE}", f"author {PERSON}", f"committer {PERSON}", tag, "gpgsig -----BEGIN\n parent x")
    assert (found.parents, found.author) == ((ONE,), b"Ada Lovelace <ada@example.org>")


def test_the_first_of_several_authors_counts_and_no_parent_comes_after_it():
    found = commit(f"author {PERSON}", "author Eve <eve@x> 1 +0000", f"parent {ONE}", "committer B <b@x> 0 +0000")
    assert (found.author, found.parents) == (b"Ada Lovelace <ada@example.org>", ())


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"tree", b"author", b"committer ", b"author \ncommitter \n\n"])
def test_what_is_missing_counts_as_empty(raw):
    found = parse_commit(OID, raw)
    assert (found.parents, found.author, found.timestamp) == ((), b"", "1970-01-01T00:00:00.000Z")
    assert found.actor() == {"agent": "git", "id": ""}


@pytest.mark.parametrize(
    "words, shown",
    [
        ("1767225600 +0100", "2026-01-01T00:00:00.000Z"),
        ("-1 +0000", "1969-12-31T23:59:59.000Z"),
        ("99999999999999 +0000", "9999-12-31T23:59:59.000Z"),
        ("-99999999999999 +0000", "0001-01-01T00:00:00.000Z"),
        ("soon +0000", "1970-01-01T00:00:00.000Z"),
        ("", "1970-01-01T00:00:00.000Z"),
        ("9" * 5_000, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_date_is_in_utc_and_within_the_years_that_a_timestamp_has(words, shown):
    assert committed(words) == shown


def test_an_author_with_an_odd_name_is_taken_up_to_the_last_bracket():
    found = commit("author A > B <a@x> 5 +0000", f"committer {PERSON}")
    assert found.author == b"A > B <a@x>"


def test_an_author_who_is_not_utf_8_is_percent_encoded_and_marked():
    found = parse_commit(OID, b"author J\xf6rg 100% <j@x> 5 +0000\ncommitter J <j@x> 5 +0000\n\n")
    assert found.actor() == {"agent": "git", "id": "J%F6rg 100%25 <j@x>", "idEncoding": "percent"}


@pytest.mark.parametrize(
    "message, named",
    [
        ("x\n\nSage-Actor: codex\n", {"agent": "codex"}),
        ("x\n\nSage-Actor: codex/s-1 model=gpt:5\n", {"agent": "codex", "session": "s-1", "model": "gpt:5"}),
        ("Sage-Actor: one\nSage-Actor: two\n", {"agent": "one"}),
        ("Sage-Actor: not one\nSage-Actor: two\n", {"agent": "two"}),
        ("Sage-Actor: codex\r\n", {"agent": "codex"}),
        ("a Sage-Actor: codex\n", {"agent": "git"}),
        ("sage-actor: codex\n", {"agent": "git"}),
        ("Sage-Actor: \n", {"agent": "git"}),
    ],
)
def test_the_first_valid_line_names_the_tool(message, named):
    assert actor(message) == {**named, "id": "Ada Lovelace <ada@example.org>"}


@given(st.binary())
def test_no_object_is_an_error(raw):
    found = parse_commit(OID, raw)
    assert is_timestamp(found.timestamp)
    assert {"agent", "id"} <= found.actor().keys()


@given(st.binary())
def test_percent_encoding_loses_no_byte(raw):
    text = percent_encoded(raw).encode()
    pieces = text.split(b"%")
    decoded = pieces[0] + b"".join(bytes.fromhex(piece[:2].decode()) + piece[2:] for piece in pieces[1:])
    assert decoded == raw
