"""The logs that the store has, each against what its writer signed (SPEC 9, 11). Reads only.

Nothing that was found before is believed: signatures, leaves, roots and bodies are all looked at again, in the way in
which `sync` looks at what a peer offers. Not here: the parts of this clone's own log against one another (`fsck_log`),
and whether what a log tells is true (`verifying`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.errors import SageError
from sage_git.gitrepo.log_tree import CERTIFICATE, Half, check_shape, segment_count, segment_path
from sage_git.gitrepo.segments import SegmentRepository
from sage_git.operations.checking.flaws import Flaw, Severity
from sage_git.operations.checking.fsck_log import LogInspection
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import equivocations
from sage_git.operations.exchange.vetting import Believed, Refused, Vetting
from sage_git.operations.sealing import store_of
from sage_git.proof.equivocation import check
from sage_git.storage.keys import writer_id
from sage_git.storage.writerlog import leaf_id

STORE: Final = ".git/sage/store.git"
_AGAIN: Final = "`sage-git fsck --repair` sets it aside, and `sage-git sync` fetches it anew"
_ELSEWHERE: Final = "`sage-git sync` brings what other clones have of it"


@dataclass(frozen=True, slots=True)
class SignedLog:
    """A log that is what its writer signed. `certificate` is empty if nobody vouches for the writer."""

    writer: str
    size: int
    introduction: bytes
    supersedes: str | None
    certificate: bytes


@dataclass(slots=True)
class SignedLogs:
    """Those of the store that can be relied on, by writer, and what is wrong with the others."""

    sound: dict[str, SignedLog] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def successors(self, writer: str) -> set[str]:
        """The writers who go on from `writer`, itself included."""
        found = {writer}
        while more := {log.writer for log in self.sound.values() if log.supersedes in found} - found:
            found |= more
        return found


def check_signed_logs(witness: Checkout) -> SignedLogs:
    """Every log of the store, looked at anew."""
    found = SignedLogs()
    store = store_of(witness)
    halves = {half: store.repository(half) for half in Half}
    try:
        commits = {half: repository.writers() for half, repository in halves.items()}
    except SageError as problem:
        found.flaws.append(Flaw("sealed-unreadable", str(problem), remedy=problem.remedy, path=STORE))
        return found
    public, repository = halves[Half.PUBLIC], witness.known_identity().repository
    vetting = Vetting(repository, _Shelf(public, Half.PUBLIC), public)
    private = Vetting(repository, _Shelf(halves[Half.PRIVATE], Half.PRIVATE), public)
    own = writer_id(witness.sage)
    for writer, commit in sorted(commits[Half.PUBLIC].items()):
        try:
            seen = vetting.look_at(writer, commit, None)
            withheld = commits[Half.PRIVATE].get(writer) if writer != own else None  # ours, `check_log` looks at
            refused = private.look_at_private(writer, withheld, public.files(commit)) if withheld else None
            if isinstance(seen, Believed) and refused is None:
                found.sound[writer] = _signed(public, seen)
            else:
                found.flaws += [_refused(each) for each in (seen, refused) if isinstance(each, Refused)]
        except SageError as problem:
            message = f"the log of {writer[:16]} cannot be read: {problem}"
            found.flaws.append(Flaw("bad-log-tree", message, remedy=_AGAIN, path=STORE, writer=writer))
    return found


def against_seen(witness: Checkout, logs: SignedLogs) -> Iterator[Flaw]:
    """The logs that were longer when this clone entered them."""
    for writer in sorted(witness.index.writers.tips()):
        size, before = logs.sound[writer].size if writer in logs.sound else None, witness.index.writers.size(writer)
        if size is None and not any(each.writer == writer for each in logs.flaws):
            message = f"the log of {writer[:16]} is gone; {before} entries were here once"
            yield Flaw("log-shrunk", message, remedy=_ELSEWHERE, path=STORE, writer=writer)
        elif size is not None and size < before:
            message = f"the log of {writer[:16]} has {size} entries; {before} were here once"
            yield Flaw("log-shrunk", message, remedy=_ELSEWHERE, path=STORE, writer=writer)


def against_own(witness: Checkout, logs: SignedLogs, own: LogInspection) -> Iterator[Flaw]:
    """This clone's log against the checkpoint of it that was published."""
    writer = writer_id(witness.sage)
    if writer is None or writer not in logs.sound:
        return
    size = logs.sound[writer].size
    if own.length < size:
        message = f"this clone's log has {own.length} entries, and its checkpoint was signed over {size}"
        yield Flaw("log-shrunk", message, remedy=_ELSEWHERE, path=STORE, writer=writer)
    for number, identifier in _published(store_of(witness).repository(Half.PUBLIC), writer):
        mine = own.ids.get(number)
        if mine is not None and mine != identifier:
            message = f"entry {number} of this clone's log is not the one that its checkpoint was signed over"
            yield Flaw("log-rewritten", message, remedy=_ELSEWHERE, path=STORE, writer=writer, event_id=identifier)
            return


def equivocating(witness: Checkout) -> Iterator[Flaw]:
    """The writers who signed two logs, by the evidence that is kept, checked again."""
    repository = witness.known_identity().repository
    try:
        proven = equivocations.known(witness.sage, repository)
        files = sorted((witness.sage / equivocations.FOLDER).glob("*.json"))
    except (SageError, OSError) as problem:
        yield Flaw("evidence-unproven", f"the evidence against writers cannot be read: {problem}", remedy="")
        return
    for file in files:
        path, evidence = f".git/sage/{equivocations.FOLDER}/{file.name}", proven.get(file.stem)
        if evidence is None:
            message = "what is kept as evidence against a writer shows nothing"
            yield Flaw("evidence-unproven", message, Severity.WARNING, "delete the file", path)
        else:
            remedy = "ask who holds that key; nothing that it signed since can be relied on"
            message = check(evidence, repository, file.stem)
            yield Flaw("equivocation", message, remedy=remedy, path=path, writer=file.stem)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One of our two repositories, in which nothing is taken for granted."""

    repository: SegmentRepository
    half: Half

    def files(self, commit: str) -> Mapping[str, str]:
        """The files of a log by path. Raises ValidationError if they are not those of one."""
        files = self.repository.files(commit)
        check_shape(list(files), self.half)
        return files

    def segments(self, files: Mapping[str, str], paths: Sequence[str]) -> Iterator[list[bytes]]:
        return self.repository.segments(files, paths)

    def blobs(self, names: Sequence[str]) -> Iterator[bytes]:
        return self.repository.blobs(names)


def _signed(public: SegmentRepository, seen: Believed) -> SignedLog:
    files = public.files(seen.commit)
    certificate = next(public.blobs([files[CERTIFICATE]])) if CERTIFICATE in files else b""
    about = seen.introduction
    return SignedLog(seen.writer, seen.checkpoint.size, about.content, about.supersedes, certificate)


def _refused(refused: Refused) -> Flaw:
    message = f"the log of {refused.writer[:16]}: {refused.reason}"
    return Flaw(refused.code, message, remedy=_AGAIN, path=STORE, writer=refused.writer)


def _published(public: SegmentRepository, writer: str) -> Iterator[tuple[int, EventId]]:
    """Number and event of every leaf that was published of a log."""
    files = public.files(public.writers()[writer])
    segments = public.segments(files, [segment_path("leaves", number) for number in range(segment_count(files))])
    return enumerate(map(leaf_id, chain.from_iterable(segments)))
