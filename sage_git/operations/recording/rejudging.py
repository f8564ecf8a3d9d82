"""Judging again what others did, once more is known of what they were allowed.

A commit that somebody else made may be observed before their plans are known here. What is then said of its facts is
in no log, and gives way: to the verdicts of whoever's log has the commit (`ledger.arrivals`), or, where those are
withheld, to what follows from plans and answers that came since. So the order in which commits and logs come changes
nothing. Not here: verdicts that stand in a log, which are not changed by anybody.
"""

from __future__ import annotations

from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.gitrepo.history import read_commits
from sage_git.observation.commit import Commit
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import SAID_SINCE
from sage_git.operations.judging.judge import Judge
from sage_git.operations.judging.searching import Search
from sage_git.operations.judging.verdicts import Bench, judged_facts
from sage_git.operations.ledger import Occasion, enter_new
from sage_git.operations.ledger.entering import withdraw
from sage_git.storage import log_queries
from sage_git.storage.lock import held

_PORTION: Final = 64
"""So many commits are judged while others may not write to the log."""
_LOG_TIMEOUT_MS: Final = 10_000


def judge_again(checkout: Checkout) -> None:
    """Have the index say of others' commits what it would if all that is known now had been when they were observed.

    Safe to do again. The caller holds record.lock. Raises GitFailed, StorageError, LockTimeout.
    """
    index, log_lock = checkout.index, checkout.sage / "log.lock"
    since_ms = index.value(SAID_SINCE)
    if since_ms is None:
        return
    judge = Judge.of(checkout)
    commits = log_queries.commits_in_no_log(index.connection, int(since_ms) // 1000) if judge.has_work else []
    answered = log_queries.answered(index.connection)
    with Search(checkout) as search:
        bench = Bench(checkout, judge, search)
        for start in range(0, len(commits), _PORTION):
            with held(log_lock, _LOG_TIMEOUT_MS), index.transaction():
                for commit in read_commits(checkout.scratch, commits[start : start + _PORTION]):
                    _judge_again(checkout, commit, judge, bench, answered)
                bench.end_window()
    with held(log_lock, _LOG_TIMEOUT_MS), index.transaction():
        index.forget_value(SAID_SINCE)


def _judge_again(checkout: Checkout, commit: Commit, judge: Judge, bench: Bench, answered: frozenset[EventId]) -> None:
    index, identity = checkout.index, checkout.known_identity()
    known = index.commits.known(commit.oid)
    assert known is not None, "an observed commit"
    facts = judged_facts(checkout, commit.oid)
    circumstances = {name: judge.evidence(name).circumstance for name in facts}
    verdicts = bench.judge(commit, list(facts.values()), circumstances, kept=())
    made = {verdict.event_id: verdict for verdict in verdicts}
    before = (each for each in log_queries.verdicts_in_no_log(index.connection, known.number) if each.parents)
    wrong = [name for each in before if each.parents[0] in facts and (name := each.event_id) and name not in made]
    withdraw(index, identity, [name for name in wrong if name not in answered])
    for name, verdict in made.items():
        if name is not None and index.events.node(name) is None:
            enter_new(index, identity, verdict, Occasion(known), None)
    index.events.flush()
