"""Whether the policy was weakened, removed, or put in another's place, commit by commit (SPEC 6.3, 9).

Compared is each config with the policy in force before it. Not here: in what it is weaker (`judgement.weakening`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.errors import ConfigError, GitFailed
from sage_git.judgement.policy import Policy, parse_policy
from sage_git.judgement.weakening import weakenings
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checkout import CONFIG_PATH
from sage_git.operations.judging.judge import Judge
from sage_git.operations.verifying.derivation import Derivation
from sage_git.operations.verifying.edits import Edits
from sage_git.operations.verifying.report import Finding
from sage_git.operations.verifying.scope import Scope
from sage_git.operations.verifying.workspace import Workspace

_PUT_BACK: Final = f"put {CONFIG_PATH} back as it was, or answer for the change with `sage-git reconcile`"
_REPLACED: Final = "see who made this history; --policy-from REV judges it by a policy that you trust"


def check_policies(
    workspace: Workspace, derivation: Derivation, judge: Judge, edits: Edits, scope: Scope
) -> Iterator[Finding]:
    """Every commit of the range that let more through than was allowed before, and histories with another record."""
    yield from _of_history(workspace, scope)
    for event, commit in _changes(derivation, scope):
        if event.type in ("FILE_REMOVED", "FILE_RENAMED") and event.get("newPath") != CONFIG_PATH:
            yield _finding("policy-removed", f"{CONFIG_PATH} is gone from here on", event, edits)
            continue
        if event.type == "FILE_RENAMED":
            continue
        after = _parsed(workspace, ObjectId(str(event["hash"])))
        if isinstance(after, str):
            yield _finding("policy-weakened", f"{CONFIG_PATH} says nothing that can be read: {after}", event, edits)
            continue
        weaker = weakenings(judge.policy_for(commit), after)
        if weaker and event.event_id is not None:
            is_new = event.type == "FILE_ADDED"
            code = "policy-replaced" if is_new else "policy-weakened"
            yield _finding(code, f"the policy lets more through: {'; '.join(weaker)}", event, edits)


def _finding(code: str, message: str, event: Event, edits: Edits) -> Finding:
    """An error while nobody answers for it; else worth knowing."""
    assert event.event_id is not None
    is_open = edits.is_open(event.event_id)
    severity = Severity.ERROR if is_open else Severity.NOTE
    said = message if is_open else f"{message}; somebody answers for that"
    return Finding(
        code, said, _PUT_BACK if is_open else "", severity, CONFIG_PATH, None, event.graph_commit, event.event_id
    )


def _of_history(workspace: Workspace, scope: Scope) -> Iterator[Finding]:
    """Whether what is looked at is the history of this record at all."""
    repository, identity = workspace.repository, workspace.fresh.known_identity()
    if identity.since is not None and not repository.is_shallow:
        try:
            repository.git("merge-base", "--is-ancestor", identity.since, scope.tip)
        except GitFailed:
            message = f"this history does not have commit {identity.since[:12]}, where the record began"
            yield Finding("policy-replaced", message, _REPLACED, path=CONFIG_PATH, commit=scope.tip)
    text = repository.blob_at(scope.tip, CONFIG_PATH)
    if text is None:
        message = f"{CONFIG_PATH} is not there any more"
        yield Finding("policy-removed", message, _PUT_BACK, path=CONFIG_PATH, commit=scope.tip)
        return
    try:
        found = parse_policy(text).identity
    except ConfigError as problem:
        yield Finding("policy-weakened", str(problem), _PUT_BACK, path=CONFIG_PATH, commit=scope.tip)
        return
    if (found.repository, found.since) != (identity.repository, identity.since):
        message = f"{CONFIG_PATH} names another record than this clone keeps"
        yield Finding("policy-replaced", message, _REPLACED, path=CONFIG_PATH, commit=scope.tip)


def _changes(derivation: Derivation, scope: Scope) -> Iterator[tuple[Event, ObjectId]]:
    """The facts about the config in the range, oldest first."""
    rows = derivation.checkout.index.connection.execute(
        "SELECT e.event_id, e.line, c.oid FROM events e JOIN commits c ON c.id = e.commit_id"
        " WHERE e.type IN ('FILE_ADDED', 'FILE_EDITED', 'FILE_REMOVED', 'FILE_RENAMED')"
        " AND instr(e.line, ?) ORDER BY e.number",
        (CONFIG_PATH.encode(),),
    )
    for key, line, oid in rows.fetchall():
        event, commit = Event.trusted(EventId(key.hex()), line), ObjectId(oid.hex())
        named = (event.get("filePath"), event.get("oldPath"), event.get("newPath"))
        if CONFIG_PATH in named and commit in scope.commits:
            yield event, commit


def _parsed(workspace: Workspace, blob: ObjectId) -> Policy | str:
    try:
        return parse_policy(workspace.repository.git("cat-file", "blob", blob))
    except (ConfigError, GitFailed) as problem:
        return str(problem)
