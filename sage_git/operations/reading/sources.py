"""What a PATH on the command line means: a source that is or was, a sidecar, a subject, or a folder (SPEC 8).

Not here: the entries of what it means (`operations.history`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sage_git.chronicle.ids import lineage_name
from sage_git.errors import NotHere, UsageError
from sage_git.observation.commit import percent_encoded
from sage_git.operations.ledger import lineages_along
from sage_git.operations.paths import path_text
from sage_git.operations.sidecars.lives import component_at
from sage_git.operations.sidecars.placing import key_of, subject_in
from sage_git.operations.subjects import subject_lineage
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.checkout import Checkout


@dataclass(frozen=True, slots=True)
class Source:
    """What was named. `components`: its chronicles, none if only git knows it. `path`: from the repository's root."""

    path: str
    components: frozenset[int] = frozenset()
    is_folder: bool = False
    is_subject: bool = False

    def has(self, path: str) -> bool:
        """True if a path of an event is this source, or inside this folder."""
        own = {self.path, percent_encoded(os.fsencode(self.path))}
        return path in own or (self.is_folder and any(not name or path.startswith(f"{name}/") for name in own))


def locate(checkout: Checkout, cwd: Path, argument: str) -> Source:
    """What `argument`, typed in `cwd`, names. Raises UsageError (outside), NotHere (nothing known)."""
    path = repository_path(checkout.repository.work_tree, cwd, argument)
    for candidate in _readings(checkout, path):
        chronicle = _chronicle(checkout, candidate)
        if chronicle is not None:
            return replace(candidate, components=frozenset((chronicle,)))
    if path == "" or queries.paths_under(checkout.index.connection, os.fsencode(path)):
        return Source(path, is_folder=True)
    if _git_knows(checkout, path):
        return Source(path)
    raise NotHere(f"nothing is known of '{argument}'", remedy=_near(checkout, path))


def repository_path(work_tree: Path | None, cwd: Path, argument: str) -> str:
    """`argument`, typed in `cwd`, as a path from the repository's root. Raises UsageError."""
    if work_tree is None:
        return argument.removeprefix("./").rstrip("/")
    if not argument or "\0" in argument:
        raise UsageError("an empty path names nothing", remedy="name a file; '.' is the whole folder")
    typed = os.path.join(cwd, argument)
    folder, name = os.path.split(typed.rstrip("/"))
    whole = os.path.realpath(typed) if name in ("", ".", "..") else os.path.join(os.path.realpath(folder), name)
    relative = os.path.relpath(whole, os.path.realpath(work_tree))
    if relative == ".." or relative.startswith("../"):
        raise UsageError(f"'{argument}' is outside the repository at {work_tree}")
    return "" if relative == "." else relative


def _readings(checkout: Checkout, path: str) -> Iterator[Source]:
    """What `path` can mean, the most literal first."""
    yield Source(path)
    key = key_of(checkout.known_identity(), os.fsencode(path))
    if key:
        subject = subject_in(key)
        yield Source(subject, is_subject=True) if subject else Source(os.fsdecode(key))


def _chronicle(checkout: Checkout, source: Source) -> int | None:
    """The chronicle of what `source` says: the one that its path stands in at HEAD, else the one it last stood in."""
    index = checkout.index
    if source.is_subject:
        number = index.events.known_lineage(subject_lineage(source.path) or "")
        return None if number is None else index.events.component(number)
    raw = os.fsencode(source.path)
    if not queries.knows_path(index.connection, raw):  # at most a statement spoke of it
        identity = checkout.known_identity()
        number = index.events.known_lineage(lineage_name(identity.repository, path_text(raw), identity.since))
        return None if number is None else index.events.component(number)
    now = component_at(checkout, checkout.repository.head(), raw)
    if now is not None:
        return now
    lineages = lineages_along(index, queries.events_at(index.connection, raw)[-1:], raw)
    return index.events.component(lineages[0]) if lineages else None


def _git_knows(checkout: Checkout, path: str) -> bool:
    """True if the path is tracked now, or was before the record."""
    commits = filter(None, (checkout.repository.head(), checkout.known_identity().since))
    return any(checkout.repository.git("ls-tree", "--full-tree", commit, "--", path) for commit in commits)


def _near(checkout: Checkout, path: str) -> str:
    """Which path may have been meant."""
    name = os.path.basename(path)
    if (found := queries.path_ending_in(checkout.index.connection, os.fsencode(name))) is not None:
        return f"did you mean {os.fsdecode(found)}?"
    return "check the spelling; sage-git log alone shows the whole repository"
