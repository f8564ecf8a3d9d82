"""What the server lets go of to be small is nothing that anybody misses."""

from __future__ import annotations

import enum
import sys

import pytest

pytest.importorskip("pygls")

import attrs
from lsprotocol import types

from lsp_server.memory import keep_names_used


def test_a_class_without_the_names_of_its_module_is_as_it_was():
    keep_names_used(types.Position)
    keep_names_used(types.CodeAction)
    one, other = (types.CodeAction("answer", kind=types.CodeActionKind.QuickFix) for _ in range(2))
    assert one == other
    assert one != types.CodeAction("answer")
    assert "answer" in repr(one)
    assert types.Position(1, 2) < types.Position(2, 1)
    with pytest.raises(ValueError, match="line"):
        types.Position(-1, 0)
    assert len(types.CodeAction.__init__.__globals__) < 20


@attrs.define(init=False)
class Own:
    name: str = ""

    def __init__(self) -> None:
        self.name = pytest.__name__


def test_of_what_attrs_did_not_write_nothing_is_taken():
    modules = [vars(module) for module in (enum, types, sys.modules[__name__])]
    before = [dict(names) for names in modules]
    for each in (int, types.CodeActionKind, types.SemanticTokenTypes, Own):
        keep_names_used(each)
    assert modules == before
    assert Own().name == "pytest"
