"""Who makes a statement from the command line: the accountable person as git knows them, and the tool they use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.gitrepo.repository import Repository

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.signing import Wish

_AGENT: Final = re.compile(
    r"(?P<agent>[A-Za-z0-9._-]{1,64})(?:/(?P<session>[A-Za-z0-9._-]{1,128}))?"
    r"(?: model=(?P<model>[A-Za-z0-9._:/@+-]{1,128}))?"
)
NOBODY_SAID: Final = "git"
"""The agent of what nobody says who made: unknown is a value (SPEC 5)."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who decides something: the `actor` that says it, the person who answers for it, when, and signed or not."""

    actor: Mapping[str, str]
    reviewer: str
    clock_ms: int
    wish: Wish

    def say(self, checkout: Checkout, key: bytes, given: Mapping[str, Any]) -> Event:
        """The event, kept in the chronicle of the source or subject `key`. Raises as `append_statement`, NotHere."""
        from sage_git.operations.signing import signer_for
        from sage_git.operations.statements.appending import Statement, append_statement

        whole = {**given, "actor": dict(self.actor)}
        sign = signer_for(checkout, self.wish, whole)
        return append_statement(checkout, Statement(key, whole, self.clock_ms, sign=sign))


def speaker(repository: Repository, agent: str) -> dict[str, str]:
    """An event's `actor`. `agent` is as in a `Sage-Actor` line; empty if nobody said. Raises UsageError, NotHere."""
    found = _AGENT.fullmatch(agent or NOBODY_SAID)
    if found is None:
        raise UsageError(f"'{agent}' is no agent", remedy="write it as AGENT[/SESSION][ model=MODEL]")
    return {"id": _person(repository)} | {name: word for name, word in found.groupdict().items() if word}


def _person(repository: Repository) -> str:
    try:
        shown = repository.git("var", "GIT_COMMITTER_IDENT").decode("utf-8", "replace")
    except GitFailed:
        raise NotHere(
            "git does not know who you are",
            remedy="git config --global user.name NAME; git config --global user.email ADDRESS",
        ) from None
    return shown[: shown.rindex(">") + 1]
