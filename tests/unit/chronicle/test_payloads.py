"""What each type of event must say."""

from typing import Any

import pytest

from sage_git.chronicle.event import check_event
from sage_git.chronicle.kinds import check_fields
from sage_git.chronicle.payloads import ENVELOPE, FACT_TYPES, PAYLOADS, SHAPES, VERDICT_TYPES, check_payload, is_fact

OID, NULL, SHA = "c" * 40, "0" * 40, "d" * 64
COMPLETE: dict[str, dict[str, Any]] = {
    "PLAN_DRAFTED": {
        "planId": "fix-1", "planHash": SHA, "summary": "s", "steps": ["one"], "scope": ["src/**"],
        "expiresAt": "2026-12-31T00:00:00.000Z",
    },
    "PLAN_APPROVED": {"planId": "fix-1", "planHash": SHA, "reviewerId": "ada", "justification": "needed"},
    "PLAN_DENIED": {"planId": "fix-1", "planHash": SHA, "reviewerId": "ada", "reason": "not now"},
    "PLAN_UNSAFE": {
        "planId": "fix-1", "planHash": SHA, "forcedBy": "ada", "overriddenWarnings": [], "justification": "now",
    },
    "HALT_AND_REPORT": {"invariant": "one writer", "expected": 1, "actual": None, "context": {"writers": [1, 2]}},
    "ROGUE_EDIT_DETECTED": {
        "filePath": "src/foo.py", "hash": OID, "lastHash": NULL, "detectedBy": "sage-git", "reason": "edit",
        "replayOf": [SHA],
    },
    "RECONCILIATION": {
        "reconciliationStrategy": "accepted", "filePath": "a b", "diffRef": f"{NULL}..{OID}", "resolves": [SHA],
        "rewriteOf": [SHA], "planId": "p", "justification": "typo", "reviewerId": "ada",
    },
    "EVENT_REDACTED": {"redactedEventId": SHA, "reason": "a secret"},
    "FILE_EDITED": {"filePath": "é", "lastHash": SHA, "hash": SHA, "lastMode": "100644", "mode": "100755"},
    "AGENT_ACTION": {"action": "read", "meta": ["anything", 1]},
    "BUILD": {"status": "success", "buildId": "7", "duration": 12.5, "artifacts": ["a.whl"], "errors": []},
    "DEPLOY": {"environment": "prod", "deploymentId": "7", "status": "rolled_back", "buildRef": "7"},
    "ENVVAR_CHANGE": {
        "variable": "TOKEN", "environment": "prod", "operation": "changed", "previousHash": SHA, "newHash": SHA,
    },
    "POSTMORTEM": {
        "incidentId": "7", "title": "t", "rootCause": "r",
        "actionItems": [{"description": "d"}, {"description": "d", "assignee": "ada", "dueDate": "soon"}],
    },
    "FILE_ADDED": {"filePath": "src/foo.py", "hash": OID, "size": 0, "mode": "120000", "copiedFrom": "src/bar.py"},
    "FILE_REMOVED": {"filePath": "src/foo.py", "lastHash": OID, "reason": "moved"},
    "FILE_RENAMED": {"oldPath": "a", "newPath": "b", "hash": OID},
    "FILE_SPLIT": {"originalPath": "a", "resultingPaths": ["b"], "originalHash": OID, "strategy": "lines-1"},
    "FILE_MERGED": {"sourcePaths": ["a", "b"], "resultPath": "c", "resultHash": OID, "strategy": "lines-1"},
}  # fmt: skip


def faults(type_name, **changes):
    fields = {"type": type_name, **COMPLETE[type_name], **changes}
    return {detail.field for detail in check_payload({k: v for k, v in fields.items() if v is not ...})}


ENVELOPED: dict[str, Any] = {"timestamp": "2026-03-01T12:00:00.000Z", "actor": {"agent": "a", "id": ""}}
WRONG: tuple[Any, ...] = (None, "", "x", 0, -1, True, [], {}, SHA, OID, "../x")


