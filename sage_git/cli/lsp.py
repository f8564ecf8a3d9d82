"""`lsp`: the language server on standard input and output, for editors to start."""

from __future__ import annotations

import gc
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sage_git.errors import NotHere

if TYPE_CHECKING:
    import argparse

    from sage_git.cli.surroundings import Surroundings


def register(commands: Any) -> None:
    """Add `lsp`."""
    lsp = commands.add_parser(
        "lsp", description="the language server, on standard input and output; editors start it", usage="sage-git lsp"
    )
    lsp.add_argument("--stdio", action="store_true", help="what editors like to say; it speaks nothing else")
    lsp.set_defaults(run=lsp_command)


def lsp_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:  # noqa: ARG001
    """Serve until the client says exit; 0 if it shut the server down first, else 1. Raises NotHere."""
    if find_spec("pygls") is None or find_spec("lsprotocol") is None:
        remedy = "pip install 'sage-git[lsp]'\nor, where pipx installed it: pipx inject sage-git pygls"
        raise NotHere("the language server needs pygls, which is not installed", remedy=remedy)
    gc.set_threshold(700, 10, 1_000)  # until `serve`: what stays for a while of what is imported stays for good
    serving = import_module("lsp_server.serving")  # a front end of its own, which no other one imports
    status: int = serving.serve(surroundings.environment)
    return status
