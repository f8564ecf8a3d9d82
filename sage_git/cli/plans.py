"""`plan`: drafting, deciding, taking into use and looking at plans. How they look is `plans_text`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sage_git.cli import render
from sage_git.cli.plan_drafts import draft_meant, draft_options
from sage_git.cli.saying import clock_ms, decision_options, voice
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.cli.text import Line
    from sage_git.judgement.plan import Plan
    from sage_git.operations.planning.known import KnownPlans
    from sage_git.operations.reading.opening import Reading
    from sage_git.operations.statements.speaker import Voice

_ACTIONS: Final = {
    "draft": "say what is intended, and where",
    "approve": "put a plan in force",
    "deny": "refuse a plan, or end its force",
    "force": "put a plan in force past what stands against it; marked for ever",
    "use": "let the commits of this work tree name a plan, or none",
    "done": "end a plan that is carried out",
    "list": "show the plans that are open",
    "show": "show a plan, its life, and what it covered",
}


def register(commands: Any) -> None:
    """Add `plan` with its actions."""
    plan = commands.add_parser(
        "plan",
        description="plans: what may be changed, who approved it, and what it covered",
        usage="sage-git plan [ACTION …]",
        epilog="\n".join(f"  {name:<8} {what}" for name, what in _ACTIONS.items())
        + "\n\nsage-git plan ACTION --help tells of one; without an action, list.",
    )
    plan.set_defaults(run=list_command, all=False, json=False)
    actions = plan.add_subparsers(dest="action", metavar="ACTION", prog="sage-git plan")
    draft_options(_action(actions, "draft", "[OPTIONS] --summary WHAT --scope PATTERN", draft_command))
    for name, run in (("approve", approve_command), ("deny", deny_command), ("force", force_command)):
        parser = _action(actions, name, "[OPTIONS] PLAN -m WHY", run)
        _decision_options(parser, why_is_needed=True)
    _decision_options(_action(actions, "done", "[OPTIONS] PLAN [-m WHY]", done_command), why_is_needed=False)
    use = _action(actions, "use", "[OPTIONS] [PLAN]", use_command)
    use.add_argument("plan", nargs="?", metavar="PLAN", help="a plan in force; without it, say which is in use")
    use.add_argument("--none", action="store_true", help="work under no plan any more")
    render.reading_options(use)
    listing = _action(actions, "list", "[OPTIONS]", list_command)
    listing.add_argument("--all", action="store_true", help="also those that are done, denied or expired")
    render.reading_options(listing)
    show = _action(actions, "show", "[OPTIONS] PLAN", show_command)
    show.add_argument("plan", metavar="PLAN", help=_PLAN)
    render.reading_options(show)


_PLAN: Final = "a plan's id, the beginning of it, or the first digits of its hash"


def _action(
    actions: Any, name: str, usage: str, run: Callable[[argparse.Namespace, Surroundings], int]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, description=_ACTIONS[name], usage=f"sage-git plan {name} {usage}"
    )
    parser.set_defaults(run=run)
    return parser


def _decision_options(parser: argparse.ArgumentParser, *, why_is_needed: bool) -> None:
    parser.add_argument("plan", metavar="PLAN", help=_PLAN)
    parser.add_argument(
        "-m", "--message", required=why_is_needed, default="", metavar="WHY", help="why; it is a statement that stays"
    )
    decision_options(parser)
    render.reading_options(parser)


@dataclass(frozen=True, slots=True)
class _Desk:
    """An opened record with the plans in it, for one command."""

    reading: Reading
    known: KnownPlans
    arguments: argparse.Namespace
    surroundings: Surroundings

    @property
    def voice(self) -> Voice:
        """Who speaks. Raises UsageError, NotHere."""
        return voice(self.reading.repository, self.arguments, self.surroundings)

    def renewed(self) -> _Desk:
        """The same after something was said."""
        return _Desk(self.reading, _known(self.reading, self.surroundings), self.arguments, self.surroundings)

    def in_use(self) -> str | None:
        """The id of the plan in use in this work tree."""
        from sage_git.operations.gating.in_use import plan_in_use

        return plan_in_use(self.reading.checkout)

    def shown(self, plan: Plan, lines: Callable[[KnownPlans, Plan], Iterator[Line]]) -> None:
        """Answer with a plan, as JSON or in `lines`."""
        with render.screen(self.arguments, self.surroundings) as out:
            if self.arguments.json:
                out.json(self.known.as_json(plan, in_use=self.in_use()))
            else:
                out.lines(lines(self.known, plan))


def draft_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Draft a plan; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.planning.covered import declared_files
    from sage_git.operations.planning.drafting import draft_plan

    draft = draft_meant(arguments, surroundings)
    with _desk(arguments, surroundings) as desk:
        event = draft_plan(desk.reading.checkout, desk.known, draft, desk.voice)
        after = desk.renewed()
        plan = after.known.named(str(event["planId"]))
        files = 0 if arguments.json else len(declared_files(desk.reading, plan))
        after.shown(plan, lambda _, each: plans_text.drafted(each, files))
    return 0


def approve_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Approve a plan; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.planning.deciding import approve

    return _decide(arguments, surroundings, approve, plans_text.approved)


def deny_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Deny a plan; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.planning.deciding import deny

    return _decide(arguments, surroundings, deny, plans_text.ended)


def force_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Force a plan; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.planning.deciding import force

    return _decide(arguments, surroundings, force, plans_text.forced)


def done_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """End a plan; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.planning.deciding import complete

    return _decide(arguments, surroundings, complete, plans_text.ended)


