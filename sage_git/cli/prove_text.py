"""What a proof shows, as text and as JSON, and above all what it does not: whose key it is, and when it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import wording
from sage_git.cli.text import Line, Span, Style, pad, span
from sage_git.operations.proving.checked_files import Equivocated
from sage_git.operations.proving.checking import Proved

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.proving.checked_files import Checked
    from sage_git.operations.proving.checking import Given
    from sage_git.operations.proving.unbundling import CheckedBundle, Signatory
    from sage_git.proof.checkpoint import Origin

_LABEL: Final = 12
_MADE_UP: Final = "Anybody can make up a key and a log with it: ask who wrote for the key, and give it with --key."
_SHOWN: Final = 20


def as_json(proved: Proved) -> dict[str, Any]:
    """What a proof proves."""
    return {
        "eventId": proved.event_id,
        "writer": proved.origin.writer,
        "repository": proved.origin.repository,
        "entry": proved.number,
        "size": proved.checkpoint.size,
        "root": proved.checkpoint.root.hex(),
    }


def checked_as_json(checked: Checked, given: Given) -> dict[str, Any]:
    """One object for whatever was checked."""
    if isinstance(checked, Proved):
        event = None if checked.event is None else dict(checked.event.fields)
        return {"ok": True, **as_json(checked), **_known(checked.origin, given), "event": event}
    if isinstance(checked, Equivocated):
        origin = checked.origin
        said = {"writer": origin.writer, "repository": origin.repository, "equivocation": checked.sentence}
        return {"ok": True, **said, **_known(origin, given)}
    return {
        "ok": not checked.flaws,
        "repository": checked.about.repository,
        "repositoryGiven": checked.about.repository == given.repository,
        "path": checked.about.path,
        "events": [dict(event.fields) for event in checked.chronicle],
        "named": [dict(event.fields) for event in checked.named],
        "proved": [as_json(each) for each in checked.proved.values()],
        "unproved": list(checked.about.unproved),
        "missing": list(checked.missing),
        "writers": [
            {"writer": each.key, "writerGiven": each.key in given.writers, "certifiedBy": each.certified_by}
            for each in checked.writers
        ],
        "signatures": [
            {"eventId": each.event.event_id, "who": each.examined.signatory, "assurance": each.examined.assurance.value}
            for each in checked.signatories
        ],
        "flaws": [{"file": each.file, "reason": each.reason} for each in checked.flaws],
    }


def lines(checked: Checked, given: Given) -> Iterator[Line]:
    """Whatever was checked, for people."""
    if isinstance(checked, Proved):
        yield _labelled("proved", span(said_of(checked), Style.ANSWERED))
        yield from _event(checked)
        yield from _origin(checked.origin, given)
        yield from _caution([checked.origin.writer], given)
    elif isinstance(checked, Equivocated):
        yield _labelled("proved", span(checked.sentence, Style.OPEN))
        yield from _origin(checked.origin, given)
    else:
        yield from _bundle(checked, given)


def said_of(proved: Proved) -> str:
    """Which entry of how many it is. Not escaped."""
    return f"this event is entry {proved.number:,}, counted from 0, in a signed log of {proved.checkpoint.size:,}"


def check_it(name: str, writer: str, repository: str) -> Iterator[Line]:
    """How whoever is given the file checks it."""
    yield []
    yield [Span("whoever has it checks it with")]
    yield [Span("  sage-git check-proof "), span(name), Span(" \\")]
    yield [Span(f"    --key {writer} \\")]
    yield [Span(f"    --repository {repository}")]
    yield [Span("and must know the key from you, not from the file")]


def _event(proved: Proved) -> Iterator[Line]:
    yield _labelled("event", span(proved.event_id, Style.COMMIT))
    event = proved.event
    if event is None:
        yield _labelled("what", Span("its body was redacted"))
        return
    yield _labelled("what", *_happened(event), span(f"  {event.type}", Style.FAINT))
    if event.graph_commit:
        yield _labelled("commit", span(event.graph_commit))
    yield _labelled("actor", span(f"{event.actor.get('id', 'nobody')}, {event.actor.get('agent', 'git')}"))
    yield _labelled("date", span(event.timestamp), Span("  as the event says: no log proves a time", Style.FAINT))
    if "signature" in event:
        yield _labelled("signature", span(_signature(event, proved.origin.repository)))


def _happened(event: Event) -> list[Span]:
    from sage_git.operations.reading.history import is_fact

    if is_fact(event):
        return [wording.verb(event), Span(" "), wording.what(event, None)]
    return [span(wording.statement(event))]


def _signature(event: Event, repository: str) -> str:
    """What the file alone says of an event's signature. Not escaped."""
    from sage_git.chronicle.ids import RepositoryId
    from sage_git.operations.assurance import examine

    found = examine(event, None, RepositoryId(repository))
    if found.key is None:
        return "is not over this event"
    return f"by the SSH key {found.key.fingerprint}, for {found.signatory}; whether it may, the file does not say"


