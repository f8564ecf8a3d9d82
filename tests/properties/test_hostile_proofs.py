"""Whatever somebody writes into a log of his own and proves soundly: it is shown or refused, and never a crash."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sage_git.chronicle.canonical import canonical_json
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import event_id, leaf
from sage_git.chronicle.payloads import FACT_TYPES
from sage_git.cli.prove_text import checked_as_json, lines
from sage_git.errors import ProofFailed
from sage_git.operations.proving.archive import packed
from sage_git.operations.proving.bundle import ABOUT, CHRONICLE, NAMED, About, introduction_name, proof_name
from sage_git.operations.proving.checking import Given, check_proof
from sage_git.operations.proving.unbundling import check_bundle
from sage_git.proof.introduction import Introduction
from sage_git.proof.merkle import Tree
from sage_git.proof.tlog_proof import Proof
from tests.unit.proof.logs import REPOSITORY, WRITER, note

FIELDS = """
type actor timestamp graphCommit prevEventId mergedEventIds signature subject filePath oldPath newPath hash lastHash
mode lastMode planHash planId reason resolves reconciliationStrategy resultingPaths sourcePaths resultPath action
pathEncoding redactedEventId status errors environment variable operation invariant summary reviewerId repository
""".split()
TYPES = [*FACT_TYPES, "ROGUE_EDIT_DETECTED", "RECONCILIATION", "PLAN_DRAFTED", "PLAN_APPROVED", "BUILD", "DEPLOY"]
TYPES += ["HALT_AND_REPORT", "EVENT_REDACTED", "AGENT_ACTION", "ENVVAR_CHANGE", "POSTMORTEM", "\x1b[2J", ""]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["\x1b[31m", "\u202e", "a" * 64]
)
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
hostile = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=8),
    st.sampled_from(TYPES) | values,
)


def shown(checked: Any) -> None:
    """Show it in every way; nothing of it reaches the terminal."""
    for given_key in (Given(), Given(frozenset((WRITER,)), REPOSITORY)):
        text = "".join(piece.text for line in lines(checked, given_key) for piece in line)
        assert not {"\x1b", "\u202e"}.intersection(text)
        canonical_json(checked_as_json(checked, given_key))


@given(hostile)
def test_a_proved_event_that_breaks_every_rule_is_shown(fields):
    line = canonical_json(fields)
    log = [leaf(event_id(fields)), leaf(event_id({}))]
    checked = check_proof(Proof(0, tuple(Tree.of(log).inclusion(0)), note(log), line).content)
    assert checked.event == Event.from_line(line)
    shown(checked)


@settings(max_examples=50)
@given(st.lists(hostile, max_size=4, unique_by=canonical_json), st.lists(hostile, max_size=2), st.binary(max_size=80))
def test_a_bundle_of_events_that_break_every_rule_is_shown_or_refused(chronicle, named, signers):
    events = [*chronicle, *named]
    log = [leaf(event_id(fields)) for fields in events]
    files = {
        ABOUT: About(REPOSITORY, "foo.py").content,
        CHRONICLE: b"".join(canonical_json(fields) + b"\n" for fields in chronicle),
        NAMED: b"".join(canonical_json(fields) + b"\n" for fields in named),
        "allowed_signers": signers,
        introduction_name(WRITER): Introduction(WRITER, REPOSITORY).content,
    }
    for number, fields in enumerate(events):
        proof = Proof(number, tuple(Tree.of(log).inclusion(number)), note(log), canonical_json(fields))
        files[proof_name(event_id(fields))] = proof.content
    try:
        checked = check_bundle(packed(files), 1_790_000_000)
    except ProofFailed:
        return
    assert len(checked.proved) == len({canonical_json(fields) for fields in events})
    shown(checked)
