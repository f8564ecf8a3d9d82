"""Statements: what a person, an agent or a tool says about a source or a subject, into log, index and sidecar.

A statement is durable once the log has it; its sidecar is a view that the next recording makes up for. Facts and
verdicts follow from commits, so nobody may say them. Not here: chronicles outside of repositories (storage.sidecar).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.event import LINKS, Event, links_to
from sage_git.chronicle.ids import EventId, ObjectId, RepositoryId, event_id
from sage_git.chronicle.kinds import timestamp
from sage_git.errors import Detail, NotHere, SageError, ValidationError
from sage_git.observation.lineage import heads
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import is_complete
from sage_git.operations.gating.compiling import compile_gate, concerns_gate
from sage_git.operations.ledger import Occasion, enter, lineages_of
from sage_git.operations.paths import path_text
from sage_git.operations.recording.record import record
from sage_git.operations.sidecars import views
from sage_git.operations.sidecars.adoption import is_statement
from sage_git.operations.sidecars.placing import key_of, sidecar_of, subject_in
from sage_git.operations.statements.ends import ends_of, keep_ends
from sage_git.operations.statements.opened import OpenCheckouts, leads_out, nearest_folder
from sage_git.operations.statements.repeated import said_and_signed_before, said_before
from sage_git.operations.subjects import subject_of_source
from sage_git.storage.index.events import REDACTION
from sage_git.storage.keys import ensure_writer
from sage_git.storage.lock import held
from sage_git.storage.sidecar import checked_path
from sage_git.storage.withholding import withhold

if TYPE_CHECKING:
    from sage_git.operations.signing import Sign, Wish

_OPEN: Final = OpenCheckouts()


def append(
    path: Path,
    event: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    clock_ms: int,
    compute_id: bool = True,
    lock_timeout_ms: int = 2000,
    wish: Wish | None = None,
    private: bool = False,
) -> Event:
    """The event as it now stands in the chronicle whose sidecar is at the absolute `path`; see `sage_git.append_event`.

    Signed as `wish` says, or not at all; a `private` one never leaves this clone. Raises NotHere, ValidationError,
    LockTimeout, StorageError, GitFailed, SigningFailed.
    """
    if event.get("type") == REDACTION:
        remedy = "sage-git redact EVENT -m WHY says it, and drops the body"
        raise ValidationError(Detail("type", "is not to be appended by hand", REDACTION, "another"), remedy=remedy)
    folder = nearest_folder(path)
    if leads_out(folder):
        raise ValidationError(
            Detail("path", "leads out of the repository by a symbolic link", str(path), "a path inside")
        )
    checkout = _OPEN.checkout(folder, environment)
    try:
        key = key_named(checkout, path)
        sign = None if wish is None else _signer(checkout, wish, event)
        given = Statement(key, event, clock_ms, compute_id=compute_id, sign=sign, private=private)
        return append_statement(checkout, given, lock_timeout_ms)
    except SageError:
        _OPEN.forget(folder)
        raise


def _signer(checkout: Checkout, wish: Wish, event: Mapping[str, Any]) -> Sign | None:
    from sage_git.operations.signing import signer_for

    return signer_for(checkout, wish, event)


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody wants to be kept about the source or subject `key`; `sign` signs it unless it comes signed.

    A `private` one never leaves this clone.
    """

    key: bytes
    given: Mapping[str, Any]
    clock_ms: int
    compute_id: bool = True
    sign: Sign | None = None
    private: bool = False

    @property
    def subject(self) -> str:
        """What the event carries as its `subject`."""
        return subject_in(self.key) or subject_of_source(path_text(self.key))

    def fields(self) -> dict[str, Any]:
        """What was given, with subject and time. Raises ValidationError for what nobody may say."""
        fields = dict(self.given)
        _check_may_be_said(fields)
        if fields.setdefault("subject", self.subject) != self.subject:
            remedy = "leave it out, or append to the chronicle of what the event is about"
            wrong = Detail("subject", "is not what this chronicle is about", fields["subject"], self.subject)
            raise ValidationError(wrong, remedy=remedy)
        if subject_in(self.key) is None and path_text(self.key).encode() != self.key:
            fields.setdefault("pathEncoding", "percent")
        fields.setdefault("timestamp", timestamp(self.clock_ms))
        return fields

    @property
    def is_ours_to_link(self) -> bool:
        """True if nobody gave parents, nor a signature or an id that would be wrong with any."""
        fixed = self.given.keys() - ({"eventId"} if self.compute_id else frozenset())
        return LINKS.isdisjoint(fixed) and "signature" not in fixed

    @property
    def may_repeat(self) -> bool:
        """True if it may have been said before; what was given no time never was."""
        return "timestamp" in self.given

    @property
    def is_ours_to_sign(self) -> bool:
        """True if it is to be signed and nobody has."""
        return self.sign is not None and "signature" not in self.given


