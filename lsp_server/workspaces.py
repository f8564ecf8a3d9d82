"""Which record each open buffer belongs to, what is known of it, and noticing that it is known no longer.

What is known of a file (`Known`) is read in a lane of its record and then belongs to the event loop, which asks it
without waiting. Files outside a record, and records nobody began, know nothing. Not here: what is shown of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pygls.uris import from_fs_path, to_fs_path

from lsp_server.documents import Document, Documents, Placement, placement
from lsp_server.records import Record
from sage_git.errors import SageError

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.chronicle.ids import EventId
    from sage_git.operations.checking.buffers import Expected
    from sage_git.operations.checking.flaws import Flaw
    from sage_git.operations.gating.unsaved import Cover
    from sage_git.operations.reading.explain_lines import Story
    from sage_git.operations.reading.opening import Reading

_LOOKED_EVERY_S: Final = 0.4
_FROM_OUTSIDE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")


@dataclass(slots=True)
class Known:
    """What a record knows of one source."""

    record: Record
    path: str
    """From the root, as events have it."""
    story: Story
    cover: Cover
    committed: str
    """HEAD's text."""
    _placed: tuple[int, Placement] | None = None

    def rest(self) -> None:
        """Keep only what cannot be made again without the record."""
        self._placed = None
        self.story.rest()

    def placement(self, document: Document) -> Placement:
        """Where HEAD's lines stand in the buffer as it is now."""
        if self._placed is None or self._placed[0] != document.generation:
            self._placed = document.generation, placement(self.committed, document.lines)
        return self._placed[1]


@dataclass(slots=True)
class KnownChronicle:
    """What a record knows of one sidecar; without a record, what its lines are worth by themselves."""

    record: Record | None
    path: str
    flaws: list[Flaw] = field(default_factory=list)
    examined: int | None = None
    """The generation of the buffer that has these flaws."""
    recorded: dict[EventId, Event] = field(default_factory=dict)
    """What the record has in the place of flaws."""
    expected: Expected | None = None
    seen: int | None = None
    """The newest event when the buffer was last read from disk or written to it."""

    def rest(self) -> None:
        """Keep only what cannot be made again without the record."""
        if self.expected is not None:
            self.expected.rest()


class Workspaces:
    """The records of everything that is open."""

    def __init__(
        self, environment: Mapping[str, str], documents: Documents, changed: Callable[[Record], Awaitable[None]]
    ) -> None:
        self._environment = {name: value for name, value in environment.items() if name not in _FROM_OUTSIDE}
        self._documents = documents
        self._changed = changed
        self._records: dict[Path, Record] = {}
        self._roots: dict[str, Path | None] = {}
        self._finder = ThreadPoolExecutor(2, "finder")
        self.told: Callable[[Path, int, int], None] = lambda _root, _done, _all: None

    @property
    def records(self) -> list[Record]:
        """Those that were needed so far."""
        return list(self._records.values())

    async def place_of(self, uri: str) -> tuple[Record, str] | None:
        """The record that a file or folder is in, and its path from the root; None if no repository has it."""
        name = path_of(uri)
        if name is None:
            return None
        found = await asyncio.get_running_loop().run_in_executor(self._finder, _root_of, name)
        if found is None:
            return None
        root, path = found
        if root not in self._records:
            self._records[root] = Record(root, self._environment, lambda done, of: self.told(root, done, of))
        return self._records[root], path

    async def know(self, document: Document) -> Known | KnownChronicle | None:
        """What is known of a buffer's file; None if it is in no record."""
        place = await self.place_of(document.uri)
        if place is None:
            return KnownChronicle(None, path_of(document.uri) or "") if is_chronicle(document.uri) else None
        record, path = place
        try:
            return await record.lines.ask(lambda reading: _known(reading, record, path))
        except SageError:
            return KnownChronicle(None, path) if is_chronicle(document.uri) else None

    async def watch(self) -> None:
        """Notice changes of the records of open buffers, for ever."""
        while True:
            await asyncio.sleep(_LOOKED_EVERY_S)
            if len(self._documents):
                await self.look()

    async def look(self) -> None:
        """Notice changes now."""
        await asyncio.gather(*(self._look_at(record) for record in self.records))

    async def _look_at(self, record: Record) -> None:
        loop = asyncio.get_running_loop()
        try:
            state = await loop.run_in_executor(self._finder, record.glance)
        except RuntimeError:  # the end has come
            return
        if state != record.state:
            is_first = record.state is None
            record.state = state
            if not is_first:
                await self._changed(record)

    def end(self) -> None:
        """Take no more questions."""
        for record in self.records:
            record.end()
        self._finder.shutdown(wait=False, cancel_futures=True)


def path_of(uri: str) -> str | None:
    """The file that a uri names; None for what is none of this machine."""
    if not uri.lower().startswith("file:"):
        return None
    try:
        path = to_fs_path(uri)
    except Exception:  # noqa: BLE001  whatever a client calls a uri
        return None
    return path if path and "\0" not in path and os.path.isabs(path) else None


def uri_of(path: Path | str) -> str:
    """The uri of a file."""
    found: str | None = from_fs_path(str(path))
    assert found is not None
    return found


def is_chronicle(uri: str) -> bool:
    """True for a sidecar, by its name alone: only a record knows of another suffix."""
    return uri.endswith(".sage")


def _root_of(name: str) -> tuple[Path, str] | None:
    """The work tree that has a file or folder, and the path from there. Links on the way are followed."""
    folder, last = (name, "") if os.path.isdir(name) else os.path.split(name)
    real = os.path.realpath(folder)
    at = real
    while not os.path.lexists(os.path.join(at, ".git")):
        above = os.path.dirname(at)
        if above == at:
            return None
        at = above
    inside = os.path.relpath(os.path.join(real, last), at)
    if inside.split(os.sep, 1)[0] == ".git":
        return None
    return Path(at), "" if inside == "." else inside


def _known(reading: Reading, record: Record, path: str) -> Known | KnownChronicle | None:
    """What the record knows of the file at `path`. In a lane."""
    from sage_git.judgement.policy import Judged
    from sage_git.operations.gating.unsaved import cover_of
    from sage_git.operations.reading.explain_lines import story

    record.look_from(reading.checkout)
    if reading.outcome.state.value == "disabled":
        return None
    identity = reading.checkout.known_identity()
    if path.endswith(identity.suffix) and not _is_tracked(reading, path):
        return KnownChronicle(record, path)
    told = story(reading, path)
    cover = cover_of(reading.checkout, path, Judged.EDIT if told.is_tracked else Judged.ADD)
    committed = b"\n".join(line.text for line in told.lines)
    text = (committed + b"\n").decode("utf-8", "surrogateescape") if told.lines else ""
    return Known(record, path, told, cover, text)


def _is_tracked(reading: Reading, path: str) -> bool:
    head = reading.head
    return head is not None and bool(reading.repository.tracked_paths(head, {os.fsencode(path)}))
