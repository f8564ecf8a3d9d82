"""Which request and notification does what: registrations, and handlers that ask the session and one other module.

Not here: what the server can say to the client (`server`), and errors (`protocol`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from lsprotocol import types

from lsp_server import (
    actions,
    chronicle_reading,
    executing,
    hints,
    hover,
    lenses,
    symbols,
)
from lsp_server.documents import Document
from lsp_server.markdown import Page
from lsp_server.memory import settle
from lsp_server.positions import Encoding
from lsp_server.protocol import Written
from lsp_server.server import Server
from lsp_server.settings import Settings
from lsp_server.waiting import Wanted, in_a_thread
from lsp_server.workspaces import Known, KnownChronicle
from sage_git.errors import SageError

_WATCHED: Final = "sage-git-chronicles"


def register(server: Server) -> None:
    """Everything that a client may ask."""
    _life(server)
    _texts(server)
    _sources(server)
    _chronicles(server)
    _commands(server)


def _life(server: Server) -> None:
    session = server.session

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        session.capabilities = params.capabilities
        session.settings = Settings.of(params.initialization_options)
        window = params.capabilities.window
        server.recording.is_shown = bool(window and window.work_done_progress)
        session.encoding = Encoding(server.workspace.position_encoding or Encoding.UTF16.value)
        texts = params.capabilities.text_document
        # Neovim 0.11 pulls, and cannot be told to pull again: what it shows would be old.
        if texts and texts.diagnostic and server.workspace_can("diagnostics", "refresh_support"):
            server.front.pulls_diagnostics = True
            _pulled(server)

    @server.feature(types.INITIALIZED)
    def initialized(_params: types.InitializedParams) -> None:
        settle()
        if server.workspace_can("did_change_watched_files", "dynamic_registration"):
            watchers = [types.FileSystemWatcher("**/*.sage"), types.FileSystemWatcher("**/.sage/**")]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            wanted = types.Registration(_WATCHED, types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            server.client_register_capability(types.RegistrationParams([wanted]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(_params: types.DidChangeWatchedFilesParams) -> None:
        await session.workspaces.look()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: types.DidChangeConfigurationParams) -> None:
        if isinstance(params.settings, dict) and params.settings:
            session.wish(Settings.of(params.settings).opening_as(session.settings))


def _pulled(server: Server) -> None:
    """For a client that asks for diagnostics itself; it is never sent any then."""

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, types.DiagnosticOptions(False, False, identifier="sage-git"))  # noqa: FBT003
    async def pull(params: types.DocumentDiagnosticParams) -> types.RelatedFullDocumentDiagnosticReport:
        found = await server.session.known(params.text_document.uri)
        return types.RelatedFullDocumentDiagnosticReport(await server.diagnose(found[0]) if found else [])


def _texts(server: Server) -> None:
    session = server.session

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        session.opened(document.uri, document.text, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        for change in params.content_changes[-1:]:  # each has all of the text
            if isinstance(change, types.TextDocumentContentChangeWholeDocument):
                session.changed(document.uri, change.text, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.closed(params.text_document.uri)


def _sources(server: Server) -> None:
    session = server.session

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        page, at = Page.for_client(session.capabilities), params.position
        match await session.known(params.text_document.uri):
            case document, Known() as known if session.settings.has_hover:
                return hover.hover(known, document, at.line, page, server.now(), session.encoding)
            case document, KnownChronicle() as known:
                diff = await _diff_of(known, document, at.line)
                return chronicle_reading.hover(document, at.line, diff, page, server.now(), session.encoding)
        return None

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def lensed(params: types.CodeLensParams) -> list[types.CodeLens]:
        found = await session.source(params.text_document.uri) if session.settings.has_lenses else None
        return list(lenses.lenses(found[1], found[0], server.now())) if found else []

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hinted(params: types.InlayHintParams) -> list[types.InlayHint]:
        found = await session.source(params.text_document.uri) if session.settings.has_hints else None
        if found is None:
            return []
        within = params.range.start.line, params.range.end.line
        days = session.settings.recent_days
        return list(hints.hints(found[1], found[0], within, days, server.now(), session.encoding))

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    async def acted(params: types.CodeActionParams) -> list[types.CodeAction]:
        told = params.context.diagnostics
        match await session.known(params.text_document.uri):
            case document, Known() as known:
                found = list(actions.of_source(known, document, params.range, told))
            case document, KnownChronicle() as known:
                found = list(actions.of_chronicle(known, document, told))
            case _:
                found = []
        return actions.only(found, params.context.only)


async def _diff_of(known: KnownChronicle, document: Document, line: int) -> str | None:
    """The change that a line of a sidecar is about; None if the record knows of none."""
    texts = document.lines.texts
    event = chronicle_reading.event_in(texts[line]) if 0 <= line < len(texts) else None
    if event is None or known.record is None or event.graph_commit is None or not event.has_true_id():
        return None
    from sage_git.operations.reading import explain

    try:
        return await known.record.questions.ask(lambda reading: explain.diff(reading.repository, event))
    except SageError:
        return None


def _chronicles(server: Server) -> None:
    session = server.session

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: types.DefinitionParams) -> list[types.Location]:
        found = await session.chronicle(params.text_document.uri)
        return chronicle_reading.definition(found[0], params.position, session.encoding) if found else []

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def referred(params: types.ReferenceParams) -> list[types.Location]:
        found = await session.chronicle(params.text_document.uri)
        own = params.context.include_declaration
        at, encoding = params.position, session.encoding
        return chronicle_reading.references(found[0], at, encoding, with_own=own) if found else []

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def linked(params: types.DocumentLinkParams) -> Written | None:
        tips = server.text_can("document_link", "tooltip_support")
        look = partial(chronicle_reading.links, encoding=session.encoding, has_tips=tips)
        return await _long(server, params.text_document.uri, look)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outlined(params: types.DocumentSymbolParams) -> Written | None:
        look = partial(chronicle_reading.outline, encoding=session.encoding)
        return await _long(server, params.text_document.uri, look)

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folded(params: types.FoldingRangeParams) -> Written | None:
        return await _long(server, params.text_document.uri, chronicle_reading.folding)

    @server.feature(types.WORKSPACE_SYMBOL)
    async def named(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        found: list[types.WorkspaceSymbol] = []
        for record in await session.folders(server.workspace.folders.values()):
            with suppress(SageError):
                found += await record.questions.ask(partial(symbols.symbols, root=record.root, query=params.query))
        return found


async def _long(
    server: Server, uri: str, look: Callable[[Document, KnownChronicle, Wanted], Iterable[object]]
) -> Written | None:
    """A long answer about a sidecar, worked out and written down beside the event loop."""
    found = await server.session.chronicle(uri)
    if found is None:
        return None
    server.session.tidying.soon()
    return await in_a_thread(lambda wanted: server.protocol.written(look(*found, wanted)))


def _commands(server: Server) -> None:
    for name in executing.COMMANDS:
        server.command(name)(_never)
    server.protocol.carry_out = partial(executing.execute, server.session)


def _never() -> None:
    """What is registered under a command's name; `Protocol` gives all commands to `executing`."""
