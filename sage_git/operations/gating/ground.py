"""What the gate stands on: the policy for the next commit, the plans, and the halts that bind this clone.

The same for the compiled gate and for the one in Python, so that the two cannot disagree. Not here: what is staged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId
from sage_git.gitrepo import staged
from sage_git.judgement.coverage import LEAST_DIGITS, Claim, Plans, always, plans_of
from sage_git.judgement.plan import SUBJECT, Plan
from sage_git.judgement.policy import Policy
from sage_git.judgement.terms import Term
from sage_git.operations.checkout import CONFIG_PATH, Checkout
from sage_git.operations.gating.places import UNTOLD
from sage_git.operations.judging.policies import Policies
from sage_git.operations.subjects import WRITERS, is_subject_name, subject_lineage, subject_source
from sage_git.storage import queries

OWN_FOLDER: Final = ".sage/"
"""No exemption reaches what lies here."""


@dataclass(frozen=True, slots=True)
class Halt:
    """An open HALT_AND_REPORT. `path` is the source that it halts; None: the whole repository."""

    event: Event
    path: str | None

    def binds(self, path: str) -> bool:
        """True if the source at `path` must not change."""
        return self.path is None or self.path == path


class Ground:
    """The policy for the next commit on HEAD, all plans, and the halts that bind this clone; `now_s` is in seconds."""

    def __init__(self, checkout: Checkout, now_s: int) -> None:
        self._checkout = checkout
        self._policies = Policies(checkout)
        self.now_s = now_s

    @cached_property
    def policy(self) -> Policy:
        """The policy in force for the next commit. Raises GitFailed."""
        return self._policies.now()

    @property
    def config(self) -> str:
        """The blob of HEAD's config; `-` if it has none. Raises GitFailed."""
        return self._policies.config_at_head or UNTOLD

    @cached_property
    def plans(self) -> Plans:
        """Every plan, as that policy sees it."""
        approval = self.policy.approval
        return plans_of(self._said_of_plans(), approval, self._is_signed if approval.signed else always)

    @cached_property
    def halts(self) -> tuple[Halt, ...]:
        """The open halts that came from this clone, or are signed by somebody who is allowed to."""
        return tuple(self._halts())

    @property
    def is_judging(self) -> bool:
        """True once a plan was ever approved; before, there is nothing to be rogue against."""
        return self.plans.first_approval is not None

    def in_force(self, plan_id: str, at_s: int) -> tuple[Plan, Term] | None:
        """The plan of this id that is in force at that second, and its term; of several, the last drafted."""
        for plan in reversed(self.plans.versions(plan_id)):
            term = plan.term_at(at_s)
            if term is not None:
                return plan, term
        return None

    def to_be_covered(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `paths` that need a plan: what is exempt needs none, except under .sage/."""
        exempt = self.policy.rogue.exempt
        return tuple(path for path in paths if path.startswith(OWN_FOLDER) or not exempt.matches(path))

    def leaves_identity(self, config: bytes) -> bool:
        """True if `config`, about to become .sage/config.toml, has everything immutable as it is now."""
        from sage_git.errors import ConfigError
        from sage_git.judgement.policy import parse_policy

        try:
            return parse_policy(config).identity == self.policy.identity
        except ConfigError:
            return False

    def _said_of_plans(self) -> Iterator[Event]:
        events = self._checkout.index.events
        lineage = events.known_lineage(subject_lineage(SUBJECT) or "")
        if lineage is not None:
            for _, _, line in events.lines(events.component(lineage)):
                yield Event.from_line(line)

    def _halts(self) -> Iterator[Halt]:
        halts = queries.of_types(self._checkout.index.connection, "HALT_AND_REPORT")
        said = [row for row in halts if row.line is not None]
        if not said:
            return
        lifted = self._lifted()
        for row in said:
            if row.event_id in lifted:
                continue
            event = row.event
            subject = event.subject or ""
            if subject != WRITERS and self._policies.may_halt(event):
                is_source = bool(subject) and not is_subject_name(subject)
                yield Halt(event, _path_of(event, subject) if is_source else None)

    def _lifted(self) -> frozenset[EventId]:
        """The events that somebody answered for whose answer counts under the policy."""
        counts = self._is_signed if self.policy.approval.signed else always
        answers = (row.event for row in queries.answers(self._checkout.index.connection))
        named = (event.get("resolves") for event in answers if counts(event))
        return frozenset(name for names in named if isinstance(names, list) for name in names)

    def _is_signed(self, event: Event) -> bool:
        return "signature" in event and self._policies.is_signed(event, self._policies.signers_now())


def _path_of(event: Event, subject: str) -> str:
    """The source that `subject` names, as git has it."""
    from sage_git.operations.paths import raw_path  # most repositories have no halts

    return raw_path(event.fields, subject_source(subject)).decode("utf-8", "surrogateescape")


def claim_of(plan: Plan, term: Term) -> Claim:
    """What a commit under `plan` says in its message."""
    return Claim(plan.plan_id, term.approval[:LEAST_DIGITS])


def second_of_next_commit(checkout: Checkout, now_s: int) -> int:
    """The effective time of a commit on HEAD, which the environment may date: of it and its past the latest, till now.

    Raises GitFailed.
    """
    repository, commits = checkout.repository, checkout.index.commits
    if not repository.environment.get("GIT_COMMITTER_DATE"):
        return now_s
    dates = [staged.commit_second(repository)]
    head = repository.head()
    known = None if head is None else commits.known(head)
    if head is not None and known is not None:
        dates.append(known.effective if known.effective <= now_s else commits.latest_date(commits.reach(head), now_s))
    elif head is not None:  # from before the record, or not recorded yet: its own date is all that there is
        dates.append(staged.committed_second(repository, head))
    return max((date for date in dates if date <= now_s), default=now_s)


__all__ = ["CONFIG_PATH", "Ground", "Halt", "claim_of", "second_of_next_commit"]
