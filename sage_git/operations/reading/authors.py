"""Who made commits, and which agents are known to have had a part in them. Reads git objects, records nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sage_git.chronicle.ids import ObjectId, is_hex
from sage_git.gitrepo.scratch import Scratch
from sage_git.judgement.agents import agents_named
from sage_git.observation.commit import parse_commit


@dataclass(frozen=True, slots=True)
class Authored:
    """A commit, whose it is (`Name <email>`), and its agents: the one that it says made it, then those it shows."""

    commit: ObjectId
    actor: str
    agents: tuple[str, ...]


def authored(scratch: Scratch, commits: Sequence[ObjectId]) -> Iterator[Authored]:
    """Each commit with who made it; those that are not here are left out. Raises GitFailed."""
    named = [commit for commit in commits if is_hex(commit, 40, 64)]  # an event may say anything
    for commit, raw in zip(named, scratch.contents(named), strict=True):
        if raw is not None:
            parsed = parse_commit(commit, raw)
            actor = parsed.actor()
            said = () if actor["agent"] == "git" else (actor["agent"],)
            agents = dict.fromkeys((*said, *agents_named(actor["id"], parsed.message)))
            yield Authored(commit, actor["id"], tuple(agents))
