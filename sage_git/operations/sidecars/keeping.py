"""Single sidecars of one work tree: reading what others left there, writing what is missing, taking one away.

Each is read at most once, before anything is written. Not here: which sidecars have to change (`views`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sage_git.chronicle.ids import EventId
from sage_git.chronicle.payloads import is_fact
from sage_git.operations.checkout import Checkout
from sage_git.operations.identity import Identity
from sage_git.operations.paths import path_text, paths_of
from sage_git.operations.sidecars.adoption import Reading, read_sidecar
from sage_git.operations.sidecars.placing import TREE, sidecar_of
from sage_git.storage.durable import set_aside
from sage_git.storage.index.sidecars import Left, Stamp
from sage_git.storage.shown import WorkTree


class Sidecars:
    """The sidecars of a work tree, by key: a source's path or what stands for a subject (`placing`)."""

    def __init__(self, checkout: Checkout, tree: WorkTree, identity: Identity) -> None:
        self._checkout = checkout
        self._identity = identity
        self._index = checkout.index
        self._tree = tree
        self._lost = checkout.sage / "lost" / "sidecars.ndjson"
        self._readings: dict[bytes, Reading | None] = {}

    def file(self, key: bytes) -> bytes:
        """The file's path, relative to the work tree."""
        return sidecar_of(self._identity, key)

    def left(self, key: bytes) -> Left | None:
        """How we left it; None if we left none."""
        return self._index.sidecars.get(self._checkout.worktree, key)

    def stamp(self, key: bytes) -> Stamp | None:
        """What the file is like now, whoever wrote it; None if there is none."""
        return self._tree.stamp(self.file(key))

    def not_as_left(self) -> list[Left]:
        """Those that somebody changed or took away since we left them."""
        left = {self.file(each.path): each for each in self._index.sidecars.all(self._checkout.worktree)}
        return [left[file] for file in self._tree.not_as(left, (each.stamp for each in left.values()))]

    def reading(self, key: bytes, component: int | None) -> Reading | None:
        """What stands there, judged by the chronicle that belongs there; None if there is no file."""
        if key not in self._readings:
            file = self.file(key)
            content = self._tree.read(file) if self._tree.has_folder_of(file) else None
            expected = {} if component is None or content is None else self._expected(component)
            self._readings[key] = None if content is None else read_sidecar(self._checkout, file, content, expected)
        return self._readings[key]

    def take_away(self, key: bytes, *, is_changed: bool) -> None:
        """Remove it, and the folders that it leaves empty. Raises StorageError."""
        left = self.left(key)
        if left is None and not (is_changed and self._is_view(key)):
            return
        if left is not None and is_changed and (reading := self.reading(key, left.component)) is not None:
            self._rescue(key, reading, reading.strangers)
        self._tree.remove(self.file(key))
        self._index.sidecars.remove(self._checkout.worktree, self._index.commits.path_number(key))

    def _is_view(self, key: bytes) -> bool:
        """True for a sidecar that only we can have left, in an index that is lost: the record has all that it says,
        and of what it says something is a fact of its source, which nobody writes before there is one.
        """
        reading = self.reading(key, None)
        if reading is None or reading.torn or reading.strangers:
            return False
        events = (self._index.events.event(each) for each in reading.present)
        return any(event and is_fact(event.type) and path_text(key) in paths_of(event) for event in events)

    def show(self, key: bytes, component: int, *, is_changed: bool) -> None:
        """Make it show a chronicle, by adding what it lacks. Raises StorageError."""
        file = self.file(key)
        is_ours_to_make = file.startswith((TREE, b".sage/"))
        if not self._tree.has_folder_of(file) and not (is_ours_to_make and self._tree.make_folder_of(file)):
            return  # outside a sparse checkout, or behind a link
        left = self.left(key)
        if left is not None and left.component == component and left.last >= 0 and not is_changed:
            lines = [line for _, _, line in self._index.events.lines(component, left.last)]
        else:
            lines = self._missing_lines(key, component)
        newest = self._index.events.last_number()
        stamp = self._tree.append(file, lines) if lines else self._tree.stamp(file)
        if stamp is not None:
            number = self._index.commits.path_number(key)
            self._index.sidecars.put(self._checkout.worktree, number, component, stamp, newest)

    def _missing_lines(self, key: bytes, component: int) -> list[bytes]:
        """The lines that a sidecar lacks. One that shows another life, or what was redacted, is begun anew."""
        reading, expected = self.reading(key, component), self._expected(component)
        if reading is None:
            return list(expected)
        others = (self._index.events.node(each) is not None for each in reading.present.difference(expected.values()))
        if reading.gone or any(others):
            self._rescue(key, reading, reading.strangers)
            self._tree.remove(self.file(key))
            self._tree.make_folder_of(self.file(key))
            return list(expected)
        self._rescue(key, reading)
        return [line for line, event_id in expected.items() if event_id not in reading.present]

    def _rescue(self, key: bytes, reading: Reading, strangers: tuple[bytes, ...] = ()) -> None:
        """Keep elsewhere what nobody will find again: a torn end, and lines that go with the file."""
        if reading.torn:
            self._tree.set_torn_aside(self.file(key), reading.torn, reading.whole_size, self._lost)
        for stranger in strangers:
            set_aside(stranger, self._lost)

    def _expected(self, component: int) -> Mapping[bytes, EventId]:
        return {line: event_id for _, event_id, line in self._index.events.lines(component)}
