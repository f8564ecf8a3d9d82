"""The facts of one commit (SPEC 5): FILE_ADDED, FILE_EDITED, FILE_REMOVED, FILE_RENAMED, FILE_SPLIT, FILE_MERGED.

Responsible for turning changes into events and for what the commit's own facts make of H (`lineage`). Not here: where H
is kept, which commits are observed, and what a policy says of a fact (`judgement`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sage_git.chronicle.event import Event, links_to
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.observation.changes import SUBMODULE_MODE, Change, ChangeKind, MergeChange, is_missing
from sage_git.observation.commit import Commit, percent_encoded
from sage_git.observation.moves import STRATEGY, Merge, Split

Parents = Callable[[bytes], tuple[EventId, ...]]
"""The newest facts of a path just before a commit: the maximal ones of H over its parents, by parent number and id."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its event, and the raw path whose last fact it was when written; none for a split or merge."""

    event: Event
    path: bytes | None


@dataclass(slots=True)
class Observation:
    """All facts of one commit, in order, and H as they leave it: path → its last facts, () where renamed away."""

    commit: Commit
    facts: list[Fact] = field(default_factory=list)
    heads: dict[bytes, tuple[EventId, ...]] = field(default_factory=dict)


def observe(
    commit: Commit,
    changes: Iterable[Change],
    moves: Sequence[Split | Merge],
    sizes: Mapping[ObjectId, int],
    parents: Parents,
) -> Observation:
    """The facts of a commit with one parent or none; `sizes` has the bytes of every blob it adds."""
    writer = _Writer(commit, parents)
    for change in changes:
        match change.kind:
            case ChangeKind.ADDED | ChangeKind.COPIED:
                writer.added(change.path, change.new_mode, change.new_id, sizes, change.source)
            case ChangeKind.EDITED:
                writer.edited(change.path, (change.old_mode, change.old_id), (change.new_mode, change.new_id))
            case ChangeKind.REMOVED:
                writer.removed(change.path, change.old_id)
            case ChangeKind.RENAMED:
                assert change.source is not None
                writer.renamed(change.source, change.path, change.old_id)
                if (change.old_mode, change.old_id) != (change.new_mode, change.new_id):
                    writer.edited(change.path, (change.old_mode, change.old_id), (change.new_mode, change.new_id))
    before = {change.source or change.path: change.old_id for change in changes}
    after = {change.path: change.new_id for change in changes}
    writer.moved(moves, before, after)
    return writer.observation


def observe_merge(
    commit: Commit,
    changes: Iterable[MergeChange],
    renames: Mapping[bytes, Change],
    sizes: Mapping[ObjectId, int],
    parents: Parents,
) -> Observation:
    """The facts of a merge, on paths that differ from every parent; `renames` are against the first, by new path."""
    writer = _Writer(commit, parents)
    changes = list(changes)
    used = {each.path: renames[each.path] for each in changes if each.is_new_to_first and each.path in renames}
    sources = {rename.source for rename in used.values()}
    for change in changes:
        new = (change.new_mode, change.new_id)
        had = next((side for side in change.old if not is_missing(side[0])), None)
        rename = used.get(change.path)
        if rename is not None:
            assert rename.source is not None
            writer.renamed(rename.source, change.path, rename.old_id)
            old = had or (rename.old_mode, rename.old_id)
            if old != new:
                writer.edited(change.path, old, new)
        elif is_missing(change.new_mode):
            if change.path not in sources:
                writer.removed(change.path, change.old[0][1])
        elif had is None:
            writer.added(change.path, *new, sizes, None)
        else:
            writer.edited(change.path, had, new)
    return writer.observation


