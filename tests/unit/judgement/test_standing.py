"""The rules of SPEC 6, one after the other, over a docket that a test writes down."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from sage_git.chronicle.ids import EventId
from sage_git.judgement.coverage import Coverage
from sage_git.judgement.patterns import Patterns
from sage_git.judgement.plan import Plan
from sage_git.judgement.policy import Approval
from sage_git.judgement.replay import Fit, Replay
from sage_git.judgement.standing import Case, Circumstance, Evidence, Reason, Rules, Ruling, Treatment

PLAN = Plan("p", "0" * 64, "", (), Patterns(("**",)), None, ("Ada",), (), (), (), (), Approval())  # type: ignore[arg-type]
COVERED = Coverage(PLAN)


@dataclass
class Docket:
    """Facts named by letters, in the order of the alphabet; the history of each has all before it, unless told else."""

    treatments: dict[str, Treatment] = field(default_factory=dict)
    evidences: dict[str, Evidence] = field(default_factory=dict)
    covered: str = ""
    not_to_be_replayed: str = ""
    answers: dict[str, int] = field(default_factory=dict)
    elsewhere: str = ""
    """Facts that are in no other's history."""

    def case(self, fact: EventId) -> Case | None:
        return Case(fact, self.treatments.get(fact, Treatment.JUDGED), Reason.EDIT, ("f",), ord(fact))

    def evidence(self, fact: EventId) -> Evidence:
        return self.evidences.get(fact, Evidence())

    def coverage(self, fact: EventId) -> Coverage | None:
        return COVERED if fact in self.covered else None

    def is_its_own_ground(self, fact: EventId) -> bool:
        return fact in self.covered or fact in self.not_to_be_replayed

    def may_be_replayed(self, fact: EventId, case: Case) -> bool:  # noqa: ARG002 as every Docket
        return fact not in self.not_to_be_replayed

    def undone_by(self, fact: EventId) -> Iterable[EventId]:
        return [EventId(each) for each, evidence in self.evidences.items() if fact in evidence.undoes]

    def follows(self, later: EventId, earlier: EventId) -> bool:
        return later == earlier or (earlier < later and earlier not in self.elsewhere)

    def answered_since(self, fact: EventId) -> int | None:
        return self.answers.get(fact)

    def stand(self, fact: str, answered: str = "") -> tuple[Ruling, set[str]]:
        standing = Rules(self).standing(EventId(fact), lambda root: root in answered)
        return standing.ruling, set(standing.origins)

    def is_open(self, fact: str, answered: str = "", seen: str = "") -> bool:
        return Rules(self).is_open(EventId(fact), lambda root: root in answered, lambda each: each in seen)


def replays(*chain: str, fit: Fit = Fit.WHOLE) -> Evidence:
    return Evidence(replays=(Replay(tuple(map(EventId, chain)), fit),))


def undoes(*undone: str) -> Evidence:
    return Evidence(undoes=tuple(map(EventId, undone)))


def test_an_edit_that_nothing_covers_is_its_own_root() -> None:
    assert Docket().stand("a") == (Ruling.ROGUE, {"a"})
    assert Docket(covered="a").stand("a") == (Ruling.PLAN, set())
    assert Docket(treatments={"a": Treatment.UNJUDGED}).stand("a") == (Ruling.UNJUDGED, set())


def test_a_replay_of_an_open_edit_has_its_root_even_under_a_plan() -> None:
    docket = Docket(evidences={"b": replays("a")}, covered="b")
    assert docket.stand("b") == (Ruling.ROGUE, {"a"})
    assert docket.stand("b", answered="a") == (Ruling.PLAN, {"a"})
    assert docket.is_open("b")
    assert not docket.is_open("b", answered="a")


def test_a_replay_of_covered_work_is_a_rewrite_however_often() -> None:
    docket = Docket(evidences={"b": replays("a"), "c": replays("b")}, covered="a")
    assert docket.stand("b")[0] is docket.stand("c")[0] is Ruling.REWRITE


@pytest.mark.parametrize("fit", [Fit.PART, Fit.CONFLICTED])
def test_what_is_left_over_of_a_replay_is_rogue_by_itself(fit: Fit) -> None:
    docket = Docket(evidences={"b": replays("a", fit=fit)}, covered="a")
    assert docket.stand("b") == (Ruling.ROGUE, {"b"})
    assert Docket(evidences={"b": replays("a", fit=fit)}, covered="ab").stand("b")[0] is Ruling.PLAN


def test_one_open_edit_makes_a_whole_squash_rogue_and_is_its_only_root() -> None:
    assert Docket(evidences={"d": replays("a", "b", "c")}, covered="ac").stand("d") == (Ruling.ROGUE, {"b"})


def test_a_squash_of_an_edit_and_of_what_took_it_back_has_no_root() -> None:
    docket = Docket(evidences={"b": undoes("a"), "d": replays("a", "b", "c")}, covered="c")
    assert docket.stand("d")[0] is Ruling.REWRITE


def test_a_replay_does_not_count_once_its_plan_is_denied_or_lacks_the_path() -> None:
    docket = Docket(evidences={"b": replays("a")}, covered="a", not_to_be_replayed="a")
    assert docket.stand("b") == (Ruling.ROGUE, {"b"})


