"""Each line of a source with the edit that brought it in, also where that edit was rebased, squashed or picked since.

git says which commit a line came in with, the index which fact that commit made of the file, and what the fact replays
(`origins`) which edit wrote the line first. Not here: text and JSON (`cli.blame`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.chronicle.kinds import timestamp
from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.gitrepo.blame import Authorship, Stretch
from sage_git.gitrepo.blame import blame as blame_of_git
from sage_git.operations.ledger import lineages_along
from sage_git.operations.paths import path_text
from sage_git.operations.reading.authors import authored
from sage_git.operations.reading.origins import Origins, fact_of
from sage_git.operations.reading.sources import repository_path
from sage_git.operations.reading.standings import NOT_JUDGED, LineStandings, Stands
from sage_git.operations.sidecars.placing import key_of, subject_in
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.reading.history import AsksGit
    from sage_git.operations.reading.opening import Reading

_LOOKED_AT_FOR_NUL: Final = 8_000  # as git does it (xdiff-interface.c)
_FIRST_TIME, _LAST_TIME = -62_135_596_800, 253_402_300_799
_UNKNOWN: Final = Authorship("", 0)

Range = tuple[int, int | None]
"""First and last line, from 1; None: to the end."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What lines came in with: a commit and, if that is recorded, its fact."""

    commit: ObjectId
    actor: Mapping[str, Any]
    timestamp: str
    fact: Event | None = None
    stands: Stands = NOT_JUDGED


@dataclass(frozen=True, slots=True)
class BlamedLine:
    """A line, numbered from 1, without its newline."""

    number: int
    text: bytes
    origin: Origin


@dataclass(frozen=True, slots=True)
class Blamed:
    """The lines of `path` in `commit` that were asked for."""

    path: bytes
    commit: ObjectId
    lines: tuple[BlamedLine, ...] = ()
    agents: Mapping[ObjectId, tuple[str, ...]] = field(default_factory=dict)
    """The agents that are known to have had a part in the commits that lines came in with."""


def blame(reading: Reading, cwd: Path, argument: str, revision: str, ranges: Sequence[Range] = ()) -> Blamed:
    """The lines of what `argument`, typed in `cwd`, names in `revision`.

    Raises UsageError (outside, no such revision or line), NotHere (no file there, or no text), GitFailed.
    """
    commit = _commit(reading, revision)
    path, blob = _file(reading, cwd, argument, commit, revision)
    lines = _lines(reading, blob, argument)
    wanted = _within(ranges, len(lines), argument)
    if not lines:
        return Blamed(path, commit)
    try:
        found = blame_of_git(reading.checkout.scratch, commit, path, wanted, reading.repository.shallow_boundary())
    except GitFailed:
        if not reading.repository.is_partial():
            raise
        remedy = "git log -p --follow on it fetches them; then ask again"
        raise NotHere(f"earlier versions of '{argument}' are not in this partial clone", remedy=remedy) from None
    with _Attribution(reading, found.authorship) as attribution:
        blamed = [
            BlamedLine(number, lines[number - 1], origin)
            for number, origin in attribution.lines(found.stretches)
            if number <= len(lines)
        ]
    commits = list(dict.fromkeys(line.origin.commit for line in blamed))
    agents = {each.commit: each.agents for each in authored(reading.checkout.scratch, commits)}
    return Blamed(path, commit, tuple(sorted(blamed, key=lambda line: line.number)), agents)


class _Attribution:
    """From what git says of lines to the edits that brought them in."""

    def __init__(self, reading: Reading, authorship: Mapping[ObjectId, Authorship]) -> None:
        self._index = reading.checkout.index
        self._authorship = authorship
        self._standings = LineStandings(reading)
        self._origins = Origins(reading)
        self._known: dict[EventId, Origin] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._origins.close()

    def lines(self, stretches: Sequence[Stretch]) -> Iterator[tuple[int, Origin]]:
        """Each line's number and origin, in no order."""
        together: dict[tuple[ObjectId, bytes], list[dict[int, int]]] = {}
        for stretch in stretches:
            here = {stretch.original + at: stretch.first + at for at in range(stretch.count)}
            several = together.setdefault((stretch.commit, stretch.path), [])
            # A merge may have got one line twice, by both parents.
            free = next((numbers for numbers in several if numbers.keys().isdisjoint(here)), None)
            if free is None:
                several.append(here)
            else:
                free |= here
        for (commit, path), numbers in ((key, each) for key, several in together.items() for each in several):
            fact = fact_of(self._index, commit, path)
            if fact is None:
                plain = self._plain(commit)
                yield from ((here, plain) for here in numbers.values())
            else:
                for original, source in self._origins.of(fact, numbers).items():
                    wrote = source.commit or commit
                    origin = self._plain(wrote) if source.fact is None else self._of(source.fact, wrote)
                    yield numbers[original], origin

    def _of(self, fact: Event, found: ObjectId) -> Origin:
        """The origin that `fact` is. One that was redacted tells nothing, and is then of the commit that git found."""
        identifier = fact.event_id
        assert identifier is not None
        if identifier not in self._known:
            commit = fact.graph_commit or found
            actor = fact.actor or self._plain(commit).actor
            self._known[identifier] = Origin(commit, actor, fact.timestamp, fact, self._standings.of(fact))
        return self._known[identifier]

    def _plain(self, commit: ObjectId) -> Origin:
        """The origin that a commit is as git tells it."""
        written = self._authorship.get(commit) or self._origins.authorship.get(commit, _UNKNOWN)
        seconds = min(max(written.committed_at, _FIRST_TIME), _LAST_TIME)
        return Origin(commit, {"agent": "git", "id": written.author}, timestamp(seconds * 1000))


