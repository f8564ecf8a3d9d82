"""One opened work tree with everything that belongs to it: the composition root of all operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import ConfigError, GitFailed, NotHere
from sage_git.gitrepo.repository import Repository
from sage_git.operations.identity import Identity
from sage_git.storage.index import Index, discard
from sage_git.storage.writerlog import WriterLog

if TYPE_CHECKING:
    from sage_git.gitrepo.scratch import Scratch

CONFIG_PATH: Final = ".sage/config.toml"
_KEPT_CONFIG: Final = "config"


class Checkout:
    """The repository around a directory, this clone's identity, index and log; each opened when first asked for."""

    def __init__(
        self,
        repository: Repository,
        identity: Identity | None,
        *,
        sage: Path | None = None,
        index_path: Path | None = None,
        objects: Sequence[Path] = (),
    ) -> None:
        """`sage`, `index_path` and `objects` are for whoever may not write in the repository: places elsewhere."""
        self.repository = repository
        self.identity = identity
        self.sage = sage or repository.common_dir / "sage"
        self.objects = objects
        self.index_path = index_path or self.sage / "index.sqlite"

    @classmethod
    def open(cls, start: Path, environment: Mapping[str, str]) -> Checkout:
        """The checkout that contains `start`. Raises NotHere outside a repository, ConfigError, StorageError."""
        repository = Repository.discover(start, environment)
        return cls(repository, Identity.read(repository.common_dir / "sage"))

    @cached_property
    def index(self) -> Index:
        """What is known. Raises StorageError, NotHere."""
        self.known_identity()
        return Index.open(self.index_path)

    @cached_property
    def log(self) -> WriterLog:
        """This clone's own log."""
        return WriterLog(self.sage)

    @cached_property
    def scratch(self) -> Scratch:
        """Where diffs and merges are computed. Raises GitFailed."""
        from sage_git.gitrepo.scratch import Scratch  # who only asks what is known has no use for it

        return Scratch.open(self.sage / "scratch.git", self.repository, self.objects)

    @property
    def worktree(self) -> str:
        """The name of this work tree within the repository; "" for the main one."""
        inside = self.repository.git_dir != self.repository.common_dir
        return self.repository.git_dir.name if inside else ""

    def known_identity(self) -> Identity:
        """The identity. Raises NotHere if `init` was never run in this clone."""
        if self.identity is None:
            remedy = "run `sage-git init`"
            raise NotHere("no record is kept in this repository", remedy=remedy)
        return self.identity

    def head_and_state(self) -> tuple[ObjectId | None, bool]:
        """HEAD's commit, and whether a config was ever committed since `init`, so that there is a record.

        A change of where sidecars go, committed since we last looked, is taken over. Raises NotHere, GitFailed.
        """
        head, config = self.repository.named("HEAD^{commit}", f"HEAD:{CONFIG_PATH}")
        has_index = self.index_path.exists()
        kept = self.index.value(_KEPT_CONFIG) if has_index or config else None
        if config is None and kept is None:  # a branch from before `init`, or it was removed, or never committed
            config = self._config_of_old()
        if config is not None and config != kept:
            self._take_over(config)
        return head, (config or kept) is not None  # if neither, whoever asks must not write

    def config_seen(self) -> ObjectId | None:
        """The blob of the last config that this clone saw in force at HEAD; None if it never saw one."""
        kept = self.index.value(_KEPT_CONFIG)
        return None if kept is None else ObjectId(kept)

    def has_begun(self) -> bool:
        """True if a config was ever committed, so that there is a record. Raises NotHere, GitFailed."""
        return self.index.value(_KEPT_CONFIG) is not None or self.head_and_state()[1]

    def _config_of_old(self) -> ObjectId | None:
        """The last config that was committed since this clone's `init`, though HEAD has none; None if none ever was."""
        if self.identity is None:
            return None
        before = [self.identity.since] if self.identity.since else []
        return self.repository.last_committed(CONFIG_PATH, [*before, *self.identity.backfill])

    def _take_over(self, blob: ObjectId) -> None:
        from sage_git.judgement.policy import parse_policy  # seldom does a policy change
        from sage_git.operations.setup.exclude import has_block, install_block

        identity = self.known_identity()
        try:
            policy = parse_policy(self.repository.git("cat-file", "blob", blob))
            changed = replace(identity, suffix=policy.sidecars.suffix, place=policy.sidecars.place)
        except (ConfigError, GitFailed):  # `status` and `doctor` say so; the record goes on as before
            changed = identity
        if changed != identity:
            if has_block(self.repository.common_dir):
                install_block(self.repository.common_dir, changed.suffix)
            changed.write(self.sage)
            self.identity = changed
        with self.index.transaction():
            self.index.keep(_KEPT_CONFIG, blob)

    def discard_index(self) -> None:
        """Have the index made anew from log and git when it is asked for next. The caller holds the log's lock."""
        self.close()
        self.__dict__.pop("index", None)
        discard(self.index_path)

    def close(self) -> None:
        """Close what was opened."""
        if "index" in self.__dict__:
            self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
