"""One client at work: its open buffers, its wishes, and what is known of each buffer, loaded as soon as it is opened.

Lives on the event loop and never waits for git or disk there. Not here: what is shown (`hover`, `lenses`, `hints`,
`diagnostics`, `actions`, …) and the protocol's names (`server`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lsprotocol.types import (
    ClientCapabilities,
    Diagnostic,
    TextEdit,
    WorkspaceFolder,
)

from lsp_server.documents import Document, Documents, packed
from lsp_server.exchanging import Exchanges
from lsp_server.memory import Tidying, give_back
from lsp_server.positions import Encoding
from lsp_server.records import Record
from lsp_server.settings import Settings
from lsp_server.workspaces import Known, KnownChronicle, Workspaces
from sage_git.errors import NotHere

_AFTER_TYPING_S: Final = 0.12
_MINUTE_S: Final = 60.0
"""The smallest unit that ages are told in."""
Knowledge = Known | KnownChronicle | None


@dataclass(slots=True)
class Front:
    """What the session has the server say to the client."""

    publish: Callable[[str, int | None, list[Diagnostic]], None]
    diagnose: Callable[[Document], Coroutine[Any, Any, list[Diagnostic]]]
    refresh: Callable[[], None]
    tell_changed: Callable[[Record], None]
    tell_fault: Callable[[BaseException | None], None]
    show: Callable[[Mapping[str, Any]], None]
    tell_met: Callable[[Path, str], None]
    show_diff: Callable[[Mapping[str, Any], str], Coroutine[Any, Any, None]]
    edit: Callable[[str, TextEdit], None]
    pulls_diagnostics: bool = False
    """True for a client that asks for diagnostics itself."""


class Session:
    """What the server remembers of its client."""

    def __init__(self, environment: Mapping[str, str], front: Front) -> None:
        self.environment = environment
        self.documents = Documents()
        self.workspaces = Workspaces(environment, self.documents, self._record_changed)
        self.settings = Settings()
        self.capabilities = ClientCapabilities()
        self.encoding = Encoding.UTF16
        self.front = front
        self._known: dict[str, asyncio.Task[Knowledge]] = {}
        self._last: dict[str, Knowledge] = {}
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._exchanges = Exchanges(environment, front.tell_met)
        self.tidying = Tidying(lambda: self.start(self._rest()))
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, task: Coroutine[Any, Any, Any]) -> None:
        """Have something done beside everything else."""
        running = asyncio.get_running_loop().create_task(task)
        self._tasks.add(running)
        running.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self.front.tell_fault(task.exception())  # nobody waits for it; what it should have shown is not shown

    def opened(self, uri: str, text: str, version: int) -> None:
        """Take in a buffer that was opened."""
        document = self.documents.open(uri, text, version)
        self._load(document)

    def changed(self, uri: str, text: str, version: int) -> None:
        """Take in a buffer's new text; what is wrong with it is told when typing pauses."""
        document = self.documents.get(uri)
        if document is None:
            return
        document.become(text, version)
        if (waiting := self._later.pop(uri, None)) is not None:
            waiting.cancel()
        loop = asyncio.get_running_loop()
        self._later[uri] = loop.call_later(_AFTER_TYPING_S, lambda: self.start(self._show(document)))

    def saved(self, uri: str) -> None:
        """A buffer is on disk now."""
        document = self.documents.get(uri)
        if document is not None:
            document.is_as_on_disk = True
            self.start(self._show(document))

    def closed(self, uri: str) -> None:
        """Forget a buffer."""
        if (waiting := self._later.pop(uri, None)) is not None:
            waiting.cancel()
        if (task := self._known.pop(uri, None)) is not None:
            task.cancel()
        self._last.pop(uri, None)
        self._exchange()
        document = self.documents.close(uri)
        if document is not None:
            self.front.publish(uri, None, [])

    async def known(self, uri: str) -> tuple[Document, Knowledge] | None:
        """A buffer and what is known of it, as soon as that is; None if it is not open."""
        document, task = self.documents.get(uri), self._known.get(uri)
        if document is None or task is None:
            return None
        return document, await asyncio.shield(task)

    async def source(self, uri: str) -> tuple[Document, Known] | None:
        """A buffer of a source of a record, when that is known."""
        match await self.known(uri):
            case document, Known() as known:
                return document, known
        return None

    async def chronicle(self, uri: str) -> tuple[Document, KnownChronicle] | None:
        """A buffer of a sidecar, when it is known to be one."""
        match await self.known(uri):
            case document, KnownChronicle() as known:
                return document, known
        return None

    def known_now(self, uri: str) -> Knowledge:
        """What was known last; None while nothing is."""
        return self._last.get(uri)

    async def folders(self, folders: Iterable[WorkspaceFolder]) -> list[Record]:
        """The records of the client's folders and of what is open."""
        for folder in folders:
            await self.workspaces.place_of(folder.uri)
        return self.workspaces.records

    async def is_recorded(self, record: Record) -> bool:
        """True if somebody began a record there."""
        try:
            return await record.questions.ask(lambda reading: reading.outcome.state.value != "disabled")
        except NotHere:
            return False

    def source_of(self, uri: str, path: str) -> str:
        """The path of the source that a sidecar beside it is of; any other as it is."""
        return path.removesuffix(".sage") if isinstance(self._last.get(uri), KnownChronicle) else path

    def wish(self, settings: Settings) -> None:
        """Take in other settings, and tell anew what is wrong with every buffer."""
        self.settings = settings
        self._exchange()
        for document in self.documents:
            self.start(self._show(document))
        self.front.refresh()

    def _exchange(self) -> None:
        """Keep the records of what is open current with their peers, if that is wanted."""
        known = self._last.values() if self.settings.exchanges else ()
        self._exchanges.keep({each.record.root for each in known if each is not None and each.record is not None})

    async def reload(self, record: Record | None = None) -> None:
        """Read anew what is known of the buffers of a record, or of all."""
        for document in self.documents:
            known = self._last.get(document.uri)
            if record is None or known is None or known.record is record:
                self._load(document)
        await asyncio.gather(*self._known.values(), return_exceptions=True)

    async def keep_ages_true(self) -> None:
        """Have the client ask again, for ever, for what says how long ago something was."""
        while True:
            await asyncio.sleep(_MINUTE_S)
            if len(self.documents):
                self.front.refresh()
                self.tidying.soon()

    async def _record_changed(self, record: Record) -> None:
        await self.reload(record)
        self.front.refresh()
        self.front.tell_changed(record)

    async def _rest(self) -> None:
        """Keep little while nobody asks for anything."""
        loop = asyncio.get_running_loop()
        for document in self.documents:
            if document.is_worth_packing:
                generation = document.generation
                document.pack(await loop.run_in_executor(None, packed, document.text), generation)
            document.rest()
        for known in self._last.values():
            if known is not None:
                known.rest()
        await asyncio.gather(*(record.rest() for record in self.workspaces.records))
        await loop.run_in_executor(None, give_back)

    def _load(self, document: Document) -> None:
        """Begin to find out what is known of a buffer, and show what is wrong with it then."""
        before = self._known.get(document.uri)
        task = asyncio.get_running_loop().create_task(self._read(document))
        self._known[document.uri] = task
        if before is not None and not before.done():
            task.add_done_callback(lambda _: before.cancel())
        self.start(self._show_loaded(document, task))

    async def _read(self, document: Document) -> Knowledge:
        found = await self.workspaces.know(document)
        before = self._last.get(document.uri)
        if isinstance(found, KnownChronicle) and isinstance(before, KnownChronicle):
            found.seen = before.seen
        if self.documents.get(document.uri) is document:
            self._last[document.uri] = found
            self._exchange()
        return found

    async def _show_loaded(self, document: Document, task: asyncio.Task[Knowledge]) -> None:
        await asyncio.wait([task])
        if self._known.get(document.uri) is task:
            await self._show(document)

    async def _show(self, document: Document) -> None:
        """Tell the client what is wrong with a buffer, unless it asks itself."""
        self.tidying.soon()
        if not self.front.pulls_diagnostics:
            generation = document.generation
            found = await self.front.diagnose(document)
            if self.documents.get(document.uri) is document and document.generation == generation:
                self.front.publish(document.uri, document.version, found)
