"""Events in words: what happened, to what, by whom, and how it stands. Spans only; columns are `cli.log_text`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.payloads import VERDICT_TYPES
from sage_git.cli.text import Span, Style, cut_path, escape, span, width
from sage_git.operations.reading.history import ROGUE, Entry
from sage_git.operations.wording import SHORT, actor, short

__all__ = ["SHORT", "actor", "mark", "short", "statement", "strategy", "verb", "what"]

_LEAST_PATH: Final = 16
_VERBS: Final = {
    "FILE_ADDED": ("added", Style.ADDED),
    "FILE_EDITED": ("edited", Style.PLAIN),
    "FILE_REMOVED": ("removed", Style.REMOVED),
    "FILE_RENAMED": ("renamed", Style.MOVED),
    "FILE_SPLIT": ("split", Style.MOVED),
    "FILE_MERGED": ("merged", Style.MOVED),
}
_STRATEGIES: Final = {
    "merge": "clean merge",
    "conflict-resolution": "resolution",
    "plan": "planned",
    "rewrite": "rewrite",
    "reverted": "reverts",
    "backfill": "backfill",
}


def verb(event: Event) -> Span:
    """One word for what a fact says."""
    if event.type == "FILE_EDITED" and "mode" in event and event.get("lastHash") == event.get("hash"):
        return Span("mode")
    if event.type == ROGUE and event.get("reason") == "merge":
        return Span("dropped", Style.REMOVED)  # it stands alone: the merge left no fact
    if event.type in _VERBS:
        return Span(*_VERBS[event.type])
    return span(_plain_name(event.type))


def what(event: Event, columns: int | None) -> Span:
    """The paths that a fact is about, within `columns`."""
    match event.type:
        case "FILE_RENAMED":
            return Span(_move([_text(event, "oldPath")], [_text(event, "newPath")], columns))
        case "FILE_SPLIT":
            return Span(_move([_text(event, "originalPath")], _texts(event, "resultingPaths"), columns))
        case "FILE_MERGED":
            return Span(_move(_texts(event, "sourcePaths"), [_text(event, "resultPath")], columns))
        case _:
            path, more = escape(_text(event, "filePath") or event.subject or ""), _remark(event)
            if columns is None or width(path + more) <= columns:
                return Span(path + more)
            more = more if columns - width(more) >= _LEAST_PATH else ""
            return Span(cut_path(path, columns - width(more)) + more)


def mark(entry: Entry) -> Span:
    """How a fact or statement stands: unplanned, answered for, why it need not be, or not in HEAD's history."""
    if entry.event.type == "HALT_AND_REPORT":
        return Span("halted", Style.OPEN) if entry.is_open else Span("lifted", Style.FAINT)
    if entry.is_open:
        return Span("unplanned", Style.OPEN)
    if not entry.in_head:
        return Span("not in HEAD", Style.FAINT)
    verdicts = [each for each in (*entry.verdicts, entry.event) if each.type in VERDICT_TYPES and each.graph_commit]
    told = next((each for each in verdicts if each.type != ROGUE), None)  # whoever called it rogue did not know of that
    if told is not None:
        return span(strategy(_text(told, "reconciliationStrategy")), Style.FAINT)
    return Span("answered", Style.ANSWERED) if verdicts else Span("")


def strategy(name: str) -> str:
    """In a word or two why a fact need not be answered for. Not escaped."""
    return _STRATEGIES.get(name, name)


def statement(event: Event) -> str:
    """One sentence for a statement, not escaped."""
    if not event.line:
        return f"{_plain_name(event.type)}, redacted"
    said = _SENTENCES.get(event.type)
    words = said(event) if said else _plain_name(event.type)
    return " ".join(words.split(" "))


