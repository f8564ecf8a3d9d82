"""One event with everything around it: its place in the chain, its verdicts, its diff. Not here: histories, text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, is_hex
from sage_git.chronicle.payloads import FACT_TYPES
from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.operations.paths import raw_path
from sage_git.operations.reading.history import Entry, Readings, Selection, entries_of
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.operations.assurance import Examined
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.reading.history import AsksGit

_LISTED: Final = 8
_EMPTY_TREES: Final = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_DIFF: Final = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--submodule=short",
    "--src-prefix=a/",
)
_SUBMODULE: Final = "160000"


@dataclass(frozen=True, slots=True)
class Explained:
    """An entry and where it stands: parents and children by id, each with the event if it is here.

    `examined` tells how sure it is who says it, where that matters.
    """

    entry: Entry
    parents: tuple[tuple[EventId, Event | None], ...]
    children: tuple[Event, ...]
    examined: Examined | None = None


def find(readings: Readings, name: str) -> list[Entry]:
    """The entries that `name` means: one event by the first digits of its id, or all of one commit's.

    Raises UsageError if several events begin so, NotHere if none does.
    """
    digits = name.strip().lower()
    if not 4 <= len(digits) <= 64 or not is_hex(digits, len(digits)):
        raise UsageError(f"'{name}' is no event id", remedy="give at least four hex digits, as log shows them")
    found = queries.by_event_prefix(readings.connection, digits, _LISTED + 1)
    if len(found) == 1:
        return [_with_its_fact(readings, found[0])]
    if found:
        raise UsageError(f"'{name}' is the beginning of several event ids", remedy=_choices(found))
    rows = queries.by_commit_prefix(readings.connection, digits)
    if len({row.commit for row in rows}) > 1:
        raise UsageError(f"'{name}' is the beginning of several commit ids", remedy="give more digits")
    if not rows and queries.is_commit_prefix(readings.connection, digits):
        said = f"the commit {name} is recorded, but no event tells of it: it changed no source by itself"
        raise NotHere(said, remedy="nothing in it needs an answer; git show tells what it is")
    if not rows:
        raise NotHere(
            f"no event and no recorded commit begins with '{name}'", remedy="sage-git log --all shows what there is"
        )
    return list(entries_of(readings, Selection(everywhere=True), rows))


def explain(readings: Readings, entry: Entry, checkout: Checkout) -> Explained:
    """The entry's place in its chronicle, and what stands behind it."""
    connection = readings.connection
    near = queries.of_components(connection, queries.components_of(connection, [entry.number]))
    by_id = {row.event_id: row.event for row in near}
    own = {event.event_id for event in entry.events}
    parents = tuple((parent, by_id.get(parent)) for parent in entry.event.parents)
    children = tuple(
        event for event in by_id.values() if entry.event.event_id in event.parents and event.event_id not in own
    )
    return Explained(entry, parents, children, _examined(checkout, entry.event))


def _examined(checkout: Checkout, event: Event) -> Examined | None:
    """Who says it, by HEAD's allowed signers; None for what nobody signed and nobody need."""
    if event.type in FACT_TYPES:
        return None
    from sage_git.operations import assurance, signing

    if "signature" not in event and not assurance.is_answer(event.fields):
        return None
    return assurance.examine(event, signing.signers_now(checkout), checkout.known_identity().repository)


def diff(repository: AsksGit, event: Event) -> str | None:
    """The change that a fact or verdict is about, as git prints it; None if it has none or its blobs are not here."""
    commit = event.graph_commit
    if (
        commit is None
        or not is_hex(commit, 40, 64)
        or "filePath" not in event
        or not {"hash", "lastHash"} & event.keys()
    ):
        return None
    path = _raw(event, "filePath")
    old, new = _object_id(event, "lastHash"), _object_id(event, "hash")
    try:
        if _is_null(old) or _is_null(new):
            return _whole_file(repository, event, path, is_added=_is_null(old))
        if _SUBMODULE in (event.get("mode"), event.get("lastMode")):
            return f"-Subproject commit {old}\n+Subproject commit {new}\n"
        shown = repository.git(*_DIFF, "--dst-prefix=b/", old, new)
    except GitFailed:
        return None
    return _labelled(shown, old, new, path)


def _with_its_fact(readings: Readings, row: queries.Row) -> Entry:
    """The entry of one event; a fact comes with its verdicts."""
    if row.type not in FACT_TYPES or row.commit is None:
        return next(entries_of(readings, Selection(everywhere=True), [row]))
    together = queries.by_commit_prefix(readings.connection, row.commit)
    return next(
        entry
        for entry in entries_of(readings, Selection(everywhere=True), together)
        if entry.event.event_id == row.event_id
    )


def _choices(rows: list[queries.Row]) -> str:
    lines = [f"{row.event_id[:16]}  {row.type}" for row in rows[:_LISTED]]
    return "\n".join([*lines, *(["…"] if len(rows) > _LISTED else []), "give more digits"])


def _whole_file(repository: AsksGit, event: Event, path: bytes, *, is_added: bool) -> str:
    """The diff of a file that a commit added or removed, against nothing."""
    commit = str(event.graph_commit)
    nothing = _EMPTY_TREES[len(commit)]
    sides = (nothing, commit) if is_added else (f"{commit}^", nothing)
    shown = repository.git(*_DIFF, "--dst-prefix=b/", *sides, "--", os.fsdecode(path))
    return shown.decode("utf-8", "replace")


def _labelled(shown: bytes, old: str, new: str, path: bytes) -> str:
    """`shown`, a diff of two blobs, with the path in the place of the blobs' ids in its heading."""
    heading, hunk, rest = shown.partition(b"\n@@")
    for side, blob in ((b"a/", old), (b"b/", new)):
        heading = heading.replace(side + blob.encode("ascii"), side + path)
    return (heading + hunk + rest).decode("utf-8", "replace")


def _raw(event: Event, field: str) -> bytes:
    return raw_path(event, str(event.get(field, "")))


def _object_id(event: Event, field: str) -> str:
    value = event.get(field)
    return value if isinstance(value, str) and is_hex(value, 40, 64) else "0" * 40


def _is_null(object_id: str) -> bool:
    return not object_id.strip("0")