def test_an_edit_that_does_not_count_leaves_the_others_of_its_chain_as_they_are() -> None:
    docket = Docket(evidences={"d": replays("a", "b", "c")}, covered="ab", not_to_be_replayed="b")
    assert docket.stand("d") == (Ruling.ROGUE, {"c", "d"})
    docket = Docket(evidences={"d": replays("a", "b", "c")}, covered="abd", not_to_be_replayed="b")
    assert docket.stand("d") == (Ruling.ROGUE, {"c"})
    assert docket.stand("d", answered="c")[0] is Ruling.PLAN


def test_what_does_again_what_counted_only_in_part_carries_its_root() -> None:
    docket = Docket(evidences={"c": replays("a", "b"), "d": replays("c")}, covered="ab", not_to_be_replayed="b")
    assert docket.stand("d") == (Ruling.ROGUE, {"c"})


def test_git_s_own_merge_is_answered_for_and_what_differs_from_it_is_not() -> None:
    def merged(how: Circumstance) -> Docket:
        return Docket(evidences={"a": Evidence(how)})

    assert merged(Circumstance.AUTOMATIC_MERGE).stand("a")[0] is Ruling.MERGE
    assert merged(Circumstance.MERGE).stand("a") == (Ruling.ROGUE, {"a"})
    assert merged(Circumstance.BACKFILL).stand("a")[0] is Ruling.BACKFILL


def test_a_settled_conflict_stands_as_its_sides_do() -> None:
    sides = Evidence(Circumstance.MERGE, sides=(EventId("a"), EventId("b")))
    assert Docket(evidences={"c": sides}, covered="ab").stand("c")[0] is Ruling.RESOLUTION
    assert Docket(evidences={"c": sides}, covered="a").stand("c") == (Ruling.ROGUE, {"b"})
    assert Docket(evidences={"c": sides}, covered="a").stand("c", answered="b")[0] is Ruling.RESOLUTION


def test_taking_an_open_edit_back_answers_it_only_where_that_is_seen() -> None:
    docket = Docket(evidences={"b": undoes("a")})
    assert docket.stand("b")[0] is Ruling.REVERTED
    assert docket.is_open("a", seen="a")
    assert not docket.is_open("a", seen="ab")


def test_taking_back_what_was_accepted_before_is_a_change_like_any_other() -> None:
    undo = {"b": undoes("a")}
    assert Docket(evidences=undo, answers={"a": ord("a")}).stand("b", answered="a") == (Ruling.ROGUE, {"b"})
    assert Docket(evidences=undo, answers={"a": ord("c")}).stand("b", answered="a")[0] is Ruling.REVERTED
    assert Docket(evidences=undo, covered="a").stand("b") == (Ruling.ROGUE, {"b"})
    copied = {"b": replays("a"), "c": undoes("b")}
    assert Docket(evidences=copied, answers={"a": ord("a")}).stand("c", answered="a") == (Ruling.ROGUE, {"c"})


def test_taking_several_open_edits_back_answers_each_of_them() -> None:
    docket = Docket(evidences={"c": undoes("a", "b")})
    assert docket.stand("c") == (Ruling.REVERTED, set())
    assert [docket.is_open(each, seen="c") for each in "ab"] == [False, False]
    assert Docket(evidences={"c": undoes("a", "b")}, answers={"a": ord("a")}).stand("c") == (Ruling.ROGUE, {"c"})


def test_open_edits_go_with_covered_ones_only_where_a_plan_lets_them() -> None:
    undo = {"c": undoes("a", "b")}
    assert Docket(evidences=undo, covered="a").stand("c") == (Ruling.ROGUE, {"c"})
    assert Docket(evidences=undo, covered="a").is_open("b", seen="c")
    assert Docket(evidences=undo, covered="ac").stand("c") == (Ruling.PLAN, set())
    assert not Docket(evidences=undo, covered="ac").is_open("b", seen="c")


def test_what_git_merged_by_itself_goes_with_the_edits_that_are_taken_back() -> None:
    merge = Evidence(Circumstance.AUTOMATIC_MERGE)
    assert Docket(evidences={"b": merge, "c": undoes("a", "b")}).stand("c")[0] is Ruling.REVERTED
    assert Docket(evidences={"b": merge, "c": undoes("b")}).stand("c") == (Ruling.ROGUE, {"c"})


def test_an_edit_and_what_does_it_again_may_be_taken_back_at_once() -> None:
    docket = Docket(evidences={"b": replays("a"), "c": undoes("a", "b"), "e": replays("a", "b", "c", "d")}, covered="d")
    assert docket.is_open("b", seen="b")
    assert not docket.is_open("b", seen="c")
    assert docket.stand("e")[0] is Ruling.REWRITE


def test_no_plan_answers_for_what_is_forbidden() -> None:
    docket = Docket(treatments={"a": Treatment.FORBIDDEN}, covered="a")
    assert docket.stand("a") == (Ruling.ROGUE, {"a"})
    assert not docket.is_open("a", answered="a")


def test_forged_evidence_in_a_circle_ends() -> None:
    docket = Docket(evidences={"a": replays("b"), "b": replays("a")})
    assert docket.stand("a")[0] in Ruling


def test_work_that_was_rebased_thousands_of_times_needs_no_deep_stack() -> None:
    names = [chr(0x4E00 + n) for n in range(3_000)]
    docket = Docket(evidences={now: replays(before) for before, now in itertools.pairwise(names)})
    assert docket.stand(names[-1]) == (Ruling.ROGUE, {names[0]})
