"""Sidecars in the editor: every finding on its line, restored from the record; and how a chronicle is read there."""

from __future__ import annotations

import json
import os

import pytest

pytest.importorskip("pygls")

from sage_git.chronicle.event import Event
from sage_git.operations.checking.buffers import RecordedLines, examine, expected_of
from sage_git.operations.checkout import Checkout
from sage_git.storage.index import Index

FILE = "app.py.sage"


def errors(found):
    return [(each["code"], each["range"]["start"]["line"]) for each in found if each["severity"] < 3]


@pytest.fixture
def text(desk):
    desk.sage("status")
    return desk.repository.read(FILE)


@pytest.fixture
def opened(client, text):
    client.open(FILE)
    assert client.diagnostics(FILE) == []
    return client


def test_an_altered_line_is_an_error_where_it_stands(opened, text):
    opened.save(FILE, text.replace("SECOND", "second").replace("Ada", "Eve", 1))
    found = opened.diagnostics(FILE, len)
    assert errors(found)[0] == ("line-altered", 0)
    related = [each["message"] for each in found[0]["relatedInformation"]]
    assert any("the record has here" in each for each in related)
    assert found[0]["relatedInformation"][-1]["location"]["uri"] == opened.uri("app.py")


def test_a_deleted_line_is_an_error_before_it_is_saved(opened, text):
    lines = text.splitlines(keepends=True)
    opened.change(FILE, "".join(lines[:-1]))
    ((code, line),) = errors(opened.diagnostics(FILE, len))
    assert (code, line) == ("line-missing", len(lines) - 2)


def test_garbage_in_the_middle_is_told_and_restored_by_the_quick_fix(opened, text, desk):
    lines = text.split("\n")
    broken = "\n".join([lines[0], "{ not json", *lines[1:]])
    opened.save(FILE, broken)
    assert errors(opened.diagnostics(FILE, len)) == [("line-damaged", 1)]
    (fix,) = opened.actions(FILE, 1, 1)
    assert fix["title"] == "Restore this chronicle from the record"
    assert opened.ask("workspace/executeCommand", fix["command"]) is None
    assert desk.repository.read(FILE) == text


def test_a_buffer_that_was_not_saved_is_restored_in_the_buffer(opened, text, desk):
    opened.change(FILE, text + "more\n")
    assert errors(opened.diagnostics(FILE, len))
    assert opened.command("sage.restoreSidecar", uri=opened.uri(FILE)) is None
    (edit,) = [each for each in opened.requests if each["method"] == "workspace/applyEdit"]
    ((change,),) = edit["params"]["edit"]["changes"].values()
    assert change["newText"] == text
    assert desk.repository.read(FILE) == text


def test_what_the_client_read_again_from_disk_is_restored_on_disk(opened, text, desk):
    broken = text.replace("Ada", "Eve", 1)
    desk.repository.write(FILE, broken)
    opened.change(FILE, broken)
    assert errors(opened.diagnostics(FILE, len))
    assert opened.command("sage.restoreSidecar", uri=opened.uri(FILE)) is None
    assert desk.repository.read(FILE) == text


def test_a_line_without_an_end_is_torn(opened, text):
    opened.save(FILE, text + '{"type":')
    assert errors(opened.diagnostics(FILE, len))[0][0] == "line-torn"


def test_what_the_record_gained_since_is_not_missing_from_an_older_buffer(opened, text, desk):
    desk.sage("reconcile", "app.py", "-m", "fine")
    opened.told("sage/changed")
    assert opened.diagnostics(FILE) == []
    opened.change(FILE, desk.repository.read(FILE))
    assert opened.diagnostics(FILE) == []


def test_a_change_from_outside_is_seen_when_the_client_reads_it_again(opened, text):
    opened.change(FILE, text.replace("SECOND", "x").replace("tidy", "untidy"))
    assert errors(opened.diagnostics(FILE, len))
    opened.change(FILE, text)
    opened.diagnostics(FILE, lambda found: found == [])


def test_lines_of_a_chronicle_without_a_record_are_looked_at_alone(client, tmp_path):
    (tmp_path / "alone.py.sage").write_text("garbage\n\n")
    client.open("../alone.py.sage")
    assert errors(client.diagnostics("../alone.py.sage", len)) == [("line-damaged", 0), ("line-blank", 1)]


def test_what_is_redacted_while_somebody_alters_a_chronicle_is_missing_nowhere(desk, text):
    content = text.encode()
    with Checkout.open(desk.repository.path, os.environ) as checkout:
        before = expected_of(checkout, FILE.encode())
        assert before is not None
        assert examine(checkout, before, content, before.last) == []
        desk.sage("redact", Event.from_line(content.split(b"\n")[0]).event_id, "-m", "a secret")
        with checkout.index.snapshot():
            after = expected_of(checkout, FILE.encode(), before)
            assert after is not None
            found = {flaw.code for flaw in examine(checkout, after, content.replace(b"Ada", b"Eve", 1), before.last)}
    assert after.last > before.last
    assert found == {"line-altered"}


