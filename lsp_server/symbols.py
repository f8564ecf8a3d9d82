"""Workspace symbols: plans by name, events by the first digits of their ids, each at its line in a sidecar."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol.types import Location, Position, Range, SymbolKind, WorkspaceSymbol

from lsp_server import wording
from lsp_server.markdown import visible
from lsp_server.workspaces import uri_of

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.operations.reading.opening import Reading

_MOST: Final = 40
_LEAST_DIGITS: Final = 4


def symbols(reading: Reading, root: Path, query: str) -> list[WorkspaceSymbol]:
    """What `query` may mean: part of a plan's id or summary, or the first digits of an event's id."""
    found = [*_plans(reading, root, query.casefold())]
    digits = query.strip().lower()
    if len(digits) >= _LEAST_DIGITS and all(character in "0123456789abcdef" for character in digits):
        found += _events(reading, root, digits)
    return found[:_MOST]


def _plans(reading: Reading, root: Path, words: str) -> Iterator[WorkspaceSymbol]:
    plans = reading.readings.judge.plans
    for plan_id in plans:
        for plan in plans.versions(plan_id):
            if words in plan_id.casefold() or words in plan.summary.casefold():
                place = _place(root, reading, b"\0plans", plan.events[0])
                if place is not None:
                    yield WorkspaceSymbol(place, visible(f"{plan_id} · {plan.summary}", 120), SymbolKind.Interface)


def _events(reading: Reading, root: Path, digits: str) -> Iterator[WorkspaceSymbol]:
    from sage_git.storage import queries

    connection = reading.readings.connection
    shown = queries.sidecar_paths(connection, reading.checkout.worktree)
    for row in queries.by_event_prefix(connection, digits, _MOST):
        components = queries.components_of(connection, [row.number])
        keys = [key for component in components for key in shown.get(component, ())]
        place = next((found for key in keys if (found := _place(root, reading, key, row.event)) is not None), None)
        if place is not None:
            name = f"{wording.label(row.event)} · {wording.actor(row.event.actor)} · {wording.short(row.event_id)}"
            yield WorkspaceSymbol(place, visible(name, 120), SymbolKind.Event)


def _place(root: Path, reading: Reading, key: bytes, event: Event) -> Location | None:
    """The line of an event in the sidecar of `key`; None if it is not there."""
    from sage_git.operations.sidecars.placing import sidecar_of

    file = root / os.fsdecode(sidecar_of(reading.checkout.known_identity(), key))
    try:
        content = file.read_bytes()
    except OSError:
        return None
    at = content.find(b'"eventId":"%s"' % (event.event_id or "").encode())
    if at < 0:
        return None
    line = content.count(b"\n", 0, at)
    return Location(uri_of(file), Range(Position(line, 0), Position(line, 0)))
