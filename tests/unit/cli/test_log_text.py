"""Entries as lines: statements, verdicts, what is too long, and what is hostile."""

from datetime import UTC, datetime

import pytest

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.cli.log_text import Layout, blocks, one_line
from sage_git.cli.wording import actor, mark, statement, verb, what
from sage_git.operations.reading.history import Entry

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LAYOUT = Layout(80, 80, NOW)
ADA = {"agent": "git", "id": "Ada Lovelace <ada@example.org>"}
BOT = {"agent": "ci", "id": "ci-bot"}
BLOB, OTHER = "1" * 40, "2" * 40


def event(kind, *, by=ADA, **payload):
    return Event.from_fields(
        {"type": kind, "timestamp": "2026-01-01T00:00:00.000Z", "actor": by, "eventId": "ab" * 32, **payload}
    )


def fact(kind="FILE_EDITED", **payload):
    return event(kind, graphCommit="c" * 40, **payload)


def edited(path="src/foo.py", **payload):
    return fact(filePath=path, lastHash=BLOB, hash=OTHER, **payload)


def verdict(kind, **payload):
    return Event.from_fields({**edited(), "type": kind, "eventId": "cd" * 32, "prevEventId": "ab" * 32, **payload})


def text(lines):
    return ["".join(piece.text for piece in line).rstrip() for line in lines]


def shown(*entries, layout=LAYOUT):
    return text(blocks(entries, layout))


@pytest.mark.parametrize(
    "said, sentence",
    [
        (event("BUILD", status="failed", buildId="#412", errors=["E501", "more"]), "build failed · #412 · E501"),
        (event("DEPLOY", status="rolled_back", environment="web", deploymentId="d"), "deploy to web rolled back · d"),
        (event("ENVVAR_CHANGE", variable="TOKEN", operation="set", environment="ci"), "variable TOKEN set in ci"),
        (event("POSTMORTEM", incidentId="I-1", title="all down"), "postmortem I-1: all down"),
        (event("AGENT_ACTION", action="ran the linter"), "ran the linter"),
        (event("HALT_AND_REPORT", invariant="tests pass"), "halt: tests pass"),
        (event("PLAN_DRAFTED", planId="p1", summary="split it"), "plan p1 drafted: split it"),
        (event("PLAN_UNSAFE", planId="p1"), "plan p1 forced as unsafe"),
        (
            event("RECONCILIATION", reconciliationStrategy="accepted", resolves=["a", "b"], justification="fine"),
            "accepted for 2 edits: fine",
        ),
        (event("EVENT_REDACTED", redactedEventId="12345678abc", reason="a secret"), "redacted 12345678: a secret"),
        (event("SOMETHING_ELSE", whatever=[1]), "something else"),
        (event("BUILD", status=7, buildId=None), "build"),
    ],
)  # fmt: skip
def test_a_statement_is_one_sentence_whatever_it_holds(said, sentence):
    assert statement(said).strip() == sentence


@pytest.mark.parametrize(
    "entry, words",
    [
        (Entry(1, edited(), (verdict("ROGUE_EDIT_DETECTED"),), open_ids=frozenset({EventId("cd" * 32)})), "unplanned"),
        (Entry(1, edited(), (verdict("ROGUE_EDIT_DETECTED"),)), "answered"),
        (Entry(1, edited(), (verdict("RECONCILIATION", reconciliationStrategy="merge"),)), "clean merge"),
        (Entry(1, edited(), (verdict("RECONCILIATION", reconciliationStrategy="new-one"),)), "new-one"),
        (Entry(1, edited(), in_head=False), "not in HEAD"),
        (Entry(1, fact("FILE_REMOVED", filePath="a", lastHash=BLOB)), ""),
        (Entry(1, event("HALT_AND_REPORT"), open_ids=frozenset({EventId("ab" * 32)})), "halted"),
        (Entry(1, event("HALT_AND_REPORT")), "lifted"),
    ],
)
def test_a_mark_says_how_it_stands(entry, words):
    assert mark(entry).text == words


@pytest.mark.parametrize(
    "said, columns, words",
    [
        (fact("FILE_RENAMED", oldPath="a/old.py", newPath="a/new.py"), None, "a/old.py → a/new.py"),
        (fact("FILE_RENAMED", oldPath="aaaa/old.py", newPath="aaaa/new.py"), 24, "aaaa/{old.py → new.py}"),
        (fact("FILE_RENAMED", oldPath="one/deep/x.py", newPath="two/deep/x.py"), 24, "{one → two}/deep/x.py"),
        (fact("FILE_SPLIT", originalPath="a.py", resultingPaths=["b.py", "c.py"]), 16, "a.py → 2 files"),
        (fact("FILE_MERGED", sourcePaths=["b.py", "c.py"], resultPath="a.py"), 16, "2 files → a.py"),
        (fact("FILE_ADDED", filePath="b.py", copiedFrom="a.py"), 60, "b.py (copied from a.py)"),
        (edited("deep/er/still/name.py"), 12, "…/name.py"),
        (edited("a\x1b[2Jb"), 60, "a\\x1b[2Jb"),
        (edited("run.sh", lastMode="100644", mode="100755"), 60, "run.sh (100644 → 100755)"),
    ],
)  # fmt: skip
def test_paths_are_told_as_shortly_as_they_must(said, columns, words):
    assert what(said, columns).text == words


def test_a_change_of_mode_alone_is_called_that():
    only = fact(filePath="a", lastHash=BLOB, hash=BLOB, lastMode="100644", mode="100755")
    assert (verb(only).text, verb(edited()).text) == ("mode", "edited")


def test_the_tool_is_named_unless_it_is_git():
    assert actor(ADA) == "Ada Lovelace"
    assert actor({**ADA, "agent": "claude-code"}) == "Ada Lovelace, claude-code"
    assert actor({"agent": "ci-bot", "id": "ci-bot"}) == "ci-bot"
    assert actor({}) == "somebody"


def test_a_statement_is_one_line_and_one_more_for_what_it_is_about():
    build = Entry(1, event("BUILD", by=BOT, status="success", buildId="#7", subject="src/foo.py"))
    assert shown(build) == [
        "abababab  build success · #7                            ci-bot, ci  24 hours ago",
        "          about    src/foo.py",
    ]
    assert shown(build, layout=Layout(80, 80, NOW, about_one_path="src/foo.py")) == [
        "abababab  build success · #7                            ci-bot, ci  24 hours ago",
    ]


def test_a_commit_that_is_gone_is_still_told():
    assert shown(Entry(1, edited())) == [
        "cccccccc  (this commit is not in this clone)          Ada Lovelace  24 hours ago",
        "          edited   src/foo.py                                           abababab",
    ]


def test_facts_of_one_commit_stand_together_by_path():
    assert [line[10:30].split() for line in shown(Entry(1, edited("b.py")), Entry(2, edited("a.py")))[1:]] == [
        ["edited", "a.py"],
        ["edited", "b.py"],
    ]


def test_an_event_without_anything_stops_nobody():
    bare = Event.trusted(None, b"{}", {})
    assert text([one_line(Entry(1, bare), LAYOUT)]) == [" event without a type"]
    assert shown(Entry(1, bare))[0].split() == "event without a type somebody undated".split()
