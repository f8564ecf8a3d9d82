"""What git alone knows: titles of commits, and the commits from before the record. Reads git, records nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.ids import ObjectId, is_hex
from sage_git.errors import GitFailed

if TYPE_CHECKING:
    from sage_git.operations.reading.history import AsksGit

_FORMAT: Final = "--format=%H%x00%ct%x00%an%x00%s"


@dataclass(frozen=True, slots=True)
class PlainCommit:
    """A commit as git has it."""

    commit: ObjectId
    committed_at: int
    """Seconds since 1970."""
    author: str
    title: str


def titles(repository: AsksGit, commits: Collection[ObjectId]) -> dict[ObjectId, PlainCommit]:
    """What git says of these commits; those that are not here (any more) are left out."""
    named = [commit for commit in commits if is_hex(commit, 40, 64)]  # git takes options there as well
    if not named:
        return {}
    asked = "".join(f"{commit}\n" for commit in named).encode("ascii")
    try:
        found = _log(repository, "--no-walk=unsorted", "--ignore-missing", "--stdin", input=asked)
    except GitFailed:
        return {}
    return {each.commit: each for each in found}


def commits_before(
    repository: AsksGit, tips: Iterable[ObjectId], path: str | None, limit: int, until: int | None = None
) -> list[PlainCommit]:
    """The newest `limit` commits that `tips` reach, of the whole repository or of one path through its renames.

    Empty if the tips are not here (a shallow clone).
    """
    arguments = [f"--max-count={limit}", *tips]
    if until is not None:
        arguments.insert(0, f"--until=@{until}")
    if path is not None:
        arguments = ["--follow", *arguments, "--", path]
    try:
        return _log(repository, *arguments)
    except GitFailed:
        return []


def _log(repository: AsksGit, *arguments: str, input: bytes = b"") -> list[PlainCommit]:
    options = (
        "-z",
        _FORMAT,
        "--encoding=UTF-8",
        "--no-color",
        "--no-show-signature",
        "--no-notes",
        "--no-patch",
        "--no-mailmap",
    )
    shown = repository.git("log", *options, *arguments, input=input)
    fields = shown.decode("utf-8", "backslashreplace").removesuffix("\0").split("\0")
    found = []
    for at in range(0, len(fields) - 3, 4):
        commit, seconds, author, title = fields[at : at + 4]
        found.append(PlainCommit(ObjectId(commit.strip()), int(seconds or 0), author, title))
    return found
