"""`check-proof` for a bundle: every file is held against the others, and what is proved is told from what is said.

Who may sign is believed as the bundle has it, since a stranger knows no better; who says so is what stands in a log.
Not here: single proofs (`checking`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.dag import missing_parents
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, event_id
from sage_git.errors import ProofFailed
from sage_git.operations import assurance
from sage_git.operations.assurance import Assurance
from sage_git.operations.paths import paths_of
from sage_git.operations.proving import archive
from sage_git.operations.proving.bundle import (
    ABOUT,
    CHRONICLE,
    NAMED,
    PROOF_SUFFIX,
    PROOFS,
    SIGNERS,
    About,
    certificate_name,
    events_in,
    introduction_name,
    proof_name,
)
from sage_git.operations.proving.checking import Given, Proved, check_proof
from sage_git.operations.subjects import subject_source
from sage_git.proof import allowed_signers
from sage_git.proof.allowed_signers import AllowedSigners
from sage_git.proof.introduction import certified_by, introduced

_MOST_FLAWS: Final = 100


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in a bundle that is not as it should be."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Signatory:
    """A statement that carries a signature, and what that is worth by the bundle's allowed signers."""

    event: Event
    examined: assurance.Examined


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer whose log has something of the bundle. `certified_by` is empty if nobody certifies it."""

    key: str
    certified_by: str = ""


@dataclass(frozen=True, slots=True)
class CheckedBundle:
    """What a bundle proves. `missing` are parents of the chronicle's events that it does not know."""

    about: About
    chronicle: tuple[Event, ...]
    named: tuple[Event, ...]
    proved: Mapping[EventId, Proved]
    writers: tuple[Writer, ...]
    signatories: tuple[Signatory, ...]
    missing: tuple[EventId, ...]
    flaws: tuple[Flaw, ...]


def check_bundle(content: bytes, at: int) -> CheckedBundle:
    """What the bundle with this content proves; `at` is now, in seconds since 1970, for certificates.

    Raises ProofFailed if it is no bundle at all; what is wrong within one is in `flaws`.
    """
    files = archive.unpacked(content)
    about = About.parse(files.get(ABOUT, b""))
    chronicle, named = (tuple(events_in(files.get(name, b""), name)) for name in (CHRONICLE, NAMED))
    signers = allowed_signers.parse(files[SIGNERS]) if SIGNERS in files else None
    proved, flaws = _proved(files, about)
    flaws += _unlike(about, (*chronicle, *named), proved)
    flaws += _two_logs(proved.values())
    writers, unsound = _writers(files, proved.values(), signers, at)
    signatories = tuple(_signatories((*chronicle, *named), signers, about))
    flaws += [
        *unsound,
        *_not_signed(signatories),
        *_off_the_subject(about, chronicle),
        *_strange(files, proved, writers),
    ]
    missing = tuple(sorted(missing_parents(chronicle) - proved.keys()))
    return CheckedBundle(about, chronicle, named, proved, writers, signatories, missing, tuple(flaws[:_MOST_FLAWS]))


def _proved(files: Mapping[str, bytes], about: About) -> tuple[dict[EventId, Proved], list[Flaw]]:
    """The entries that the bundle's proofs prove, whoever wrote them."""
    proved, flaws = {}, []
    for name in sorted(each for each in files if each.startswith(PROOFS)):
        identifier = EventId(name.removeprefix(PROOFS).removesuffix(PROOF_SUFFIX))
        try:
            found = check_proof(files[name], identifier)
            Given(repository=about.repository).check_repository(found.origin.repository)
            proved[identifier] = found
        except ProofFailed as problem:
            flaws.append(Flaw(name, str(problem)))
    return proved, flaws


def _unlike(about: About, events: Iterable[Event], proved: Mapping[EventId, Proved]) -> Iterator[Flaw]:
    """Where the events that the bundle shows are not those that it proves, or says to be unproved."""
    shown = {event_id(event.fields): event for event in events}
    for identifier, event in shown.items():
        found = proved.get(identifier)
        if found is None and identifier not in about.unproved:
            yield Flaw(proof_name(identifier), "is missing, and nothing says that the event stands in no log")
        elif found is not None and found.event != event:
            yield Flaw(proof_name(identifier), "has the event otherwise than the bundle shows it")
    for identifier, found in proved.items():
        if identifier not in shown and found.event is not None:
            yield Flaw(proof_name(identifier), "is of an event that the bundle does not show")
    for identifier in about.unproved:
        if identifier in proved:
            yield Flaw(ABOUT, f"says that {identifier} stands in no log, and it does")


def _off_the_subject(about: About, chronicle: Collection[Event]) -> Iterator[Flaw]:
    """Where no event of the chronicle names what the bundle says to be about."""
    if chronicle and not any(about.path in map(subject_source, paths_of(event)) for event in chronicle):
        yield Flaw(ABOUT, "says to be about what none of its events names")


def _two_logs(proved: Iterable[Proved]) -> Iterator[Flaw]:
    """Where one writer signed two logs of one size."""
    roots: dict[tuple[str, int], bytes] = {}
    for each in proved:
        checkpoint = each.checkpoint
        if roots.setdefault((checkpoint.origin, checkpoint.size), checkpoint.root) != checkpoint.root:
            said = f"the writer {each.origin.writer} signed two logs of {checkpoint.size} entries, which differ"
            yield Flaw(proof_name(each.event_id), said)


def _writers(
    files: Mapping[str, bytes], proved: Iterable[Proved], signers: AllowedSigners | None, at: int
) -> tuple[tuple[Writer, ...], list[Flaw]]:
    """The writers of what is proved, and what is wrong with how they introduce themselves."""
    writers, flaws = [], []
    for origin in sorted({each.origin for each in proved}, key=lambda origin: origin.writer):
        name, certificate = introduction_name(origin.writer), files.get(certificate_name(origin.writer))
        content = files.get(name, b"")
        try:
            introduced(content, origin.repository, origin.writer)
        except ProofFailed as problem:
            flaws.append(Flaw(name, str(problem)))
        writers.append(Writer(origin.writer, _certified_by(content, certificate, signers, at)))
    return tuple(writers), flaws


def _certified_by(content: bytes, certificate: bytes | None, signers: AllowedSigners | None, at: int) -> str:
    if certificate is None or signers is None:
        return ""
    try:
        return certified_by(content, certificate, signers, at)
    except ProofFailed:  # a certificate may have been sound once
        return ""


def _signatories(events: Iterable[Event], signers: AllowedSigners | None, about: About) -> Iterator[Signatory]:
    for event in events:
        if "signature" in event:
            yield Signatory(event, assurance.examine(event, signers, about.repository))


def _not_signed(signatories: Iterable[Signatory]) -> Iterator[Flaw]:
    for each in signatories:
        if each.examined.assurance is Assurance.INVALID:
            name = proof_name(event_id(each.event.fields))
            yield Flaw(name, "the event carries a signature that is not over it")


def _strange(files: Mapping[str, bytes], proved: Iterable[EventId], writers: Iterable[Writer]) -> Iterator[Flaw]:
    """The files that belong to nothing."""
    known = {ABOUT, CHRONICLE, NAMED, SIGNERS, *map(proof_name, proved)}
    for writer in writers:
        known |= {introduction_name(writer.key), certificate_name(writer.key)}
    for name in sorted(files.keys() - known):
        if not name.startswith(PROOFS):  # those that prove nothing were told of
            yield Flaw(name, "belongs to nothing in the bundle")
