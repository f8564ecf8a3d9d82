"""Sidecars as views: one per source of this checkout that has a history, showing its whole chronicle.

Responsible for bringing the files of one work tree to what index and HEAD say, touching only what changed. The caller
holds `log.lock`. Not here: bytes (storage.shown), names (placing), lines that others wrote (adoption).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from sage_git.chronicle.dag import order
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import ObjectId, lineage_name
from sage_git.errors import SageError
from sage_git.observation.lineage import differing_paths
from sage_git.operations.checkout import Checkout
from sage_git.operations.findings import Finding
from sage_git.operations.paths import path_text, raw_path
from sage_git.operations.sidecars.adoption import adopt
from sage_git.operations.sidecars.keeping import Sidecars
from sage_git.operations.sidecars.lives import component_at
from sage_git.operations.sidecars.placing import is_inside, key_of, subject_in, subject_key
from sage_git.operations.subjects import subject_source
from sage_git.storage import queries
from sage_git.storage.shown import WorkTree

_SEEN: Final = "seen:"


def is_current(checkout: Checkout, head: ObjectId | None) -> bool:
    """True if the sidecars were brought to this HEAD and the newest event, as far as we know without looking."""
    return checkout.index.value(_SEEN + checkout.worktree) == _state(checkout, head)


def bring_current(checkout: Checkout, head: ObjectId | None, deferred: Collection[ObjectId]) -> list[Finding]:
    """Make every sidecar of this work tree show its chronicle, and say what could not be understood or written.

    While HEAD is one of the `deferred` commits, nobody knows which sources have which history: the files stay.
    """
    if checkout.repository.work_tree is None:
        return []
    is_deferred = head in deferred
    keeper = _Keeper(checkout, WorkTree(checkout.repository.work_tree), head, is_deferred=is_deferred)
    keeper.leave_former_place()
    keeper.look_for_changes_of_others()
    keeper.follow_head()
    keeper.adopt_statements()
    keeper.follow_events()
    with checkout.index.transaction():
        keeper.write()
        if not (is_deferred or keeper.has_failed):  # what was not written is looked for again from where we were
            checkout.index.keep(_SEEN + checkout.worktree, _state(checkout, head))
    return keeper.findings


def show_one(checkout: Checkout, head: ObjectId | None, key: bytes, component: int) -> None:
    """Make one sidecar show its chronicle, as after a statement. The caller holds the log's lock."""
    assert checkout.repository.work_tree is not None
    tree = WorkTree(checkout.repository.work_tree)
    _Keeper(checkout, tree, head, is_deferred=False).show_one(key, component)


def last_head(checkout: Checkout) -> ObjectId | None:
    """The HEAD to which the sidecars were brought last."""
    kept = checkout.index.value(_SEEN + checkout.worktree)
    return None if kept is None else ObjectId(json.loads(kept)[0])


def _state(checkout: Checkout, head: ObjectId | None) -> str:
    """Everything that the set of sidecars and their lines depends on."""
    identity = checkout.known_identity()
    try:
        found = (checkout.repository.git_dir / "info" / "sparse-checkout").stat()
        sparse = [found.st_size, found.st_mtime_ns]
    except OSError:
        sparse = []
    return json.dumps([head, checkout.index.events.last_number(), identity.place, identity.suffix, sparse])


