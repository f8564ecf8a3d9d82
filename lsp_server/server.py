"""The server of one client: what it can say to the client, and what it is told about it.

Not here: which request does what (`features`), reading and writing messages (`serving`), and errors (`protocol`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lsprotocol import types
from lsprotocol.types import Diagnostic
from pygls.lsp.server import LanguageServer

from lsp_server import chronicle_files, diagnostics, differences
from lsp_server.documents import Document
from lsp_server.markdown import visible
from lsp_server.progress import Progress
from lsp_server.protocol import Protocol
from lsp_server.records import Record
from lsp_server.session import Front, Session
from lsp_server.workspaces import Known, KnownChronicle, uri_of
from sage_git import __version__


class Server(LanguageServer):
    """The language server of one client."""

    protocol: Protocol

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__("sage-git", __version__, types.TextDocumentSyncKind.Full, protocol_cls=Protocol, max_workers=1)
        self.protocol.is_debugging = bool(environment.get("SAGE_DEBUG"))
        self.environment = environment
        self.front = Front(
            publish=self._publish,
            diagnose=self.diagnose,
            refresh=self._refresh,
            tell_changed=self._tell_changed,
            tell_fault=self.protocol.tell_fault,
            show=self._show,
            tell_met=self._tell_met,
            show_diff=self._show_diff,
            edit=self._edit,
        )
        self._pages = differences.Pages()
        self.recording = Progress(self.work_done_progress)
        self.session = Session(environment, self.front)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start what runs beside the messages."""

        def told(root: Path, done: int, of: int) -> None:
            loop.call_soon_threadsafe(self.recording.tell, root, done, of)

        self.session.workspaces.told = told
        self._loop = loop
        self.session.start(self.session.workspaces.watch())
        self.session.start(self.session.keep_ages_true())

    def end(self) -> None:
        """Stop it."""
        self.session.workspaces.end()
        with suppress(OSError):
            self._pages.remove()

    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC)

    async def diagnose(self, document: Document) -> list[Diagnostic]:
        """What is wrong with a buffer, as far as that is known."""
        session = self.session
        match session.known_now(document.uri):
            case Known() as known:
                return diagnostics.diagnostics(known, document, diagnostics.Eye(session.settings, session.encoding))
            case KnownChronicle() as chronicle:
                await chronicle_files.examine(chronicle, document)
                has_related = self.text_can("publish_diagnostics", "related_information")
                return chronicle_files.diagnostics(chronicle, document, session.encoding, has_related=has_related)
        return []

    def text_can(self, feature: str, ability: str) -> bool:
        """True if the client says it can, of a feature of text documents."""
        texts = self.session.capabilities.text_document
        return bool(texts and getattr(getattr(texts, feature, None), ability, None))

    def workspace_can(self, feature: str, ability: str) -> bool:
        """True if the client says it can, of a feature of workspaces."""
        workspace = self.session.capabilities.workspace
        return bool(workspace and getattr(getattr(workspace, feature, None), ability, None))

    def _publish(self, uri: str, number: int | None, found: list[Diagnostic]) -> None:
        if not self.front.pulls_diagnostics:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, number))

    def _refresh(self) -> None:
        """Have the client ask again for what it shows beside the text, if it can be told to."""
        if self.workspace_can("code_lens", "refresh_support"):
            self.workspace_code_lens_refresh(None)
        if self.workspace_can("inlay_hint", "refresh_support"):
            self.workspace_inlay_hint_refresh(None)
        if self.front.pulls_diagnostics and self.workspace_can("diagnostics", "refresh_support"):
            self.workspace_diagnostic_refresh(None)

    def _tell_changed(self, record: Record) -> None:
        if self.session.settings.hears_changes:
            self.protocol.notify("sage/changed", {"root": uri_of(record.root)})

    @property
    def _shows_documents(self) -> bool:
        """True if the client can be asked to show a file."""
        window = self.session.capabilities.window
        return bool(window and window.show_document and window.show_document.support)

    def _tell_met(self, root: Path, said: str) -> None:
        """Have the client log what came of meeting a peer. Called from any thread."""
        logged = types.LogMessageParams(types.MessageType.Info, visible(f"{root.name}: {said}", 600))
        self._loop.call_soon_threadsafe(self.window_log_message, logged)

    def _show(self, place: Mapping[str, Any]) -> None:
        """Have the client show a line of a file, if it can be asked to."""
        if self._shows_documents:
            at = types.Position(place["line"], 0)
            shown = types.ShowDocumentParams(place["uri"], take_focus=True, selection=types.Range(at, at))
            self.window_show_document(shown)

    async def _show_diff(self, answer: Mapping[str, Any], diff: str) -> None:
        """Have the client show a difference: in a file, or, if it cannot be asked to, in a message."""
        if self._shows_documents:
            with suppress(OSError):
                page = await asyncio.to_thread(self._pages.write, answer, diff)
                return self._show({"uri": uri_of(page), "line": 0})
        self.window_show_message(types.ShowMessageParams(types.MessageType.Info, differences.message(answer, diff)))
        return None

    def _edit(self, uri: str, edit: types.TextEdit) -> None:
        """Have the client change a buffer."""
        wanted = types.WorkspaceEdit({uri: [edit]})
        self.workspace_apply_edit(types.ApplyWorkspaceEditParams(wanted, "restore from the record"))
