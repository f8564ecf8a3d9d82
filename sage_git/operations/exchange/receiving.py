"""Taking what a peer offers: what is new of it goes into quarantine, is vetted writer by writer, and is adopted.

Nothing is changed before a log is believed, and then by compare-and-swap. A peer that lies or is not there is an
outcome, not an error. Not here: what adopted logs mean for index and sidecars (`settling`), and giving (`sending`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sage_git.chronicle.ids import EventId
from sage_git.errors import PeerFailed, SageError
from sage_git.gitrepo.exchange import Quarantine, RemoteEnvironment, check_bundle, discard_left, list_logs
from sage_git.gitrepo.log_tree import Half, segment_count, segment_path
from sage_git.operations.checkout import Checkout
from sage_git.operations.exchange import equivocations, succession
from sage_git.operations.exchange.outcomes import Refusal
from sage_git.operations.exchange.targets import Kind, Target
from sage_git.operations.exchange.trees import keep_roots, own_tree, segment_roots
from sage_git.operations.exchange.vetting import Believed, Growth, Known, Refused, Vetting
from sage_git.operations.sealing import store_of
from sage_git.proof import checkpoint as checkpoints
from sage_git.proof.equivocation import Evidence
from sage_git.storage.keys import writer_id
from sage_git.storage.lock import held
from sage_git.storage.writerlog import leaf_id

_LOG_TIMEOUT_MS: Final = 60_000
_FOR_GOOD: Final = frozenset(("equivocation", "forged-fact", "own-log-elsewhere"))
_MOST_TRIED: Final = 8
"""So many logs are tried one by one until one comes."""


@dataclass(slots=True)
class Received:
    """What came of reading from a peer. `listed` has the commit of each log there; None: it could not be read."""

    target: Target
    listed: Mapping[str, str] | None = None
    behind: dict[str, int] = field(default_factory=dict)
    """Writers of whom the peer has less, and how many entries it has."""
    joined: set[str] = field(default_factory=set)
    """Writers of whom both sides had bodies that the other lacked."""
    entries: int = 0
    refused: list[Refusal] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    problem: SageError | None = None

    @property
    def is_whole(self) -> bool:
        """True if nothing of what is to be had there can still come."""
        return self.listed is not None and self.problem is None and _FOR_GOOD.issuperset(r.code for r in self.refused)


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """A log that was believed, by its commit there and the one here; "" is whichever, as our own only grows."""

    theirs: str
    ours: str
    size: int
    is_behind: bool


class Receiving:
    """Reads from one peer after the other into the same store. The caller holds `sync.lock`."""

    def __init__(self, checkout: Checkout, remote: RemoteEnvironment) -> None:
        self._checkout = checkout
        self._remote = remote
        self._store = store_of(checkout)
        self._repository = checkout.known_identity().repository
        discard_left(checkout.sage)
        self._frozen = equivocations.known(checkout.sage, self._repository)

    def receive(self, target: Target) -> Received:
        """What came from `target`; never raises for what a peer is or does."""
        received = Received(target)
        if target.kind in (Kind.BUNDLE, Kind.CLONE) and not Path(target.url).exists():  # not made yet
            received.listed = {}
            return received
        try:
            if target.kind is Kind.BUNDLE:
                check_bundle(Path(target.url))
            received.listed = list_logs(target.url, self._remote)
            self._take(target, received)
            if target.private_url is not None:
                self._take_private(target, received)
        except SageError as problem:
            received.problem = problem
        return received

    def _take(self, target: Target, received: Received) -> None:
        tips = self._store.writers()
        assert received.listed is not None
        own = writer_id(self._checkout.sage)
        if own is not None and own in tips and received.listed.get(own) == tips[own]:
            received.behind[own] = self._store.size(own)  # until it is published with what was said since
        seen = self._seen(target)
        known = {
            w for w, each in seen.items() if received.listed.get(w) == each.theirs and each.ours in ("", tips.get(w))
        }
        received.behind |= {writer: seen[writer].size for writer in known if seen[writer].is_behind}
        new = {w: c for w, c in received.listed.items() if c != tips.get(w) and w not in known}
        if not new:
            return
        with Quarantine(self._checkout.sage, self._store) as quarantine:
            there = self._fetched(quarantine, target.url, new, received)
            believed = self._vetted(quarantine, there, tips, received)
            self._adopt(quarantine, believed, tips, received)
        self._remember(target, {writer: seen[writer] for writer in known} | self._looked_at(there, believed, received))

    def _fetched(
        self, quarantine: Quarantine, url: str, new: Mapping[str, str], received: Received
    ) -> Mapping[str, str]:
        """What came of the logs in `new`. One that git cannot or will not take keeps no other from coming."""
        with suppress(PeerFailed):
            return quarantine.fetch(url, new, self._remote)
        came: dict[str, str] = {}
        failed: list[Refusal] = []
        for writer, commit in new.items():
            try:
                came |= quarantine.fetch(url, {writer: commit}, self._remote)
            except PeerFailed as problem:
                if not came and len(failed) >= _MOST_TRIED:  # then it is not the logs
                    raise
                failed.append(Refusal(writer, "bad-log-tree", str(problem)))
        received.refused += failed
        return came

    def _vetted(
        self, quarantine: Quarantine, new: Mapping[str, str], tips: Mapping[str, str], received: Received
    ) -> list[Believed]:
        vetting = Vetting(self._repository, quarantine, self._store.repository(Half.PUBLIC))
        own = writer_id(self._checkout.sage)
        believed = []
        for writer, commit in sorted(new.items()):
            found = vetting.look_at(writer, commit, None if writer == own else self._known(writer, tips))
            if isinstance(found, Refused):
                received.refused.append(Refusal(writer, found.code, found.reason))
                received.evidence += [found.evidence] if found.evidence else []
            elif writer == own:
                self._look_at_own(quarantine, found, received)
            elif found.growth is Growth.GROWN and writer in self._frozen:
                reason = "its writer signed two logs; nothing more is taken of it"
                received.refused.append(Refusal(writer, "equivocation", reason))
            else:
                believed.append(found)
        return believed

    def _known(self, writer: str, tips: Mapping[str, str]) -> Known | None:
        if writer not in tips:
            return None
        files = self._store.published(writer)
        note = self._store.checkpoint(writer)
        size = checkpoints.opened(note, self._repository, writer).size
        return Known(files, note, size, segment_roots(self._checkout.index, self._store, files, size))

    def _adopt(
        self, quarantine: Quarantine, believed: list[Believed], tips: Mapping[str, str], received: Received
    ) -> None:
        offers: dict[str, tuple[str, str]] = {}
        for found in believed:
            if found.growth is Growth.OLDER:
                received.behind[found.writer] = found.checkpoint.size
            if found.growth in (Growth.NEW, Growth.GROWN) or found.has_bodies:
                offers[found.writer] = tips.get(found.writer, ""), found.commit
        if not offers:
            return
        before = {writer: self._store.size(writer) for writer, (ours, _) in offers.items() if ours}
        with held(self._checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
            adopted = self._store.adopt(quarantine.path, offers)
        for found in believed:
            if found.writer in adopted:
                received.joined |= {found.writer} if found.lacks_bodies else set()
                received.entries += max(found.checkpoint.size - before.get(found.writer, 0), 0)
                keep_roots(self._checkout.index, quarantine.files(found.commit), found.roots)

    def _look_at_own(self, quarantine: Quarantine, found: Believed, received: Received) -> None:
        """Our own log as the peer has it: older than ours, or somebody else's work under our key."""
        checkout, size = self._checkout, found.checkpoint.size
        with held(checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
            tree = own_tree(checkout)
            if size <= tree.size and tree.root_at(size) == found.checkpoint.root:
                received.behind[found.writer] = size
                return
            told = _told(quarantine, found.commit)
            succession.begin(checkout, found.checkpoint, told)
            self._store.replace(quarantine.path, found.writer, found.commit)
            succession.finish(checkout)
        reason = "another clone, or a backup, writes under this clone's key: a new key was made"
        received.refused.append(Refusal(found.writer, "own-log-elsewhere", reason))

    def _take_private(self, target: Target, received: Received) -> None:
        """Bodies that only trusted peers are given, each held against its leaf."""
        assert target.private_url is not None
        if target.kind is Kind.CLONE and not Path(target.private_url).exists():
            return  # nothing was withheld yet
        listed = list_logs(target.private_url, self._remote)
        tips = self._store.writers(Half.PRIVATE)
        own = writer_id(self._checkout.sage)
        public = self._store.writers()
        new = {w: c for w, c in listed.items() if c != tips.get(w) and w != own and w in public}
        if not new:
            return
        with Quarantine(self._checkout.sage, self._store, Half.PRIVATE) as quarantine:
            quarantine.fetch(target.private_url, new, self._remote)
            vetting = Vetting(self._repository, quarantine, self._store.repository(Half.PUBLIC))
            offers = {}
            for writer, commit in sorted(new.items()):
                problem = vetting.look_at_private(writer, commit, self._store.tree(writer))
                if problem is None:
                    offers[writer] = tips.get(writer, ""), commit
                else:
                    received.refused.append(Refusal(writer, problem.code, problem.reason))
            if offers:
                with held(self._checkout.sage / "log.lock", _LOG_TIMEOUT_MS):
                    self._store.adopt(quarantine.path, offers, Half.PRIVATE)

    def _looked_at(
        self, there: Mapping[str, str], believed: Sequence[Believed], received: Received
    ) -> dict[str, _LookedAt]:
        """What need not be looked at again while it stands there, and ours here."""
        tips, own = self._store.writers(), writer_id(self._checkout.sage)
        sizes = {found.writer: found.checkpoint.size for found in believed} | received.behind
        return {
            writer: _LookedAt(
                there[writer], "" if writer == own else tips.get(writer, ""), size, writer in received.behind
            )
            for writer, size in sizes.items()
            if writer in there and there[writer] != tips.get(writer)
        }

    def _seen(self, target: Target) -> dict[str, _LookedAt]:
        text = self._checkout.index.value(f"looked at {target.url}") or "{}"
        return {writer: _LookedAt(*row) for writer, row in json.loads(text).items()}

    def _remember(self, target: Target, looked_at: Mapping[str, _LookedAt]) -> None:
        rows = {writer: [each.theirs, each.ours, each.size, each.is_behind] for writer, each in looked_at.items()}
        with self._checkout.index.transaction():
            self._checkout.index.keep(f"looked at {target.url}", json.dumps(rows))


def _told(quarantine: Quarantine, commit: str) -> frozenset[EventId]:
    """The events that a log in the quarantine has."""
    files = quarantine.files(commit)
    paths = [segment_path("leaves", number) for number in range(segment_count(files))]
    return frozenset(leaf_id(line) for leaves in quarantine.segments(files, paths) for line in leaves)
