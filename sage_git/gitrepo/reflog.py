"""The HEAD reflogs of all work trees: what HEAD was, though nothing may reach it any more. Read from where we were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from sage_git.chronicle.ids import ObjectId, is_hex
from sage_git.errors import GitFailed
from sage_git.gitrepo.repository import Repository

# Reflog messages of commands that move HEAD to a commit they did not make.
_MOVES: Final = (b"checkout:", b"reset:", b"clone:", b"branch:", b"switch:", b"Branch:")
_STEPS: Final = (b" (start)", b" (finish)", b" (abort)", b"Fast-forward", b"fast-forward", b"updating HEAD")


@dataclass(frozen=True, slots=True)
class Read:
    """What a reading found: the commits that HEAD was, those among them made by that step, and how far it read."""

    commits: tuple[ObjectId, ...]
    made: frozenset[ObjectId]
    marks: Mapping[str, str]


def marks(repository: Repository) -> dict[str, str]:
    """Per HEAD reflog, the digest of its last line now. What comes after it is new."""
    return {name: _digest(lines[-1]) for name, path in _files(repository) if (lines := _lines(path))}


def read_after(repository: Repository, known: Mapping[str, str]) -> Read:
    """The entries after the marked lines; all of a reflog whose mark is gone (it expired, so what is left is new).

    In the order that they were written in, over all work trees.
    """
    commits: dict[ObjectId, None] = {}
    made: set[ObjectId] = set()
    now: dict[str, str] = {}
    entries: list[tuple[int, bytes]] = []
    for name, path in _files(repository):
        lines = _lines(path)
        if lines:
            now[name] = _digest(lines[-1])
        entries += _timed(_after(lines, known.get(name)))
    for _, line in sorted(entries, key=lambda entry: entry[0]):
        words, _, message = line.partition(b"\t")
        # What HEAD was before counts too: the first new entry may amend a commit from before the mark.
        named = [oid for oid in words.decode("ascii", "replace").split(" ")[:2] if is_hex(oid, 40, 64)]
        commits.update((ObjectId(oid), None) for oid in named if oid.strip("0"))
        if len(named) == 2 and _makes(message):
            made.add(ObjectId(named[1]))
    if not now:
        return _from_git(repository)
    return Read(tuple(commits), frozenset(made), now)


def _from_git(repository: Repository) -> Read:
    """For reference storage without reflog files (reftable): all of this work tree's entries, oldest first."""
    try:
        shown = repository.git("log", "-g", "-z", "--format=%H%x09%gs", "HEAD", "--")
    except GitFailed:
        return Read((), frozenset(), {})
    entries = [entry.partition(b"\t") for entry in reversed(shown.split(b"\0")) if entry]
    oids = [ObjectId(oid.decode("ascii")) for oid, _, _ in entries]
    made = {ObjectId(oid.decode("ascii")) for oid, _, message in entries if _makes(message)}
    return Read(tuple(dict.fromkeys(oids)), frozenset(made), {})


def _files(repository: Repository) -> Iterable[tuple[str, Path]]:
    yield "", repository.common_dir / "logs" / "HEAD"
    for path in sorted((repository.common_dir / "worktrees").glob("*/logs/HEAD")):
        yield path.parent.parent.name, path


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return []


def _after(lines: list[bytes], mark: str | None) -> list[bytes]:
    if mark is None:
        return lines
    for number in range(len(lines) - 1, -1, -1):
        if _digest(lines[number]) == mark:
            return lines[number + 1 :]
    return lines


def _timed(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line with the second in which it was written, as told, but never before the line above it."""
    latest = 0
    for line in lines:
        words = line.partition(b"\t")[0].split(b" ")
        if len(words) > 1 and words[-2].isdigit():
            latest = max(latest, int(words[-2]))
        yield latest, line


def _makes(message: bytes) -> bool:
    return bool(message) and not message.startswith(_MOVES) and not any(step in message for step in _STEPS)


def _digest(line: bytes) -> str:
    return sha256(line).hexdigest()[:32]
