"""workspace/executeCommand: what a client can have done or be told, as JSON. docs/editors.md has the table.

Each command gets one object; `uri` in it names a file or folder. All but `sage.line` and `sage.refresh` run in a
lane of the record. Not here: who may call them (`server`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lsp_server import wording
from lsp_server.actions import literal
from lsp_server.protocol import BadArgument
from lsp_server.waiting import Wanted
from lsp_server.workspaces import uri_of

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.judgement.plan import Plan
    from sage_git.operations.planning.known import KnownPlans
    from sage_git.operations.reading.history import Entry
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.statements.speaker import Voice

_FROM_HERE: Final = "from the editor"
_MOST_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One command's argument. `path` is that of its uri from the root of the work tree."""

    root: Path
    path: str
    fields: Mapping[str, Any]
    environment: Mapping[str, str]
    wanted: Wanted

    def text(self, name: str, default: str | None = None) -> str:
        """A string that must be there, or has a default. Raises BadArgument."""
        found = self.fields.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or not found.strip():
            raise BadArgument(f"the argument has no text '{name}'")
        return found.strip()

    def texts(self, name: str, default: list[str]) -> list[str]:
        """A list of strings. Raises BadArgument."""
        found = self.fields.get(name, default)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise BadArgument(f"'{name}' in the argument is no list of texts")
        return found

    def event_ids(self) -> list[str]:
        """The events that are named, at least one. Raises BadArgument."""
        return self.texts("eventIds", []) or [self.text("eventId")]

    def voice(self, reading: Reading) -> Voice:
        """Who speaks: the person that git knows, through this editor. Raises NotHere."""
        from sage_git.operations.signing import Wish
        from sage_git.operations.statements.speaker import Voice, speaker

        who = speaker(reading.repository, self.environment.get("SAGE_ACTOR", ""))
        return Voice(who, who["id"], int(time.time() * 1000), Wish())


def status(reading: Reading, asked: Asked) -> dict[str, Any]:
    """The state of the record, as `sage-git status --json`."""
    from sage_git.operations.gating.places import plan_in_use
    from sage_git.operations.reading.status import Detail, as_json, state_of

    state = state_of(asked.root, asked.environment, Detail.LINES)
    return as_json(state) | {"root": uri_of(asked.root), "planInUse": plan_in_use(reading.checkout)}


def plans(reading: Reading, _: Asked) -> list[dict[str, Any]]:
    """Every plan, those in force first, as `sage-git plan list --all --json`."""
    known = _known(reading)
    return [_plan(reading, known, plan) for plan in known.sorted()]


def history(reading: Reading, asked: Asked) -> list[dict[str, Any]]:
    """The events of a source or folder, newest first."""
    from itertools import islice

    from sage_git.operations.reading import before
    from sage_git.operations.reading.history import Selection
    from sage_git.operations.reading.opening import Follow

    source = reading.locate(asked.root, asked.path) if asked.path else None
    found, _ = reading.entries(Selection(), source, Follow.RENAMES)
    rows = [_row(entry) for entry in asked.wanted.rows(islice(found, _MOST_ROWS))]
    titles = before.titles(reading.repository, list({row["commit"]: None for row in rows if row["commit"]}))
    for row in rows:
        if row["commit"] in titles:
            row["subject"] = titles[row["commit"]].title or row["subject"]
    return rows


