"""The server of a language beside which sage-git's works: it says one thing of any line, and can do one command."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("other", "1", types.TextDocumentSyncKind.Full)


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(_: types.HoverParams) -> types.Hover:
    """What it says of any line."""
    return types.Hover("Said by the server of the language")


@server.command("other.command")
def command() -> None:
    """Nothing."""


server.start_io()
