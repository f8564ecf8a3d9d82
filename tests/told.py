"""Logs of other writers as they lie in a clone's store once they were adopted; what they say is made up."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sage_git.chronicle.canonical import canonical_json
from sage_git.chronicle.event import Event, links_to
from sage_git.chronicle.ids import EventId, leaf
from sage_git.operations.checkout import Checkout
from sage_git.operations.ledger.foreign import Entered, enter_logs
from sage_git.operations.sealing import store_of
from sage_git.storage.lock import held

ADA, BOB = "ad" * 32, "b0" * 32
ACTOR = {"agent": "ci", "id": "Ada <ada@example.org>"}


def tell(where: Path, writer: str, events: Sequence[Event], withheld: Iterable[int] = (), supersedes: str = "") -> None:
    """Have the log of `writer` in the store of the clone at `where`, with all of `events`, some without bodies."""
    with Checkout.open(where, os.environ) as checkout:
        about = {"key": writer, "repository": checkout.known_identity().repository}
        pairs = [(leaf(EventId(event["eventId"])), event.line) for event in events]
        hidden = set(withheld)
        revealed = {number: body for number, (_, body) in enumerate(pairs) if number not in hidden}
        introduction = canonical_json(about | ({"supersedes": supersedes} if supersedes else {})) + b"\n"
        store_of(checkout).publish(writer, pairs, revealed, b"note of %d\n" % len(pairs), introduction)


def entered(where: Path) -> Entered:
    """What entering brings the clone at `where` now."""
    with Checkout.open(where, os.environ) as checkout, held(checkout.sage / "log.lock", 10_000):
        return enter_logs(checkout)


def said(subject: str, when: str = "2026-03-01T00:00:00.000Z", parents: Sequence[EventId] = (), **fields: Any) -> Event:
    """A statement, by default of a build."""
    kind = {"type": "BUILD", "status": "success"} if "type" not in fields else {}
    return Event.sealed({**kind, **fields, "actor": ACTOR, "subject": subject, "timestamp": when, **links_to(parents)})


def redaction_of(event_id: str, subject: str = "builds") -> Event:
    """The statement that an event's body is to be nowhere."""
    return said(subject, type="EVENT_REDACTED", redactedEventId=event_id, reason="it has a secret in it")


def altered(event: Mapping[str, Any], **fields: Any) -> Event:
    """An event that says something else than this one, with an id of its own."""
    return Event.sealed({**event, **fields})