def show_diff(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Both sides of what an event did."""
    from sage_git.operations.reading.sides import sides_of

    sides = sides_of(reading, asked.text("eventId"))
    what = f"{wording.label(sides.event)}, {wording.short(sides.event.event_id)}"
    return {
        "title": f"{os.path.basename(sides.path)} ({what})",
        "filePath": sides.path,
        "before": _decoded(sides.before),
        "after": _decoded(sides.after),
    }


def difference(reading: Reading, asked: Asked) -> str:
    """What an event did, as git prints it."""
    from sage_git.operations.reading import explain

    event = explain.find(reading.readings, asked.text("eventId"))[0].event
    return explain.diff(reading.repository, event) or "What it changed is not here.\n"


def open_chronicle(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Where the sidecar of a source is, and, if an event is named, its line."""
    from sage_git.errors import NotHere
    from sage_git.operations.sidecars.placing import key_of, sidecar_of

    identity = reading.checkout.known_identity()
    path = os.fsencode(asked.path)
    file = asked.root / os.fsdecode(path if key_of(identity, path) else sidecar_of(identity, path))
    try:
        content = file.read_bytes()
    except OSError:
        raise NotHere(f"{asked.path} has no sidecar", remedy="sage-git log tells what is known of it") from None
    named = asked.fields.get("eventId")
    at = content.find(b'"eventId":"%s"' % named.encode()) if isinstance(named, str) and named else -1
    return {"uri": uri_of(file), "line": content.count(b"\n", 0, at) if at >= 0 else 0}


def plan_draft(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Draft a plan; without words, for the one file."""
    from sage_git.operations.planning.drafting import Draft, draft_plan

    name = asked.path or "all of it"
    scope = asked.texts("scope", [literal(asked.path)] if asked.path else ["*"])
    draft = Draft(asked.text("summary", f"work on {name}"), tuple(scope), plan_id=asked.text("planId", "") or "")
    event = draft_plan(reading.checkout, _known(reading), draft, asked.voice(reading))
    known = _known(reading)
    return _plan(reading, known, known.named(str(event["planId"])))


def plan_approve(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Approve a plan."""
    from sage_git.operations.planning.deciding import approve

    return _decided(reading, asked, approve)


def plan_deny(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Deny a plan; it is not in use any more."""
    from sage_git.operations.planning.deciding import deny

    return _decided(reading, asked, deny)


def plan_use(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Take a plan into use in this work tree, or, for null, none."""
    from sage_git.operations.gating.in_use import use_plan
    from sage_git.operations.planning.deciding import check_usable

    if "planId" in asked.fields and asked.fields["planId"] is None:
        use_plan(reading.checkout, None)
        return {"planId": None}
    known = _known(reading)
    plan = known.named(asked.text("planId"))
    check_usable(known, plan)
    use_plan(reading.checkout, plan.plan_id)
    return _plan(reading, known, plan)


def reconcile(reading: Reading, asked: Asked) -> dict[str, Any]:
    """Answer for unplanned edits, or lift halts, by their events."""
    from sage_git.errors import UsageError
    from sage_git.operations.statements import reconciling

    questions = reconciling.named(reading, asked.root, asked.event_ids())
    if questions.are_none:
        raise UsageError("nothing of that is open, so there is nothing to answer for")
    why = asked.text("justification", _FROM_HERE)
    answers = reconciling.reconcile(reading, questions, why, asked.voice(reading))
    return {"eventId": answers[0].event.event_id}


def restore_sidecar(reading: Reading, asked: Asked) -> None:
    """Have a sidecar show what the record says; what was wrong with it is kept beside the record."""
    from sage_git.operations.checking.repair import restore_sidecar as restore
    from sage_git.operations.sidecars.placing import key_of, sidecar_of

    identity, path = reading.checkout.known_identity(), os.fsencode(asked.path)
    restore(reading.checkout, path if key_of(identity, path) else sidecar_of(identity, path))


def _decided(reading: Reading, asked: Asked, decide: Callable[..., object]) -> dict[str, Any]:
    from sage_git.operations.gating.in_use import plan_in_use, use_plan
    from sage_git.operations.planning.known import IN_FORCE

    known = _known(reading)
    plan = known.named(asked.text("planId"))
    decide(reading.checkout, known, plan, asked.text("justification", _FROM_HERE), asked.voice(reading))
    after = _known(reading)
    plan = next(each for each in after if each.plan_hash == plan.plan_hash)
    if after.state(plan) not in IN_FORCE and plan_in_use(reading.checkout) == plan.plan_id:
        use_plan(reading.checkout, None)
    return _plan(reading, after, plan)


def _known(reading: Reading) -> KnownPlans:
    from sage_git.operations.planning.known import KnownPlans

    return KnownPlans.of(reading.checkout, int(time.time()))


def _plan(reading: Reading, known: KnownPlans, plan: Plan) -> dict[str, Any]:
    from sage_git.operations.gating.places import plan_in_use

    return known.as_json(plan, in_use=plan_in_use(reading.checkout)) | {"draftedBy": plan.drafted_by}


def _row(entry: Entry) -> dict[str, Any]:
    event = entry.event
    plan = next((each.get("planId") for each in entry.events if isinstance(each.get("planId"), str)), None)
    return {
        "eventId": event.event_id,
        "type": event.type,
        "label": wording.label(event),
        "subject": wording.why(event),
        "actor": wording.actor(event.actor),
        "timestamp": event.timestamp,
        "commit": event.graph_commit,
        "filePath": event.get("newPath") or event.get("filePath") or event.subject,
        "planId": plan,
        "standing": _standing(entry, event, plan),
        "open": entry.is_open,
    }


def _standing(entry: Entry, event: Event, plan: str | None) -> str | None:
    if entry.is_open:
        return "unplanned"
    if any(verdict.type == "ROGUE_EDIT_DETECTED" for verdict in entry.verdicts):
        return "answered"
    return "planned" if plan is not None and event.graph_commit is not None else None


def _decoded(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


Run = Callable[["Reading", Asked], Any]
READING: Final[Mapping[str, Run]] = {
    "sage.status": status,
    "sage.plans": plans,
    "sage.history": history,
    "sage.showDiff": show_diff,
    "sage.openChronicle": open_chronicle,
}
WRITING: Final[Mapping[str, Run]] = {
    "sage.planDraft": plan_draft,
    "sage.planApprove": plan_approve,
    "sage.planDeny": plan_deny,
    "sage.planUse": plan_use,
    "sage.reconcile": reconcile,
    "sage.restoreSidecar": restore_sidecar,
}
