"""`verify` on what people said: whose word counts, and what is redacted."""

from __future__ import annotations

import json

import pytest

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import plan_hash
from tests.recorded import keep_record
from tests.signing import make_key, needs_ssh_keygen, public_of
from tests.verified import findings, verified

ADA = "Ada Lovelace <ada@example.org>"
PLAN = {"planId": "p1", "summary": "work", "steps": ["do it"], "scope": ["src/**"]}
DRAFT = {**PLAN, "planHash": plan_hash(PLAN), "type": "PLAN_DRAFTED", "actor": {"agent": "test", "id": ADA}}
APPROVAL = {
    "type": "PLAN_APPROVED",
    "actor": DRAFT["actor"],
    "planId": "p1",
    "planHash": DRAFT["planHash"],
    "reviewerId": ADA,
    "justification": "fine",
    "timestamp": "2025-12-31T00:00:01.000Z",
}


@pytest.fixture
def key(tmp_path):
    return make_key(tmp_path)


@pytest.fixture
def strict(repository, sage, key):
    """A repository whose policy wants signatures from its first commit on; Ada may sign."""
    repository.commit("first", **{"src/a.py": "a = 1\n"})
    keep_record(repository, "--no-commit")
    config = repository.read(".sage/config.toml").replace("signed = false", "signed = true")
    signers = f"ada@example.org {public_of(key)}\n"
    repository.git("add", "--force", ".sage")
    repository.commit("keep the record", **{".sage/config.toml": config, ".sage/allowed_signers": signers})
    assert (
        sage(
            "append", ".sage/plans.sage", stdin=json.dumps(DRAFT | {"timestamp": "2025-12-31T00:00:00.000Z"})
        ).returncode
        == 0
    )
    return repository


def approve(sage, *options: str, **fields: str) -> str:
    done = sage("append", ".sage/plans.sage", "--json", *options, stdin=json.dumps(APPROVAL | fields))
    assert done.returncode == 0, done.stderr
    identifier: str = json.loads(done.stdout)["eventId"]
    return identifier


def forge(repository, event: Event) -> None:
    with (repository.path / ".git/sage/tail.ndjson").open("ab") as file:
        file.write(event.line + b"\n")


def by_code(repository) -> dict[str, dict[str, object]]:
    return {finding["code"]: finding for finding in findings(repository.path)}


@needs_ssh_keygen
def test_a_signed_approval_covers_and_is_shown_as_signed(strict, sage, key):
    approval = approve(sage, "--key", str(key))
    strict.commit(f"work\n\nSage-Plan: p1 {approval[:16]}", **{"src/a.py": "a = 2\n"})
    assert sage("record").returncode == 0
    answer = verified(strict.path, "--complete")
    assert (answer["ok"], answer["findings"]) == (True, [])
    writer = sage("peer", "key", cwd=strict.path).stdout.strip()
    assert answer["answers"] == [
        {"eventId": approval, "type": "PLAN_APPROVED", "who": ADA, "assurance": "signed", "writer": writer},
    ]


@needs_ssh_keygen
def test_an_approval_that_nobody_signed_is_named_where_policy_wants_one(strict, sage):
    fields = {**APPROVAL, "subject": "plans", "prevEventId": last(strict)}
    event = Event.sealed(fields)
    forge(strict, event)
    strict.commit(f"work\n\nSage-Plan: p1 {str(event.event_id)[:16]}", **{"src/a.py": "a = 2\n"})
    found = by_code(strict)
    assert {"signature-missing", "open-edit", "plan-not-approved"} <= set(found)
    assert found["signature-missing"]["eventId"] == event.event_id


@needs_ssh_keygen
def test_a_key_that_may_not_sign_for_whom_it_says_is_named(strict, sage, key):
    approval = approve(sage, "--key", str(key))
    eve = Event.from_line(next(line for line in tail(strict) if approval.encode() in line))
    forged = Event.sealed({**eve.fields, "justification": "very fine"})
    forge(strict, forged)
    assert by_code(strict)["signature-invalid"]["eventId"] == forged.event_id
    strict.commit("nobody", **{".sage/allowed_signers": "eve@example.org " + public_of(key) + "\n"})
    assert "signature-invalid" in by_code(strict)


def test_an_edit_whose_events_were_redacted_is_still_open(repository, sage):
    repository.commit("first", **{"a.py": "a = 1\n"})
    keep_record(repository)
    repository.commit("second", **{"a.py": "a = 2\n"})
    assert sage("record").returncode == 0
    [finding] = findings(repository.path)
    fact = next(json.loads(line) for line in tail(repository) if b'"FILE_EDITED"' in line)
    for event in (finding["eventId"], fact["eventId"]):
        done = sage("redact", event, "-m", "a secret")
        assert done.returncode == 0, done.stderr
    answer = verified(repository.path, "--complete")
    assert [(each["code"], each["severity"]) for each in answer["findings"]] == [
        ("open-edit", "error"),
        ("body-redacted", "note"),
        ("body-redacted", "note"),
    ]


def test_a_body_that_is_gone_without_a_word_is_named(repository, sage):
    repository.commit("first", **{"a.py": "a = 1\n"})
    keep_record(repository)
    assert sage("note", "action", "-m", "something").returncode == 0
    path = repository.path / ".git/sage/tail.ndjson"
    said = json.loads(tail(repository)[-1])
    leaf = b'{"eventId":"%s"}' % said["eventId"].encode()
    path.write_bytes(path.read_bytes().replace(tail(repository)[-1], leaf))
    assert by_code(repository)["body-missing"]["eventId"] == said["eventId"]


def tail(repository) -> list[bytes]:
    lines: list[bytes] = (repository.path / ".git/sage/tail.ndjson").read_bytes().split(b"\n")[1:-1]
    return lines


def last(repository) -> str:
    found: str = json.loads(tail(repository)[-1])["eventId"]
    return found
