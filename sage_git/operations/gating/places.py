"""Where the gate's files lie, and which plan `sage-git plan use` chose for a work tree.

gate/main, gate/worktrees/NAME      of one work tree: `plan` (one line, the plan's id) and `compiled` (compiling)
gate/scopes/                        exclude files, named by their content
gate/matcher.git, gate/empty/       an empty repository and work tree in which git matches paths
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sage_git.operations.checkout import Checkout

HEADING: Final = "sage-git gate 1"
UNTOLD: Final = "-"
"""Where a value would stand: there is none, or it is for Python to say."""
MAIN: Final = "main"
LINKED: Final = "worktrees"
_PLAN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def gate_folder(checkout: Checkout) -> Path:
    """Where all of the gate's files are."""
    return checkout.sage / "gate"


def work_tree_folder(checkout: Checkout) -> Path:
    """Where those of this work tree are; no linked one can be named like the main one's."""
    gate = gate_folder(checkout)
    return gate / LINKED / checkout.worktree if checkout.worktree else gate / MAIN


def plan_file(checkout: Checkout) -> Path:
    """The file that names the plan in use in this work tree."""
    return work_tree_folder(checkout) / "plan"


def compiled_file(checkout: Checkout) -> Path:
    """The compiled gate of this work tree."""
    return work_tree_folder(checkout) / "compiled"


def compiled_config(checkout: Checkout) -> str | None:
    """The blob of the config that this work tree's gate was compiled for; None if it is not there, or is no such."""
    try:
        heading, config, *_ = compiled_file(checkout).read_text("utf-8").split("\n", 2)
    except (OSError, ValueError):
        return None
    return config.removeprefix("config ") if heading == HEADING else None


def plan_in_use(checkout: Checkout) -> str | None:
    """The id of the plan that `plan use` chose for this work tree; None if none."""
    try:
        text = plan_file(checkout).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return text if _PLAN_ID.fullmatch(text) else None
