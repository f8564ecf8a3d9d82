"""Facts and verdicts of logs that no commit here brought: true all the same, not true, or beyond what is here."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field

from sage_git.chronicle.event import Event, check_event
from sage_git.chronicle.payloads import is_fact
from sage_git.gitrepo.trees import Trees
from sage_git.operations.ledger import Entry
from sage_git.operations.ledger.truth import Drops, Told, untrue_verdict
from sage_git.operations.verifying.claimed import Claims
from sage_git.operations.verifying.derivation import Derivation, enter_true
from sage_git.operations.verifying.report import Finding, Unchecked
from sage_git.operations.verifying.workspace import Workspace


@dataclass(slots=True)
class Strangers:
    """What became of them."""

    accepted: list[Event] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    """The commits of which there is nothing here."""

    @property
    def unchecked(self) -> list[Unchecked]:
        """What could not be held against its commit."""
        if not self.gone:
            return []
        why = "the commits that they tell of are no longer here, as after a rebase"
        count = len(self.gone)
        remedy = "git fetch brings them, if somebody has them"
        return [Unchecked(f"events of {count} commits", why, remedy, is_in_range=False, commits=count)]


def judge_strangers(workspace: Workspace, derivation: Derivation, claims: Claims) -> Strangers:
    """Hold each against its commit, or its fact; what is true is entered with the rest."""
    found = Strangers()
    facts = [entry for entry in derivation.strangers if is_fact(entry.event.type)]
    verdicts = [entry for entry in derivation.strangers if not is_fact(entry.event.type)]
    with closing(Trees(derivation.checkout.scratch)) as trees:
        for entry in _here(workspace, derivation, claims, facts, found):
            commit = entry.event.graph_commit
            assert commit is not None
            why = Told(derivation.checkout, trees, entry.event, commit).untruth()
            if why is None:
                enter_true(derivation.checkout, [entry])
                found.accepted.append(entry.event)
            else:
                message = f"{entry.event.type} is not true of commit {commit[:12]}: {why}"
                found.findings.append(claims.finding("fact-not-true", message, entry))
    for entry in _here(workspace, derivation, claims, verdicts, found):
        parents = entry.event.parents
        fact = derivation.checkout.index.events.event(parents[0]) if parents else None
        if _is_of_merge(entry.event, fact):
            merge = entry.event.graph_commit
            assert merge is not None
            why = Drops.of(derivation.checkout, merge).untruth(entry.event)
        else:
            why = untrue_verdict(entry.event, fact if fact is not None and is_fact(fact.type) else None)
        if why is None:
            enter_true(derivation.checkout, [entry])
        elif not (parents and parents[0] in claims.bare):  # the fact was redacted: nothing can be said of it
            found.findings.append(claims.finding("verdict-not-true", f"{entry.event.type}: {why}", entry))
    return found


def _is_of_merge(verdict: Event, fact: Event | None) -> bool:
    """True for the verdict on a merge that dropped a change, which hangs on facts of other commits."""
    return verdict.get("reason") == "merge" and (fact is None or fact.graph_commit != verdict.graph_commit)


def _here(
    workspace: Workspace, derivation: Derivation, claims: Claims, entries: Iterable[Entry], found: Strangers
) -> Iterable[Entry]:
    """Those whose commits were observed; the others are told of."""
    listed = [entry for entry in entries if not _is_broken(entry, claims, found)]
    commits = list(dict.fromkeys(str(entry.event.graph_commit) for entry in listed))
    here = dict(zip(commits, workspace.repository.named(*commits), strict=True)) if commits else {}
    deferred = set(derivation.deferred)
    digits = 64 if workspace.repository.object_format == "sha256" else 40
    for entry in listed:
        commit = entry.event.graph_commit
        assert commit is not None
        if derivation.checkout.index.commits.known(commit) is not None:
            yield entry
        elif here[commit] is None and len(commit) == digits:
            found.gone.add(commit)
        elif commit not in deferred:
            why = "which lies before the record" if here[commit] else "which no commit here can be called"
            message = f"{entry.event.type} tells of commit {commit[:12]}, {why}"
            found.findings.append(claims.finding("fact-not-true", message, entry))


def _is_broken(entry: Entry, claims: Claims, found: Strangers) -> bool:
    """True for what breaks the rules of its type, so that nothing in it can be relied on; that is told."""
    broken = check_event(entry.event.fields)
    if not broken and (entry.event.graph_commit or "").strip("0"):
        return False
    why = str(broken[0]) if broken else "it names no commit"
    found.findings.append(claims.finding("fact-not-true", f"{entry.event.type} is not to be relied on: {why}", entry))
    return True
