"""Whether `sage-git log PATH` tells of the same commits as `git log --follow PATH`, and why not where it does not.

git follows one name at a time: where it finds the name added it looks for a source anywhere in that commit, copies
included, and goes on with that name on every branch. It shows no merges. Each difference is given the first cause that
can be shown from git's own diffs; what has none is UNEXPLAINED, and is ours until somebody shows otherwise.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from benchmarks.ground import Repository

FILES = 100
_RENAMES = ("-M50%", "-C50%", "-l2000")


class Cause(Enum):
    """Why one of the two has a commit that the other has not."""

    MERGE = "ours only: a merge that changed the file by itself; git log shows no merges"
    OTHER_NAME = "ours only: the file under a name that git had left by then, on another branch or before"
    MOVED_LINES = "ours only: FILE_SPLIT or FILE_MERGED of a commit that did not change this file"
    BEFORE_COPY = "git only: before a copy, which git follows to its source"
    ALIKE_ONLY_TO_FOLLOW = "git only: before a renaming that `git diff -M50% -C50%` of that commit does not show"
    REUSED_NAME = "git only: another file that had the name of this one"
    UNEXPLAINED = "unexplained"


@dataclass(slots=True)
class Agreement:
    """How many of the `files` have the same commits in both, merges left out, and the causes of every difference."""

    files: int = 0
    same: int = 0
    commits: int = 0
    causes: Counter[Cause] = field(default_factory=Counter)
    examples: dict[Cause, list[str]] = field(default_factory=dict)

    def note(self, cause: Cause, path: str, commit: str) -> None:
        """Count a difference."""
        self.causes[cause] += 1
        self.examples.setdefault(cause, []).append(f"{commit[:12]} {path}")


@dataclass(frozen=True, slots=True)
class Told:
    """What our log says of one file: its facts by commit, and every name that it had."""

    facts: Mapping[str, list[dict[str, object]]]
    names: frozenset[str]

    def renames(self, commit: str, source: str, name: str) -> bool:
        """True if we have this renaming too."""
        facts = self.facts.get(commit, [])
        return any((each.get("oldPath"), each.get("newPath")) == (source, name) for each in facts)


def agreement(repository: Repository, since: str) -> Agreement:
    """Both logs of up to FILES files that were renamed after `since`, compared."""
    found = Agreement()
    parents = _parents(repository, since)
    for path in renamed_files(repository, since):
        ours, theirs = told(repository, path), followed(repository, path, since)
        found.files += 1
        found.same += {commit for commit in ours.facts if len(parents[commit]) < 2} == theirs
        found.commits += len(ours.facts.keys() & theirs)
        for commit in ours.facts.keys() - theirs:
            found.note(_why_ours(repository, ours, commit, parents, path), path, commit)
        missing = theirs - ours.facts.keys()
        jumps = _jumps(repository, path, since) if missing else []
        for commit in missing:
            found.note(_why_theirs(repository, ours, commit, jumps), path, commit)
    return found


def renamed_files(repository: Repository, since: str) -> list[str]:
    """Files of HEAD that some commit renamed, evenly from all over the tree."""
    here = set(_lines(repository.git("ls-tree", "-r", "-z", "--name-only", "HEAD")))
    shown = repository.git("log", "--format=", "--name-only", "--diff-filter=R", "-M50%", "-z", f"{since}..HEAD")
    renamed = sorted(here.intersection(_lines(shown)))
    step = max(1, len(renamed) / FILES)
    return [renamed[int(number * step)] for number in range(min(FILES, len(renamed)))]


def told(repository: Repository, path: str) -> Told:
    """Our log of a file: facts of commits that HEAD has."""
    facts: dict[str, list[dict[str, object]]] = {}
    names = {path}
    for line in repository.sage("log", "--json", path).splitlines():
        event = json.loads(line)
        if event["inHead"] and event["type"].startswith("FILE_"):
            facts.setdefault(event["graphCommit"], []).append(event)
            names.update(event[name] for name in ("filePath", "oldPath", "newPath") if name in event)
    return Told(facts, frozenset(names))


def followed(repository: Repository, path: str, since: str) -> set[str]:
    """The commits that `git log --follow` shows for a file."""
    return set(repository.git("log", "--follow", "--format=%H", f"{since}..HEAD", "--", path).split())


def _why_ours(repository: Repository, ours: Told, commit: str, parents: Mapping[str, list[str]], path: str) -> Cause:
    facts = ours.facts[commit]
    changed = _changed_names(repository, commit)
    own = [each for each in facts if each["type"] not in ("FILE_SPLIT", "FILE_MERGED")]
    if not own:
        return Cause.MOVED_LINES
    if not all(set(_named(each)) <= changed for each in own):
        return Cause.UNEXPLAINED
    if len(parents[commit]) > 1:
        return Cause.MERGE
    renames = [each for facts in ours.facts.values() for each in facts if each["type"] == "FILE_RENAMED"]
    linked = {name for each in renames for name in _named(each)} | {path}
    return Cause.OTHER_NAME if all(linked.issuperset(_named(each)) for each in own) else Cause.UNEXPLAINED


def _why_theirs(repository: Repository, ours: Told, commit: str, jumps: Iterable[_Jump]) -> Cause:
    for jump in jumps:
        if not _is_ancestor(repository, commit, jump.commit) or ours.renames(jump.commit, jump.source, jump.name):
            continue
        if jump.is_copy:
            return Cause.BEFORE_COPY
        shown = repository.git("diff-tree", "-r", "-z", "--no-commit-id", "--name-status", *_RENAMES, jump.commit)
        if f"{jump.source}\0{jump.name}" not in shown:
            return Cause.ALIKE_ONLY_TO_FOLLOW
        return Cause.UNEXPLAINED
    changed = _changed_names(repository, commit)
    return Cause.REUSED_NAME if changed & ours.names else Cause.UNEXPLAINED


@dataclass(frozen=True, slots=True)
class _Jump:
    """Where `git log --follow` went on with another name."""

    commit: str
    source: str
    name: str
    is_copy: bool


def _jumps(repository: Repository, path: str, since: str) -> list[_Jump]:
    """Every change of name, newest first."""
    flags = ("--follow", "--format=%x00%H", "--name-status", "-z", "--diff-filter=RC")
    jumps: list[_Jump] = []
    fields = iter(_lines(repository.git("log", *flags, f"{since}..HEAD", "--", path)))
    commit = ""
    for each in fields:
        word = each.strip("\n")
        if len(word) in (40, 64):
            commit = word
        else:
            jumps.append(_Jump(commit, next(fields), next(fields), word.startswith("C")))
    return jumps


def _changed_names(repository: Repository, commit: str) -> set[str]:
    """Every path that is not in this commit what it is in some parent."""
    flags = ("-r", "-z", "-m", "--root", "--no-commit-id", "--name-only", "--no-renames")
    return set(_lines(repository.git("diff-tree", *flags, commit)))


def _named(fact: Mapping[str, object]) -> Iterator[str]:
    return (str(fact[name]) for name in ("filePath", "oldPath", "newPath") if name in fact)


def _parents(repository: Repository, since: str) -> dict[str, list[str]]:
    rows = (line.split() for line in repository.git("rev-list", "--parents", f"{since}..HEAD").splitlines())
    return {oid: parents for oid, *parents in rows}


def _is_ancestor(repository: Repository, one: str, other: str) -> bool:
    return one != other and repository.git("merge-base", one, other) == one


def _lines(shown: str) -> list[str]:
    return [path for path in shown.split("\0") if path]
