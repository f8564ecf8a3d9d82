"""Code actions: what to do about what is wrong in a range, as commands that the client sends back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lsprotocol.types import CodeAction, CodeActionKind, Command, Diagnostic, Range

from lsp_server.documents import Document
from lsp_server.hover import origin_at
from lsp_server.markdown import visible
from lsp_server.regions import open_regions
from lsp_server.workspaces import Known, KnownChronicle

_MOST_PLANS = 5


def of_source(known: Known, document: Document, where: Range, told: Sequence[Diagnostic]) -> Iterator[CodeAction]:
    """What can be done about the lines of a range."""
    first, last = where.start.line, max(where.start.line, where.end.line)
    uri = document.uri
    answers = [
        placed.answer_to for placed in open_regions(known, document) if placed.first <= last and first <= placed.last
    ]
    answers += [event for each in told if each.code == "open-rogue-edit" and (event := _event_of(each)) is not None]
    wanted = list(dict.fromkeys(event for event in answers if event is not None))
    about = [each for each in told if each.code == "open-rogue-edit"]
    for event in wanted:
        yield _fix("Answer for this unplanned edit", "sage.reconcile", {"uri": uri, "eventId": event}, about)
    if len(wanted) > 1:
        told_all = {"uri": uri, "eventId": wanted[0], "eventIds": wanted}
        yield _fix(f"Answer for all {len(wanted)} unplanned edits here", "sage.reconcile", told_all, about)
    yield from _plans(known, document, first, last, told)
    origin = origin_at(known, document, first)
    if origin is not None and origin.fact is not None:
        given = {"uri": uri, "eventId": origin.fact.event_id}
        yield _plain("Show what changed with this line", "sage.showDiff", given)
    if known.story.events:
        yield _plain("Open the chronicle of this file", "sage.openChronicle", {"uri": uri})


def of_chronicle(known: KnownChronicle, document: Document, told: Sequence[Diagnostic]) -> Iterator[CodeAction]:
    """What can be done about a sidecar: have it show what the record says."""
    if known.expected is not None and any(flaw.code.startswith("line-") for flaw in known.flaws):
        yield _fix("Restore this chronicle from the record", "sage.restoreSidecar", {"uri": document.uri}, list(told))


def _plans(known: Known, document: Document, first: int, last: int, told: Sequence[Diagnostic]) -> Iterator[CodeAction]:
    changed = known.placement(document).changed
    here = any(start <= last and first <= max(end - 1, start) for start, end in changed)
    about = [each for each in told if each.code == "uncovered"]
    if not known.cover.is_lacking or not (here or about):
        return
    uri = document.uri
    for plan in known.cover.would_cover[:_MOST_PLANS]:
        yield _fix(f"Work under plan {plan}", "sage.planUse", {"uri": uri, "planId": plan}, about)
    for plan in known.cover.drafted[:_MOST_PLANS]:
        yield _fix(f"Approve plan {plan}", "sage.planApprove", {"uri": uri, "planId": plan}, about)
    yield _fix("Draft a plan for this file", "sage.planDraft", {"uri": uri, "scope": [literal(known.path)]}, about)


def only(found: list[CodeAction], kinds: Sequence[str] | None) -> list[CodeAction]:
    """Those of the kinds that the client asked for."""
    return [each for each in found if not kinds or any((each.kind or "").startswith(kind) for kind in kinds)]


def literal(path: str) -> str:
    """The pattern that matches just this path."""
    escaped = "".join(f"\\{character}" if character in "*?[\\" else character for character in path)
    return f"/{escaped}"


def _event_of(diagnostic: Diagnostic) -> str | None:
    found = diagnostic.data.get("eventId") if isinstance(diagnostic.data, dict) else None
    return found if isinstance(found, str) else None


def _fix(title: str, command: str, argument: dict[str, Any], about: list[Diagnostic]) -> CodeAction:
    title = visible(title)
    return CodeAction(
        title,
        kind=CodeActionKind.QuickFix,
        diagnostics=about or None,
        command=Command(title, command, arguments=[argument]),
    )


def _plain(title: str, command: str, argument: dict[str, Any]) -> CodeAction:
    return CodeAction(title, kind=CodeActionKind.Empty, command=Command(title, command, arguments=[argument]))
