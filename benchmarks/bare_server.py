"""What the language server's start is held against: pygls with one feature and nothing behind it."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1", types.TextDocumentSyncKind.Full)


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(_: types.HoverParams) -> None:
    """Nothing."""


server.start_io()
