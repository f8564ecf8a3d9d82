"""`bundle PATH`: all that is known of one source, with the proofs, as one file for whoever has nothing else.

Not here: what its files are called (`bundle`), and checking one (`unbundling`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.dag import order
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId, event_id, is_plan_id
from sage_git.errors import NotHere, UsageError
from sage_git.operations.judging.policies import Policies
from sage_git.operations.paths import path_text
from sage_git.operations.proving.archive import MAX_BYTES, MAX_FILES, packed
from sage_git.operations.proving.bundle import (
    ABOUT,
    CHRONICLE,
    NAMED,
    SIGNERS,
    About,
    certificate_name,
    introduction_name,
    lines_of,
    proof_name,
)
from sage_git.operations.proving.logs import Logs
from sage_git.storage import queries

if TYPE_CHECKING:
    from sqlite3 import Connection

    from sage_git.operations.checkout import Checkout
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.reading.sources import Source
    from sage_git.storage.queries import Row

_PLANS: Final = ("PLAN_DRAFTED", "PLAN_APPROVED", "PLAN_DENIED", "PLAN_UNSAFE")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The content of a bundle, and how many events it has, and how many of them with a proof."""

    content: bytes
    about: About
    events: int
    proofs: int


def bundle(reading: Reading, source: Source) -> Bundle:
    """The evidence on a source or subject. Raises UsageError, NotHere, GitFailed, StorageError, ProofFailed."""
    if source.is_folder:
        raise UsageError("a bundle is about one source, and this is a folder", remedy="name a file")
    rows = queries.of_components(reading.readings.connection, source.components)
    if not rows:
        raise NotHere(f"nothing is recorded of '{source.path}'", remedy="sage-git log alone shows what is")
    events = _with_ids(rows)
    named = _with_ids(_named(reading, rows), besides=events)
    repository = reading.checkout.known_identity().repository
    bodies = {**events, **named}
    files, proved = _proofs(reading.checkout, bodies)
    unproved = tuple(sorted(each for each in bodies if each not in proved))
    about = About(repository, path_text(os.fsencode(source.path)), unproved)
    files |= {
        ABOUT: about.content,
        CHRONICLE: lines_of(order(filter(None, events.values()))),
        NAMED: lines_of(order(filter(None, named.values()))),
        **_signers(reading.checkout),
    }
    content = packed(files)
    if len(files) > MAX_FILES or len(content) > MAX_BYTES:
        raise UsageError(f"the evidence on '{source.path}' is too much for one bundle: {len(bodies):,} events")
    return Bundle(content, about, len(bodies), len(proved))


def _with_ids(rows: Iterable[Row], besides: Iterable[EventId] = ()) -> dict[EventId, Event | None]:
    """The events of `rows` by the id that their content has; None for one whose body was redacted."""
    found = {row.event_id: row.event if row.line is not None else None for row in rows}
    true = {key if event is None else event_id(event.fields): event for key, event in found.items()}
    return {key: event for key, event in true.items() if key not in set(besides)}


def _named(reading: Reading, rows: Iterable[Row]) -> Iterator[Row]:
    """The plans that the events or their commits name, and the answers that name the events."""
    connection = reading.readings.connection
    events = [row.event for row in rows]
    ids = {event.event_id for event in events}
    commits = {event.graph_commit for event in events if event.graph_commit}
    plans = {str(event[name]) for event in events for name in ("planHash", "planId") if name in event}
    for row in queries.of_types(connection, *_PLANS):
        if row.line is not None:
            named = {str(row.event.get("planId")), str(row.event.get("planHash"))}
            if named & plans or any(commit in commits for commit, _ in _claims(connection, row.event)):
                yield row
    for row in queries.answers(connection):
        resolved = row.event.get("resolves")
        if isinstance(resolved, list) and any(each in ids for each in resolved if isinstance(each, str)):
            yield row


def _claims(connection: Connection, plan: Event) -> list[tuple[ObjectId, str]]:
    """The commits that claim the plan of an event."""
    name = plan.get("planId")
    return queries.claims_on(connection, name) if isinstance(name, str) and is_plan_id(name) else []


def _proofs(checkout: Checkout, bodies: dict[EventId, Event | None]) -> tuple[dict[str, bytes], set[EventId]]:
    """The proofs of these events and the writers who signed them, as files; and the events that they prove."""
    logs = Logs(checkout)
    places = logs.places(list(bodies))
    files: dict[str, bytes] = {}
    for identifier, place in places.items():
        event, log = bodies[identifier], logs.signed(place.writer)
        files[proof_name(identifier)] = log.prove(place.number, event.line if event is not None else b"").content
        files[introduction_name(place.writer)] = log.introduction
        if log.certificate:
            files[certificate_name(place.writer)] = log.certificate
    return files, set(places)


def _signers(checkout: Checkout) -> dict[str, bytes]:
    """HEAD's `.sage/allowed_signers` as a file, if it has one."""
    policies = Policies(checkout)
    blob = policies.signers_now()
    return {} if blob is None else {SIGNERS: policies.content(blob)}
