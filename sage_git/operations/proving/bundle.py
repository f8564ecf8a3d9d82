"""What a bundle of evidence has: the names of its files, and its table of contents.

    bundle.json                 what it is about, and which of its events no log holds
    chronicle.sage              the source's events, parents first, one canonical line each
    named.sage                  what else belongs to the case: plans that were named, answers that were given
    proofs/ID.tlog-proof        for each of these events that it stands in a log; redacted ones have no body
    writers/KEY.json, KEY.sig   how the logs' writers introduce themselves, and who certifies that
    allowed_signers             who may sign what, by the repository

Not here: gathering it (`bundling`), and believing it (`unbundling`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from sage_git.chronicle.canonical import canonical_json, parse_canonical
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, RepositoryId, is_hex
from sage_git.errors import ProofFailed, ValidationError

ABOUT: Final = "bundle.json"
CHRONICLE: Final = "chronicle.sage"
NAMED: Final = "named.sage"
SIGNERS: Final = "allowed_signers"
PROOFS: Final = "proofs/"
WRITERS: Final = "writers/"
PROOF_SUFFIX: Final = ".tlog-proof"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class About:
    """What a bundle is about: a source, or a subject, of a repository. `unproved` events stand in no log."""

    repository: RepositoryId
    path: str
    unproved: tuple[EventId, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The table of contents that a file has. Raises ProofFailed unless it is exactly how it is written."""
        value = parse_canonical(content[:-1])
        if not isinstance(value, dict) or value.get("format") != _FORMAT:
            raise ProofFailed(f"{ABOUT} is not in format {_FORMAT}")
        repository, path, unproved = (value.get(name) for name in ("repository", "path", "unproved"))
        if not isinstance(repository, str) or not isinstance(path, str) or not isinstance(unproved, list):
            raise ProofFailed(f"{ABOUT} does not say what the bundle is about")
        if not all(isinstance(each, str) and is_hex(each, 64) for each in unproved):
            raise ProofFailed(f"{ABOUT} names what is no event")
        about = cls(RepositoryId(repository), path, tuple(map(EventId, unproved)))
        if about.content != content:
            raise ProofFailed(f"{ABOUT} is not written as it should be")
        return about

    @property
    def content(self) -> bytes:
        """The table of contents as a file."""
        said = {"format": _FORMAT, "path": self.path, "repository": self.repository, "unproved": list(self.unproved)}
        return canonical_json(said) + b"\n"


def proof_name(event: EventId) -> str:
    """The name of an event's proof."""
    return f"{PROOFS}{event}{PROOF_SUFFIX}"


def introduction_name(writer: str) -> str:
    """The name of a writer's introduction."""
    return f"{WRITERS}{writer}.json"


def certificate_name(writer: str) -> str:
    """The name of a writer's certificate."""
    return f"{WRITERS}{writer}.sig"


def lines_of(events: Iterable[Event]) -> bytes:
    """The content of a file of events."""
    return b"".join(event.line + b"\n" for event in events)


def events_in(content: bytes, name: str) -> list[Event]:
    """The events of such a file. Raises ProofFailed, which names it."""
    events = []
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            event = Event.from_line(line)
        except ValidationError as problem:
            raise ProofFailed(f"{name}:{number}: {problem}") from None
        if event.line != line:
            raise ProofFailed(f"{name}:{number}: is not canonical JSON")
        events.append(event)
    if not content.endswith(b"\n") and content:
        raise ProofFailed(f"{name}: ends in the middle of a line")
    return events
