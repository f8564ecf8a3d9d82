"""Coding agents are recognised by what their commits show, and by nothing that others may carry too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sage_git.judgement.agents import KNOWN, agents_named

ROOT = Path(__file__).parents[3]
ADA = "Ada Lovelace <ada@example.org>"


@pytest.mark.parametrize(
    "line, agent",
    [
        ("Co-Authored-By: Claude <noreply@anthropic.com>", "claude-code"),
        ("Co-authored-by: Claude Opus 4.5 <noreply@anthropic.com>", "claude-code"),
        ("Co-authored-by: Copilot <198982749+Copilot@users.noreply.github.com>", "copilot"),
        ("Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>", "copilot-cli"),
        ("Co-authored-by: Cursor <cursoragent@cursor.com>", "cursor"),
        ("Co-authored-by: aider (gpt-5) <aider@aider.chat>", "aider"),
        ("Co-Authored-By: Devin <158243242+devin-ai-integration[bot]@users.noreply.github.com>", "devin"),
        ("Co-authored-by: openhands <openhands@all-hands.dev>", "openhands"),
        ("Co-authored-by: Amp <amp@ampcode.com>", "amp"),
        ("Co-Authored-By: Codex <noreply@openai.com>\r", "codex"),
        ("    co-authored-by: Jules <161369871+google-labs-jules[bot]@users.noreply.github.com>", "jules"),
    ],
)
def test_a_co_author_line_names_its_agent(line, agent):
    assert agents_named(ADA, f"Fix it\n\n{line}\n".encode()) == (agent,)


def test_a_bot_that_is_the_author_comes_first_and_nobody_is_named_twice():
    author = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>"
    message = b"x\n\nCo-authored-by: C <noreply@anthropic.com>\nCo-authored-by: C <Copilot@users.noreply.github.com>"
    assert agents_named(author, message) == ("copilot", "claude-code")


@pytest.mark.parametrize(
    "message",
    [
        b"Co-authored-by: Bob <bob@example.org>",
        b"Co-authored-by: Claude Monet <claude@example.org>",
        b"Co-authored-by: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        b"not Co-authored-by: Claude <noreply@anthropic.com>",
        b"Co-authored-by: Claude noreply@anthropic.com",
        b"Co-authored-by: \xff <\xff>",
    ],
)
def test_who_is_not_known_is_nobodys_guess(message):
    assert agents_named(ADA, message) == ()


def test_the_hooks_and_this_table_call_an_agent_by_the_same_name():
    hook = (ROOT / "hooks" / "hook").read_text(encoding="utf-8")
    table = re.search(r"^agents='(.*?)'$", hook, re.MULTILINE | re.DOTALL)
    assert table
    by_environment = {row.partition(":")[2] for row in table[1].split()}
    assert by_environment - KNOWN.keys() == set()


def test_no_two_agents_share_an_address():
    marks = [mark for marks in KNOWN.values() for mark in marks]
    assert len(marks) == len(set(marks))
    assert marks == [mark.lower() for mark in marks]
