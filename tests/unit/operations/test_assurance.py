"""What stands behind an event: nothing, a key of who says it, a security key, or something that proves nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import RepositoryId
from sage_git.judgement.policy import Approval
from sage_git.operations.assurance import NAMESPACE, Assurance, assure, counts, examine, is_signed, signed_message
from sage_git.proof import allowed_signers
from tests.signing import Authenticator

ADA = "Ada Lovelace <ada@example.org>"
APPROVAL = {
    "type": "PLAN_APPROVED",
    "timestamp": "2026-06-01T12:00:00.000Z",
    "actor": {"agent": "git", "id": "Bob <bob@example.org>"},
    "planId": "p1",
    "planHash": "a" * 64,
    "reviewerId": ADA,
    "justification": "fine",
    "prevEventId": "b" * 64,
    "repository": "ab" * 32,
}
HERE = RepositoryId("ab" * 32)
TOUCHED = Authenticator("ed25519")


def signed(fields, by=TOUCHED, namespace=NAMESPACE, **more) -> Event:
    return Event.sealed(
        {**fields, **more, "signature": by.sign(signed_message({**fields, **more}), namespace=namespace)}
    )


def signers(*lines: str):
    return allowed_signers.parse("\n".join(lines).encode())


def line(principals="ada@example.org", options="", by=TOUCHED) -> str:
    return f"{principals} {options} {by.key.text}"


def without(fields, *names):
    return {name: value for name, value in fields.items() if name not in names}


def test_what_nobody_signed_is_a_claim():
    assert assure(Event.sealed(APPROVAL), signers(line()), HERE) is Assurance.CLAIMED


def test_a_security_key_of_who_says_it_is_told_from_others():
    event = signed(APPROVAL)
    assert assure(event, signers(line()), HERE) is Assurance.HARDWARE
    assert examine(event, signers(line()), HERE).key == TOUCHED.key
    assert is_signed(event, line().encode(), HERE)


@pytest.mark.parametrize("fields, who", [
    (APPROVAL, ADA),
    (without(APPROVAL, "reviewerId") | {"type": "X", "forcedBy": "Eve <eve@example.org>"}, "Eve <eve@example.org>"),
    (without(APPROVAL, "reviewerId") | {"type": "X"}, "Bob <bob@example.org>"),
])  # fmt: skip
def test_a_signature_must_be_by_the_reviewer_by_who_forces_or_by_the_accountable(fields, who):
    address = who[who.index("<") + 1 : -1]
    event = signed(fields)
    assert examine(event, None, HERE).signatory == who
    assert assure(event, signers(line(address)), HERE).is_sure
    assert assure(event, signers(line(f'"{who}"')), HERE).is_sure
    assert assure(event, signers(line("zoe@example.org")), HERE) is Assurance.UNAUTHORISED


@pytest.mark.parametrize("allowed", [
    None,
    signers(),
    signers(line(by=Authenticator("ed25519"))),
    signers(line("bob@example.org")),
    signers(line(options='namespaces="git"')),
    signers(line(options='valid-before="20260531Z"')),
    signers(line(options='valid-after="20260602Z"')),
    signers(line(options="cert-authority")),
])  # fmt: skip
def test_a_sound_signature_that_nobody_allowed_proves_who_but_not_that_they_may(allowed):
    found = examine(signed(APPROVAL), allowed, HERE)
    assert (found.assurance, found.key) == (Assurance.UNAUTHORISED, TOUCHED.key)


@pytest.mark.parametrize("change", [
    {"justification": "fine."},
    {"reviewerId": "Bob <bob@example.org>"},
    {"timestamp": "2026-06-01T12:00:00.001Z"},
    {"prevEventId": "c" * 64},
    {"planHash": "b" * 64},
    {"tags": ["x"]},
    {"signature": "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"},
    {"signature": "yes"},
])  # fmt: skip
def test_a_signature_covers_everything_that_an_event_says(change):
    event = signed(APPROVAL)
    forged = Event.sealed({**event.fields, **change})
    assert assure(forged, signers(line(), line("bob@example.org")), HERE) is Assurance.INVALID


@pytest.mark.parametrize("named", [{"repository": "cd" * 32}, {}])
def test_a_signature_for_another_repository_or_for_none_counts_in_no_other(named):
    event = signed(without(APPROVAL, "repository") | named)
    found = examine(event, signers(line()), HERE)
    assert (found.assurance, found.key, found.is_foreign) == (Assurance.UNAUTHORISED, TOUCHED.key, True)
    assert not is_signed(event, line().encode(), HERE)


def test_what_is_copied_cannot_be_made_to_name_this_repository():
    event = signed(APPROVAL, repository="cd" * 32)
    assert assure(Event.sealed({**event.fields, "repository": HERE}), signers(line()), HERE) is Assurance.INVALID


def test_a_signature_for_something_else_is_none_for_an_event():
    assert assure(signed(APPROVAL, namespace="git"), signers(line()), HERE) is Assurance.INVALID


@given(st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(), st.lists(st.text())), st.sampled_from(
    ["signature", "timestamp", "actor", "reviewerId", "type", "forcedBy", "repository"]
))  # fmt: skip
def test_no_event_that_somebody_sends_is_too_strange(value, name):
    strange = Event.from_line(json.dumps({**signed(APPROVAL).fields, name: value}).encode())
    assert not assure(strange, signers(line("*")), HERE).is_sure


@pytest.mark.parametrize(
    "fields", [APPROVAL, {**without(APPROVAL, "justification"), "type": "PLAN_DENIED", "reason": "no"}]
)
def test_where_the_policy_wants_signatures_an_unsigned_answer_does_not_count(fields):
    unsigned, sure = Event.sealed(fields), signed(fields)
    wants, does_not = Approval(signed=True), Approval(signed=False)
    allowed = signers(line())
    assert counts(unsigned, allowed, HERE, does_not)
    assert not counts(unsigned, allowed, HERE, wants)
    assert counts(sure, allowed, HERE, wants)
    assert not counts(sure, signers(), HERE, wants)
    assert counts(sure, signers(), HERE, does_not)


@pytest.mark.parametrize("fields", [
    {"type": "PLAN_DRAFTED"},
    {"type": "BUILD"},
    {"type": "RECONCILIATION", "graphCommit": "c" * 40},
])  # fmt: skip
def test_what_answers_nothing_counts_without_a_signature(fields):
    event = Event.from_fields({**APPROVAL, **fields})
    assert counts(event, None, HERE, Approval(signed=True))
