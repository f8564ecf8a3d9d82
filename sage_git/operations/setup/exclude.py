"""The managed block in `info/exclude` that keeps sidecars out of `git status`, and whether it holds.

Not here: git's own rules for which pattern wins; git is asked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed
from sage_git.gitrepo.repository import Repository
from sage_git.storage.durable import make_directory, replace_file

_BEGIN: Final = b"# sage-git: sidecars; `sage-git deinit` takes this block out\n"
_END: Final = b"# sage-git: end\n"


@dataclass(frozen=True, slots=True)
class Overruled:
    """A pattern that beats the block: in `source` (a path as git tells it) at `line`, and a sidecar that shows it."""

    source: str
    line: int
    pattern: str
    sidecar: str


def install_block(common_dir: Path, suffix: str) -> None:
    """Put the block for `suffix` into the exclude file, or the right one in its place. Raises StorageError."""
    block = _BEGIN + f"*{suffix}\n!*{suffix}/\n".encode() + _END
    path = _path(common_dir)
    content = _read(path)
    rest = _without_block(content)
    if rest and not rest.endswith(b"\n"):
        rest += b"\n"
    if content != rest + block:
        make_directory(path.parent)
        replace_file(path, rest + block)


def remove_block(common_dir: Path) -> bool:
    """Take the block out; whether there was one. Raises StorageError."""
    path = _path(common_dir)
    content = _read(path)
    rest = _without_block(content)
    if rest == content:
        return False
    replace_file(path, rest)
    return True


def has_block(common_dir: Path) -> bool:
    """Whether the exclude file has a block of ours."""
    return _BEGIN in _read(_path(common_dir))


def overruled(repository: Repository, suffix: str) -> Overruled | None:
    """The first pattern that lets git see a sidecar; None if the block holds.

    Asked for one source of each folder and each ending, as patterns go by those.
    """
    tracked = repository.git("ls-files", "-z").split(b"\0")
    kinds = {(os.path.dirname(path), os.path.splitext(path)[1]): path for path in tracked if path}
    sidecars = [path + suffix.encode() for path in (b".sage/plans", *sorted(kinds.values()))]
    try:
        arguments = ("check-ignore", "--stdin", "-z", "--verbose", "--non-matching", "--no-index")
        asked = b"".join(b"./%b\0" % path for path in sidecars)  # so that none begins like a pathspec
        answer = repository.git("--no-literal-pathspecs", *arguments, input=asked)
    except GitFailed as failure:
        if failure.status != 1:  # 1: none of them is ignored
            raise
        return Overruled("", 0, "", sidecars[0].decode("utf-8", "replace"))
    fields = answer.split(b"\0")
    for source, line, pattern, path in zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False):
        if not pattern or pattern.startswith(b"!"):
            shown = [part.decode("utf-8", "replace") for part in (source, pattern, path[2:])]
            return Overruled(shown[0], int(line or b"0"), shown[1], shown[2])
    return None


def _path(common_dir: Path) -> Path:
    return common_dir / "info" / "exclude"


def _without_block(content: bytes) -> bytes:
    before, begin, after = content.partition(_BEGIN)
    if not begin:
        return content
    _, end, rest = after.partition(_END)
    return before + (rest if end else after)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
