"""How every change in the range stands, judged anew: open edits, claims that fail, plans that were forced.

No stored verdict is believed. Not here: the rules (`judgement`), and whose word counts (answers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.judgement.coverage import Flaw
from sage_git.judgement.standing import Ruling, Standing
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.judging.about import stands_alone
from sage_git.operations.judging.judge import ROGUE, Judge, is_judged
from sage_git.operations.paths import paths_of
from sage_git.operations.reading.history import Readings
from sage_git.operations.reading.open_lines import OpenEdit, placed
from sage_git.operations.reading.opening import Reading
from sage_git.operations.recording.record import RecordOutcome, RecordState
from sage_git.operations.verifying.claimed import Claims
from sage_git.operations.verifying.derivation import Derivation
from sage_git.operations.verifying.report import Finding
from sage_git.operations.verifying.scope import Scope
from sage_git.storage import queries

_CODES: Final = {
    Flaw.UNKNOWN_PLAN: "plan-unknown",
    Flaw.NOT_APPROVED: "plan-not-approved",
    Flaw.NOT_IN_FORCE: "plan-not-in-force",
    Flaw.OUT_OF_SCOPE: "plan-out-of-scope",
    Flaw.OWN_APPROVAL: "plan-own-approval",
}
_CARRIED: Final = frozenset((Ruling.REWRITE, Ruling.MERGE, Ruling.RESOLUTION))
_VERBS: Final = {
    "FILE_ADDED": "addition",
    "FILE_REMOVED": "removal",
    "FILE_RENAMED": "rename",
    "FILE_EDITED": "edit",
}


class Edits:
    """The facts that are asked for, with how they stand."""

    def __init__(self, derivation: Derivation, claims: Claims, judge: Judge, scope: Scope) -> None:
        self._checkout, self._claims, self._judge, self._scope = derivation.checkout, claims, judge, scope
        self._reach = derivation.checkout.index.commits.reach(scope.tip)
        self.count = 0
        self.open: dict[EventId, Event] = {}
        self._standings: dict[EventId, Standing] = {}
        self._verdicts: dict[tuple[EventId, ObjectId | None], EventId] = {}

    def judge_all(self) -> None:
        """Look at every fact of the range."""
        rows = self._checkout.index.connection.execute(
            "SELECT e.event_id, e.line, c.oid, e.type FROM events e JOIN commits c ON c.id = e.commit_id"
            " WHERE e.line IS NOT NULL ORDER BY e.number"
        ).fetchall()
        for key, line, oid, kind in rows:
            if ObjectId(oid.hex()) not in self._scope.commits:
                continue
            event = Event.trusted(EventId(key.hex()), line)
            if kind in VERDICT_TYPES:
                if event.parents and self._claims.has(EventId(key.hex())):
                    self._verdicts[event.parents[0], event.graph_commit] = EventId(key.hex())
            elif is_judged(event) and self._scope.has(event):
                self._judge_one(EventId(key.hex()), event)
        for row in queries.of_types(self._checkout.index.connection, ROGUE):
            is_asked_for = row.commit in self._scope.commits and self._scope.has(row.event)
            if is_asked_for and stands_alone(self._checkout.index.connection, row) and self._counts(row):
                self._judge_one(row.event_id, row.event)  # of a merge that dropped a change there is no fact

    def findings(self, head: ObjectId | None) -> Iterator[Finding]:
        """What is open, and which claims fail."""
        yield from self._of_open(head)
        yield from _once(self._of_claims())

    def untrue(self) -> Iterator[Finding]:
        """The logs' verdicts that say more for a fact than is true, or what another of the same log said already."""
        told: dict[tuple[str, EventId, ObjectId], EventId] = {}
        for identifier, entry in self._claims.entries.items():
            event, commit = entry.event, entry.event.graph_commit
            if event.type not in VERDICT_TYPES or commit is None or not event.parents:
                continue
            first = told.setdefault((self._claims.home(identifier).writer, event.parents[0], commit), identifier)
            if first != identifier:
                message = f"{event.type} is a second verdict, after {first[:12]}, on one change"
                yield self._claims.finding("verdict-doubled", message, entry, Severity.WARNING)
            standing = self._standings.get(event.parents[0])
            if event.type == "RECONCILIATION" and standing is not None and standing.is_rogue:
                strategy = event.get("reconciliationStrategy")
                if event.parents[0] in self.open:
                    message = f"the verdict ({strategy}) says more for the change than is known: nobody answers for it"
                    yield self._claims.finding("verdict-overturned", message, entry)
                else:
                    message = f"the verdict says {strategy}; the change is answered for otherwise"
                    yield self._claims.finding("verdict-overturned", message, entry, Severity.WARNING)

    def is_open(self, fact: EventId) -> bool:
        """True if nobody answers for a fact of the range."""
        return fact in self.open

    def _counts(self, row: queries.Row) -> bool:
        """True for what the record has, or what a merge dropped once plans were approved: before, nobody looked."""
        first = self._judge.plans.first_approval
        return self._claims.has(row.event_id) or (first is not None and row.time_ms >= 1000 * first)

    def _judge_one(self, identifier: EventId, event: Event) -> None:
        standing = self._judge.standing(identifier)
        self._standings[identifier] = standing
        if standing.ruling is Ruling.UNJUDGED:
            return
        self.count += 1
        if self._judge.is_open(identifier, self._reach):
            self.open[identifier] = event

    def _of_open(self, head: ObjectId | None) -> Iterator[Finding]:
        told: set[tuple[ObjectId | None, str]] = set()
        for (identifier, event), edit in zip(self.open.items(), self._placed(head), strict=True):
            path = paths_of(event)[0]
            if (event.graph_commit, path) in told:
                continue  # a rename and the edit that came with it are one change
            told.add((event.graph_commit, path))
            named = self._verdicts.get((identifier, event.graph_commit), identifier)
            what = self._kind(identifier, event)
            remedy = "sage-git reconcile EVENT -m WHY answers for it"
            remedy += "" if path.startswith(".sage/") else "; git revert takes it back"
            message = f"{what}, by {event.actor.get('id') or 'nobody'}: no plan covers it, and nobody answered for it"
            line = edit.lines[0][0] if edit.lines else None
            yield Finding("open-edit", message, remedy, Severity.ERROR, path, line, event.graph_commit, named)

    def _placed(self, head: ObjectId | None) -> list[OpenEdit]:
        """What is open, with its lines in HEAD's files as `blame` tells them."""
        edits = [
            OpenEdit(event, event, self._standings[identifier].origins | {identifier})
            for identifier, event in self.open.items()
        ]
        if head is None or not edits:
            return edits
        reading = Reading(self._checkout, RecordOutcome(RecordState.CURRENT, head=head))
        reading.readings = Readings(self._checkout.index.connection, self._reach, lambda: self._judge)
        return placed(reading, head, edits)

    def _kind(self, identifier: EventId, event: Event) -> str:
        reason = self._standings[identifier].reason.value
        if event.type == ROGUE:
            return "a change that a merge dropped, and git's own merge would not"
        if reason == "merge":
            return "a change that a merge brought, and git's own merge would not"
        if reason == "mode":
            return "an unplanned change of mode"
        return f"an unplanned {_VERBS[event.type]}"

    def _of_claims(self) -> Iterator[Finding]:
        for identifier, standing in self._standings.items():
            coverage = standing.coverage
            if coverage is None or standing.ruling is Ruling.UNJUDGED:
                continue
            event = self._checkout.index.events.event(identifier)
            if event is None:
                continue
            path, commit = paths_of(event)[0], event.graph_commit
            is_open = identifier in self.open
            for problem in coverage.problems if is_open or standing.ruling not in _CARRIED else ():
                severity = Severity.ERROR if is_open else Severity.NOTE
                remedy = "sage-git plan show PLAN tells its life; reconcile what was done without it" if is_open else ""
                code = _CODES[problem.code]
                yield Finding(code, problem.sentence, remedy, severity, path, None, commit, identifier)
            if standing.ruling is Ruling.PLAN and coverage.plan is not None:
                plan = coverage.plan.plan_id
                if coverage.term is not None and coverage.term.is_unsafe:
                    message = f"plan {plan} was forced past a denial, and covers this"
                    remedy = "have the change looked at; `sage-git plan show` tells who forced it"
                    yield Finding("plan-unsafe", message, remedy, Severity.WARNING, path, None, commit, identifier)
                if coverage.by_time:
                    message = f"claimed by time: the commit names no plan, and {plan} was in force"
                    yield Finding("plan-by-time", message, "", Severity.NOTE, path, None, commit, identifier)


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each thing that is said of a commit, at its first source."""
    told = set()
    for finding in findings:
        key = finding.code, finding.commit, finding.message, finding.severity
        if key not in told:
            told.add(key)
            yield finding
