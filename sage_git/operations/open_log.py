"""This clone's own log as an object: what agents use who want a log, not chronicles (`sage_git.open_log`).

It is the log that everything else writes to as well: what `sage-git record` and other processes append is in it, and
what is appended here is a statement like any other, in index and sidecar, and goes to peers. So a number is a place in
the whole log. Not here: the logs of others, which `sage-git log` shows together with this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import event_id
from sage_git.errors import Detail, NotHere, UsageError, ValidationError
from sage_git.operations.checkout import Checkout
from sage_git.operations.paths import raw_path
from sage_git.operations.proving.logs import Logs, check_own_log
from sage_git.operations.sealing import store_of
from sage_git.operations.sidecars.placing import is_inside, subject_key
from sage_git.operations.statements.appending import Statement, append_statement, check_enabled
from sage_git.operations.statements.opened import OpenCheckouts
from sage_git.operations.subjects import is_subject_name, subject_source
from sage_git.storage.keys import writer_id
from sage_git.storage.writerlog import Entry

_SUBJECT: Final = "actions"
_TYPE: Final = "AGENT_ACTION"


class Log:
    """This clone's own log, open for any number of threads and processes. Made by `sage_git.open_log`.

        with sage_git.open_log(".") as log:
            number = log.append({"action": "lint", "actor": {"agent": "linter", "id": "ada"}})
            log.read(number)["action"]

    Entries are numbered from 0 in the order in which they were appended, and never change; only the body of one may be
    redacted. Nothing can be asked before the log is open or after it was closed.
    """

    def __init__(self, repository: Path, environment: Mapping[str, str], clock_ms: Callable[[], int]) -> None:
        """Open the log of the repository around the absolute path `repository`. Raises NotHere, StorageError."""
        self._folder = repository
        self._environment = environment
        self._clock_ms = clock_ms
        self._checkouts: OpenCheckouts | None = OpenCheckouts()
        check_enabled(self._checkout())

    def append(self, event: Mapping[str, Any], *, lock_timeout_ms: int = 2000) -> int:
        """The number that `event` has in the log now, durably; of one that stands in it already, the number it has.

        A statement: `type` is AGENT_ACTION unless it says otherwise, `subject` "actions", which may be the name of
        another subject or a source's path, `timestamp` the time of the call. What is appended reads back as it was
        given, or is refused. Raises ValidationError, LockTimeout, StorageError, PermissionRefused, Halted.
        """
        checkout = self._checkout()
        given = {"type": _TYPE, "subject": _SUBJECT, **event}
        statement = Statement(_key(given), given, self._clock_ms())
        said = append_statement(checkout, statement, lock_timeout_ms)
        number = checkout.index.events.entry(event_id(said.fields))
        if number is None:
            raise UsageError("this very event stands in another writer's log", remedy="say it with a time of its own")
        return number

    def length(self) -> int:
        """How many entries the log has. Raises StorageError."""
        return self._checkout().log.length()

    def read(self, number: int) -> Event | None:
        """Entry `number`; None if its body was redacted. Raises NotHere if there is no such entry, StorageError."""
        for found in self._entries(number, number + 1):
            return found
        raise NotHere(f"the log has no entry {number}", remedy=f"it has {self.length()}, counted from 0")

    def iterate(self, start: int = 0) -> Iterator[Event | None]:
        """The entries from number `start` on, oldest first, that are there now; None for a redacted one.

        Raises StorageError.
        """
        return self._entries(start, None)

    def proof(self, number: int) -> bytes:
        """A file with which anybody can check that entry `number` is in this log: see `sage-git prove`.

        Raises NotHere, StorageError, ProofFailed.
        """
        checkout, event = self._checkout(), self.read(number)
        writer = writer_id(checkout.sage)
        assert writer is not None, "a log with entries has a writer"
        return Logs(checkout).signed(writer).prove(number, b"" if event is None else event.line).content

    def verify(self) -> None:
        """Nothing, if every entry is what its leaf says, and the log is what this clone signed of it last.

        Raises ProofFailed naming the first fault, LockTimeout, StorageError.
        """
        check_own_log(self._checkout())

    def close(self) -> None:
        """Close what this thread opened; the log can be asked nothing any more."""
        if self._checkouts is not None:
            self._checkouts.forget(self._folder)
            self._checkouts = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _checkout(self) -> Checkout:
        if self._checkouts is None:
            raise UsageError("the log was closed", remedy="open it again: sage_git.open_log(repository)")
        return self._checkouts.checkout(self._folder, self._environment)

    def _entries(self, start: int, end: int | None) -> Iterator[Event | None]:
        """The entries from number `start` on, before `end`: those that are there at the time of the call."""
        checkout = self._checkout()
        if start < 0:
            raise NotHere(f"the log has no entry {start}", remedy="entries are counted from 0")
        first, tail = _tail(checkout)
        unsealed = [each for each in tail if each.number >= start and (end is None or each.number < end)]
        sealed = range(start, first if end is None else min(first, end))
        return map(_event, chain(_sealed(checkout, sealed), (each.body for each in unsealed)))


def _sealed(checkout: Checkout, numbers: range) -> Iterator[bytes]:
    """The bodies of the sealed entries with these numbers."""
    writer = writer_id(checkout.sage)
    if writer is not None and numbers:
        for entry in store_of(checkout).entries(writer, numbers.start, numbers.stop):
            yield entry.body


def _tail(checkout: Checkout) -> tuple[int, list[Entry]]:
    """How many entries are left to the store, and those that are not; of one moment, though somebody may be sealing."""
    while True:
        first, tail = checkout.log.sealed(), checkout.log.read_tail()
        if first == checkout.log.sealed():
            return first, tail


def _event(body: bytes) -> Event | None:
    return Event.from_line(body) if body else None


def _key(given: Mapping[str, Any]) -> bytes:
    """What stands for the subject of a statement where paths of sources stand. Raises ValidationError."""
    subject = given["subject"]
    if isinstance(subject, str) and is_subject_name(subject):
        return subject_key(subject)
    path = raw_path(given, subject_source(subject)) if isinstance(subject, str) else b""
    if not is_inside(path):
        raise ValidationError(
            Detail("subject", "is nothing to speak of", subject, "a subject's name or a source's path")
        )
    return path
