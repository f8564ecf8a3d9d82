"""Merges that drop one side's change: they take a file as one parent has it, so there is no fact to judge (SPEC 6).

The verdict on such a merge hangs on the newest facts of the path, and stands for itself wherever a fact would. Choosing
a side where git could not merge is no such thing. Not here: how it is answered, which is as for any rogue edit.
"""

from __future__ import annotations

from typing import Any, Final

from sage_git.chronicle.event import Event, links_to
from sage_git.chronicle.ids import EventId
from sage_git.judgement.standing import Circumstance, Evidence
from sage_git.judgement.verdict import DETECTED_BY
from sage_git.observation.changes import Change
from sage_git.observation.commit import Commit
from sage_git.operations.judging.judge import Judge
from sage_git.operations.paths import path_text

_PERCENT: Final = "percent"


def verdict_on_drop(judge: Judge, commit: Commit, change: Change, heads: tuple[EventId, ...]) -> Event | None:
    """The verdict that a merge dropped a change, which left `heads`; None where it is covered, or nobody asks."""
    text = path_text(change.path)
    body: dict[str, Any] = {
        "type": "ROGUE_EDIT_DETECTED",
        "timestamp": commit.timestamp,
        "actor": commit.actor(),
        "graphCommit": commit.oid,
        "filePath": text,
        "hash": change.new_id,
        "lastHash": change.old_id,
        "detectedBy": DETECTED_BY,
        "reason": "merge",
    }
    if text.encode("utf-8", "surrogateescape") != change.path:
        body["pathEncoding"] = _PERCENT
    event = Event.own(body | links_to(heads))
    assert event.event_id is not None
    judge.prepare(event, Evidence(Circumstance.MERGE))
    return event if judge.standing(event.event_id).is_rogue else None
