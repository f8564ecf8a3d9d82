"""What this clone's log claims: every entry, read without trust. Reads only.

Not here: whether a fact is true of its commit (truth), and what the log lacks (gaps).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.chronicle.ndjson import LineState, check_line, true_id
from sage_git.errors import PermissionRefused, SageError
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.fsck_log import TAIL, check_log, compare_with_index
from sage_git.operations.ledger import Entry, entries_from
from sage_git.operations.verifying.report import Finding, Unchecked
from sage_git.operations.verifying.workspace import Workspace

_STORE: Final = ".git/sage/store.git"
_RESTORE: Final = "take it out with `sage-git redact EVENT -m WHY`, or restore the log from a backup"


@dataclass(slots=True)
class Claims:
    """The entries of the log by id. `bare` have no body any more."""

    entries: dict[EventId, Entry] = field(default_factory=dict)
    bare: dict[EventId, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    first: int = 0
    """The number of the first entry in the unsealed end."""
    first_approval: float = inf
    """The number of the first entry that approved a plan."""

    @property
    def is_empty(self) -> bool:
        """True if there is no log at all."""
        return not self.entries and not self.bare

    def has(self, identifier: EventId) -> bool:
        """True if the log holds the event, or held it until it was redacted."""
        return identifier in self.entries or identifier in self.bare

    def is_after_approval(self, event: Event) -> bool:
        """True if a plan was approved earlier in the log that has the event."""
        assert event.event_id is not None
        entry = self.entries.get(event.event_id)
        return entry is not None and self.first_approval < entry.number

    def place(self, identifier: EventId) -> tuple[str, int | None]:
        """File and line of an entry."""
        number = self.entries[identifier].number if identifier in self.entries else self.bare.get(identifier, -1)
        return (TAIL, number - self.first + 2) if number >= self.first else (_STORE, None)

    def finding(self, code: str, message: str, entry: Entry, severity: Severity = Severity.ERROR) -> Finding:
        """A finding at the place of an entry."""
        assert entry.event.event_id is not None
        path, line = self.place(entry.event.event_id)
        commit = entry.event.graph_commit
        return Finding(code, message, _RESTORE, severity, path, line, commit, entry.event.event_id)


def read_claims(workspace: Workspace) -> Claims:
    """Everything that the log says, and what is wrong with its lines."""
    witness = workspace.witness
    claims = Claims()
    try:
        witness.log.read_tail()
    except PermissionRefused as problem:
        claims.unchecked.append(Unchecked("the log of this clone", str(problem), problem.remedy))
        return claims
    except SageError:
        pass  # what is wrong with it is told below
    log = check_log(witness)
    flaws = log.flaws
    if workspace.has_index and log.is_sound:
        flaws = [*flaws, *compare_with_index(witness, log)]
    claims.findings = [Finding.of_flaw(flaw) for flaw in flaws]
    claims.first = log.first
    told = {flaw.line for flaw in flaws if flaw.code == "log-altered"}
    claims.bare = {identifier: number for number, identifier in log.ids.items() if identifier and number in log.bare}
    try:
        for entry in _readable(workspace, claims):
            assert entry.event.event_id is not None
            claims.entries.setdefault(entry.event.event_id, entry)
            if entry.event.type in ("PLAN_APPROVED", "PLAN_UNSAFE"):
                claims.first_approval = min(claims.first_approval, entry.number)
    except SageError as problem:
        if not claims.findings:
            claims.findings.append(Finding("log-damaged", str(problem), problem.remedy, path=TAIL))
    claims.findings = [each for each in claims.findings if each.code != "entry-altered" or each.line not in told]
    return claims


def _readable(workspace: Workspace, claims: Claims) -> Iterator[Entry]:
    """The entries that are events, under the ids that their contents have."""
    for number, line in entries_from(workspace.witness, 0):
        if line is None:
            continue
        identifier = true_id(line)
        if identifier is not None:
            entry = Entry(number, Event.trusted(identifier, line))
            broken = check_line(line, number, 0)
        else:
            broken = check_line(line, number, 0)
            if broken.event is None:
                continue  # `check_log` has told
            fields = broken.event.fields
            entry = Entry(number, Event.trusted(event_id(fields), line, fields))
        if broken.state is not LineState.VALID:
            claims.findings.append(_flaw(workspace, claims, entry, broken.state, broken.reason))
        yield entry


def _flaw(workspace: Workspace, claims: Claims, entry: Entry, state: LineState, reason: str) -> Finding:
    identifier = entry.event.event_id
    assert identifier is not None
    path, line = (TAIL, entry.number - claims.first + 2) if entry.number >= claims.first else (_STORE, None)
    if state is LineState.BAD_PAYLOAD:
        message = f"entry {entry.number}: {reason}"
        return Finding("entry-invalid", message, _RESTORE, Severity.ERROR, path, line, None, identifier)
    if _was_always_so(workspace, identifier, entry):
        given = "no id" if state is LineState.NO_ID else "an id that is not its own"
        message = f"whoever wrote this event gave it {given}"
        return Finding("entry-without-id", message, "", Severity.NOTE, path, line, None, identifier)
    severity = Severity.ERROR if workspace.has_index else Severity.WARNING  # nobody remembers how it was
    message = f"entry {entry.number}: {reason}"
    return Finding("entry-altered", message, _RESTORE, severity, path, line, None, identifier)


def _was_always_so(workspace: Workspace, identifier: EventId, entry: Entry) -> bool:
    """True if the clone's index has this very line under this number: the event was appended so."""
    events = workspace.witness.index.events
    if not workspace.has_index or events.entry(identifier) != entry.number:
        return False
    known = events.event(identifier)
    return known is not None and known.line == entry.event.line