def _origin(origin: Origin, given: Given) -> Iterator[Line]:
    yield _labelled("writer", span(origin.writer), _source(origin.writer, given))
    yield _labelled("repository", span(origin.repository), _source(origin.repository, given))


def _source(identifier: str, given: Given) -> Span:
    """From whom it is known that this is the writer, or the repository."""
    is_given = identifier in given.writers or identifier == given.repository
    return Span("  as you gave it", Style.ANSWERED) if is_given else Span("  only the file says so", Style.OPEN)


def _caution(writers: Iterable[str], given: Given) -> Iterator[Line]:
    if not given.writers.issuperset(writers):
        yield []
        yield [Span(_MADE_UP, Style.OPEN)]


def _bundle(checked: CheckedBundle, given: Given) -> Iterator[Line]:
    standing = Counter(proved.origin.writer for proved in checked.proved.values())
    said = f"{_count(len(checked.proved), 'event')} in {_count(len(checked.writers), 'log')}"
    yield _labelled("proved", Span(said, Style.OPEN if checked.flaws else Style.ANSWERED))
    yield _labelled("about", span(checked.about.path), Span(f"  {_count(len(checked.chronicle), 'event')}"))
    if checked.named:
        yield _labelled("named", Span(f"{_count(len(checked.named), 'event')} of plans and answers"))
    yield _labelled("repository", span(checked.about.repository), _source(checked.about.repository, given))
    for writer in checked.writers:
        yield _labelled("writer", span(writer.key), _source(writer.key, given))
        certified = f", certified by {writer.certified_by}" if writer.certified_by else ""
        yield _labelled("", span(f"{_count(standing[writer.key], 'event')}{certified}"))
    yield from map(_signed, checked.signatories[:_SHOWN])
    if checked.signatories or any(writer.certified_by for writer in checked.writers):
        yield _labelled("", Span("who may sign is as the bundle itself has it", Style.FAINT))
    if checked.about.unproved:
        said = f"{_count(len(checked.about.unproved), 'event')} in no log that was known: nothing proves that"
        yield _labelled("unproved", Span(said, Style.OPEN))
    if checked.missing:
        yield _labelled("incomplete", Span(f"parents that are not here: {len(checked.missing):,}", Style.OPEN))
    for flaw in checked.flaws:
        yield _labelled("wrong", span(flaw.file, Style.STRONG), span(f": {flaw.reason}"))
    yield from _caution(standing, given)


def _signed(signatory: Signatory) -> Line:
    said = f"{signatory.event.type} by {signatory.examined.signatory}: {signatory.examined.assurance.value}"
    return _labelled("signature", span(said))


def _known(origin: Origin, given: Given) -> dict[str, bool]:
    return {
        "writerGiven": origin.writer in given.writers,
        "repositoryGiven": origin.repository == given.repository,
    }


def _count(number: int, word: str) -> str:
    return f"{number:,} {word if number == 1 else word + 's'}"


def _labelled(label: str, *pieces: Span) -> list[Span]:
    return [Span(pad(label, _LABEL), Style.FAINT), *pieces]
