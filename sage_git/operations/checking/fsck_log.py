"""This clone's log, unsealed and sealed, against itself and against the index; its key. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id, is_hex, leaf
from sage_git.chronicle.ndjson import check_line
from sage_git.errors import SageError
from sage_git.operations.checking.flaws import Flaw, Severity
from sage_git.operations.checkout import Checkout
from sage_git.operations.sealing import store_of
from sage_git.storage.keys import load_key, writer_id
from sage_git.storage.writerlog import Entry, leaf_id

TAIL: Final = ".git/sage/tail.ndjson"
_STORE: Final = ".git/sage/store.git"


@dataclass(slots=True)
class LogInspection:
    """The log as it was found. `ids` has the id that each entry has by right; None where nobody can read one."""

    flaws: list[Flaw] = field(default_factory=list)
    ids: dict[int, EventId | None] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)
    bare: set[int] = field(default_factory=set)
    sealed: int = 0
    first: int = 0
    """The number of the first entry that the unsealed end has."""

    @property
    def length(self) -> int:
        """How many entries there are."""
        return max(self.ids, default=-1) + 1

    @property
    def is_sound(self) -> bool:
        """True if nothing is wrong that would make it unwise to append."""
        return all(flaw.severity is not Severity.ERROR for flaw in self.flaws)


def check_log(checkout: Checkout) -> LogInspection:
    """What is wrong with the log, as far as it can be seen without the index."""
    found = LogInspection()
    _check_key(checkout, found)
    _check_sealed(checkout, found)
    try:
        entries = checkout.log.read_tail()
        found.first = checkout.log.sealed()
    except SageError as problem:
        found.flaws.append(Flaw("log-header", str(problem), path=TAIL, line=1))
        return found
    if found.sealed and not checkout.log.path.exists():
        message = f"{found.sealed} entries are sealed, and what follows them is gone"
        found.flaws.append(Flaw("log-missing", message, path=TAIL))
    elif found.sealed < found.first:
        message = f"{found.first} entries are sealed, and the store has {found.sealed}"
        remedy = "restore .git/sage/store.git and private.git from a backup"
        found.flaws.append(Flaw("sealed-shorter", message, remedy=remedy, path=_STORE))
    for entry in entries:
        _check_entry(found, entry, entry.number - found.first + 2)
    if not found.flaws and (torn := checkout.log.salvage().torn):
        message = f"the last {len(torn)} bytes are no whole line; nobody was told that they are there"
        found.flaws.append(Flaw("log-torn", message, Severity.WARNING, path=TAIL, line=len(entries) + 2))
    return found


def compare_with_index(checkout: Checkout, found: LogInspection) -> list[Flaw]:
    """Where log and index, as far as it goes, do not have the same entries."""
    rows = checkout.index.connection.execute("SELECT entry, event_id, line FROM events WHERE entry IS NOT NULL")
    indexed = {number: (EventId(identifier.hex()), line) for number, identifier, line in rows}
    length, upto = found.length, checkout.index.events.entries()
    flaws = []
    if upto > length:
        message = f"the log ends after {length} entries; {upto} were there once"
        flaws.append(Flaw("log-shorter", message, path=TAIL, line=length - found.first + 1))
    elsewhere = {identifier for identifier, _ in indexed.values()}
    for number, identifier in found.ids.items():
        known = indexed.get(number)
        if known is None and number < upto and number not in found.bare and identifier not in elsewhere:
            message = f"entry {number} of the log is not in the index"
            flaws.append(Flaw("index-altered", message, event_id=identifier))
        elif known is not None and identifier is not None and identifier != known[0]:
            flaws.append(_disagreement(number - found.first + 2, number, *known))
    return flaws


def _disagreement(at: int, number: int, identifier: EventId, line: bytes | None) -> Flaw:
    """Log and index have different events: the one whose line is not true by itself was altered."""
    if line is not None and event_id(Event.from_line(line).fields) == identifier:
        message = f"entry {number} was altered; it was {identifier[:12]}"
        return Flaw("log-altered", message, path=TAIL if at > 1 else _STORE, line=max(at, 1), event_id=identifier)
    return Flaw("index-altered", f"entry {number} of the log is another event in the index", event_id=identifier)


def _check_entry(found: LogInspection, entry: Entry, line: int) -> None:
    identifier: EventId | None
    if not entry.body:
        identifier = leaf_id(entry.line)
        found.bare.add(entry.number)
        if not is_hex(identifier, 64):
            identifier = None
    else:
        event = check_line(entry.line, line, 0).event
        identifier = None if event is None else event_id(event.fields)
    if identifier is None:
        message = f"entry {entry.number} cannot be read"
        found.flaws.append(Flaw("log-damaged", message, path=TAIL, line=line))
    elif entry.line in found.seen and entry.number >= found.sealed:
        message = f"entry {entry.number} stands in the log twice"
        found.flaws.append(Flaw("log-doubled", message, path=TAIL, line=line, event_id=identifier))
    else:
        found.seen.add(entry.line)
    found.ids[entry.number] = identifier


def _check_sealed(checkout: Checkout, found: LogInspection) -> None:
    """Bodies against leaves, as far as bodies are here."""
    try:
        writer = writer_id(checkout.sage)
        store = store_of(checkout)
        for entry in store.entries(writer, 0, store.length(writer)) if writer is not None else ():
            found.sealed = entry.number + 1
            found.ids[entry.number] = leaf_id(entry.leaf)
            found.seen.add(entry.body or entry.leaf)
            event = check_line(entry.body, 1, 0).event if entry.body else None
            if not entry.body:
                found.bare.add(entry.number)
            elif event is None or leaf(event_id(event.fields)) != entry.leaf:
                message = f"the body of sealed entry {entry.number} is not that of its leaf"
                remedy = "restore .git/sage/private.git from a backup, or take the event from another clone"
                identifier = leaf_id(entry.leaf)
                found.flaws.append(Flaw("sealed-altered", message, remedy=remedy, path=_STORE, event_id=identifier))
        damage = store.damage()
    except SageError as problem:
        damage = [str(problem)]
    remedy = "git fsck says more; restore .git/sage/store.git and private.git from a backup"
    found.flaws += [Flaw("sealed-unreadable", said, remedy=remedy, path=_STORE) for said in damage]


def _check_key(checkout: Checkout, found: LogInspection) -> None:
    """The private key must be the one that writer.json names."""
    try:
        named = writer_id(checkout.sage)
        if named is None or load_key(checkout.sage).public_key().public_bytes_raw().hex() == named:
            return
        message = "writer.json names another key than writer.key is"
    except SageError as problem:
        message = str(problem)
    remedy = "restore both files from a backup; without the key nothing can be signed as this writer"
    found.flaws.append(Flaw("key-mismatch", message, Severity.WARNING, remedy=remedy, path=".git/sage/writer.json"))