class _Keeper:
    """One pass over the sidecars of one work tree: first what has to change is gathered, then it is written."""

    def __init__(self, checkout: Checkout, tree: WorkTree, head: ObjectId | None, *, is_deferred: bool) -> None:
        self.findings: list[Finding] = []
        self.has_failed = False
        self._checkout = checkout
        self._index = checkout.index
        self._identity = checkout.known_identity()
        self._tree = tree
        self._sidecars = Sidecars(checkout, tree, self._identity)
        self._head = head
        self._is_deferred = is_deferred
        self._worktree = checkout.worktree
        self._shown: dict[bytes, int] = {}  # sidecars to write, by key, with their chronicle
        self._gone: set[bytes] = set()
        self._changed: set[bytes] = set()  # by others since we left them, or never left by us
        self._strange: set[bytes] = set()  # of subjects that nobody spoke of here
        self._adoptable: list[Event] = []
        self._tracked: set[bytes] = set()  # whose sidecar is a source of HEAD, and so not ours to touch
        self._asked: set[bytes] = set()  # of which we know whether it is
        kept = self._index.value(_SEEN + self._worktree)
        seen: list[Any] = json.loads(kept) if kept else [None, 0]
        self._seen_head: ObjectId | None = seen[0]
        self._seen_number: int = seen[1]
        self._starts_over = seen[2:] != json.loads(_state(checkout, head))[2:]
        self._seen_place: list[str] = seen[2:4]

    def leave_former_place(self) -> None:
        """Take the sidecars from where they were before the config said otherwise; then there are none."""
        if not self._seen_place or self._seen_place == [self._identity.place, self._identity.suffix]:
            return
        place, suffix = self._seen_place
        now = self._sidecars
        self._sidecars = Sidecars(self._checkout, self._tree, replace(self._identity, place=place, suffix=suffix))
        self.look_for_changes_of_others()
        self._gone.update(left.path for left in self._index.sidecars.all(self._worktree))
        self.adopt_statements()
        with self._index.transaction():
            self.write()
        for gathered in (self._shown, self._gone, self._changed, self._strange, self._tracked, self._asked):
            gathered.clear()
        self._sidecars = now

    def look_for_changes_of_others(self) -> None:
        """Find sidecars that are not as we left them, and those of subjects that we never wrote."""
        for left in self._sidecars.not_as_left():
            self._changed.add(left.path)
            self._shown[left.path] = left.component
        for name in self._tree.names_in(b".sage"):
            key = key_of(self._identity, b".sage/" + name)
            if key is not None and subject_in(key) is not None and self._sidecars.left(key) is None:
                self._strange.add(key)

    def adopt_statements(self) -> None:
        """Adopt what others wrote: into sidecars that we left, and into files where we left none."""
        self._find_tracked()
        for key in sorted((self._shown.keys() | self._gone | self._strange) - self._tracked):
            if key not in self._changed and self._sidecars.left(key) is None and self._sidecars.stamp(key) is not None:
                self._changed.add(key)
            if key in self._changed:
                self._attempt(self._read_what_others_said, key)
        adopt(self._checkout, order(self._adoptable))  # in the order that it was said in, over all files
        self._adoptable.clear()

    def follow_head(self) -> None:
        """Find the sources that came, went or changed lives between the HEAD we saw last and this one."""
        commits = self._index.commits
        head, seen = self._head, self._seen_head
        if self._is_deferred:
            return  # its history is not known yet: what is shown stays
        if self._identity.place == "off":
            self._gone.update(left.path for left in self._index.sidecars.all(self._worktree))
        elif self._starts_over or (seen is not None and seen != head and commits.known(seen) is None):
            self._start_over()
        elif head != seen:
            changed = differing_paths(commits, commits.place(head), commits.place(seen))
            moved = self._paths_that_came_or_went(seen, head)
            beside = {key_of(self._identity, path) for path in moved}  # whose sidecar begins or ceases to be a source
            self._look_at(changed.union(moved, filter(None, beside)))

    def follow_events(self) -> None:
        """Find the sidecars whose chronicles grew, and new sources and subjects that were spoken of."""
        if self._identity.place != "off":
            self._look_at_statements(self._seen_number)  # may bring chronicles together
            self._look_at_births(self._seen_number)
        grown = self._index.events.components_after(self._seen_number)
        for left in self._index.sidecars.of_chronicles(self._worktree, grown):
            self._shown.setdefault(left.path, left.component)
        for left in self._index.sidecars.incomplete(self._worktree):
            self._shown.setdefault(left.path, left.component)

    def show_one(self, key: bytes, component: int) -> None:
        """Write one sidecar, after adopting what others wrote into it."""
        left = self._sidecars.left(key)
        self._shown[key] = component
        if left is not None and self._sidecars.stamp(key) != left.stamp:
            self._changed.add(key)
        else:
            self._asked.add(key)  # by who says the statement
        self.adopt_statements()
        if key not in self._tracked:
            with self._index.transaction():
                self._attempt(self._show, key)

    def write(self) -> None:
        """Write what was gathered. A file that cannot be written is a finding, and is tried again next time."""
        self._find_tracked()
        for key in sorted(self._gone - self._tracked):
            self._attempt(self._take_away, key)
        for key in sorted(self._shown.keys() - self._gone - self._tracked):
            self._attempt(self._show, key)
        for key in self._tracked:
            self._index.sidecars.remove(self._worktree, self._index.commits.path_number(key))

    def _take_away(self, key: bytes) -> None:
        self._sidecars.take_away(key, is_changed=key in self._changed)

    def _show(self, key: bytes) -> None:
        self._sidecars.show(key, self._shown[key], is_changed=key in self._changed)

    def _read_what_others_said(self, key: bytes) -> None:
        reading = self._sidecars.reading(key, self._shown.get(key))
        if reading is not None:
            self.findings.extend(reading.findings)
            self._adoptable.extend(reading.unknown)

    def _attempt(self, step: Callable[[bytes], None], key: bytes) -> None:
        try:
            step(key)
        except SageError as problem:
            self.has_failed = True
            self.findings.append(Finding("sidecar-unwritable", f"{problem}; it is tried again next time"))

    def _start_over(self) -> None:
        """Look at every source of HEAD, and at every sidecar that we ever left."""
        known = queries.paths_with_facts(self._index.connection)
        known.update(left.path for left in self._index.sidecars.all(self._worktree) if subject_in(left.path) is None)
        self._look_at(known)
        self._look_at_statements(0)

    def _look_at_statements(self, after: int) -> None:
        """Look at the sources and subjects that statements since an event number are about."""
        sources: set[bytes] = set()
        for name, component in self._index.events.subjects_after(after):
            self._shown[subject_key(name.removeprefix("subject:"))] = component
        for line in queries.unexplained_after(self._index.connection, after):
            event = json.loads(line)
            subject = event.get("subject")
            if isinstance(subject, str) and "\0" not in subject:
                sources.add(raw_path(event, subject_source(subject)))
        self._look_at(sources)

    def _look_at_births(self, after: int) -> None:
        """Look at the sources of `since` whose first event came: HEAD may still have them as they were."""
        rows = self._index.connection.execute(
            "SELECT line FROM events WHERE number > ? AND depth = 0 AND line NOT NULL"
            " AND type IN ('FILE_EDITED', 'FILE_REMOVED', 'FILE_RENAMED')",
            (after,),
        )
        born = [json.loads(line) for (line,) in rows]
        self._look_at(raw_path(event, event.get("oldPath") or event["filePath"]) for event in born)

    def _look_at(self, paths: Iterable[bytes]) -> None:
        """Decide of each path whether HEAD has it, and which chronicle is its."""
        wanted = {path for path in paths if is_inside(path) and subject_in(path) is None}
        if not wanted:
            return
        here: set[bytes] = set()
        if self._head is not None:
            files = {self._sidecars.file(path) for path in wanted}
            here = self._checkout.repository.tracked_paths(self._head, wanted | files)
        self._asked.update(wanted)
        for path in wanted:
            component = component_at(self._checkout, self._head, path) if path in here else None
            if self._sidecars.file(path) in here:
                self._leave(path)
            elif component is None:
                self._gone.add(path)
            else:
                self._shown[path] = self._with_what_was_said(path, component)
                self._gone.discard(path)

    def _find_tracked(self) -> None:
        """Find, among the sidecars to be touched, those that HEAD has as sources."""
        keys = self._shown.keys() | self._gone | self._strange
        files = {self._sidecars.file(key): key for key in keys - self._asked}
        self._asked.update(files.values())
        if files and self._head is not None:
            for file in sorted(self._checkout.repository.tracked_paths(self._head, files)):
                self._leave(files[file])

    def _leave(self, key: bytes) -> None:
        self._tracked.add(key)
        name = path_text(self._sidecars.file(key))
        self.findings.append(Finding("tracked-sidecar", f"{name} is tracked, so no sidecar is written: rename it"))

    def _with_what_was_said(self, path: bytes, component: int) -> int:
        """The chronicle of a path. What was said of it before there was a fact to name is of what came to live there.

        What was there at `since` has a life of its own, from which a later one on the same path inherits nothing.
        """
        identity, events = self._identity, self._index.events
        lineage = events.known_lineage(lineage_name(identity.repository, path_text(path), identity.since))
        if lineage is None or events.component(lineage) == component:
            return component
        if events.has_loose_statement(lineage) and not events.has_fact(lineage):
            with self._index.transaction():
                events.join([lineage, component])
        return events.component(component)

    def _paths_that_came_or_went(self, seen: ObjectId | None, head: ObjectId | None) -> set[bytes]:
        if seen is None or head is None:
            return set()
        flags = ("-r", "-z", "--name-only", "--no-renames", "--diff-filter=AD")
        shown = self._checkout.scratch.run("diff-tree", *flags, seen, head)
        return set(filter(None, shown.split(b"\0")))
