"""Plans as people see them: what a command did to one, and a list of them. One of them whole is `plan_show_text`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sage_git.cli.text import Line, Span, Style, cut, escape, pad, span, width

if TYPE_CHECKING:
    from sage_git.judgement.plan import Plan
    from sage_git.operations.planning.known import KnownPlans

_NAME_COLUMNS: Final = 30
_WHEN: Final = "%Y-%m-%d %H:%M"
STATE_STYLES: Final = {
    "approved": Style.ANSWERED,
    "unsafe": Style.OPEN,
    "drafted": Style.COMMIT,
    "denied": Style.REMOVED,
    "completed": Style.FAINT,
    "expired": Style.FAINT,
}


def drafted(plan: Plan, files: int) -> Iterator[Line]:
    """What a draft says, and what to do next."""
    from sage_git.operations.planning.drafting import futile_exceptions

    yield from _heading(plan, "is drafted")
    yield from content(plan)
    yield from steps(plan)
    few = "no file yet" if not files else f"{files:,} file{'' if files == 1 else 's'} now"
    yield [Span(f"  covers   {few}", Style.PLAIN if files else Style.COMMIT)]
    for pattern in futile_exceptions(plan.scope.texts):
        yield [span(f"  warning  '{pattern}' takes nothing out of the scope, as in a .gitignore", Style.OPEN)]
        yield [Span("           '!folder/' and '!folder/**' together take out a folder and all in it", Style.FAINT)]
    yield []
    yield [span(f"sage-git plan approve {plan.plan_id} -m WHY puts it in force")]


def approved(known: KnownPlans, plan: Plan) -> Iterator[Line]:
    """What an approval did, and what to do next."""
    from sage_git.operations.planning.deciding import approvals_missing
    from sage_git.operations.planning.known import IN_FORCE

    if known.state(plan) in IN_FORCE:
        yield from _heading(plan, f"is approved, and in force{_until(plan)}")
        yield []
        yield [span(f"sage-git plan use {plan.plan_id} lets the commits of this work tree name it")]
        return
    standing, wanted = approvals_missing(known, plan)
    yield from _heading(plan, f"has {standing} of the {wanted} approvals that the policy wants")
    yield []
    if standing < wanted and all(life.counts for life in plan.lives):
        yield [span(f"somebody else: sage-git plan approve {plan.plan_id} -m WHY")]
    else:
        yield [span("the policy counts only what is signed by a key in .sage/allowed_signers: --sign")]


def forced(_: KnownPlans, plan: Plan) -> Iterator[Line]:
    """What was overridden, and what to do next."""
    yield from _heading(plan, f"is forced, and in force{_until(plan)}; it is marked unsafe for ever")
    for warning in plan.events[-1].get("overriddenWarnings", ()):
        yield [Span("  past     "), span(str(warning), Style.OPEN)]
    yield []
    yield [span(f"sage-git plan use {plan.plan_id} lets the commits of this work tree name it")]


def ended(known: KnownPlans, plan: Plan) -> Iterator[Line]:
    """What a denial or the end of a plan did."""
    state = known.state(plan)
    word = "done" if state.value == "completed" else state.value
    yield from _heading(plan, f"is {word}{'; what commits did under it stays covered' if plan.terms else ''}")
    yield []
    yield [span("sage-git plan list shows what is open")]


def taken(_: KnownPlans, plan: Plan) -> Iterator[Line]:
    """What taking a plan into use means."""
    yield from _heading(plan, f"is in use in this work tree{_until(plan)}")
    yield from content(plan)
    yield []
    yield [Span("commits name it from now on; sage-git plan use --none ends that")]


def in_use(known: KnownPlans, plan: Plan) -> Iterator[Line]:
    """Which plan is in use, and whether that still means something."""
    from sage_git.operations.planning.known import IN_FORCE

    state = known.state(plan)
    yield from _heading(plan, f"is in use in this work tree, {state.value}{_until(plan)}")
    yield from content(plan)
    if state not in IN_FORCE:
        yield []
        yield [Span("it covers nothing any more; sage-git plan use --none, or another PLAN", Style.OPEN)]


def none_in_use(known: KnownPlans) -> Iterator[Line]:
    """That no plan is in use, and which could be."""
    from sage_git.operations.planning.known import IN_FORCE

    yield [Span("no plan is in use in this work tree")]
    yield []
    ready = [plan.plan_id for plan in known.sorted() if known.state(plan) in IN_FORCE]
    if ready:
        yield [span(f"sage-git plan use {ready[0] if len(ready) == 1 else 'PLAN'} takes one into use")]
    else:
        yield [Span("no plan is in force; sage-git plan list shows those that are open")]


def told_otherwise(plan_id: str) -> Line:
    """That the environment has its own word on the plan in use."""
    said = (
        f"SAGE_PLAN={plan_id} is set in this environment, and wins over it"
        if plan_id
        else "SAGE_PLAN= is set in this environment: commits name no plan"
    )
    return [span(said, Style.COMMIT)]


def listed(known: KnownPlans, plans: Sequence[Plan], chosen: str | None, hidden: int, columns: int) -> Iterator[Line]:
    """A line for each plan, and what is not shown."""
    names = [cut(escape(plan.plan_id), _NAME_COLUMNS) for plan in plans]
    room, state_room = max(map(width, names), default=0), max((len(known.state(each)) for each in plans), default=0)
    for plan, name in zip(plans, names, strict=True):
        state, until = known.state(plan).value, _until(plan).strip()
        left = columns - room - state_room - 6 - (width(until) + 2 if until else 0)
        summary = cut(escape(plan.summary), max(left, 12))
        yield [
            Span("* " if plan.plan_id == chosen else "  ", Style.ANSWERED),
            Span(pad(name, room), Style.STRONG),
            Span(f"  {pad(state, state_room)}", STATE_STYLES[state]),
            Span(f"  {pad(summary, max(left, 12)) if until else summary}"),
            Span(f"  {until}" if until else "", Style.FAINT),
        ]
    if not plans:
        yield [Span("no plan is open")]
    if hidden:
        yield [
            Span(f"  and {hidden:,} that {'is' if hidden == 1 else 'are'} over: sage-git plan list --all", Style.FAINT)
        ]
    elif not plans:
        yield []
        yield [Span("sage-git plan draft --summary WHAT --scope PATTERN drafts one")]


def _heading(plan: Plan, said: str) -> Iterator[Line]:
    yield [Span("plan "), span(plan.plan_id, Style.STRONG), span(f" {said}")]


def content(plan: Plan) -> Iterator[Line]:
    """What the plan is for, its scope and its end."""
    yield from labelled("what", plan.summary)
    for number, pattern in enumerate(plan.scope.texts):
        yield from labelled("" if number else "scope", pattern)
    if plan.expires_at is not None:
        yield from labelled("expires", _date(plan.expires_at))


def steps(plan: Plan) -> Iterator[Line]:
    """The steps, numbered."""
    for number, step in enumerate(plan.steps, 1):
        yield from labelled("steps" if number == 1 else "", f"{number}. {step}")


def labelled(label: str, text: str) -> Iterator[Line]:
    """A text behind its label."""
    yield [Span(f"  {label:<9}", Style.FAINT), span(text)]


def _until(plan: Plan) -> str:
    return "" if plan.expires_at is None else f" until {_date(plan.expires_at)}"


def _date(seconds: int) -> str:
    """A moment in the user's time zone."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().strftime(_WHEN)
    except (OverflowError, ValueError, OSError):
        return "the end of time" if seconds > 0 else "the beginning of time"