@pytest.mark.parametrize("type_name", sorted(SHAPES))
def test_the_quick_look_at_an_event_agrees_with_the_one_that_names_faults(type_name):
    event = {"type": type_name, **ENVELOPED, **COMPLETE[type_name]}
    names = {field.name for field in (*ENVELOPE, *PAYLOADS[type_name])}
    changed = [{**event, name: value} for name in names for value in WRONG]
    lacking = [{other: event[other] for other in event if other != name} for name in event]
    for fields in (event, *changed, *lacking):
        slowly = not check_fields(fields, (*ENVELOPE, *PAYLOADS[type_name]))
        assert SHAPES[type_name].fits(fields) == slowly, fields
    assert check_event(event) == []
    assert check_event({**event, "actor": {"agent": ""}}) != []


def test_every_type_is_tried_here_with_every_field():
    assert {name: set(fields) for name, fields in COMPLETE.items()} == {
        name: {field.name for field in fields} for name, fields in PAYLOADS.items()
    }


@pytest.mark.parametrize("type_name", COMPLETE)
def test_a_complete_payload_is_fine(type_name):
    assert faults(type_name) == set()


@pytest.mark.parametrize("type_name", COMPLETE)
def test_only_optional_fields_may_be_missing(type_name):
    required = {field.name for field in PAYLOADS[type_name] if not field.optional}
    if type_name == "RECONCILIATION":
        required |= {"filePath", "diffRef"}
    assert {name for name in COMPLETE[type_name] if faults(type_name, **{name: ...})} == required


@pytest.mark.parametrize("type_name", COMPLETE)
def test_every_field_has_a_kind(type_name):
    for field in PAYLOADS[type_name]:
        if field.kind.expected != "a JSON value":
            assert faults(type_name, **{field.name: True}) == {field.name}


def test_a_type_of_somebody_elses_is_not_checked():
    assert check_payload({"type": "OUR_OWN", "filePath": 3}) == []


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "./a", "a/.", "a\0b", None, ["a"]])
def test_a_path_is_relative_and_stays_inside(path):
    assert faults("FILE_ADDED", filePath=path) == {"filePath"}


@pytest.mark.parametrize("path", ["a", "a/b", "...", ".a", "a b", "a\nb", "-", "é", "a\\b", "C:", "a%FFb"])
def test_a_path_may_have_any_name_that_git_allows(path):
    assert faults("FILE_ADDED", filePath=path) == set()


@pytest.mark.parametrize("strategy", ["completed", "lifted"])
def test_only_the_end_of_a_plan_or_halt_reconciles_without_a_change(strategy):
    assert faults("RECONCILIATION", reconciliationStrategy=strategy, filePath=..., diffRef=...) == set()
    assert faults("RECONCILIATION", filePath=..., diffRef=...) == {"filePath", "diffRef"}


@pytest.mark.parametrize("reference", [f"{OID}...{OID}", f"{OID}..{SHA}", f"{OID}", f"{OID}..", f"{OID}..{OID}..{OID}"])
def test_a_diff_reference_names_two_objects(reference):
    assert faults("RECONCILIATION", diffRef=reference) == {"diffRef"}


@pytest.mark.parametrize("field", ["value", "newValue", "previousValue", "note", "meta"])
def test_a_change_of_a_variable_has_no_place_for_its_value(field):
    assert faults("ENVVAR_CHANGE", **{field: "hunter2"}) == {field}
    broken = check_payload({"type": "ENVVAR_CHANGE", **COMPLETE["ENVVAR_CHANGE"], field: "hunter2"})
    assert "hunter2" not in repr(broken)


def test_a_value_is_not_taken_for_its_hash_nor_repeated():
    broken = check_payload({"type": "ENVVAR_CHANGE", **COMPLETE["ENVVAR_CHANGE"], "newHash": "hunter2"})
    assert [detail.field for detail in broken] == ["newHash"]
    assert "hunter2" not in repr(broken)


def test_sizes_and_durations_are_numbers():
    assert faults("FILE_ADDED", size=-1) == faults("FILE_ADDED", size=1.5) == {"size"}
    assert faults("BUILD", duration=-1) == faults("BUILD", duration="1") == {"duration"}


def test_facts_verdicts_and_plans_are_types_of_the_table():
    assert set(PAYLOADS) >= FACT_TYPES | VERDICT_TYPES
    assert is_fact("FILE_SPLIT")
    assert not is_fact("ROGUE_EDIT_DETECTED")