def test_what_a_snapshot_of_the_record_has_stays_the_same(desk, text):
    with Checkout.open(desk.repository.path, os.environ) as checkout, checkout.index.snapshot():
        before = expected_of(checkout, FILE.encode())
        assert before is not None
        with Index.open(checkout.sage / "index.sqlite") as other, other.transaction():
            for identifier in before.numbers:
                other.events.redact(identifier)
        lines = RecordedLines(checkout, before)
        assert b"".join(lines[each] + b"\n" for each in lines) == text.encode()


def test_what_is_known_of_a_chronicle_at_rest_is_what_was_known(desk, text):
    with Checkout.open(desk.repository.path, os.environ) as checkout:
        expected = expected_of(checkout, FILE.encode())
        assert expected is not None
        numbers, by_hash = expected.numbers, expected.by_hash
        expected.rest()
        assert (expected.numbers, expected.by_hash) == (numbers, by_hash)
        assert list(numbers) == [Event.from_line(line).event_id for line in text.encode().splitlines()]


def test_hover_tells_a_line_and_what_it_changed(opened, text):
    last = text.count("\n") - 1
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if json.loads(line)["type"] == "FILE_EDITED" and n < last)
    value = opened.hover(FILE, at)["contents"]["value"]
    assert "edited · Ada Lovelace" in value
    assert "```diff" in value
    assert "+SECOND" in value


def test_ids_lead_to_their_lines_and_back(opened, text):
    lines = text.splitlines()
    first = json.loads(lines[0])["eventId"]
    at = next(number for number, line in enumerate(lines[1:], 1) if first in line)
    column = lines[at].index(first) + 5
    (place,) = opened.at("textDocument/definition", FILE, at, column)
    assert place["range"]["start"]["line"] == 0
    named = opened.at("textDocument/references", FILE, 0, 0, context={"includeDeclaration": False})
    assert named[0]["range"]["start"]["line"] == at
    with_own = opened.at("textDocument/references", FILE, 0, 0, context={"includeDeclaration": True})
    assert len(with_own) == len(named) + 1


def test_links_outline_and_folding(opened, text):
    count = len(text.splitlines())
    assert {each["target"] for each in opened.about("textDocument/documentLink", FILE)} == {opened.uri("app.py")}
    outline = opened.about("textDocument/documentSymbol", FILE)
    assert len(outline) == count
    assert outline[0]["name"] == "edited · Ada Lovelace"
    folds = opened.about("textDocument/foldingRange", FILE)
    assert folds[0]["startLine"] < folds[0]["endLine"]


HOSTILE = "![x](http://evil/p.png) <img src=http://evil> [c](command:rm) \x1b[31m\u202e `` ``` **b**"


def test_nothing_of_a_hostile_chronicle_reaches_the_screen_as_it_is(client, desk):
    event = {
        "type": "AGENT_ACTION",
        "action": HOSTILE,
        "timestamp": "2026-01-01T00:00:00.000Z",
        "actor": {"id": HOSTILE, "agent": HOSTILE},
        "eventId": "0" * 64,
        "filePath": "../../etc/passwd",
        "graphCommit": "--output=/tmp/x",
    }
    lines = [json.dumps(event), "x" * 1_100_000, "{" * 10_000, "[]", "\x00\x1b]0;x\x07", '"\\ud800"', json.dumps(event)]
    client.open("evil.sage", "\n".join(lines))
    told = json.dumps(client.diagnostics("evil.sage", len), ensure_ascii=False)
    shown = [
        client.hover("evil.sage", 0),
        client.about("textDocument/documentSymbol", "evil.sage"),
        client.about("textDocument/documentLink", "evil.sage"),
        client.about("textDocument/foldingRange", "evil.sage"),
        client.at("textDocument/definition", "evil.sage", 0, 0),
        client.hover("evil.sage", 1),
        client.hover("evil.sage", 4),
    ]
    whole = told + json.dumps(shown, ensure_ascii=False)
    assert not any(mark in whole for mark in ("\x1b", "\u202e", "\x00"))
    value = shown[0]["contents"]["value"]
    assert not any(mark in value for mark in ("](http", "<img", "](command", "http:", "**b**"))
    assert shown[2] == []


def test_a_chronicle_of_nonsense_is_told_of_and_no_more(client, desk, text):
    client.open(FILE, "\n".join(f"nonsense {number}" for number in range(30_000)))
    found = client.diagnostics(FILE, len)
    assert 0 < len(found) <= 250
