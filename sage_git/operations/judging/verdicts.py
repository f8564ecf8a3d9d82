"""Judging what a commit did, as it is recorded: its evidence is found and kept, and the verdicts are made.

Until anything was approved or answered in the repository every edit stands alone, and nothing is searched for; the
first recording after that makes up for what it can (`catch_up`). Not here: entering verdicts into log and index.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.gitrepo.history import read_commits
from sage_git.gitrepo.merges import dropped_in
from sage_git.judgement.coverage import claims_in
from sage_git.judgement.standing import Circumstance, Evidence
from sage_git.judgement.verdict import verdict
from sage_git.observation.commit import Commit
from sage_git.observation.lineage import heads
from sage_git.operations.checkout import Checkout
from sage_git.operations.judging.dropped import verdict_on_drop
from sage_git.operations.judging.evidence import to_json
from sage_git.operations.judging.judge import ROGUE, Judge, is_judged
from sage_git.operations.judging.searching import Search
from sage_git.storage import queries

_SEARCHED: Final = "searched"
_MOST_CAUGHT_UP: Final = 2_000


class Bench:
    """Where commits are judged one after the other, parents first, while they are entered."""

    def __init__(self, checkout: Checkout, judge: Judge, search: Search) -> None:
        self._checkout = checkout
        self._index = checkout.index
        self._judge = judge
        self._search = search
        self._is_searching = judge.has_work

    def keep_claims(self, commit: Commit, number: int) -> None:
        """Keep what a commit's message claims of plans, if it claims anything."""
        claims = claims_in(commit.message)
        if claims:
            body = json.dumps([[claim.plan_id, claim.approval] for claim in claims])
            self._index.evidence.put_claims(number, body)

    def judge(
        self,
        commit: Commit,
        facts: Sequence[Event],
        circumstances: Mapping[EventId, Circumstance],
        kept: Container[EventId],
    ) -> Iterator[Event]:
        """The verdicts on the facts that need one, but for those of which one is `kept`; the index has the facts."""
        facts = [fact for fact in facts if is_judged(fact)]
        if not facts:
            return
        if self._is_searching:
            found = self._search.of_commit(commit, facts, circumstances)
        else:
            found = {name: Evidence(circumstance) for name, circumstance in circumstances.items()}
        for fact in facts:
            assert fact.event_id is not None
            evidence = found[fact.event_id]
            keep_evidence(self._checkout, fact.event_id, evidence)
            self._judge.prepare(fact, evidence)
        for fact in facts:
            assert fact.event_id is not None
            if fact.event_id not in kept:
                made = verdict(fact, self._judge.standing(fact.event_id), self._named)
                if made is not None:
                    yield made

    def judge_drops(self, commit: Commit, differing: frozenset[bytes]) -> Iterator[Event]:
        """The verdicts on what a merge dropped, of the paths that differ from git's merge and that no fact is about."""
        if not self._is_searching or not differing:
            return
        self._index.events.flush()
        rows = self._index.commits
        for change in dropped_in(self._checkout.scratch, commit, differing):
            last = heads(rows, rows.place(commit.oid), change.path)
            made = verdict_on_drop(self._judge, commit, change, last)
            if made is not None:
                yield made

    def end_window(self) -> None:
        """Drop what need not be remembered for the commits to come."""
        self._judge.forget()
        self._search.forget()

    def _named(self, fact: EventId) -> EventId:
        return next((row.event_id for row in queries.verdicts_on(self._index.connection, fact)), fact)


def keep_evidence(checkout: Checkout, fact: EventId, evidence: Evidence) -> None:
    """Keep what was found out of a fact in the index. Within a transaction."""
    body = to_json(evidence)
    if body is not None:
        events = checkout.index.events
        nodes = {name: events.node(name) for name in (fact, *evidence.chain, *evidence.undoes)}
        numbers = {name: node.number for name, node in nodes.items() if node is not None}
        replayed = [numbers[name] for name in evidence.chain if name in numbers]
        undone = [numbers[name] for name in evidence.undoes if name in numbers]
        checkout.index.evidence.put(numbers[fact], body, replayed, undone)


def catch_up(checkout: Checkout, judge: Judge, search: Search) -> None:
    """Find the evidence of the newest unplanned edits that were recorded before anything was approved or answered."""
    index = checkout.index
    if not judge.has_work or index.value(_SEARCHED) is not None:
        return
    rows = [row for row in queries.of_types(index.connection, ROGUE) if row.commit][:_MOST_CAUGHT_UP]
    commits = list(dict.fromkeys(row.commit for row in reversed(rows) if row.commit))
    with index.transaction():
        for commit in read_commits(checkout.scratch, commits):
            facts = judged_facts(checkout, commit.oid)
            circumstances = {name: judge.evidence(name).circumstance for name in facts}
            for name, evidence in search.of_commit(commit, list(facts.values()), circumstances).items():
                keep_evidence(checkout, name, evidence)
        index.keep(_SEARCHED, "yes")
    judge.forget()
    search.forget()


def judged_facts(checkout: Checkout, commit: ObjectId) -> dict[EventId, Event]:
    """The facts of an observed commit that can be answered for, by id, in the order that they arrived."""
    rows = queries.of_commit(checkout.index.connection, commit)
    return {row.event_id: row.event for row in rows if row.line is not None and is_judged(row.event)}
