"""Ways round the policy that leave it as it was: what is let through while it is loose must not look answered for."""

from __future__ import annotations

import tomllib

import pytest

from tests.judged import Desk
from tests.kit import GitRepository

CONFIG, SIGNERS = ".sage/config.toml", ".sage/allowed_signers"
EVERYTHING = ("exempt = []", 'exempt = ["**"]')


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    repository.commit("first", f="f\n", g="g\n", **{"vendor/v": "".join(f"line {n}\n" for n in range(9))})
    desk = Desk.begin(repository)
    desk.approve("p", "**")
    repository.commit(f"planned\n\n{desk.claim('p')}", f="f\nplanned\n")
    return desk


def loosen(repository: GitRepository) -> str:
    """Exempt everything from verdicts; the commit."""
    return repository.commit("loosen", **{CONFIG: repository.read(CONFIG).replace(*EVERYTHING)})


def open_paths(desk: Desk) -> list[str]:
    return sorted(edit["filePath"] for edit in desk.open_edits())


def test_a_second_beginning_of_the_record_hides_nothing_that_comes_with_it(desk: Desk) -> None:
    repository = desk.repository
    config, signers = repository.read(CONFIG), repository.read(SIGNERS)
    repository.git("switch", "-q", "-c", "side", tomllib.loads(config)["since"])
    repository.commit("begin again", **{CONFIG: config, SIGNERS: signers, "evil": "evil\n", "g": "g\nevil\n"})
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-edit", "side")
    assert {"evil", "g"} <= set(open_paths(desk))
    assert [line["open"] for line in desk.lines("g")] == [False, True]


def test_in_a_clone_that_meets_it_first_a_second_beginning_hides_nothing_either(desk: Desk) -> None:
    repository = desk.repository
    config, signers = repository.read(CONFIG), repository.read(SIGNERS)
    repository.git("switch", "-q", "-c", "side", tomllib.loads(config)["since"])
    repository.commit("begin again", **{CONFIG: config, SIGNERS: signers, "evil": "evil\n", "g": "g\nevil\n"})
    repository.git("merge", "-q", "--no-edit", "main")
    for left in (repository.path / ".git" / "sage").glob("index.sqlite*"):
        left.unlink()
    (repository.path / ".git" / "logs" / "HEAD").unlink()
    assert {"evil", "g"} <= set(open_paths(desk))


def test_the_commit_that_begins_the_record_may_be_made_again_on_top_of_others(desk: Desk) -> None:
    repository = desk.repository
    since = tomllib.loads(repository.read(CONFIG))["since"]
    repository.git("switch", "-q", "-c", "upstream", since)
    repository.commit(f"theirs\n\n{desk.claim('p')}", g="g\ntheirs\n")
    repository.git("switch", "-q", "main")
    desk.sage("record")
    repository.git("rebase", "-q", "upstream")
    assert open_paths(desk) == []


@pytest.mark.parametrize("path", [CONFIG, SIGNERS])
def test_taking_a_change_of_the_policy_back_does_not_answer_for_it(desk: Desk, path: str) -> None:
    repository = desk.repository
    if path == CONFIG:
        loosened = loosen(repository)
    else:
        loosened = repository.commit("let me in", **{SIGNERS: repository.read(SIGNERS) + "# a key\n"})
    repository.commit("evil", f="f\nplanned\nevil\n")
    repository.git("revert", "--no-edit", loosened)
    assert path in open_paths(desk)
    desk.reconcile(path)
    assert path not in open_paths(desk)


def test_what_a_loosened_policy_let_through_elsewhere_is_open_where_it_is_picked(desk: Desk) -> None:
    repository = desk.repository
    repository.git("switch", "-q", "-c", "side")
    loosen(repository)
    evil = repository.commit("evil", f="f\nplanned\nevil\n")
    repository.git("switch", "-q", "main")
    repository.commit(f"planned\n\n{desk.claim('p')}", g="g\nplanned\n")
    repository.git("cherry-pick", evil)
    assert open_paths(desk) == ["f"]
    assert [line["text"] for line in desk.lines("f") if line["open"]] == ["evil"]


def test_an_edit_of_an_exempt_file_is_open_where_it_is_picked_onto_one_that_is_not(desk: Desk) -> None:
    repository = desk.repository
    exempt = repository.read(CONFIG).replace("exempt = []", 'exempt = ["vendor/**"]')
    repository.commit(f"exempt\n\n{desk.claim('p')}", **{CONFIG: exempt})
    repository.git("switch", "-q", "-c", "side")
    evil = repository.commit("evil", **{"vendor/v": repository.read("vendor/v") + "evil\n"})
    repository.git("switch", "-q", "main")
    repository.git("mv", "vendor/v", "v")
    repository.commit(f"planned\n\n{desk.claim('p')}")
    repository.git("cherry-pick", evil)
    assert open_paths(desk) == ["v"]


def test_a_plan_that_counts_by_a_looser_policy_elsewhere_does_not_count_where_its_work_is_picked(desk: Desk) -> None:
    repository = desk.repository
    config = repository.read(CONFIG).replace("required = 1", "required = 2")
    repository.commit("two must approve", **{CONFIG: config})
    desk.reconcile(CONFIG)
    repository.git("switch", "-q", "-c", "loose")
    repository.commit("one may", **{CONFIG: config.replace("required = 2", "required = 1")})
    picked = repository.commit(f"planned by one\n\n{desk.claim('p')}", g="g\nonce\n")
    assert "g" not in open_paths(desk)
    repository.git("switch", "-q", "main")
    repository.git("cherry-pick", picked)
    assert open_paths(desk) == ["g"]


def test_an_answer_that_counts_by_a_looser_policy_elsewhere_does_not_count_where_the_edit_is_picked(desk: Desk) -> None:
    repository = desk.repository
    strict = repository.read(CONFIG).replace("self_approval = true", "self_approval = false")
    repository.commit("somebody else must answer", **{CONFIG: strict})
    desk.sage("reconcile", CONFIG, "-m", "agreed", "--reviewer", "Bob <bob@example.org>")
    repository.git("switch", "-q", "-c", "loose")
    repository.commit("anybody may", **{CONFIG: strict.replace("self_approval = false", "self_approval = true")})
    picked = repository.commit("unplanned", g="g\nonce\n")
    desk.reconcile("g")
    assert "g" not in open_paths(desk)
    repository.git("switch", "-q", "main")
    repository.git("cherry-pick", picked)
    assert open_paths(desk) == ["g"]