def _commit(reading: Reading, revision: str) -> ObjectId:
    """The commit that was asked for. Raises UsageError, NotHere."""
    if not revision:
        if reading.head is None:
            raise NotHere("there is no commit yet, so no line has a history", remedy="commit first")
        return reading.head
    found = None if "\0" in revision else reading.repository.commit_named(revision)
    if found is None:
        raise UsageError(
            f"'{revision}' names no commit here", remedy="sage-git blame PATH REV; REV may be anything git takes"
        )
    return found


def _file(reading: Reading, cwd: Path, argument: str, commit: ObjectId, revision: str) -> tuple[bytes, ObjectId]:
    """The path that `argument` names in `commit`, and its content. Raises UsageError, NotHere."""
    named = os.fsencode(repository_path(reading.repository.work_tree, cwd, argument))
    for path in _meant(reading, named):
        match _entry(reading.repository, commit, path):
            case "blob", blob:
                return path, blob
            case "tree", _:
                raise UsageError(f"'{argument}' is a folder", remedy="name one file; sage-git log tells of a folder")
            case "commit", _:
                remedy = "ask inside it: it is a repository of its own"
                raise NotHere(f"'{argument}' is a submodule", remedy=remedy)
    raise NotHere(f"'{argument}' is not in {revision or 'HEAD'}", remedy=_elsewhere(reading, named))


def _entry(repository: AsksGit, commit: ObjectId, path: bytes) -> tuple[str, ObjectId] | None:
    """What stands at `path` in `commit`: blob, tree or commit, and its id."""
    if not path:
        return "tree", commit
    about, _, _ = repository.git("ls-tree", "-z", "--full-tree", commit, "--", os.fsdecode(path)).partition(b"\t")
    words = about.decode("ascii").split()
    return (words[1], ObjectId(words[2])) if words else None


def _meant(reading: Reading, named: bytes) -> Iterator[bytes]:
    """The paths that may be meant: the one itself, then, if it is a sidecar's, its source's."""
    yield named
    key = key_of(reading.checkout.known_identity(), named)
    if key and subject_in(key) is None:
        yield key


def _elsewhere(reading: Reading, path: bytes) -> str:
    """What to do about a path that the commit does not have."""
    index = reading.checkout.index
    lineages = lineages_along(index, queries.events_at(index.connection, path)[-1:], path)
    components = {index.events.component(lineage) for lineage in lineages}
    shown = queries.sidecar_paths(index.connection, reading.checkout.worktree)
    now = [path_text(source) for component in components for source in shown.get(component, ()) if source != path]
    if now:
        return f"did you mean {now[0]}? it was called so once"
    if lineages:
        return "it was there once: sage-git log PATH tells when; sage-git blame PATH REV shows it as it was then"
    return "blame tells of lines that are committed; check the spelling, or commit it first"


def _lines(reading: Reading, blob: ObjectId, argument: str) -> list[bytes]:
    """The lines of a file's content. Raises NotHere."""
    (content,) = reading.checkout.scratch.contents([blob])
    if content is None:
        raise NotHere(
            f"the content of '{argument}' is not in this clone", remedy="git fetch, or git checkout, brings it"
        )
    if b"\0" in content[:_LOOKED_AT_FOR_NUL]:
        raise NotHere(f"'{argument}' is a binary file: it has no lines", remedy="sage-git log tells its history")
    return content.removesuffix(b"\n").split(b"\n") if content else []


def _within(ranges: Sequence[Range], count: int, argument: str) -> list[tuple[int, int]]:
    """The ranges with their ends, within a file of `count` lines. Raises UsageError."""
    for first, _ in ranges:
        if first > count:
            said = f"'{argument}' has {count} line{'' if count == 1 else 's'}, so there is no line {first}"
            raise UsageError(said, remedy="give a range within the file")
    return [(first, min(last or count, count)) for first, last in ranges]
