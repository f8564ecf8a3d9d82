"""What people said that counts: approvals, denials, answers, halts; by whom, how sure that is, whether it can be so.

Not here: what an answer does for an edit (`operations.judging`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.event import Event, check_event
from sage_git.chronicle.ids import EventId, ObjectId, plan_hash
from sage_git.chronicle.kinds import milliseconds
from sage_git.chronicle.payloads import PLAN_TYPES
from sage_git.errors import GitFailed
from sage_git.judgement.policy import Policy
from sage_git.operations.assurance import Assurance, Examined, examine, is_answer, signers_in
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.judging.policies import SIGNERS, Policies
from sage_git.operations.ledger import Entry
from sage_git.operations.verifying.claimed import Claims
from sage_git.operations.verifying.derivation import Derivation
from sage_git.operations.verifying.report import Answer, Finding
from sage_git.operations.verifying.scope import Scope
from sage_git.operations.verifying.workspace import Workspace

_PATIENCE_MS: Final = 10 * 60 * 1000
"""How far the clocks of people who know of one another may be apart."""
_ASK: Final = "ask who it names; what was said wrongly is denied, or answered for anew"
"""What can be done about a word that is not to be relied on."""


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer with its place in its log."""

    entry: Entry
    event: Event
    identifier: EventId


