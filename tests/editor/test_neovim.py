"""Neovim 0.11 with nothing but `editors/neovim` shows what there is to say, and does what it is asked."""

from __future__ import annotations

import pytest

from tests.editor.terminal_editors import OPEN_LINE, SOURCE, neovim, with_an_open_line
from tests.kit import GitRepository

pytestmark = pytest.mark.editors


def test_a_line_that_nobody_answered_for_is_marked_told_and_counted(repository: GitRepository):
    seen = neovim("read", with_an_open_line(repository))
    assert seen["diagnostic"]["line"] == OPEN_LINE - 1
    assert "plan" in seen["diagnostic"]["message"]
    assert "Follow the new law" in "\n".join(seen["hover"])
    assert any("Ada Lovelace" in title for title in seen["lenses"])
    assert seen["hints"]


def test_an_action_asks_for_the_reason_and_the_mark_goes(repository: GitRepository):
    seen = neovim("answer", with_an_open_line(repository))
    assert "right" in seen["asked"]
    assert "agreed on the phone" in (repository.path / f"{SOURCE}.sage").read_text(encoding="utf-8")


def test_a_chronicle_changed_by_hand_is_told_so_on_its_line_and_restored(repository: GitRepository):
    source = with_an_open_line(repository)
    chronicle = source.with_name(f"{source.name}.sage")
    before = chronicle.read_bytes()
    seen = neovim("restore", chronicle)
    assert (seen["filetype"], seen["line"]) == ("sage-chronicle", 1)
    assert chronicle.read_bytes() == before
