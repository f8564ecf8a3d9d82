"""The gate in Python: which staged changes no plan in use covers, and which are of halted sources (SPEC 6.3, 7).

It judges what a commit changes in HEAD, an amend too, since git tells a hook nothing of an amend: what the amended
commit did was judged when it was made. Edits that git makes again (a rebase, a cherry-pick, a squash merge) cannot be
told from new ones before they are commits, so there only halts count, and the recorder judges afterwards. Of a merge,
what git merged by itself answers for itself; of one that a person finished, what differs from every parent counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sage_git.gitrepo import staged
from sage_git.gitrepo.staged import StagedChange, Underway
from sage_git.judgement.coverage import Claim, Flaw
from sage_git.judgement.policy import Judged, Mode
from sage_git.operations.checkout import CONFIG_PATH, Checkout
from sage_git.operations.gating.ground import OWN_FOLDER, Ground, Halt, claim_of, second_of_next_commit
from sage_git.operations.gating.places import compiled_config, plan_in_use

_KINDS: Final = {"A": Judged.ADD, "D": Judged.REMOVE, "R": Judged.RENAME}


class GateHook(StrEnum):
    """The hooks of git that have a gate."""

    PRE_COMMIT = "pre-commit"
    PRE_MERGE_COMMIT = "pre-merge-commit"


@dataclass(frozen=True, slots=True)
class GateWish:
    """What the gate is asked. `index` is what git is about to commit, None: the repository's own index.

    `plan` is the plan that the environment names: "" none, None: it names none, so that `plan use` decides.
    """

    hook: GateHook
    index: Path | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A staged change that needs a plan and has none: its paths, and what is wrong with the plan in use."""

    paths: tuple[str, ...]
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True)
class GateReport:
    """What stands against the commit. `plan` is the one in use, `would_cover` those in force that cover all of it."""

    mode: Mode
    uncovered: tuple[Uncovered, ...] = ()
    halted: tuple[tuple[Halt, tuple[str, ...]], ...] = ()
    plan: str | None = None
    would_cover: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        """True if the commit must not be made."""
        return bool(self.halted) or (bool(self.uncovered) and self.mode is Mode.BLOCK)


def judge_staged(checkout: Checkout, wish: GateWish) -> GateReport:
    """What stands against committing what is staged, as the index has the record. Raises GitFailed, StorageError."""
    ground = Ground(checkout, int(time.time()))
    report = _judge(checkout, ground, wish)
    if compiled_config(checkout) != ground.config:
        from sage_git.operations.gating.compiling import compile_gate  # so that the next commit need not ask again

        compile_gate(checkout)
    return report


def _judge(checkout: Checkout, ground: Ground, wish: GateWish) -> GateReport:
    mode = ground.policy.rogue.mode
    if mode is Mode.RECORD or not (ground.is_judging or ground.halts):
        return GateReport(mode)
    halted = tuple(_halted(ground, staged.staged_changes(checkout.repository, wish.index))) if ground.halts else ()
    case = _case(checkout, ground, wish) if ground.is_judging else None
    if case is None:
        return GateReport(mode, halted=halted)
    uncovered = tuple(case.uncovered())
    return GateReport(mode, uncovered, halted, case.plan_id, case.would_cover() if uncovered else ())


def _halted(ground: Ground, changes: Iterable[StagedChange]) -> Iterator[tuple[Halt, tuple[str, ...]]]:
    """The halts that bind what is staged, each with the paths that it halts."""
    paths = dict.fromkeys(path for change in changes for path in change.paths)
    for halt in ground.halts:
        if bound := tuple(filter(halt.binds, paths)):
            yield halt, bound


