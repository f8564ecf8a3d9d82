"""Plans and halts as events, for tests that need them in force without the commands that make them.

They are said a day before the first commit of `tests.kit`, by Rae unless a test names somebody else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from sage_git import append_event
from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import plan_hash
from sage_git.operations.checkout import Checkout
from sage_git.operations.gating.in_use import use_plan
from sage_git.operations.setup.shims import install_dispatcher
from tests.kit import GitRepository

BEFORE = "2025-12-31T00:00:00.000Z"
NOW = {"GIT_COMMITTER_DATE": ""}
"""The environment of a commit that is made now, as people make them."""
RAE = {"agent": "test", "id": "Rae <rae@example.org>"}


def say(repository: GitRepository, subject: str, **fields: Any) -> Event:
    """The statement about a subject, or the source at a path, as it was appended."""
    name = f"{subject}.sage" if "/" in subject or "." in subject else f".sage/{subject}.sage"
    return append_event(str(repository.path / name), {"timestamp": BEFORE, "actor": RAE, **fields})


def draft(repository: GitRepository, plan_id: str, *scope: str, **more: Any) -> Event:
    """A draft of a plan for what `scope` matches."""
    plan = {"planId": plan_id, "summary": f"do {plan_id}", "steps": ["do it"], "scope": list(scope), **more}
    return say(repository, "plans", type="PLAN_DRAFTED", planHash=plan_hash(plan), **plan)


def approve(repository: GitRepository, plan: Event, **more: Any) -> Event:
    """Rae's approval of a plan."""
    same = {"planId": plan["planId"], "planHash": plan["planHash"]}
    fields = {"type": "PLAN_APPROVED", "reviewerId": RAE["id"], "justification": "looks right", **same, **more}
    return say(repository, "plans", **fields)


def deny(repository: GitRepository, plan: Event, **more: Any) -> Event:
    """Rae's denial of a plan."""
    same = {"planId": plan["planId"], "planHash": plan["planHash"]}
    fields = {"type": "PLAN_DENIED", "reviewerId": RAE["id"], "reason": "looks wrong", **same, **more}
    return say(repository, "plans", **fields)


def approved(repository: GitRepository, plan_id: str, *scope: str, **more: Any) -> Event:
    """The approval of a new plan for what `scope` matches."""
    return approve(repository, draft(repository, plan_id, *scope, **more))


def halt(repository: GitRepository, subject: str) -> Event:
    """A halt of the source at a path, or, for a subject, of the repository."""
    return say(
        repository, subject, type="HALT_AND_REPORT", invariant="tests are green", expected="0 failed", actual="1 failed"
    )


def use(repository: GitRepository, plan_id: str | None) -> None:
    """Take a plan into use in this work tree, or none."""
    with Checkout.open(repository.path, dict(os.environ)) as checkout:
        use_plan(checkout, plan_id)


def set_policy(repository: GitRepository, old: str, new: str) -> None:
    """Commit another setting in the config, past all hooks."""
    text = repository.read(".sage/config.toml")
    assert old in text
    repository.write(".sage/config.toml", text.replace(old, new))
    repository.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "another policy", ".sage/config.toml")


def count_starts(repository: GitRepository, folder: Path) -> Path:
    """A file that gets a line with the arguments whenever a hook starts Python; call it after `init`."""
    starts, stub = folder / "starts", folder / "interpreter"
    stub.write_text(f'#!/bin/sh\necho "$*" >>"{starts}"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    stub.chmod(0o755)
    install_dispatcher(repository.path / ".git" / "sage", str(stub))
    return starts
