"""Evidence as the index keeps it: JSON with only what there is to say. Nobody else writes it."""

from __future__ import annotations

import json
from typing import Any

from sage_git.chronicle.ids import EventId
from sage_git.judgement.replay import Fit, Replay
from sage_git.judgement.standing import Circumstance, Evidence


def to_json(evidence: Evidence) -> str | None:
    """The JSON of `evidence`; None if there is nothing to say."""
    said: dict[str, Any] = {}
    if evidence.circumstance is not Circumstance.ORDINARY:
        said["circumstance"] = evidence.circumstance.value
    if evidence.replays:
        said["replays"] = [[replay.kind.value, *replay.chain] for replay in evidence.replays]
    if evidence.sides is not None:
        said["sides"] = evidence.sides
    if evidence.undoes:
        said["undoes"] = evidence.undoes
    return json.dumps(said) if said else None


def from_json(body: str) -> Evidence:
    """The evidence that `to_json` made `body` of."""
    said = json.loads(body)
    return Evidence(
        Circumstance(said.get("circumstance", Circumstance.ORDINARY.value)),
        tuple(Replay(tuple(map(EventId, chain)), Fit(kind)) for kind, *chain in said.get("replays", ())),
        None if "sides" not in said else tuple(map(EventId, said["sides"])),
        tuple(map(EventId, said.get("undoes", ()))),
    )
