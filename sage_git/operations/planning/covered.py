"""What a plan covered: the files that it declares and that were touched, or not, and those touched that it does not.

Looked at are the commits in HEAD's history that name the plan, and what it covered without being named. Not here:
whether it covers (`judgement.coverage`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sage_git.operations.paths import path_text, raw_path
from sage_git.storage import queries

if TYPE_CHECKING:
    from sage_git.chronicle.event import Event
    from sage_git.chronicle.ids import EventId, ObjectId
    from sage_git.judgement.plan import Plan
    from sage_git.operations.judging.judge import Judge
    from sage_git.operations.reading.opening import Reading

_PATHS: Final = ("oldPath", "newPath", "filePath")
_PLANNED: Final = "plan"


@dataclass(frozen=True, slots=True)
class Touched:
    """A file that commits under the plan changed: how often, and how many of these changes nobody answers for."""

    path: str
    edits: int
    open: int


@dataclass(frozen=True, slots=True)
class Covered:
    """What became of a plan's scope; each list by path."""

    commits: int
    touched: tuple[Touched, ...]
    """In the scope."""
    untouched: tuple[str, ...]
    """In the scope and in HEAD."""
    undeclared: tuple[Touched, ...]
    """Not in the scope."""

    def as_json(self) -> dict[str, Any]:
        """The object of docs/cli.md."""
        return {
            "commits": self.commits,
            "touched": [_as_json(each) for each in self.touched],
            "untouched": list(self.untouched),
            "undeclared": [_as_json(each) for each in self.undeclared],
        }


def covered_by(reading: Reading, judge: Judge, plan: Plan) -> Covered:
    """What `plan` covered in HEAD's history."""
    commits = _commits_naming(reading, plan)
    edits: dict[str, int] = {}
    still_open: dict[str, int] = {}
    for fact in _facts(reading, judge, commits, plan):
        is_open = _is_open(reading, judge, fact)
        for path in _paths(fact):
            edits[path] = edits.get(path, 0) + 1
            still_open[path] = still_open.get(path, 0) + is_open
        if fact.graph_commit:
            commits.setdefault(fact.graph_commit)
    declared = declared_files(reading, plan)
    touched = [Touched(path, edits[path], still_open[path]) for path in sorted(edits)]
    return Covered(
        commits=len(commits),
        touched=tuple(each for each in touched if plan.has(each.path)),
        untouched=tuple(path for path in declared if path not in edits),
        undeclared=tuple(each for each in touched if not plan.has(each.path)),
    )


def declared_files(reading: Reading, plan: Plan) -> list[str]:
    """The sources in HEAD that the scope has, by path."""
    if reading.head is None:
        return []
    names = (path.decode("utf-8", "surrogateescape") for path in reading.repository.tracked_paths(reading.head))
    return sorted(filter(plan.has, names))


def _commits_naming(reading: Reading, plan: Plan) -> dict[ObjectId, None]:
    """The commits in HEAD's history whose message claims an approval of the plan."""
    approvals, reach = [life.approval for life in plan.lives], reading.readings.reach
    found: dict[ObjectId, None] = {}
    for commit, body in queries.claims_on(reading.readings.connection, plan.plan_id):
        claims = (claim for name, claim in json.loads(body) if name == plan.plan_id)
        place = reading.checkout.index.commits.place(commit)
        is_seen = place is not None and reach is not None and reach.has(place.chain, place.position)
        if is_seen and any(each.startswith(claim) for claim in claims for each in approvals):
            found.setdefault(commit)
    return found


def _facts(reading: Reading, judge: Judge, commits: dict[ObjectId, None], plan: Plan) -> Iterator[Event]:
    """The judged facts of `commits`, and those of others that the plan covered."""
    from sage_git.operations.judging.judge import is_judged

    connection = reading.readings.connection
    seen: set[EventId] = set()
    for commit in list(commits):
        for row in queries.by_commit_prefix(connection, commit):
            if is_judged(row.event):
                seen.add(row.event_id)
                yield row.event
    for row in queries.of_types(connection, "RECONCILIATION"):
        if row.place is None or row.line is None or row.event.get("planHash") != plan.plan_hash:
            continue
        parents = row.event.parents
        fact = reading.checkout.index.events.event(parents[0]) if parents and parents[0] not in seen else None
        if fact is not None and reading.readings.in_head(row) and judge.standing(parents[0]).ruling.value == _PLANNED:
            seen.add(parents[0])
            yield fact


def _is_open(reading: Reading, judge: Judge, fact: Event) -> bool:
    reach = reading.readings.reach
    return fact.event_id is not None and reach is not None and judge.is_open(fact.event_id, reach)


def _paths(fact: Event) -> list[str]:
    """The paths that a fact changes, as git has them."""
    named = (fact.get(field) for field in _PATHS)
    raw = (raw_path(fact, path) for path in named if isinstance(path, str))
    return [path.decode("utf-8", "surrogateescape") for path in raw]


def _as_json(touched: Touched) -> dict[str, Any]:
    path = path_text(touched.path.encode("utf-8", "surrogateescape"))
    return {"filePath": path, "edits": touched.edits, "open": touched.open}
