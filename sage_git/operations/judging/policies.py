"""Which policy is in force for a commit (SPEC 6.3): that of the nearest first-parent ancestor with one, never its own.

What a commit's history has under `.sage/` follows from H along first parents, so that git is asked once for each
version of the config and not for each commit. Not here: what a policy means for an edit (`judge`).
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.errors import ConfigError, GitFailed
from sage_git.judgement import policy as policies
from sage_git.judgement.policy import Policy, Publish, Published
from sage_git.observation.lineage import Place, heads
from sage_git.operations.checkout import CONFIG_PATH, Checkout

CONFIG: Final = CONFIG_PATH.encode()
SIGNERS: Final = b".sage/allowed_signers"
_WITH_CONTENT: Final = frozenset(("FILE_ADDED", "FILE_EDITED"))


class Policies:
    """The policies of one repository, as its index and git know them."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._index = checkout.index
        self._blobs: dict[tuple[bytes, tuple[EventId, ...]], ObjectId | None] = {}
        self._contents: dict[ObjectId, bytes] = {}
        self._parsed: dict[ObjectId, Policy] = {}
        self._of_head: Policy | None = None
        self._last: tuple[ObjectId, Policy] | None = None
        self._first: dict[ObjectId, bool] = {}

    def before(self, commit: ObjectId) -> Policy:
        """The policy in force for an observed commit; HEAD's where no ancestor had one."""
        if self._last is None or self._last[0] != commit:
            blob = self._blob(CONFIG, self._first_parent(commit))
            self._last = commit, self.now() if blob is None else self.parsed(blob)
        return self._last[1]

    def had_one(self, commit: ObjectId) -> bool:
        """True if a first-parent ancestor of an observed commit had a config."""
        return self._blob(CONFIG, self._first_parent(commit)) is not None

    def signers_before(self, commit: ObjectId) -> ObjectId | None:
        """The blob of the allowed signers that an observed commit's first parent had; None if there was none."""
        return self._blob(SIGNERS, self._first_parent(commit))

    def now(self) -> Policy:
        """The policy in force for the next commit on HEAD; where its history had none, the last that this clone saw."""
        if self._of_head is None:
            blob = self.config_at_head or self._named_or_last("HEAD", CONFIG) or self._checkout.config_seen()
            self._of_head = self._default() if blob is None else self.parsed(blob)
        return self._of_head

    def problem_now(self) -> ConfigError | None:
        """Why the config that HEAD has cannot be read, so that the defaults hold; None if it can."""
        blob = self.config_at_head
        try:
            policies.parse_policy(self.content(blob)) if blob is not None else None
        except ConfigError as problem:
            return problem
        return None

    def publish_now(self) -> Publish:
        """What may leave this clone, and where to; nothing while nobody can read what the config says of it."""
        return self.now().publish if self.problem_now() is None else Publish((), Published.NONE)

    @cached_property
    def config_at_head(self) -> ObjectId | None:
        """The blob of HEAD's config. Raises GitFailed."""
        found = self._checkout.repository.read_named(f"HEAD:{CONFIG_PATH}")
        if found is None:
            return None
        self._contents[found[0]] = found[1]  # whoever asks which it is reads it next
        return found[0]

    def signers_now(self) -> ObjectId | None:
        """The blob of HEAD's allowed signers."""
        return self._named_or_last("HEAD", SIGNERS)

    def is_signed(self, event: Event, signers: ObjectId | None) -> bool:
        """True if `event` is signed for this repository, by somebody whom that blob names, as who it says it is."""
        from sage_git.operations import assurance  # cryptography is needed only where signatures are

        content = self.content(signers) if signers else b""
        return assurance.is_signed(event, content, self._checkout.known_identity().repository)

    def may_halt(self, event: Event) -> bool:
        """True if a halt counts here: it was said in this clone, or is signed by somebody who is allowed to."""
        if event.event_id is not None and self._index.events.entry(event.event_id) is not None:
            return True
        return "signature" in event and self.is_signed(event, self.signers_now())

    def content(self, blob: ObjectId) -> bytes:
        """The bytes of a blob; empty if it is not here."""
        if blob in self._contents:
            return self._contents[blob]
        try:
            return self._checkout.repository.git("cat-file", "blob", blob)
        except GitFailed:
            return b""

    def parsed(self, blob: ObjectId) -> Policy:
        """The policy in a blob; one that cannot be read loosens nothing, and leaves the defaults."""
        found = self._parsed.get(blob)
        if found is None:
            try:
                found = policies.parse_policy(self.content(blob))
            except ConfigError:
                found = self._default()
            self._parsed[blob] = found
        return found

    def keeps_identity(self, commit: ObjectId, blob: ObjectId) -> bool:
        """True if the config in `blob` leaves everything immutable as it was before `commit`."""
        try:
            identity = policies.parse_policy(self.content(blob)).identity
        except ConfigError:
            return False
        return identity == self.before(commit).identity

    def is_beginning(self, commit: ObjectId) -> bool:
        """True for the commit that first brought in the config, which is not judged; no orphan that copies it is."""
        known = self._first.get(commit)
        if known is None:
            known = self._first[commit] = not self.had_one(commit) and self._begins(commit)
        return known

    def _begins(self, commit: ObjectId) -> bool:
        index, identity = self._index, self._checkout.known_identity()
        own = heads(index.commits, index.commits.place(commit), CONFIG)
        event = index.events.event(own[0]) if len(own) == 1 else None
        if event is None or event.graph_commit != commit or event.type != "FILE_ADDED":
            return False
        begun = self.parsed(ObjectId(str(event["hash"]))).identity
        if (begun.repository, begun.since) != (identity.repository, identity.since):
            return False
        if index.commits.first_commit_with_row(index.commits.path_number(CONFIG)) != commit:
            return False  # whoever starts a branch at `since` can add the same config once more
        try:
            if identity.since is not None:
                self._checkout.repository.git("merge-base", "--is-ancestor", identity.since, commit)
        except GitFailed:
            return False
        return True

    def _first_parent(self, commit: ObjectId) -> Place | None:
        place = self._index.commits.place(commit)
        if place is None:
            return None
        return Place(place.chain, place.position - 1) if place.position else self._index.commits.base(place.chain)

    def _blob(self, path: bytes, place: Place | None) -> ObjectId | None:
        """What a commit's history had at `path` last, along first parents."""
        facts = heads(self._index.commits, place, path)
        if (path, facts) not in self._blobs:
            self._blobs[path, facts] = self._find_blob(path, facts, place)
        return self._blobs[path, facts]

    def _find_blob(self, path: bytes, facts: tuple[EventId, ...], place: Place | None) -> ObjectId | None:
        if not facts:
            since = self._checkout.known_identity().since
            return self._checkout.repository.named(f"{since}:{path.decode()}")[0] if since else None
        event = self._index.events.event(facts[0]) if len(facts) == 1 else None
        if event is not None and event.type in _WITH_CONTENT:
            return ObjectId(str(event["hash"]))
        oid = None if place is None else self._index.commits.oid_at(place)
        return None if oid is None else self._named_or_last(oid, path)

    def _named_or_last(self, revision: str, path: bytes) -> ObjectId | None:
        """The blob at `path` in a commit, or in the last one before it that had the path."""
        repository, name = self._checkout.repository, path.decode()
        found = repository.named(f"{revision}:{name}")[0]
        if found is None and repository.commit_named(revision) is not None:
            asked = ("-1", "--format=%H", "--first-parent", "--diff-merges=first-parent", "--diff-filter=AM")
            last = repository.git("log", *asked, revision, "--", name).decode("ascii").strip()
            found = repository.named(f"{last}:{name}")[0] if last else None
        return found

    def _default(self) -> Policy:
        identity = self._checkout.known_identity()
        return Policy(policies.Identity(identity.repository, identity.since, identity.backfill, identity.rules))
