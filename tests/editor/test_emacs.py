"""Emacs with nothing but `editors/emacs` shows what its client can show, and does what it is asked."""

from __future__ import annotations

import pytest

from tests.editor.terminal_editors import OPEN_LINE, SOURCE, emacs, with_an_open_line
from tests.kit import GitRepository

pytestmark = pytest.mark.editors


@pytest.fixture(params=["eglot", "lsp-mode"])
def client(request: pytest.FixtureRequest) -> str:
    """Who speaks to the server; lsp-mode speaks to that of the language too."""
    return str(request.param)


def test_a_line_that_nobody_answered_for_is_marked_and_told(client: str, repository: GitRepository):
    seen = emacs(client, "read", with_an_open_line(repository))
    assert seen["line"] == OPEN_LINE
    assert "plan" in seen["message"]
    assert "Follow the new law" in seen["hover"]


def test_an_action_answers_and_the_mark_goes(client: str, repository: GitRepository):
    seen = emacs(client, "answer", with_an_open_line(repository))
    assert seen["complaints"] == []
    assert '"type":"RECONCILIATION"' in (repository.path / f"{SOURCE}.sage").read_text(encoding="utf-8")


def test_a_chronicle_changed_by_hand_is_told_so_on_its_line_and_restored(client: str, repository: GitRepository):
    source = with_an_open_line(repository)
    chronicle = source.with_name(f"{source.name}.sage")
    before = chronicle.read_bytes()
    seen = emacs(client, "restore", chronicle)
    assert seen["complaints"] == []
    assert (seen["mode"], seen["line"]) == ("sage-git-chronicle-mode", 2)
    assert chronicle.read_bytes() == before
