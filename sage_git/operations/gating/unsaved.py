"""What the gate would say of a change to one file that is not even saved, so that an editor can say it first.

The same ground and rules as the gate's (`gate`, `ground`); it too knows nothing of who will commit, or when.
Not here: whether a file was changed, and what is staged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sage_git.gitrepo import staged
from sage_git.judgement.policy import Judged, Mode
from sage_git.operations.checkout import Checkout
from sage_git.operations.gating.ground import OWN_FOLDER, Ground, claim_of
from sage_git.operations.gating.places import plan_in_use


@dataclass(frozen=True, slots=True)
class Cover:
    """What would cover a change of one file: the plan in use, `would_cover` those in force that are not in use.

    `is_needed` is False where no change of the file is judged at all.
    """

    is_needed: bool = False
    is_refused: bool = False
    """True if the commit would be refused, not only told of."""
    plan: str | None = None
    is_covered: bool = False
    would_cover: tuple[str, ...] = ()
    drafted: tuple[str, ...] = ()
    """Plans with the file in their scope that nobody approved yet."""

    @property
    def is_lacking(self) -> bool:
        """True if a change of the file would be unplanned."""
        return self.is_needed and not self.is_covered


def cover_of(checkout: Checkout, path: str, change: Judged) -> Cover:
    """What would cover this kind of change to `path`, as of now. What git ignores or converts needs none.

    Raises GitFailed.
    """
    now_s = int(time.time())
    ground = Ground(checkout, now_s)
    rogue = ground.policy.rogue
    if rogue.mode is Mode.RECORD or not ground.is_judging or not ground.to_be_covered((path,)):
        return Cover()
    if change not in rogue.changes and not path.startswith(OWN_FOLDER):
        return Cover()
    if _is_ignored(checkout, path) or _is_converted(checkout, path):
        return Cover()
    covers = _covering(ground, path, "" if ground.policy.approval.self_approval else staged.author(checkout.repository))
    in_use = plan_in_use(checkout)
    is_covered = in_use is not None and covers(in_use)
    if ground.policy.approval.implicit and in_use is None:
        is_covered = ground.plans.implicitly_covering((path,), now_s, "").covers
    return Cover(
        is_needed=True,
        is_refused=rogue.mode is Mode.BLOCK,
        plan=in_use,
        is_covered=is_covered,
        would_cover=tuple(name for name in ground.plans if name != in_use and covers(name)),
        drafted=tuple(name for name in ground.plans if _is_drafted(ground, name, path)),
    )


def _covering(ground: Ground, path: str, author: str) -> Callable[[str], bool]:
    """Says of a plan's id whether it covers a change of `path` now."""

    def covers(plan_id: str) -> bool:
        found = ground.in_force(plan_id, ground.now_s)
        if found is None:
            return False
        return ground.plans.covering((claim_of(*found),), (path,), ground.now_s, author).covers

    return covers


def _is_drafted(ground: Ground, plan_id: str, path: str) -> bool:
    return any(plan.state(ground.now_s) == "drafted" and plan.has(path) for plan in ground.plans.versions(plan_id))


def _is_ignored(checkout: Checkout, path: str) -> bool:
    told = ("--others", "--ignored", "--exclude-standard", "-z", "--", path)
    return bool(checkout.repository.git("ls-files", *told))


def _is_converted(checkout: Checkout, path: str) -> bool:
    """True if git keeps another text than the file has, so that who sees only the file cannot tell what changed."""
    said = checkout.repository.git("check-attr", "-z", "filter", "ident", "working-tree-encoding", "--", path)
    values = said.split(b"\0")[2::3]
    return any(value not in (b"unspecified", b"unset") for value in values)
