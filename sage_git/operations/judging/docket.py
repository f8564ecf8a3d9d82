"""What the rules ask about facts (`judgement.standing.Docket`), answered from the index, the policies and git.

Not here: the rules, and which answers there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, Protocol

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import EventId, ObjectId
from sage_git.judgement.coverage import Claim, Coverage, Plans, plans_of
from sage_git.judgement.plan import SUBJECT, State
from sage_git.judgement.policy import Approval, Judged, Policy
from sage_git.judgement.standing import Case, Evidence, Reason, Treatment
from sage_git.judgement.terms import person
from sage_git.operations.checkout import CONFIG_PATH, Checkout
from sage_git.operations.judging.about import what_is_left
from sage_git.operations.judging.evidence import from_json
from sage_git.operations.judging.policies import Policies
from sage_git.operations.paths import raw_path
from sage_git.storage import queries
from sage_git.storage.index import Reach

_OURS: Final = ".sage/"
_KINDS: Final = {
    "FILE_ADDED": (Judged.ADD, Reason.ADD),
    "FILE_REMOVED": (Judged.REMOVE, Reason.REMOVE),
    "FILE_RENAMED": (Judged.RENAME, Reason.RENAME),
    "FILE_EDITED": (Judged.EDIT, Reason.EDIT),
    "ROGUE_EDIT_DETECTED": (Judged.EDIT, Reason.MERGE),  # of a merge that dropped a change
}
_NOTHING: Final = Evidence()


class KnowsAnswers(Protocol):
    """Which answers there are (`answers`)."""

    def since(self, fact: EventId) -> int | None: ...


class Docket:
    """The facts of one index. `now` is in seconds; dates after it count for nothing (SPEC 6.1)."""

    answers: KnowsAnswers

    def __init__(
        self, checkout: Checkout, now: int, extra: Iterable[Event] = (), policies: Policies | None = None
    ) -> None:
        self._index = checkout.index
        self._now = now
        self.policies = policies or Policies(checkout)
        lineage = self._index.events.known_lineage(f"subject:{SUBJECT}")
        components = () if lineage is None else (self._index.events.component(lineage),)
        kept = [row.event for row in queries.of_components(self._index.connection, components) if row.line is not None]
        said = [event for event in extra if event.subject == SUBJECT]
        self._plan_events = list({event.event_id: event for event in (*kept, *said)}.values())
        self._plans: dict[tuple[Approval, ObjectId | None], Plans] = {}
        self._effective: dict[ObjectId, int] = {}
        self._reach: tuple[ObjectId, Reach] | None = None
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered of single facts."""
        self._facts: dict[EventId, Event] = {}
        self._evidence: dict[EventId, Evidence] = {}
        self._cases: dict[EventId, Case] = {}
        self._claims: dict[ObjectId, tuple[Claim, ...]] = {}
        self._fresh: dict[EventId, list[EventId]] = {}  # what takes back what, of facts that are being entered

    def prepare(self, fact: Event, evidence: Evidence) -> None:
        """Take what was just found out of a fact, without asking the index for it again."""
        assert fact.event_id is not None
        self._facts[fact.event_id], self._evidence[fact.event_id] = fact, evidence
        for undone in evidence.undoes:
            self._fresh.setdefault(undone, []).append(fact.event_id)

    def fact(self, fact: EventId) -> Event | None:
        """The event of a fact; None if it is not known, or nothing but its id is."""
        found = self._facts.get(fact) or self._index.events.event(fact)
        if found is None and self._index.events.node(fact) is not None:
            found = what_is_left(self._index.connection, fact)
        if found is not None:
            self._facts[fact] = found
        return found

    def case(self, fact: EventId) -> Case | None:
        """See `judgement.standing.Docket`."""
        found = self._cases.get(fact)
        if found is None:
            event = self.fact(fact)
            found = None if event is None else self._case(fact, event)
            if found is not None:  # what is not known yet may come
                self._cases[fact] = found
        return found

    def evidence(self, fact: EventId) -> Evidence:
        """See `judgement.standing.Docket`."""
        found = self._evidence.get(fact)
        if found is None:
            node = self._index.events.node(fact)
            body = None if node is None else self._index.evidence.of(node.number)
            found = self._evidence[fact] = _NOTHING if body is None else from_json(body)
        return found

    def coverage(self, fact: EventId) -> Coverage | None:
        """See `judgement.standing.Docket`."""
        event = self.fact(fact)
        return None if event is None or event.graph_commit is None else self._coverage(fact, event, event.graph_commit)

    def _coverage(self, fact: EventId, event: Event, under: ObjectId) -> Coverage | None:
        """What becomes of the plans that a fact's commit names under the policy that is in force for `under`."""
        case = self.case(fact)
        if case is None or event.graph_commit is None:
            return None
        claims, policy = self._claims_of(event.graph_commit), self.policies.before(under)
        if not claims and not policy.approval.implicit:
            return None
        author = str(event.actor.get("id", ""))
        wanted = _to_be_covered(policy, _raw_paths(event))
        plans = self.plans_for(under)
        found = plans.covering(claims, wanted, case.at, author)
        if found.plan is None and policy.approval.implicit and not claims:
            found = plans.implicitly_covering(wanted, case.at, author)
        return found

    def is_its_own_ground(self, fact: EventId) -> bool:
        """See `judgement.standing.Docket`."""
        coverage = self.coverage(fact)
        return (coverage is not None and coverage.plan is not None) or self._is_exempt(fact)

    def may_be_replayed(self, fact: EventId, case: Case) -> bool:
        """See `judgement.standing.Docket`. The plan of a replay is that of what it replays, and holds for both."""
        event, replay = self.fact(fact), self.fact(case.fact)
        if event is None or replay is None or replay.graph_commit is None or self._is_exempt(fact):
            return False
        here = self._coverage(fact, event, replay.graph_commit)
        if here is None or here.plan is None or here.plan.state(case.at) is State.DENIED:
            return False
        return all(map(here.plan.has, _to_be_covered(self.policies.before(replay.graph_commit), _raw_paths(replay))))

    def undone_by(self, fact: EventId) -> Iterable[EventId]:
        """See `judgement.standing.Docket`."""
        found: dict[EventId, None] = {}
        for name in (fact, *self._edits_with(fact)):
            node = self._index.events.node(name)
            numbers = () if node is None else self._index.evidence.undone_by(node.number)
            kept = queries.ids_of(self._index.connection, numbers)  # found out anew since, it may be another's
            found |= dict.fromkeys(each for each in kept if name in self.evidence(each).undoes)
            found |= dict.fromkeys(self._fresh.get(name, ()))
        return found

    def _edits_with(self, fact: EventId) -> list[EventId]:
        """What was edited together with a rename: both are taken back as one."""
        event = self.fact(fact)
        if event is None or event.type != "FILE_RENAMED" or event.graph_commit is None:
            return []
        rows = queries.of_commit(self._index.connection, event.graph_commit)
        return [row.event_id for row in rows if row.type == "FILE_EDITED" and row.event.parents[:1] == (fact,)]

    def follows(self, later: EventId, earlier: EventId) -> bool:
        """See `judgement.standing.Docket`."""
        one, other = self.fact(later), self.fact(earlier)
        place = None if other is None else self._index.commits.place(other.graph_commit)
        if one is None or one.graph_commit is None or place is None:
            return False
        return self._reach_of(one.graph_commit).has(place.chain, place.position)

    def _reach_of(self, commit: ObjectId) -> Reach:
        if self._reach is None or self._reach[0] != commit:
            self._reach = commit, self._index.commits.reach(commit)
        return self._reach[1]

    def answered_since(self, fact: EventId) -> int | None:
        """See `judgement.standing.Docket`."""
        return self.answers.since(fact)

    def may_answer(self, answer: Event, fact: Event, under: ObjectId | None = None) -> bool:
        """True if the policy in force for `under`, else for the fact's commit, lets this statement answer for it."""
        commit = under or fact.graph_commit
        approval = (self.policies.before(commit) if commit else self.policies.now()).approval
        reviewer = str(answer.get("reviewerId") or answer.actor.get("id", ""))
        if not approval.self_approval and person(reviewer) == person(str(fact.actor.get("id", ""))):
            return False
        signers = self.policies.signers_before(commit) if commit else None
        return not approval.signed or self.policies.is_signed(answer, signers)

    def plans_now(self) -> Plans:
        """The plans under the policy for the next commit."""
        approval = self.policies.now().approval
        return self._plans_under(approval, self.policies.signers_now() if approval.signed else None)

    def plans_for(self, commit: ObjectId) -> Plans:
        """The plans under the policy in force for an observed commit."""
        approval = self.policies.before(commit).approval
        return self._plans_under(approval, self.policies.signers_before(commit) if approval.signed else None)

    def at(self, commit: ObjectId) -> int:
        """The effective time of an observed commit, in seconds."""
        found = self._effective.get(commit)
        if found is None:
            known = self._index.commits.known(commit)
            found = self._now if known is None else known.effective
            if found > self._now:
                found = self._index.commits.latest_date(self._index.commits.reach(commit), self._now)
            self._effective[commit] = found
        return found

    def _plans_under(self, approval: Approval, signers: ObjectId | None) -> Plans:
        key = approval, signers
        if key not in self._plans:
            if approval.signed:
                is_signed = self.policies.is_signed
                self._plans[key] = plans_of(self._plan_events, approval, lambda event: is_signed(event, signers))
            else:
                self._plans[key] = plans_of(self._plan_events, approval)
        return self._plans[key]

    def _claims_of(self, commit: ObjectId) -> tuple[Claim, ...]:
        found = self._claims.get(commit)
        if found is None:
            known = self._index.commits.known(commit)
            body = None if known is None else self._index.evidence.claims(known.number)
            found = tuple(Claim(*each) for each in json.loads(body)) if body else ()
            self._claims[commit] = found
        return found

    def _case(self, fact: EventId, event: Event) -> Case | None:
        commit, kind = event.graph_commit, _KINDS.get(event.type)
        if commit is None or kind is None or self._index.commits.known(commit) is None:
            return None
        policy, at, paths = self.policies.before(commit), self.at(commit), _paths(event)
        is_mode = event.type == "FILE_EDITED" and "hash" in event and event["hash"] == event["lastHash"]
        reason = Reason.MODE if is_mode else kind[1]
        return Case(fact, self._treatment(event, commit, policy, kind[0], at), reason, paths, at)

    def _treatment(self, event: Event, commit: ObjectId, policy: Policy, kind: Judged, at: int) -> Treatment:
        paths = _paths(event)
        is_ours = any(path.startswith(_OURS) for path in paths)
        if self.policies.is_beginning(commit) and (is_ours or not self._has_begun(commit, at)):
            return Treatment.UNJUDGED
        if CONFIG_PATH in paths and not self._leaves_identity(event, commit):
            return Treatment.FORBIDDEN
        is_late = kind is not Judged.EDIT or event.type == "ROGUE_EDIT_DETECTED"
        if is_late and not self._has_begun(commit, at):
            return Treatment.UNJUDGED
        return Treatment.JUDGED if is_ours or _is_wanted(policy, event, kind) else Treatment.UNJUDGED

    def _is_exempt(self, fact: EventId) -> bool:
        """True if the policy of its commit wanted no answer for a fact; what is wanted elsewhere may not rest on it."""
        event = self.fact(fact)
        if event is None:
            return True  # nobody knows
        if event.graph_commit is None or event.type not in _KINDS:
            return False
        return not _is_wanted(self.policies.before(event.graph_commit), event, _KINDS[event.type][0])

    def _has_begun(self, commit: ObjectId, at: int) -> bool:
        """True from the first approval of any plan on."""
        first = self.plans_for(commit).first_approval
        return first is not None and at >= first

    def _leaves_identity(self, event: Event, commit: ObjectId) -> bool:
        """False if the config goes away, or says otherwise what nobody may change."""
        if event.get("filePath") != CONFIG_PATH or event.type == "FILE_REMOVED":
            return event.get("newPath") == CONFIG_PATH  # what it then holds is the edit's to tell
        return self.policies.keeps_identity(commit, ObjectId(str(event["hash"])))


def _paths(event: Event) -> tuple[str, ...]:
    """The paths that a fact changes, as the event has them."""
    if event.type == "FILE_RENAMED":
        return str(event["oldPath"]), str(event["newPath"])
    return (str(event["filePath"]),)


def _raw_paths(event: Event) -> tuple[str, ...]:
    """The paths that a fact changes, as patterns match them."""
    return tuple(raw_path(event, path).decode("utf-8", "surrogateescape") for path in _paths(event))


def _is_wanted(policy: Policy, event: Event, kind: Judged) -> bool:
    """True if a policy wants an answer for a change of this kind at these paths."""
    return kind in policy.rogue.changes and bool(_to_be_covered(policy, _raw_paths(event)))


def _to_be_covered(policy: Policy, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that need a plan: what is exempt needs none, except under .sage/."""
    exempt = policy.rogue.exempt
    return tuple(path for path in paths if path.startswith(_OURS) or not exempt.matches(path))
