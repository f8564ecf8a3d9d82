"""What commits have at paths: read tree by tree from one process of git, for as long as somebody asks.

Not here: what a commit did (`history`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.command import Dialogue
from sage_git.gitrepo.scratch import Scratch
from sage_git.observation.commit import Commit, parse_commit

_FOLDER: Final = "040000"
_MOST_KEPT: Final = 200_000
"""So many entries of trees are remembered, of commits a tenth; then it begins anew."""


@dataclass(frozen=True, slots=True)
class Version:
    """A source in a tree; mode and id are empty where it is not there."""

    mode: str = ""
    oid: str = ""


class Trees:
    """Reads the commits and trees of a scratch repository. To be closed, since it may have a process."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._git: Dialogue | None = None
        self._commits: dict[ObjectId, Commit] = {}
        self._folders: dict[str, dict[bytes, Version]] = {}
        self._kept = 0

    def commit(self, oid: ObjectId) -> Commit:
        """The commit; one that is not here counts as a commit without anything in it. Raises GitFailed."""
        if oid not in self._commits:
            if len(self._commits) > _MOST_KEPT // 10:
                self._commits.clear()
            self._commits[oid] = parse_commit(oid, self._content(oid) or b"")
        return self._commits[oid]

    def at(self, commit: ObjectId, path: bytes) -> Version:
        """The source at `path`. Raises GitFailed if a tree on the way there is not here."""
        found = Version(_FOLDER, f"{commit}^{{tree}}")
        for name in path.split(b"/"):
            if found.mode != _FOLDER:
                return Version()
            found = self._folder(found.oid, len(commit) // 2).get(name, Version())
        return Version() if found.mode == _FOLDER else found

    def size(self, oid: str) -> int | None:
        """The size in bytes of an object; None if it is not here. Raises GitFailed."""
        return self._ask("info", oid)

    def _folder(self, tree: str, name_bytes: int) -> dict[bytes, Version]:
        if tree not in self._folders:
            content = self._content(tree)
            if content is None:
                raise GitFailed(("cat-file", "tree", tree), 128, "the tree is not here")
            entries = re.findall(rb"([0-7]+) ([^\0]+)\0(.{%d})" % name_bytes, content, re.DOTALL)
            if self._kept > _MOST_KEPT:
                self._folders.clear()
                self._kept = 0
            self._folders[tree] = {name: Version(mode.decode().zfill(6), oid.hex()) for mode, name, oid in entries}
            self._kept += len(entries)
        return self._folders[tree]

    def _content(self, name: str) -> bytes | None:
        """The content of an object; None if it is not here."""
        size = self._ask("contents", name)
        assert self._git is not None
        return None if size is None else self._git.exactly(size + 1)[:-1]

    def _ask(self, command: str, name: str) -> int | None:
        """The size that git's answer begins with; None if it says that the object is missing."""
        if self._git is None:
            self._git = self._scratch.dialogue("cat-file", "--batch-command")
        self._git.ask(f"{command} {name}\n".encode("ascii"))
        words = self._git.until(b"\n").split()
        return int(words[2]) if len(words) == 3 else None

    def close(self) -> None:
        """End the process, if there is one."""
        if self._git is not None:
            self._git.close()
            self._git = None
