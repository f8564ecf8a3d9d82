"""`verify` (SPEC 9): what the record says against what can be derived anew. Reads only.

The one place that puts the parts together; each of them says what it looks at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import UsageError
from sage_git.judgement.policy import Policy
from sage_git.operations.assurance import signers_in
from sage_git.operations.checking.signed_logs import equivocating
from sage_git.operations.checkout import CONFIG_PATH, Checkout
from sage_git.operations.judging.judge import Judge
from sage_git.operations.judging.policies import SIGNERS, Policies
from sage_git.operations.reading.sources import locate
from sage_git.operations.verifying.answers import Answers, open_halts, signers_of
from sage_git.operations.verifying.certificates import vouched
from sage_git.operations.verifying.claimed import Claims, read_claims
from sage_git.operations.verifying.derivation import Derivation, Progress, derive
from sage_git.operations.verifying.edits import Edits
from sage_git.operations.verifying.gaps import find_gaps
from sage_git.operations.verifying.integrity import check_files, check_links, withheld
from sage_git.operations.verifying.policies import check_policies
from sage_git.operations.verifying.report import Finding, Unchecked, Verification
from sage_git.operations.verifying.scope import Scope, path_within, scope_of
from sage_git.operations.verifying.strangers import judge_strangers
from sage_git.operations.verifying.workspace import Workspace, opened

_UNSHALLOW: Final = "git fetch --unshallow brings what is missing"
_REFETCH: Final = "git fetch --refetch --no-filter brings what is missing"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be verified: `commits` as `A..B`, `paths` as typed; `policy_from` is a revision."""

    commits: str | None = None
    paths: Sequence[str] = ()
    policy_from: str | None = None
    is_complete: bool = False


def verify(
    start: Path, environment: Mapping[str, str], request: Request, progress: Progress | None = None
) -> Verification:
    """Everything that is wrong around `start`, and what could not be checked. Raises NotHere, UsageError, GitFailed."""
    with opened(start, environment) as workspace:
        verification = Verification()
        repository, identity = workspace.repository, workspace.fresh.known_identity()
        paths = [path_within(repository, start, typed) for typed in request.paths]
        scope = scope_of(repository, request.commits, identity.since, repository.head(), paths)
        claims = read_claims(workspace)
        derivation = derive(workspace, claims, [scope.tip], progress)
        for typed in request.paths:
            locate(derivation.checkout, start, typed)  # a misspelt one is not to be called fine
        strangers = judge_strangers(workspace, derivation, claims)
        verification.add(claims.findings)
        verification.add(strangers.findings)
        verification.add(check_links(derivation, claims))
        verification.add(map(Finding.of_flaw, equivocating(workspace.witness)))
        if request.is_complete or (claims.is_empty and not claims.unchecked):
            verification.add(find_gaps(derivation, claims, scope, strangers.accepted))
        _judge(workspace, derivation, claims, scope, request, verification)
        check_files(workspace, derivation, claims, verification)
        verification.unchecked += [*claims.unchecked, *_deferred(workspace, derivation, scope), *strangers.unchecked]
        verification.unchecked += withheld(derivation, claims)
        verification.checked |= {
            "commits": len(scope.commits.difference(derivation.deferred)),
            "events": len(derivation.derived),
            "entries": len(claims.entries) + len(claims.bare),
            "logs": sum(not log.is_empty for log in claims.logs),
        }
        _narrow(verification, scope)
        verification.sort()
        return verification


def _judge(
    workspace: Workspace,
    derivation: Derivation,
    claims: Claims,
    scope: Scope,
    request: Request,
    verification: Verification,
) -> None:
    """How edits stand, and whose word they stand on."""
    now_s = int(time.time())
    policies = _policies(workspace, derivation, request.policy_from)
    judge = Judge(derivation.checkout, now_s, policies=policies)
    edits = Edits(derivation, claims, judge, scope)
    edits.judge_all()
    verification.add(edits.findings(workspace.repository.head()))
    verification.add(edits.untrue())
    verification.add(check_policies(workspace, derivation, judge, edits, scope))
    signers = signers_of(workspace, derivation, scope.tip)
    answers = Answers(derivation, claims, now_s)
    certified = vouched(claims.signed, signers_in(signers), now_s)
    verification.add(certified.findings)
    verification.answers = answers.listed(signers, certified.principals)
    verification.add(answers.findings(signers, _policy_at(derivation, judge, scope)))
    verification.add(open_halts(derivation, policies, scope))
    verification.checked["edits"] = edits.count