def append_statement(checkout: Checkout, statement: Statement, lock_timeout_ms: int = 2000) -> Event:
    """Keep `statement`; the event as it stands now, or the one that says the same already. Raises as `append`."""
    check_enabled(checkout)
    fields = statement.fields()
    if statement.is_ours_to_sign:
        _bind(fields, checkout.known_identity().repository)
    head = None if subject_in(statement.key) else _head_with_history(checkout, statement.key)
    with _log_held(checkout, lock_timeout_ms):
        if statement.is_ours_to_link:
            fields |= links_to(_parents(checkout, statement, head))
        if not statement.is_ours_to_sign:
            return _keep(checkout, statement, head, fields)
        known = said_and_signed_before(checkout, Event.sealed(fields)) if statement.may_repeat else None
        if known is not None:
            return known
    # Outside of the lock, because a passphrase or a touch takes its time. What others say meanwhile is no parent then.
    fields["signature"] = _signature(statement, fields)
    with _log_held(checkout, lock_timeout_ms):
        return _keep(checkout, statement, head, fields)


def _bind(fields: dict[str, Any], repository: RepositoryId) -> None:
    """Have what is signed name this repository, so that it counts in no other. Raises ValidationError."""
    if fields.setdefault("repository", repository) != repository:
        wrong = Detail("repository", "is not the one that this is signed for", fields["repository"], repository)
        raise ValidationError(wrong, remedy="leave it out, or say it in that repository")


def _signature(statement: Statement, fields: Mapping[str, Any]) -> str:
    from sage_git.operations.assurance import signed_message  # most statements are never signed

    assert statement.sign is not None
    return statement.sign(signed_message(fields))


def _keep(checkout: Checkout, statement: Statement, head: ObjectId | None, fields: Mapping[str, Any]) -> Event:
    """The event of `fields`, in log, index and sidecar now; or the one that says the same already."""
    event = Event.sealed(fields) if statement.compute_id else Event.checked(fields)
    standing = Event.trusted(event_id(event.fields), event.line, event.fields)
    known = said_before(checkout, event, standing) if statement.may_repeat else None
    if known is not None:
        return known
    if statement.private and standing.event_id is not None:
        withhold(checkout.sage, standing.event_id)
    component = _enter(checkout, statement.key, standing)
    _show(checkout, head, statement.key, component)
    if concerns_gate(checkout.index, event):
        compile_gate(checkout)
    return event


@contextmanager
def _log_held(checkout: Checkout, timeout_ms: int) -> Iterator[None]:
    """The log's lock, with an index that has all of the log; a crash or a deleted index is made up for before."""
    for last in (False, True):
        with held(checkout.sage / "log.lock", timeout_ms):
            checkout.index.commits.forget()
            checkout.index.events.forget()
            if last or is_complete(checkout):
                yield
                return
        record(checkout)