def use_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Take a plan into use, or none, or say which is; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.gating.in_use import use_plan
    from sage_git.operations.planning.deciding import check_usable

    if arguments.plan and arguments.none:
        raise UsageError("plan use: a PLAN and --none contradict each other", remedy="give one of them")
    with _desk(arguments, surroundings) as desk:
        checkout = desk.reading.checkout
        if arguments.none:
            use_plan(checkout, None)
        elif arguments.plan:
            plan = desk.known.named(arguments.plan)
            check_usable(desk.known, plan)
            use_plan(checkout, plan.plan_id)
        chosen = desk.in_use()
        plan_in_use = desk.known.plans.get(chosen) if chosen else None
        if plan_in_use is not None:
            desk.shown(plan_in_use, plans_text.taken if arguments.plan else plans_text.in_use)
        with render.screen(arguments, surroundings) as out:
            if plan_in_use is None and arguments.json:
                out.json({"planId": None})
            elif plan_in_use is None:
                out.lines(plans_text.none_in_use(desk.known))
            if "SAGE_PLAN" in surroundings.environment and not arguments.json:
                out.line(*plans_text.told_otherwise(surroundings.environment["SAGE_PLAN"]))
    return 0


def list_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """List plans; 0."""
    from sage_git.cli import plans_text
    from sage_git.operations.planning.known import OPEN_STATES

    with _desk(arguments, surroundings) as desk:
        everything = desk.known.sorted()
        plans = [each for each in everything if arguments.all or desk.known.state(each) in OPEN_STATES]
        chosen = desk.in_use()
        with render.screen(arguments, surroundings, desk.reading.configured_pager) as out:
            if arguments.json:
                for plan in plans:
                    out.json(desk.known.as_json(plan, in_use=chosen))
            else:
                hidden = len(everything) - len(plans)
                out.lines(plans_text.listed(desk.known, plans, chosen, hidden, out.limit or out.measure))
    return 0


def show_command(arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    """Show a plan; 0."""
    from sage_git.cli import plan_show_text
    from sage_git.operations.planning.covered import covered_by

    with _desk(arguments, surroundings) as desk:
        plan = desk.known.named(arguments.plan)
        covered = covered_by(desk.reading, desk.reading.readings.judge, plan)
        chosen = desk.in_use()
        with render.screen(arguments, surroundings, desk.reading.configured_pager) as out:
            if arguments.json:
                out.json(desk.known.as_json(plan, in_use=chosen) | {"covered": covered.as_json()})
            else:
                shown = plan_show_text.Shown(desk.known, plan, covered, chosen, surroundings.now)
                out.lines(plan_show_text.whole(shown, out.limit or out.measure))
    return 0


def _decide(
    arguments: argparse.Namespace,
    surroundings: Surroundings,
    decide: Callable[..., object],
    lines: Callable[[KnownPlans, Plan], Iterator[Line]],
) -> int:
    """Say a decision about a plan and what follows from it; a plan that is over is not in use here any more; 0."""
    if not arguments.message.strip() and arguments.action != "done":
        raise UsageError(f"plan {arguments.action}: -m says nothing", remedy="say why; it is a statement that stays")
    from sage_git.operations.gating.in_use import use_plan
    from sage_git.operations.planning.known import IN_FORCE

    with _desk(arguments, surroundings) as desk:
        plan = desk.known.named(arguments.plan)
        if desk.arguments.message.strip() == "" and decide.__name__ != "complete":
            raise UsageError(
                f"plan {arguments.action}: -m says nothing", remedy="say why; it is a statement that stays"
            )
        decide(desk.reading.checkout, desk.known, plan, arguments.message.strip(), desk.voice)
        after = desk.renewed()
        plan = next(each for each in after.known if each.plan_hash == plan.plan_hash)
        if after.known.state(plan) not in IN_FORCE and desk.in_use() == plan.plan_id:
            use_plan(desk.reading.checkout, None)
        after.shown(plan, lines)
    return 0


@contextmanager
def _desk(arguments: argparse.Namespace, surroundings: Surroundings) -> Iterator[_Desk]:
    """The record around here with its plans."""
    from sage_git.operations.reading.opening import Reading

    with (
        render.Progress(surroundings, "recording commits") as progress,
        Reading.open(surroundings.cwd, surroundings.environment, progress) as reading,
    ):
        yield _Desk(reading, _known(reading, surroundings), arguments, surroundings)


def _known(reading: Reading, surroundings: Surroundings) -> KnownPlans:
    from sage_git.operations.planning.known import KnownPlans

    return KnownPlans.of(reading.checkout, clock_ms(surroundings) // 1000)