class Answers:
    """The statements of all logs that people answer for, in each oldest first."""

    def __init__(self, derivation: Derivation, claims: Claims, now_s: int) -> None:
        self._derivation, self._claims, self._now_ms = derivation, claims, now_s * 1000
        self._said = [
            _Said(entry, entry.event, identifier)
            for identifier, entry in claims.entries.items()
            if _is_word(entry.event) and not check_event(entry.event.fields)
        ]

    def listed(self, signers: bytes, principals: Mapping[str, str]) -> list[Answer]:
        """Each answer with its assurance, by whoever was allowed to sign in this history.

        `principals` are those who certify writers.
        """
        found = []
        for said in self._answers():
            examined, writer = self._examined(said, signers), self._claims.home(said.identifier).writer
            who, assurance = examined.signatory, examined.assurance.value
            vouching = principals.get(writer, "")
            found.append(Answer(said.identifier, said.event.type, who, assurance, writer, vouching))
        return found

    def _examined(self, said: _Said, signers: bytes) -> Examined:
        repository = self._derivation.checkout.known_identity().repository
        return examine(said.event, signers_in(signers), repository)

    def findings(self, signers: bytes, policy_at: Callable[[int], Policy]) -> Iterator[Finding]:
        """What is wrong with what was said."""
        for said in self._answers():
            yield from self._of_signature(said, signers, policy_at)
        yield from self._of_plans()
        yield from self._of_times()
        yield from self._of_names()

    def _answers(self) -> Iterator[_Said]:
        return (said for said in self._said if said.event.type != "PLAN_DRAFTED")

    def _of_signature(self, said: _Said, signers: bytes, policy_at: Callable[[int], Policy]) -> Iterator[Finding]:
        examined = self._examined(said, signers)
        is_wanted = policy_at(milliseconds(said.event.timestamp) // 1000).approval.signed
        severity = Severity.ERROR if is_wanted else Severity.WARNING
        who = examined.signatory
        match examined.assurance:
            case Assurance.INVALID:
                message = f"the signature of {said.event.type} is not one of {who}, nor anybody's over this text"
                yield self._claims.finding("signature-invalid", message, said.entry)
            case Assurance.UNAUTHORISED:
                of_key = f"{said.event.type} is signed by a key that may not sign for {who}"
                foreign = f"{said.event.type} of {who} is signed for another repository, or for none in particular"
                message = foreign if examined.is_foreign else of_key
                yield self._claims.finding("signature-unauthorised", message, said.entry, severity)
            case Assurance.CLAIMED if is_wanted:
                message = f"{said.event.type} says that it is of {who}; the policy wants that signed, and it is not"
                yield self._claims.finding("signature-missing", message, said.entry)
            case _:
                return

    def _of_plans(self) -> Iterator[Finding]:
        """Drafts with a hash that is not theirs, and words on plans that nobody drafted so."""
        drafts = {(said.event["planId"], said.event["planHash"]) for said in self._said if _is_true_draft(said.event)}
        for said in self._said:
            event = said.event
            if event.type == "PLAN_DRAFTED" and not _is_true_draft(event):
                message = f"the draft of plan {event['planId']} has a planHash that is not that of its content"
                yield self._claims.finding("plan-hash-wrong", message, said.entry)
            elif event.type in PLAN_TYPES and (event["planId"], event["planHash"]) not in drafts:
                message = f"{event.type} names a version of plan {event['planId']} that nobody drafted"
                yield self._claims.finding("plan-hash-unknown", message, said.entry)

    def _of_times(self) -> Iterator[Finding]:
        """What is dated before something that it can only have come after."""
        events = self._derivation.checkout.index.events
        latest, newest, log = 0, "", self._claims.own
        for said in self._said:
            if self._claims.home(said.identifier) is not log:
                latest, newest, log = 0, "", self._claims.home(said.identifier)
            own = milliseconds(said.event.timestamp)
            causes = [(cause, events.event(cause)) for cause in _causes(said.event)]
            dated = [(milliseconds(cause.timestamp), name) for name, cause in causes if cause is not None]
            sane = [each for each in dated if each[0] <= self._now_ms]  # some commits are dated in years to come
            before, name = max(sane, default=(0, ""))
            is_link = name in said.event.parents
            if own < before - (0 if is_link and said.event.type in PLAN_TYPES else _PATIENCE_MS):
                message = f"{said.event.type} is dated before {name[:12]}, which it came after"
                yield self._claims.finding("backdated", message, said.entry)
            elif own < latest - _PATIENCE_MS:
                message = f"{said.event.type} is dated before {newest[:12]}, which the log had already"
                yield self._claims.finding("backdated", message, said.entry, Severity.WARNING)
            if own > latest:
                latest, newest = own, said.identifier

    def _of_names(self) -> Iterator[Finding]:
        """Answers for what nobody knows."""
        events = self._derivation.checkout.index.events
        for said in self._answers():
            for name in _resolved(said.event):
                if not self._claims.has(name) and events.node(name) is None and not self._derivation.deferred:
                    message = f"the answer is for {name[:12]}, which nobody here knows"
                    yield self._claims.finding("answer-unknown", message, said.entry, Severity.WARNING)


def open_halts(derivation: Derivation, policies: Policies, scope: Scope) -> Iterator[Finding]:
    """The halts that nobody lifted."""
    rows = derivation.checkout.index.connection.execute(
        "SELECT event_id, type, line FROM events WHERE type IN ('HALT_AND_REPORT', 'RECONCILIATION')"
        " AND commit_id IS NULL AND line IS NOT NULL ORDER BY number"
    ).fetchall()
    events = [Event.trusted(EventId(key.hex()), line) for key, _, line in rows]
    lifted = {
        name
        for event in events
        if event.type == "RECONCILIATION" and _counts(event, policies)
        for name in _resolved(event)
    }
    for event in events:
        if event.type == "HALT_AND_REPORT" and event.event_id not in lifted:
            subject = event.subject or ""
            if scope.has_path(subject):
                message = f"halted: {event.get('invariant')}"
                remedy = "mend the cause, then have the halt lifted with `sage-git reconcile`"
                yield Finding("halt-open", message, remedy, path=subject or None, event_id=event.event_id)


def _counts(event: Event, policies: Policies) -> bool:
    return not policies.now().approval.signed or policies.is_signed(event, policies.signers_now())


def signers_of(workspace: Workspace, derivation: Derivation, tip: ObjectId) -> bytes:
    """All that `.sage/allowed_signers` ever said in the history of `tip`, together."""
    index, repository = derivation.checkout.index, workspace.repository
    rows = index.connection.execute(
        "SELECT line FROM events WHERE type IN ('FILE_ADDED', 'FILE_EDITED') AND instr(line, ?)", (SIGNERS,)
    )
    facts = [Event.trusted(None, line) for (line,) in rows]
    blobs = dict.fromkeys(str(fact["hash"]) for fact in facts if fact.get("filePath") == SIGNERS.decode())
    texts = [text for blob in blobs if (text := _content(workspace, blob)) is not None]
    now = repository.blob_at(tip, SIGNERS.decode())
    return b"\n".join([*([now] if now is not None else []), *texts])


def _content(workspace: Workspace, blob: str) -> bytes | None:
    try:
        return workspace.repository.git("cat-file", "blob", blob)
    except GitFailed:
        return None


def _is_word(event: Event) -> bool:
    return event.type == "PLAN_DRAFTED" or is_answer(event.fields)


def _is_true_draft(event: Event) -> bool:
    return event.type == "PLAN_DRAFTED" and event["planHash"] == plan_hash(event.fields)


def _causes(event: Event) -> list[EventId]:
    """What must have been there before: its parents, and what it answers for."""
    return [*event.parents, *_resolved(event)]


def _resolved(event: Event) -> list[EventId]:
    names = event.get("resolves")
    return (
        [EventId(name) for name in names if isinstance(name, str) and len(name) == 64]
        if isinstance(names, list)
        else []
    )
