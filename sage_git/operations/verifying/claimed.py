"""What the known logs claim, this clone's own and those of others: every entry, read without trust. Reads only.

Not here: whether a fact is true of its commit (truth), what a log lacks (gaps), and whether logs are what their writers
signed (`checking.signed_logs`): those that are not claim nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.chronicle.ndjson import LineState, check_line, true_id
from sage_git.errors import PermissionRefused, SageError
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.fsck_log import TAIL, check_log, compare_with_index
from sage_git.operations.checking.signed_logs import STORE, SignedLogs, against_own, against_seen, check_signed_logs
from sage_git.operations.ledger import Entry, entries_from
from sage_git.operations.sealing import store_of
from sage_git.operations.verifying.report import Finding, Unchecked
from sage_git.operations.verifying.workspace import Workspace
from sage_git.storage.index.events import REDACTION
from sage_git.storage.keys import writer_id
from sage_git.storage.writerlog import leaf_id

_RESTORE: Final = "take it out with `sage-git redact EVENT -m WHY`, or restore the log from a backup"
_ASK: Final = "ask whoever writes that log; `sage-git log --json` tells what else is in it"
_APPROVALS: Final = ("PLAN_APPROVED", "PLAN_UNSAFE")


@dataclass(slots=True)
class Log:
    """One writer's log: its entries by id; `bare` have no body here. `writer` is empty before there is a key."""

    writer: str
    is_own: bool = False
    entries: dict[EventId, Entry] = field(default_factory=dict)
    bare: dict[EventId, int] = field(default_factory=dict)
    first: int = 0
    """The number of the first entry in the unsealed end of this clone's own."""
    first_approval: float = inf
    """The number of the first entry that approved a plan."""
    redacted: dict[str, str] = field(default_factory=dict)
    """What its redactions name, and why."""

    def add(self, entry: Entry) -> None:
        """Take in an entry, the first of its id."""
        event = entry.event
        assert event.event_id is not None
        self.entries.setdefault(event.event_id, entry)
        if event.type in _APPROVALS:
            self.first_approval = min(self.first_approval, entry.number)
        elif event.type == REDACTION:
            self.redacted[str(event.get("redactedEventId"))] = str(event.get("reason"))

    def has(self, identifier: EventId) -> bool:
        """True if the log has an entry of this id, with or without its body."""
        return identifier in self.entries or identifier in self.bare

    @property
    def is_empty(self) -> bool:
        """True if it has no entry."""
        return not self.entries and not self.bare

    def is_after_approval(self, identifier: EventId) -> bool:
        """True if a plan was approved earlier in the log than this entry of it."""
        return identifier in self.entries and self.first_approval < self.entries[identifier].number

    def place(self, identifier: EventId) -> tuple[str, int | None]:
        """File and line of an entry."""
        number = self.entries[identifier].number if identifier in self.entries else self.bare.get(identifier, -1)
        return (TAIL, number - self.first + 2) if self.is_own and number >= self.first else (STORE, None)


@dataclass(slots=True)
class Claims:
    """The logs, this clone's own first. `entries` has each event once, `bare` those whose bodies are in no log."""

    own: Log
    others: list[Log] = field(default_factory=list)
    signed: SignedLogs = field(default_factory=SignedLogs)
    entries: dict[EventId, Entry] = field(default_factory=dict)
    bare: set[EventId] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    _homes: dict[EventId, Log] = field(default_factory=dict)

    @property
    def logs(self) -> list[Log]:
        """All of them."""
        return [self.own, *self.others]

    @property
    def is_empty(self) -> bool:
        """True if there is no log at all."""
        return not self.entries and not self.bare

    def has(self, identifier: EventId) -> bool:
        """True if a log holds the event, or held it until it was redacted."""
        return identifier in self.entries or identifier in self.bare

    def home(self, identifier: EventId) -> Log:
        """The log in which an event of `entries` was found."""
        return self._homes[identifier]

    def redaction(self, log: Log, identifier: EventId) -> str | None:
        """Why the body of one of the log's entries was dropped; None if nobody said so who may."""
        heard = self.signed.successors(log.writer) | {log.writer}
        said = (each.redacted.get(identifier) for each in self.logs if each is log or each.writer in heard)
        return next((why for why in said if why is not None), None)

    def finding(self, code: str, message: str, entry: Entry, severity: Severity = Severity.ERROR) -> Finding:
        """A finding at the place of an entry."""
        identifier, commit = entry.event.event_id, entry.event.graph_commit
        assert identifier is not None
        log = self._homes[identifier]
        path, line = log.place(identifier)
        if log.is_own:
            return Finding(code, message, _RESTORE, severity, path, line, commit, identifier)
        return Finding(code, message, _ASK, severity, path, line, commit, identifier, log.writer)

    def gather(self) -> None:
        """Bring the entries of all logs together, the own first."""
        for log in self.logs:
            for identifier, entry in log.entries.items():
                if identifier not in self.entries:
                    self.entries[identifier], self._homes[identifier] = entry, log
        self.bare = {identifier for log in self.logs for identifier in log.bare if identifier not in self.entries}


