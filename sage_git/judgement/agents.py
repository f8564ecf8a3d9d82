"""Coding agents as commits show them: by the address of an author, or of a `Co-authored-by:` line.

Only for showing: who an agent is when it commits is told by `Sage-Actor`, or by the environment (the table in
hooks/hook, which has the same names). Unknown stays unknown; a new agent is a new row here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "aider": ("aider@aider.chat", "noreply@aider.chat"),
    "amp": ("amp@ampcode.com",),
    "augment": ("augmentcode[bot]",),
    "claude-code": ("noreply@anthropic.com", "claude[bot]"),
    "cline": (),
    "codex": ("noreply@openai.com", "codex@openai.com", "chatgpt-codex-connector[bot]"),
    "copilot": ("copilot", "copilot-swe-agent[bot]", "copilot@github.com"),
    "copilot-cli": ("223556219+copilot@users.noreply.github.com",),
    "cursor": ("cursoragent@cursor.com", "cursor[bot]"),
    "devin": ("devin-ai-integration[bot]",),
    "gemini-cli": ("gemini-cli[bot]", "gemini-code-assist[bot]"),
    "jules": ("google-labs-jules[bot]",),
    "opencode": ("noreply@opencode.ai", "opencode-agent[bot]"),
    "openhands": ("openhands@all-hands.dev", "openhands-agent[bot]"),
}
"""Each agent's addresses and logins at GitHub, in lower case. None is known of those without."""

_AGENTS: Final = {mark: agent for agent, marks in KNOWN.items() for mark in marks}
_CO_AUTHOR: Final = re.compile(rb"^[ \t]*co-authored-by:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_ADDRESS: Final = re.compile(r"<\s*([^<>]*?)\s*>\s*$")
_AT_GITHUB: Final = re.compile(r"(?:[0-9]+\+)?([^@+]+)@users\.noreply\.github\.com")
_MOST_CO_AUTHORS: Final = 64


def agents_named(author: str, message: bytes) -> tuple[str, ...]:
    """The known agents that wrote a commit, each once: its author (`Name <email>`) first, then its co-authors."""
    return tuple(dict.fromkeys(filter(None, map(_agent, (author, *_co_authors(message))))))


def _co_authors(message: bytes) -> Iterator[str]:
    for number, found in enumerate(_CO_AUTHOR.finditer(message)):
        if number == _MOST_CO_AUTHORS:
            return
        yield found[1].decode("utf-8", "replace")


def _agent(identity: str) -> str | None:
    """The agent that `Name <email>` is; None if it is none that is known."""
    found = _ADDRESS.search(identity)
    if found is None:
        return None
    address = found[1].lower()
    login = _AT_GITHUB.fullmatch(address)
    return _AGENTS.get(address) or (_AGENTS.get(login[1]) if login else None)
