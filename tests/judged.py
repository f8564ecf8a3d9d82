"""A recorded repository with plans and answers, at git's own time: what a test of judging begins with.

desk = Desk(repository)                        `sage-git init`, hooks off: whoever reads records first
claim = desk.approve("tidy-up", "src/**")      draft and approve; gives the line that a commit names it by
desk.finish("tidy-up"), desk.deny("tidy-up")   end it
desk.reconcile("src/app.py")                   answer for what is open there
desk.open_edits()                              what `status --json` calls open
desk.lines("src/app.py")                       what `blame --json` says

Commands run in this process, and a minute passes before each, as with the commits of tests.kit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.kit import FIRST_COMMIT_AT, GitRepository, run_here


def sage_at(now: datetime, where: Path, *arguments: str) -> str:
    """The standard output of `sage-git -C where …`, as if it were `now`."""
    date = f"{int(now.timestamp())} +0000"
    environment = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    finished = run_here("-C", str(where), *arguments, now=now, environment=environment)
    assert finished.returncode == 0, f"sage-git {arguments} exited with {finished.returncode}: {finished.stderr}"
    return finished.stdout


def approve(sage: Callable[..., str], plan: str, scope: str) -> str:
    """Draft a plan and approve it; gives the approval's id."""
    sage("plan", "draft", "--id", plan, "--summary", plan, "--scope", scope)
    said = json.loads(sage("plan", "approve", plan, "-m", "fine", "--json"))
    return next(str(event["eventId"]) for event in said["events"] if event["type"] == "PLAN_APPROVED")


class Desk:
    """Where plans are approved and edits answered for, in one clone."""

    def __init__(self, repository: GitRepository) -> None:
        self.repository = repository
        self.approvals: dict[str, str] = {}

    @classmethod
    def begin(cls, repository: GitRepository) -> Desk:
        """Begin the record, and leave no hook running."""
        desk = cls(repository)
        desk.sage("init")
        repository.git("config", "core.hooksPath", "/dev/null")
        return desk

    def copied(self, path: Path) -> Desk:
        """The same desk over a copy of the repository at `path`, for one test to change."""
        desk = Desk(self.repository.copied(path))
        desk.approvals = dict(self.approvals)
        return desk

    @property
    def now(self) -> datetime:
        return self.repository._now

    def tick(self) -> None:
        """Let a minute go by."""
        self.repository._now = FIRST_COMMIT_AT + timedelta(minutes=next(self.repository._clock))

    def sage(self, *arguments: str) -> str:
        self.tick()
        return sage_at(self.now, self.repository.path, *arguments)

    def approve(self, plan: str, scope: str) -> str:
        """Draft and approve; gives the line that names the plan."""
        self.approvals[plan] = approve(self.sage, plan, scope)
        return self.claim(plan)

    def claim(self, plan: str) -> str:
        return f"Sage-Plan: {plan} {self.approvals[plan][:16]}"

    def finish(self, plan: str) -> None:
        self.sage("plan", "done", plan)

    def deny(self, plan: str) -> None:
        self.sage("plan", "deny", plan, "-m", "no more")

    def reconcile(self, *what: str) -> None:
        self.sage("reconcile", *what, "-m", "it is what we want")

    def open_edits(self) -> list[dict[str, Any]]:
        """`openRogueEdits` of `status --json`."""
        edits: list[dict[str, Any]] = json.loads(self.sage("status", "--json"))["openRogueEdits"]
        return edits

    def lines(self, path: str) -> list[dict[str, Any]]:
        """The objects of `blame --json`."""
        return [json.loads(line) for line in self.sage("blame", "--json", path).splitlines()]