def read_claims(workspace: Workspace) -> Claims:
    """Everything that the logs say, and what is wrong with them."""
    witness = workspace.witness
    claims = Claims(Log(writer_id(witness.sage) or "", is_own=True))
    claims.signed = check_signed_logs(witness)
    claims.findings += map(Finding.of_flaw, claims.signed.flaws)
    if workspace.has_index:
        claims.findings += map(Finding.of_flaw, against_seen(witness, claims.signed))
    _read_own(workspace, claims)
    for writer, signed in claims.signed.sound.items():
        if writer != claims.own.writer:
            claims.others.append(_read_other(workspace, writer, signed.size))
    claims.gather()
    return claims


def _read_other(workspace: Workspace, writer: str, size: int) -> Log:
    """The log of somebody else, of which every body was held against its leaf."""
    log = Log(writer)
    for sealed in store_of(workspace.witness).entries(writer, 0, size):
        if sealed.body:
            log.add(Entry(sealed.number, _event(sealed.body)))
        else:
            log.bare[leaf_id(sealed.leaf)] = sealed.number
    return log


def _read_own(workspace: Workspace, claims: Claims) -> None:
    witness, log = workspace.witness, claims.own
    try:
        witness.log.read_tail()
    except PermissionRefused as problem:
        claims.unchecked.append(Unchecked("the log of this clone", str(problem), problem.remedy))
        return
    except SageError:
        pass  # what is wrong with it is told below
    found = check_log(witness)
    flaws = found.flaws
    if workspace.has_index and found.is_sound:
        flaws = [*flaws, *compare_with_index(witness, found)]
    told = [Finding.of_flaw(flaw) for flaw in (*flaws, *against_own(witness, claims.signed, found))]
    altered = {flaw.line for flaw in flaws if flaw.code == "log-altered"}
    log.first = found.first
    log.bare = {identifier: number for number, identifier in found.ids.items() if identifier and number in found.bare}
    try:
        for entry in _readable(workspace, log, told):
            log.add(entry)
    except SageError as problem:
        if not told:
            told.append(Finding("log-damaged", str(problem), problem.remedy, path=TAIL))
    claims.findings += [each for each in told if each.code != "entry-altered" or each.line not in altered]


def _readable(workspace: Workspace, log: Log, told: list[Finding]) -> Iterator[Entry]:
    """The entries that are events, under the ids that their contents have."""
    for number, line in entries_from(workspace.witness, 0):
        if line is None:
            continue
        broken = check_line(line, number, 0)
        if broken.event is None and true_id(line) is None:
            continue  # `check_log` has told
        entry = Entry(number, _event(line))
        if broken.state is not LineState.VALID:
            told.append(_flaw(workspace, log, entry, broken.state, broken.reason))
        yield entry


def _event(line: bytes) -> Event:
    """The event of a line that has one, under the id that its content has by right."""
    if (identifier := true_id(line)) is not None:
        return Event.trusted(identifier, line)
    fields: Mapping[str, object] = Event.from_line(line).fields
    return Event.trusted(event_id(fields), line, fields)


def _flaw(workspace: Workspace, log: Log, entry: Entry, state: LineState, reason: str) -> Finding:
    identifier = entry.event.event_id
    assert identifier is not None
    path, line = (TAIL, entry.number - log.first + 2) if entry.number >= log.first else (STORE, None)
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
