"""Taking a plan into use in one work tree, so that its commits name it. Not here: whether the plan is in force."""

from __future__ import annotations

from sage_git.operations.checkout import Checkout
from sage_git.operations.gating.compiling import compile_gate
from sage_git.operations.gating.places import plan_file, plan_in_use
from sage_git.storage.durable import make_directory, replace_file, told_as

__all__ = ["plan_in_use", "use_plan"]


def use_plan(checkout: Checkout, plan_id: str | None) -> None:
    """Work under this plan from now on, or, for None, under none. Raises StorageError."""
    path = plan_file(checkout)
    if plan_id is None:
        with told_as(path, "remove"):
            path.unlink(missing_ok=True)
    else:
        make_directory(path.parent)
        replace_file(path, f"{plan_id}\n".encode("ascii"))
    compile_gate(checkout)