def _case(checkout: Checkout, ground: Ground, wish: GateWish) -> _Case | None:
    """The staged changes that need a plan, and who makes them when; None if there are none."""
    repository = checkout.repository
    underway = staged.underway(repository)
    if wish.hook is GateHook.PRE_MERGE_COMMIT or underway is Underway.REPLAY:
        return None
    look = staged.resolved_changes if underway is Underway.MERGE else staged.staged_changes
    changes = [(change, facts) for change in look(repository, wish.index) if (facts := _facts(ground, change))]
    first = ground.plans.first_approval
    at_s = second_of_next_commit(checkout, ground.now_s) if changes else 0
    if first is None or at_s < first:
        return None
    plan_id = plan_in_use(checkout) if wish.plan is None else wish.plan or None
    forbidden = tuple(change for change, _ in changes if not _leaves_identity(checkout, ground, wish, change))
    author = "" if ground.policy.approval.self_approval else staged.author(repository)  # it matters only there
    return _Case(ground, tuple(changes), forbidden, plan_id, at_s, author)


def _facts(ground: Ground, change: StagedChange) -> tuple[tuple[str, ...], ...]:
    """The paths of each fact that the change will make and that is judged, less what is exempt."""
    kind = _KINDS.get(change.status, Judged.EDIT)
    facts = [(kind, change.paths)]
    if kind is Judged.RENAME and change.has_new_content:
        facts.append((Judged.EDIT, change.paths[1:]))
    wanted = ((kind, paths, ground.to_be_covered(paths)) for kind, paths in facts)
    return tuple(
        needed
        for kind, paths, needed in wanted
        if needed and (kind in ground.policy.rogue.changes or any(path.startswith(OWN_FOLDER) for path in paths))
    )


def _leaves_identity(checkout: Checkout, ground: Ground, wish: GateWish, change: StagedChange) -> bool:
    """False if the config goes away, or says otherwise what nobody may change."""
    if CONFIG_PATH not in change.paths:
        return True
    if change.status == "D" or change.paths[-1] != CONFIG_PATH:
        return False
    return ground.leaves_identity(checkout.repository.git("cat-file", "blob", f":{CONFIG_PATH}", index=wish.index))


@dataclass(frozen=True, slots=True)
class _Case:
    """What a commit is about to do, under which plan, at which second, by whom."""

    ground: Ground
    changes: tuple[tuple[StagedChange, tuple[tuple[str, ...], ...]], ...]
    forbidden: tuple[StagedChange, ...]
    plan_id: str | None
    at_s: int
    author: str

    def uncovered(self) -> Iterator[Uncovered]:
        """The changes that the commit would not answer for."""
        plans = self.ground.plans
        claims = self._claims(self.plan_id)
        for change, facts in self.changes:
            found = [plans.covering(claims, paths, self.at_s, self.author) for paths in facts]
            if self.ground.policy.approval.implicit and not claims:
                found = [plans.implicitly_covering(paths, self.at_s, self.author) for paths in facts]
            lacking = [coverage for coverage in found if not coverage.covers]
            if change in self.forbidden:
                yield Uncovered(change.paths)
            elif lacking:
                yield Uncovered(change.paths, next((each.code for each in lacking[0].problems), self._flaw()))

    def would_cover(self) -> tuple[str, ...]:
        """The plans that would cover all of it if they were in use."""
        every = tuple(paths for _, facts in self.changes for paths in facts)
        return tuple(plan_id for plan_id in self.ground.plans if not self.forbidden and self._covers(plan_id, every))

    def _covers(self, plan_id: str, every: Iterable[tuple[str, ...]]) -> bool:
        claims = self._claims(plan_id)
        return bool(claims) and all(
            self.ground.plans.covering(claims, paths, self.at_s, self.author).covers for paths in every
        )

    def _claims(self, plan_id: str | None) -> tuple[Claim, ...]:
        """What prepare-commit-msg will write into the message: nothing if the plan is not in force."""
        found = None if plan_id is None else self.ground.in_force(plan_id, self.at_s)
        return () if found is None else (claim_of(*found),)

    def _flaw(self) -> Flaw | None:
        """What is wrong with the plan in use, if it is not even in force."""
        if self.plan_id is None:
            return None
        return Flaw.NOT_IN_FORCE if self.plan_id in self.ground.plans else Flaw.UNKNOWN_PLAN
