"""A bare repository to make merges in, thrown away afterwards. Not here: what is merged (`threeway`, `merges`).

It has an object directory of its own in front of the user's, so that what a merge writes leaves no litter. A run that
is killed leaves one folder in the machine's place for temporary files, and nothing anywhere else.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import sha1, sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sage_git.chronicle.ids import ObjectId
from sage_git.gitrepo.scratch import Scratch
from sage_git.judgement.resolution import Template, as_shown, parse_template

MERGE: Final = ("-c", "merge.conflictStyle=diff3", "merge-tree", "--write-tree", "-z", "--allow-unrelated-histories")
_MARKER_SIZE: Final = 61  # no text has such lines by accident, as an underlined heading has lines of seven


class Bench:
    """A repository in a temporary folder that borrows the user's objects; `git` asks in it."""

    def __init__(self, scratch: Scratch) -> None:
        import tempfile  # takes longer to load than all of this, and most runs make no merge

        self._folder = tempfile.TemporaryDirectory(prefix="sage-git-merge-", ignore_cleanup_errors=True)
        git_dir = Path(self._folder.name)
        for name in ("objects", "refs", "info"):
            (git_dir / name).mkdir()
        (git_dir / "HEAD").write_bytes(b"ref: refs/heads/none\n")
        (git_dir / "config").write_bytes((scratch.git_dir / "config").read_bytes())  # it tells the object format
        (git_dir / "info" / "attributes").write_bytes(b"* conflict-marker-size=%d\n" % _MARKER_SIZE)
        self.git = Scratch(git_dir, scratch.environment)

    def write(self, kind: bytes, content: bytes, digits: int) -> ObjectId:
        """The id, of so many hex digits, of an object with this content, which only the bench has."""
        raw = b"%s %d\0%s" % (kind, len(content), content)
        name = (sha256(raw) if digits == 64 else sha1(raw, usedforsecurity=False)).hexdigest()
        place = self.git.git_dir / "objects" / name[:2]
        place.mkdir(exist_ok=True)
        (place / name[2:]).write_bytes(zlib.compress(raw, 1))
        return ObjectId(name)

    def close(self) -> None:
        """Throw it away."""
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def template_in(conflicted: bytes, sides: Sequence[bytes], ours: str, theirs: str) -> Template | None:
    """The template in what a bench's merge of the texts `sides` left; None if anything about it is odd.

    `ours` and `theirs` are full ids of commits, which no text can hold of the commit that it is in.
    """
    can_end_bare = any(side and not side.endswith(b"\n") for side in sides)
    names = ours.encode("ascii"), theirs.encode("ascii")
    found = parse_template(conflicted.split(b"\n"), names, _MARKER_SIZE, can_end_bare=can_end_bare)
    return None if found is None else as_shown(found)