class _Writer:
    """Puts the facts of one commit together, each after those it follows."""

    def __init__(self, commit: Commit, parents: Parents) -> None:
        self.observation = Observation(commit)
        self._parents = parents
        self._renamed_to: dict[bytes, bytes] = {}
        self._envelope = {"timestamp": commit.timestamp, "actor": commit.actor(), "graphCommit": commit.oid}

    def added(
        self, path: bytes, mode: str, blob: ObjectId, sizes: Mapping[ObjectId, int], copied_from: bytes | None
    ) -> None:
        paths = {"filePath": path} | ({"copiedFrom": copied_from} if copied_from is not None else {})
        size = 0 if mode == SUBMODULE_MODE else sizes[blob]
        payload = {"type": "FILE_ADDED", "hash": blob, "size": size, "mode": mode}
        self._write(path, payload, paths, self._parents(path))

    def edited(self, path: bytes, old: tuple[str, ObjectId], new: tuple[str, ObjectId]) -> None:
        payload = {"type": "FILE_EDITED", "lastHash": old[1], "hash": new[1]}
        if old[0] != new[0]:
            payload |= {"lastMode": old[0], "mode": new[0]}
        own = self.observation.heads.get(path, ())  # the rename that brought it here
        before = self._parents(path) if not own or len(self.observation.commit.parents) > 1 else ()
        self._write(path, payload, {"filePath": path}, (*own, *before))

    def removed(self, path: bytes, blob: ObjectId) -> None:
        self._write(path, {"type": "FILE_REMOVED", "lastHash": blob}, {"filePath": path}, self._parents(path))

    def renamed(self, old: bytes, new: bytes, blob: ObjectId) -> None:
        payload = {"type": "FILE_RENAMED", "hash": blob}
        self._write(new, payload, {"oldPath": old, "newPath": new}, self._parents(old))
        self.observation.heads.setdefault(old, ())
        self._renamed_to[old] = new

    def moved(
        self, moves: Sequence[Split | Merge], before: Mapping[bytes, ObjectId], after: Mapping[bytes, ObjectId]
    ) -> None:
        """Write the splits and merges as children of the facts so far; then they are the last facts of their paths."""
        latest = dict(self.observation.heads)
        now_last: dict[bytes, list[EventId]] = {}
        for move in moves:
            if isinstance(move, Split):
                first, others = move.original, move.results
                payload = {"type": "FILE_SPLIT", "originalHash": before[first], "strategy": STRATEGY}
                paths: dict[str, Any] = {"originalPath": first, "resultingPaths": list(others)}
            else:
                first, others = move.result, move.sources
                payload = {"type": "FILE_MERGED", "resultHash": after[first], "strategy": STRATEGY}
                paths = {"sourcePaths": list(others), "resultPath": first}
            keys = [self._renamed_to.get(path, path) for path in (first, *others)]
            follows = dict.fromkeys(fact for key in keys for fact in latest.get(key, ()))
            fact = self._write(None, payload, paths, tuple(follows))
            for key in dict.fromkeys(keys):
                now_last.setdefault(key, []).append(fact)
        for key, facts in now_last.items():
            self.observation.heads[key] = tuple(sorted(facts))

    def _write(
        self, path: bytes | None, payload: dict[str, Any], paths: Mapping[str, Any], follows: tuple[EventId, ...]
    ) -> EventId:
        event = Event.own(self._envelope | payload | _encoded(paths) | links_to(follows))
        assert event.event_id is not None
        self.observation.facts.append(Fact(event, path))
        if path is not None:
            self.observation.heads[path] = (event.event_id,)
        return event.event_id


def _encoded(paths: Mapping[str, Any]) -> dict[str, Any]:
    """`paths` as text; all of them percent-encoded, and marked so, if one is not UTF-8."""
    try:
        return {name: _decoded(path) for name, path in paths.items()}
    except UnicodeDecodeError:
        encoded = {
            name: percent_encoded(path) if isinstance(path, bytes) else [percent_encoded(each) for each in path]
            for name, path in paths.items()
        }
        return encoded | {"pathEncoding": "percent"}


def _decoded(path: bytes | list[bytes]) -> str | list[str]:
    return path.decode("utf-8") if isinstance(path, bytes) else [each.decode("utf-8") for each in path]