def _move(before: list[str], after: list[str], columns: int | None) -> str:
    """`before → after`; when that is too long the shared folder is said once, then many are counted, then cut."""
    left, right = list(map(escape, before)), list(map(escape, after))
    whole = f"{', '.join(left)} → {', '.join(right)}"
    if columns is None or width(whole) <= columns:
        return whole
    folded = _folded(left, right)
    if folded and width(folded) <= columns:
        return folded
    one, other = _few(left), _few(right)
    room = columns - 3
    last = min(width(other), max(room - width(one), room // 2))
    return f"{cut_path(one, room - last)} → {cut_path(other, last)}"


def _few(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{len(paths)} files"


def _folded(left: list[str], right: list[str]) -> str:
    """git's form for a rename, `src/{old → new}/name.py`; empty if the paths share neither a folder nor an end."""
    parts = [path.split("/") for path in left + right]
    most = min(map(len, parts)) - 1
    start = next((n for n in range(most) if len({path[n] for path in parts}) > 1), most)
    end = 0
    if len(parts) == 2:
        end = next((n for n in range(most - start + 1) if parts[0][-1 - n] != parts[1][-1 - n]), most - start)
    if not start and not end:
        return ""
    inner = ["/".join(path[start : len(path) - end]) for path in parts]
    before, after = ", ".join(inner[: len(left)]), ", ".join(inner[len(left) :])
    return "/".join([*parts[0][:start], f"{{{before} → {after}}}", *parts[0][len(parts[0]) - end :]])


def _remark(event: Event) -> str:
    if event.type == "FILE_ADDED" and "copiedFrom" in event:
        return f" (copied from {escape(_text(event, 'copiedFrom'))})"
    if event.type == "FILE_EDITED" and "mode" in event:
        return f" ({escape(_text(event, 'lastMode'))} → {escape(_text(event, 'mode'))})"
    return ""


def _plain_name(type_name: str) -> str:
    return type_name.lower().replace("_", " ") or "event without a type"


def _text(event: Event, field: str) -> str:
    value = event.get(field)
    return value if isinstance(value, str) else ""


def _texts(event: Event, field: str) -> list[str]:
    value = event.get(field)
    return [str(item) for item in value] if isinstance(value, list) else []


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _plan(event: Event) -> str:
    name = event.type.removeprefix("PLAN_").lower()
    why = next(filter(None, (_text(event, field) for field in ("summary", "justification", "reason"))), "")
    return f"plan {_text(event, 'planId')} {'forced as unsafe' if name == 'unsafe' else name}" + (
        f": {why}" if why else ""
    )


def _reconciliation(event: Event) -> str:
    resolved = len(_texts(event, "resolves"))
    count = f" for {resolved} edit{'s' if resolved != 1 else ''}" if resolved else ""
    why = _text(event, "justification")
    strategy = _text(event, "reconciliationStrategy")
    said = {"completed": f"plan {_text(event, 'planId')} done", "lifted": "halt lifted"}.get(strategy)
    return (said or f"{strategy or 'answered'}{count}") + (f": {why}" if why else "")


def _redaction(event: Event) -> str:
    return f"redacted {short(_text(event, 'redactedEventId'))}: {_text(event, 'reason')}"


_SENTENCES: Final[Mapping[str, Callable[[Event], str]]] = {
    "BUILD": lambda e: _joined(f"build {_text(e, 'status')}", _text(e, "buildId"), *_texts(e, "errors")[:1]),
    "DEPLOY": lambda e: _joined(
        f"deploy to {_text(e, 'environment')} {_text(e, 'status').replace('_', ' ')}", _text(e, "deploymentId")
    ),
    "ENVVAR_CHANGE": lambda e: f"variable {_text(e, 'variable')} {_text(e, 'operation')} in {_text(e, 'environment')}",
    "POSTMORTEM": lambda e: f"postmortem {_text(e, 'incidentId')}: {_text(e, 'title')}",
    "AGENT_ACTION": lambda e: _text(e, "action"),
    "HALT_AND_REPORT": lambda e: f"halt: {_text(e, 'invariant')}",
    "PLAN_DRAFTED": _plan,
    "PLAN_APPROVED": _plan,
    "PLAN_DENIED": _plan,
    "PLAN_UNSAFE": _plan,
    "RECONCILIATION": _reconciliation,
    "EVENT_REDACTED": _redaction,
    ROGUE: lambda e: f"unplanned edit of {_text(e, 'filePath')}",
}