def key_named(checkout: Checkout, path: Path) -> bytes:
    """The source's path or subject's key that the sidecar at the absolute `path` means.

    Raises ValidationError, NotHere.
    """
    identity, work_tree = checkout.known_identity(), checkout.repository.work_tree
    name = checked_path(path, identity.suffix)
    if work_tree is None:
        raise NotHere("a bare repository has no sidecars", remedy="append in a work tree of it")
    folder, base = os.path.split(name)
    whole = os.path.join(os.path.realpath(folder), base)
    relative = os.path.relpath(whole, os.path.realpath(work_tree))
    if Path(relative).parts[0] in ("..", ".git"):
        expected = f"a chronicle in the work tree {work_tree}"
        raise ValidationError(Detail("path", "leads out of the work tree", name, expected))
    if os.path.islink(whole):
        remedy = "name the file that it points to"
        raise ValidationError(Detail("path", "is a symbolic link", name, "a regular file"), remedy=remedy)
    key = key_of(identity, relative.encode("utf-8", "surrogateescape"))
    assert key is not None, "the suffix was checked"
    return key


def check_enabled(checkout: Checkout) -> None:
    """Raises NotHere unless a config is committed, so that something is recorded here."""
    checkout.known_identity()
    if not checkout.has_begun():
        raise NotHere(
            "nothing is recorded in this repository yet, since .sage/config.toml was never committed",
            remedy="git commit .sage/config.toml .sage/allowed_signers, then do this again",
        )


def _check_may_be_said(fields: Mapping[str, Any]) -> None:
    """Raises ValidationError for what follows from commits."""
    kind = fields.get("type")
    if not is_statement(Event.trusted(None, b"", fields)):
        remedy = "commit the change; the recorder says what it did"
        raise ValidationError(
            Detail("type", "follows from commits alone", kind, "the type of a statement"), remedy=remedy
        )


def _head_with_history(checkout: Checkout, key: bytes) -> ObjectId | None:
    """HEAD, or the last one that was recorded; if that says nothing of the source, HEAD is recorded first."""
    commits, identity = checkout.index.commits, checkout.known_identity()
    head = checkout.repository.head()
    if head is None or head == identity.since or commits.known(head) is not None:
        return head
    seen = views.last_head(checkout)
    if seen is not None and heads(commits, commits.place(seen), key):
        return seen
    record(checkout)
    return head


def _parents(checkout: Checkout, statement: Statement, head: ObjectId | None) -> tuple[EventId, ...]:
    """What a statement hangs on: its source's newest facts, or the ends of its subject's chronicle."""
    index = checkout.index
    subject = subject_in(statement.key)
    if subject is None:
        return heads(index.commits, index.commits.place(head), statement.key)
    lineage = index.events.known_lineage(f"subject:{subject}")
    return () if lineage is None else tuple(ends_of(index, index.events.component(lineage)))


def _enter(checkout: Checkout, key: bytes, standing: Event) -> int:
    """Put the event into log and index; the chronicle that it stands in."""
    index, identity = checkout.index, checkout.known_identity()
    ensure_writer(checkout.sage, identity.repository)
    with index.transaction():
        enter(index, identity, standing, Occasion(), checkout.log.length())
        component = index.events.component(lineages_of(index, identity, standing)[0])
        if subject_in(key) is not None:
            keep_ends(index, component)
        checkout.log.append([standing.line])
    return component


def _show(checkout: Checkout, head: ObjectId | None, key: bytes, component: int) -> None:
    """Bring the sidecar up to date. One of a source that is not tracked is nobody's to take away later."""
    index, identity = checkout.index, checkout.known_identity()
    if checkout.repository.work_tree is None or identity.place == "off":
        return
    is_kept = index.sidecars.get(checkout.worktree, key) is not None
    if not is_kept and subject_in(key) is None:
        file = sidecar_of(identity, key)
        tracked = checkout.repository.tracked_paths(head, {key, file}) if head else set()
        if file in tracked:
            return
        is_kept = key in tracked
    views.show_one(checkout, head, key, component)
    if not is_kept and subject_in(key) is None:
        with index.transaction():
            index.sidecars.remove(checkout.worktree, index.commits.path_number(key))
