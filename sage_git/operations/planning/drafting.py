"""Drafting a plan: what it intends is checked here once, named, and said.

Not here: reading a file that has it (documents), and dates as people write them (`cli.dates`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.ids import is_plan_id, plan_hash
from sage_git.chronicle.kinds import timestamp
from sage_git.errors import UsageError
from sage_git.judgement.patterns import Patterns
from sage_git.judgement.plan import SUBJECT
from sage_git.operations.sidecars.placing import subject_key

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.planning.known import KnownPlans
    from sage_git.operations.statements.speaker import Voice

KEY: Final = subject_key(SUBJECT)
_SLUG_LENGTH: Final = 40
_STARS: Final = re.compile(r"\*+")
_WORD: Final = re.compile(r"[a-z0-9]+")
_PATTERNS: Final = "a pattern is one line as in a .gitignore at the root: 'src/**', '*.md', 'docs/'"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody intends. Without a `plan_id`, it is named after its summary."""

    summary: str
    scope: tuple[str, ...]
    steps: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    plan_id: str = ""

    def check(self, now_ms: int) -> None:
        """Raises UsageError for what no plan may intend."""
        if not self.summary.strip():
            raise UsageError("a plan without a summary says nothing", remedy="add --summary 'what is to be done'")
        if not self.scope:
            raise UsageError("a plan without a scope covers nothing", remedy=f"add --scope PATTERN; {_PATTERNS}")
        for pattern in self.scope:
            _check_pattern(pattern)
        if not all(step.strip() for step in self.steps):
            raise UsageError("a step says nothing", remedy="leave it out, or say in it what is done")
        if self.plan_id and not is_plan_id(self.plan_id):
            raise UsageError(f"'{self.plan_id}' cannot name a plan", remedy="write 1 to 64 of A-Z a-z 0-9 . _ -")
        if self.expires_at_ms is not None and self.expires_at_ms <= now_ms:
            when = timestamp(self.expires_at_ms)
            raise UsageError(f"a plan that ends at {when} is over already", remedy="write a later time, as in +7d")


def draft_plan(checkout: Checkout, known: KnownPlans, draft: Draft, voice: Voice) -> Event:
    """The PLAN_DRAFTED that says what is intended. Raises UsageError, and as `Voice.say`."""
    draft.check(voice.clock_ms)
    plan_id = draft.plan_id or slug(draft.summary, known.plans)
    if plan_id in known.plans:
        state = known.state(known.plans[plan_id])
        remedy = f"give it another --id; sage-git plan show {plan_id} shows what is there"
        raise UsageError(f"plan {plan_id} is there already, {state}", remedy=remedy)
    content: dict[str, Any] = {
        "planId": plan_id,
        "summary": draft.summary.strip(),
        "steps": list(draft.steps),
        "scope": list(draft.scope),
    }
    if draft.expires_at_ms is not None:
        content["expiresAt"] = timestamp(draft.expires_at_ms)
    given = {"type": "PLAN_DRAFTED", **content, "planHash": plan_hash(content)}
    return voice.say(checkout, KEY, given)


def slug(summary: str, taken: Container[str]) -> str:
    """A name for a plan that is easy to type, from the first words of its summary; numbered if that is taken."""
    plain = unicodedata.normalize("NFKD", summary.casefold()).encode("ascii", "ignore").decode("ascii")
    name = ""
    for word in _WORD.findall(plain):
        longer = f"{name}-{word}" if name else word[:_SLUG_LENGTH]
        if len(longer) > _SLUG_LENGTH:
            break
        name = longer
    name = name or "plan"
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def futile_exceptions(scope: Sequence[str]) -> list[str]:
    """The patterns that were to take something out of a scope that has it all the same.

    As in a .gitignore: after `**`, `!src/` and `!src/**` take nothing out, but both together do: one for the folder,
    which stays in the scope otherwise with all that is in it, and one for what is in it.
    """
    whole = Patterns(scope)
    exceptions = [pattern for pattern in scope if pattern.startswith("!")]
    return [
        pattern
        for pattern in exceptions
        if Patterns([pattern[1:]]).matches(sample := _sample(pattern[1:])) and whole.matches(sample)
    ]


def _sample(glob: str) -> str:
    """A path that a pattern without brackets matches; for a folder, one in it."""
    path = _STARS.sub("any", glob.strip("/")).replace("?", "a")
    return f"{path}/any" if glob.endswith("/") else path


def _check_pattern(pattern: str) -> None:
    if not pattern.isprintable() or not pattern.strip():
        raise UsageError(f"the scope {pattern!r} is no pattern", remedy=_PATTERNS)
    path = pattern.removeprefix("!")
    if path.startswith("#"):
        raise UsageError(f"the scope '{pattern}' is a comment and matches nothing", remedy=f"write '\\{pattern}'")
    if path.startswith("./") or ".." in path.split("/"):
        remedy = f"patterns begin at the repository's root; write '{path.removeprefix('./')}'"
        raise UsageError(f"the scope '{pattern}' matches nothing", remedy=remedy if ".." not in path else _PATTERNS)
