"""Which lineages an event stands in, and the new ones of a path. It follows from events alone, whatever came first.

A parent that is not here leaves its children in a lineage that stands for it and a path; once it comes, they are placed
anew (`entering.settle`). Not here: which lineages are one chronicle (storage.index), and when events are entered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, lineage_name
from sage_git.operations.identity import Identity
from sage_git.operations.paths import path_text, raw_path
from sage_git.operations.subjects import subject_lineage, subject_source
from sage_git.storage.index import Index

MOVES: Final = frozenset(("FILE_SPLIT", "FILE_MERGED"))
"""Facts that stand in the chronicle of every path they name, and join none."""


def lineages_of(index: Index, identity: Identity, event: Event) -> tuple[int, ...]:
    """The numbers of the lineages that `event` stands in."""
    fields, parents = event.fields, event.parents
    if event.type in MOVES:
        return tuple(dict.fromkeys(lineage for parent in parents for lineage in _standing(index, parent)))
    named = (fields.get("oldPath") or fields.get("filePath")) if "graphCommit" in fields else None
    if not isinstance(named, str):
        subject = event.subject or ""
        name = subject_lineage(subject)
        if name is not None:
            return (index.events.lineage(name),)
        named = subject_source(subject)
    if len(parents) == 1 and (only := index.events.only_lineage(parents[0])) is not None:
        return (only,)  # as most do; all that follows would say the same
    path = raw_path(fields, named)
    found = lineages_along(index, parents, path)
    if not found:
        birth = fields.get("graphCommit") if event.type == "FILE_ADDED" else identity.since
        found = [index.events.lineage(lineage_name(identity.repository, path_text(path), birth))]
    return tuple(found)


def lineages_along(index: Index, facts: Iterable[EventId], path: bytes) -> list[int]:
    """The lineages of a path whose newest facts these are."""
    return list(dict.fromkeys(lineage for fact in facts for lineage in _along(index, fact, path)))


def join_anew(index: Index) -> None:
    """Make the chronicles anew from lineages, events and merges, as where an event is gone that joined some.

    Within a transaction.
    """
    index.events.separate()
    for together in index.events.joining(MOVES):
        index.events.join(together)
    for path, facts in index.commits.united():
        index.events.join(lineages_along(index, facts, path))


def _standing(index: Index, event_id: EventId) -> Sequence[int]:
    node = index.events.node(event_id)
    return [_place_of_missing(index, event_id, b"")] if node is None else node.lineages


def _along(index: Index, event_id: EventId, path: bytes) -> Sequence[int]:
    """The lineages in which `event_id` is about `path`: for a split or merge, those of its parent on that path."""
    node = index.events.node(event_id)
    if node is None:
        return [_place_of_missing(index, event_id, path)]
    while len(node.lineages) > 1:
        event = index.events.event(event_id)
        if event is None or event.type not in MOVES:
            break
        for parent in node.parents:
            before, fact = index.events.node(parent), index.events.event(parent)
            if before is None:
                return [_place_of_missing(index, event_id, path)]  # nobody knows which of its parents is on that path
            if fact is not None and path in _paths_of(fact):
                event_id, node = parent, before
                break
        else:
            break
    return node.lineages


def _place_of_missing(index: Index, event_id: EventId, path: bytes) -> int:
    """The lineage that stands for what an event that is not here is to a path."""
    of_path = f" {sha256(path).hexdigest()}" if path else ""
    return index.events.lineage(f"orphan:{event_id}{of_path}")


def _paths_of(fact: Event) -> Iterator[bytes]:
    for field in ("newPath", "filePath", "oldPath"):
        if field in fact.fields:
            yield raw_path(fact.fields, fact.fields[field])