class OnePolicy(Policies):
    """One policy for every commit, whatever the history says."""

    def __init__(self, checkout: Checkout, config: ObjectId, signers: ObjectId | None) -> None:
        super().__init__(checkout)
        self._config, self._signers = config, signers

    def before(self, commit: ObjectId) -> Policy:  # noqa: ARG002
        """The policy."""
        return self.parsed(self._config)

    def now(self) -> Policy:
        """The policy."""
        return self.parsed(self._config)

    def signers_before(self, commit: ObjectId) -> ObjectId | None:  # noqa: ARG002
        """Who may sign beside that policy."""
        return self._signers

    def signers_now(self) -> ObjectId | None:
        """Who may sign beside that policy."""
        return self._signers


def _policies(workspace: Workspace, derivation: Derivation, revision: str | None) -> Policies:
    """The policies to judge by: each commit's, or those of one revision for all. Raises UsageError."""
    if revision is None:
        return Policies(derivation.checkout)
    commit = None if "\n" in revision else workspace.repository.commit_named(revision)
    config, signers = workspace.repository.named(f"{commit}:{CONFIG_PATH}", f"{commit}:{SIGNERS.decode()}")
    if config is None:
        raise UsageError(f"--policy-from: {revision} has no {CONFIG_PATH}", remedy="name a commit that has one")
    return OnePolicy(derivation.checkout, config, signers)


def _policy_at(derivation: Derivation, judge: Judge, scope: Scope) -> Callable[[int], Policy]:
    """The policy that was in force on the way to the tip, by the second in which it came."""
    rows = derivation.checkout.index.connection.execute(
        "SELECT DISTINCT c.oid, c.effective, c.chain, c.position FROM events e JOIN commits c ON c.id = e.commit_id"
        " WHERE instr(e.line, ?) ORDER BY c.effective",
        (CONFIG_PATH.encode(),),
    ).fetchall()
    reach = derivation.checkout.index.commits.reach(scope.tip)
    begun = [(at, ObjectId(oid.hex())) for oid, at, chain, position in rows if reach.has(chain, position)]

    def policy_at(second: int) -> Policy:
        later = next((commit for at, commit in begun if at > second), None)
        return judge.policy_now() if later is None else judge.policy_for(later)

    return policy_at


def _deferred(workspace: Workspace, derivation: Derivation, scope: Scope) -> list[Unchecked]:
    """The commits of which nothing can be said here, and why."""
    if derivation.findings:
        return [
            Unchecked(f"commit {(each.commit or '')[:12]}", each.message, "run `git fsck`", _in(each.commit, scope))
            for each in derivation.findings
        ]
    count = len(derivation.deferred)
    if not count:
        return []
    inside = len(scope.commits.intersection(derivation.deferred))
    why, remedy = _why(workspace)
    what = f"{count} commits, {inside} of them in the range" if scope.is_narrowed else f"{count} commits"
    return [Unchecked(what, why, remedy, bool(inside), count)]


def _in(commit: ObjectId | None, scope: Scope) -> bool:
    return commit is None or commit in scope.commits


def _why(workspace: Workspace) -> tuple[str, str]:
    if workspace.repository.is_shallow:
        return "this clone is shallow: their parents, or where the record begins, are not here", _UNSHALLOW
    return "blobs or commits that they need are not here", _REFETCH


def _narrow(verification: Verification, scope: Scope) -> None:
    """Leave out what is about other sources than those asked for."""
    if scope.paths:
        verification.findings = [each for each in verification.findings if _is_about(each, scope)]


def _is_about(finding: Finding, scope: Scope) -> bool:
    path = finding.path
    if path is None:
        return False
    source = path.removesuffix(".sage").removesuffix(".chronicle")
    return scope.has_path(path) or scope.has_path(source)
