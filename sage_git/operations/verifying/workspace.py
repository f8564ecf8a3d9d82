"""Where `verify` works: a temporary folder, with an index of its own and a copy of the clone's. It writes nowhere else.

Two checkouts of the same repository. The *witness* reads the clone's own log, key and sidecars, and a copy of its
index: what is claimed. The *fresh* one has a log, an index and a scratch repository of its own, in which everything is
derived anew: what is true. No remote can be reached from either.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sage_git.errors import NotHere, StorageError
from sage_git.gitrepo.borrowing import borrowed
from sage_git.gitrepo.repository import Repository
from sage_git.judgement.policy import parse_policy
from sage_git.operations.checkout import CONFIG_PATH, Checkout
from sage_git.operations.identity import Identity
from sage_git.operations.recording.recorder import await_recorder
from sage_git.storage.index import damage_told

_INDEX: Final = "index.sqlite"
_COPIES: Final = 5
_PATIENCE_S: Final = 5.0
"""How long a recorder that is at work is waited for: what it is about to write is not missing."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The two checkouts; `has_index` if the clone's index could be copied, `has_joined` if it was ever set up here."""

    witness: Checkout
    fresh: Checkout
    has_index: bool
    has_joined: bool

    @property
    def repository(self) -> Repository:
        """The user's repository, with every way to a remote closed."""
        return self.fresh.repository


@contextmanager
def opened(start: Path, environment: Mapping[str, str]) -> Iterator[Workspace]:
    """A workspace for the repository around `start`, until the block ends. Raises NotHere, StorageError."""
    repository = Repository.discover(start, environment).offline()
    kept = Identity.read(repository.common_dir / "sage")
    identity = kept or _identity_in(repository)
    await_recorder(repository.common_dir / "sage", _PATIENCE_S)
    with TemporaryDirectory(prefix="sage-verify-", dir=environment.get("TMPDIR")) as folder:
        copy = Path(folder, "witness", _INDEX)
        has_index = _copied(repository.common_dir / "sage" / _INDEX, copy)
        objects = borrowed(repository, Path(folder, "objects"))
        with (
            Checkout(repository, identity, index_path=copy) as witness,
            Checkout(repository, identity, sage=Path(folder, "fresh"), objects=objects) as fresh,
        ):
            fresh.sage.mkdir()
            yield Workspace(witness, fresh, has_index and _is_sound(witness), kept is not None)


def _identity_in(repository: Repository) -> Identity:
    """Which record a clone keeps in which `init` was never run, as the one that checks a pull request."""
    head = repository.head()
    text = repository.blob_at(head, CONFIG_PATH) if head else None
    if text is None:
        raise NotHere("no record is kept in this repository", remedy=f"HEAD has no {CONFIG_PATH}; run `sage-git init`")
    policy = parse_policy(text)
    kept = policy.identity
    return Identity(
        repository=kept.repository,
        since=kept.since,
        backfill=kept.backfill,
        rules=kept.rules,
        suffix=policy.sidecars.suffix,
        place=policy.sidecars.place.value,
    )


def _copied(index: Path, copy: Path) -> bool:
    """True if `copy` is now what the index is; while somebody writes to it, it is copied again."""
    parts = [index, index.with_name(_INDEX + "-wal")]
    copy.parent.mkdir()
    for _ in range(_COPIES):
        before = [_state(part) for part in parts]
        if before[0] is None:
            return False
        for part, state in zip(parts, before, strict=True):
            if state is not None:
                try:
                    shutil.copyfile(part, copy.with_name(part.name))
                except OSError:
                    return False
        if before == [_state(part) for part in parts]:
            break
    return True


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _is_sound(witness: Checkout) -> bool:
    """True if the copied index can be read; of another version, it was begun anew, and knows nothing."""
    try:
        with damage_told():
            index = witness.index
            return index.commits.count() > 0 or index.events.last_number() > 0
    except StorageError:
        return False
