"""docs/threat-model.md, row by row: what an agent with a shell does, and whether it ends as the document says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from sage_git.chronicle.event import Event
from tests.threats import NO_HOOKS, REVIEWER, Shell, lines, make_key, public, rows

ROWS = {row.test: row for row in rows()}
APP, GUIDE, CONFIG, SIGNERS = "src/app.py", "docs/guide.md", ".sage/config.toml", ".sage/allowed_signers"
ROGUE = {APP: lines("rogue")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "policy" in metafunc.fixturenames:
        metafunc.parametrize("policy", ROWS[metafunc.function.__name__].policies())


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shell]:
    """By policy, the checkout that each test begins with a copy of."""
    return {}


@pytest.fixture
def shell(policy: str, checkouts: dict[str, Shell], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The developer's checkout under `policy`."""
    if policy not in checkouts:
        checkouts[policy] = Shell.begin(tmp_path_factory.mktemp(policy), policy)
    return checkouts[policy].copy(tmp_path)


@pytest.fixture
def told(request: pytest.FixtureRequest, policy: str) -> set[str]:
    """What the document says of this test under `policy`."""
    return set(ROWS[request.function.__name__].cells[policy])


# -- committing without a plan ---------------------------------------------------------------------------------------


def test_a_commit_without_a_plan(shell, told):
    shell.commit(files=ROGUE)
    assert shell.measured(APP) == told


def test_a_commit_past_the_gate(shell, told):
    shell.commit("--no-verify", files=ROGUE)
    assert shell.measured(APP) == told


def test_a_commit_after_the_hooks_were_deleted(shell, told):
    shutil.rmtree(shell.path / ".git" / "hooks")
    shell.commit(files=ROGUE)
    assert shell.measured(APP) == told


def test_a_commit_with_the_hooks_elsewhere(shell, told, tmp_path):
    (tmp_path / "nothing").mkdir()
    shell.git("config", "core.hooksPath", str(tmp_path / "nothing"))
    shell.commit(files=ROGUE)
    assert shell.measured(APP) == told


def by_hand(shell: Shell, **files: str) -> str:
    """A commit on top of HEAD that no porcelain made and no ref names."""
    for path, content in files.items():
        shell.repository.write(path, content)
    shell.git("add", "--all")
    return shell.git("commit-tree", "-p", "HEAD", "-m", "by hand", shell.git("write-tree"))


def test_a_commit_made_by_hand(shell, told):
    shell.git("update-ref", "HEAD", by_hand(shell, **ROGUE))
    assert shell.measured(APP) == told


def test_a_commit_after_the_dispatcher_was_emptied(shell, told):
    (shell.sage_dir / "hook").write_text("exit 0\n")
    shell.commit(files=ROGUE)
    assert shell.measured(APP) == told


def test_a_commit_with_the_hooks_told_that_doctor_looks(shell, told, tmp_path):
    shell.commit("--no-verify", env={"SAGE_DOCTOR": str(tmp_path / "doctor"), "SAGE_SYNC": "0"}, files=ROGUE)
    assert shell.measured(APP) == told


def test_a_commit_past_a_rewritten_gate(shell, told):
    for compiled in (shell.sage_dir / "gate").rglob("compiled"):
        compiled.write_text(re.sub("mode .*", "mode record", compiled.read_text()))
    shell.commit(files=ROGUE)
    assert shell.measured(APP) == told


def test_a_commit_that_is_taken_back(shell, told):
    rogue = shell.slip()
    shell.git("reset", "-q", "--hard", "HEAD~1")
    is_kept = any(event.get("graphCommit") == rogue for event in shell.events())
    assert shell.words(*["recorded"] * is_kept) == told


def test_a_commit_that_is_taken_back_with_its_traces(shell, told):
    shell.commit(hooks=NO_HOOKS, files=ROGUE)
    shell.git(*NO_HOOKS, "reset", "-q", "--hard", "HEAD~1")
    (shell.path / ".git" / "logs" / "HEAD").unlink()
    assert shell.measured(APP) == told


def branch_by_hand(shell: Shell) -> None:
    shell.git("update-ref", "refs/heads/other", by_hand(shell, **ROGUE))
    shell.git("reset", "-q", "--hard")


def test_a_commit_on_a_branch_that_nobody_has_checked_out(shell, told):
    branch_by_hand(shell)
    assert shell.measured(APP) == told
    assert shell.sage("verify", "--range", "main..other") == 1, shell.said


def test_a_commit_on_such_a_branch_once_it_is_merged(shell, told):
    branch_by_hand(shell)
    shell.git("merge", "-q", "other")
    assert shell.measured(APP) == told


def test_a_commit_hidden_by_a_replacement(shell, told):
    shell.commit(hooks=NO_HOOKS, files=ROGUE)
    shell.git("replace", "HEAD", "HEAD~1")
    shell.git("reset", "-q", "--hard")
    assert "rogue" not in shell.git("show", "HEAD:src/app.py")
    assert shell.measured(APP) == told


def test_a_commit_whose_parents_are_grafted_away(shell, told):
    shell.commit(hooks=NO_HOOKS, files=ROGUE)
    grafts = shell.path / ".git" / "info" / "grafts"
    grafts.write_text(f"{shell.repository.head}\n")
    assert shell.measured(APP) == told


def test_a_clone_that_pretends_to_be_shallow(shell, told):
    shell.commit(hooks=NO_HOOKS, files=ROGUE)
    (shell.path / ".git" / "shallow").write_text(f"{shell.repository.head}\n")
    shell.commit(hooks=NO_HOOKS, files={GUIDE: lines("rogue")})
    assert shell.measured(APP) == told


def test_a_change_that_has_no_lines(shell, told):
    (shell.path / APP).chmod(0o755)
    (shell.path / "src/link").symlink_to("app.py")
    (shell.path / "vendor/lib").mkdir(parents=True)
    shell.git("update-index", "--add", "--cacheinfo", f"160000,{shell.repository.head},vendor/lib")
    shell.slip({"src/binary": b"\0\1\2\3"})
    assert shell.measured(APP, "src/link", "vendor/lib", "src/binary") == told


def test_a_huge_file(shell, told):
    shell.slip({"src/huge.py": b"a line of text\n" * (1 << 19)})
    assert shell.measured("src/huge.py") == told


def test_a_name_that_would_rewrite_the_terminal(shell, told):
    name = "src/\x1b[2J\u202eevil\n.py"
    shell.repository.write(name, lines("rogue"))
    shell.commit("--no-verify", message="clear \x1b[2J\x07 screen", hooks=("-c", "i18n.commitEncoding=utf-8"))
    assert not {"\x1b", "\x07", "\u202e"}.intersection(shell.answer("log"), shell.answer("status"))
    assert shell.measured(name) == told


# -- naming a plan ---------------------------------------------------------------------------------------------------


def test_a_plan_that_nobody_drafted(shell, told):
    shell.commit(plan="ghost", files=ROGUE)
    assert shell.measured(APP) == told


def test_a_plan_that_nobody_approved(shell, told):
    shell.draft("mine", "**")
    shell.commit(plan="mine", approval=shell.plan_events()[-1]["eventId"], files=ROGUE)
    assert shell.measured(APP) == told


def test_a_plan_that_was_denied(shell, told):
    shell.deny("parser")
    shell.commit(plan="parser", files=ROGUE)
    assert shell.measured(APP) == told


def test_a_plan_that_is_over(shell, told):
    shell.complete("parser")
    shell.commit(plan="parser", files=ROGUE)
    assert shell.measured(APP) == told


def expired(shell: Shell) -> str:
    """The approval of a plan `short` that was in force at 02:00 and is not any more."""
    shell.draft("short", "docs/**", expires_at="2026-01-01T03:00:00.000Z")
    shell.clock_to(2, 0)
    approval = shell.approve("short", key=shell.raes_key)
    shell.clock_to(4, 0)
    return approval


def test_a_plan_that_has_expired(shell, told):
    shell.commit(plan="short", approval=expired(shell), files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE) == told


BACK = {"GIT_COMMITTER_DATE": "2026-01-01T02:30:00Z", "GIT_AUTHOR_DATE": "2026-01-01T02:30:00Z"}


def test_an_expired_plan_and_a_commit_dated_back(shell, told):
    approval = expired(shell)
    assert shell.commit(plan="parser", files={APP: lines("planned again")})
    shell.commit(plan="short", approval=approval, env=BACK, hooks=NO_HOOKS, files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE) == told


def test_an_expired_plan_and_a_commit_dated_back_on_an_old_one(shell, told):
    approval = expired(shell)
    shell.commit("--no-verify", plan="short", approval=approval, env=BACK, files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE) == told


def test_a_file_outside_the_scope(shell, told):
    shell.commit(plan="parser", files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE) == told


def test_a_rename_out_of_the_scope(shell, told):
    shell.git("mv", "src/parser.py", "docs/parser.py")
    shell.commit(plan="parser")
    is_open = shell.was_refused or any("docs/parser.py" in path for path in shell.open_paths())
    assert is_open
    assert shell.measured() == told


def test_a_scope_widened_after_the_approval(shell, told):
    shell.draft("parser", "**")
    shell.commit(plan="parser", files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE) == told


def test_an_approval_of_another_plan(shell, told):
    shell.draft("mine", "**")
    shell.commit(plan="mine", files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE) == told


# -- speaking for others ---------------------------------------------------------------------------------------------


def approved_by(shell: Shell, by: str, key: Path | None = None) -> str:
    """The approval of a plan of the agent's own."""
    shell.draft("mine", "**")
    return shell.approve("mine", by, key)


def under_its_own_plan(shell: Shell, approval: str) -> set[str]:
    """What becomes of a commit that names an approval of the agent's plan."""
    shell.commit(plan="mine", approval=approval, files={GUIDE: lines("rogue")})
    return shell.measured(GUIDE, claimed=True)


def test_a_plan_approved_by_its_drafter(shell, told):
    assert shell.sage("plan", "draft", "--id", "mine", "--summary", "anything", "--scope", "**") == 0, shell.said
    assert shell.sage("plan", "approve", "mine", "-m", "fine", "--no-sign") == 0, shell.said
    shell.sage("plan", "use", "mine")
    shell.commit(files={GUIDE: lines("rogue")})
    assert shell.measured(GUIDE, claimed=True) == told
    if not shell.was_refused:
        answers = json.loads(shell.answer("verify", "--json"))["answers"]
        assert {each["assurance"] for each in answers} == {"claimed"}


def test_a_plan_approved_by_its_drafter_against_the_policy(policy, told, tmp_path):
    shell = Shell.begin(tmp_path, policy, {"self_approval = true": "self_approval = false"})
    assert under_its_own_plan(shell, approved_by(shell, "ada@example.org")) == told


def test_an_approval_in_the_name_of_the_reviewer(shell, told):
    assert under_its_own_plan(shell, approved_by(shell, REVIEWER)) == told


def test_an_approval_signed_with_another_key(shell, told, tmp_path):
    make_key(tmp_path / "agents")
    assert under_its_own_plan(shell, approved_by(shell, REVIEWER, tmp_path / "agents")) == told


def test_an_approval_with_a_signature_from_another(shell, told, tmp_path):
    raes = shell.statement("PLAN_APPROVED", key=shell.reviewers_key, **shell.approval_of("parser"))["signature"]
    shell.draft("mine", "**")
    assert under_its_own_plan(shell, shell.approve("mine", signature=raes)) == told


def sealed_approval(shell: Shell) -> Event:
    """An approval in Rae's name of the agent's plan, as anybody can write it down."""
    shell.draft("mine", "**")
    return Event.sealed(shell.statement("PLAN_APPROVED", **shell.approval_of("mine")))


def test_a_signed_approval_from_another_repository(shell, told):
    shell.draft("mine", "**")
    approval = shell.approve("mine", key=shell.reviewers_key, repository="cd" * 32)
    assert under_its_own_plan(shell, approval) == told


def test_an_approval_written_into_the_sidecar(shell, told):
    approval = sealed_approval(shell)
    with (shell.path / ".sage/plans.sage").open("ab") as sidecar:
        sidecar.write(approval.line + b"\n")
    shell.answer("record")
    assert under_its_own_plan(shell, approval["eventId"]) == told


def test_an_approval_written_into_the_log(shell, told):
    approval = sealed_approval(shell)
    with (shell.sage_dir / "tail.ndjson").open("ab") as log:
        log.write(approval.line + b"\n")
    shell.answer("record")
    assert under_its_own_plan(shell, approval["eventId"]) == told


def test_an_approval_dated_back(shell, told):
    shell.slip()
    shell.draft("mine", "**")
    shell.approve("mine", key=shell.raes_key, timestamp="2026-01-01T00:00:00.000Z")
    assert shell.measured(APP) == told


def test_an_answer_for_its_own_edit(shell, told):
    shell.slip()
    shell.sage("reconcile", APP, "-m", "fine", "--reviewer", f"Rae <{REVIEWER}>", "--no-sign")
    assert shell.measured(APP, claimed=True) == told


def test_a_verdict_written_into_a_sidecar(shell, told):
    rogue = shell.slip()
    fact = next(each for each in shell.events() if each.get("graphCommit") == rogue and each["type"] == "FILE_EDITED")
    verdict = {key: fact[key] for key in ("timestamp", "actor", "graphCommit", "filePath")}
    verdict |= {"type": "RECONCILIATION", "reconciliationStrategy": "plan", "prevEventId": fact["eventId"]}
    verdict |= {"diffRef": f"{fact['lastHash']}..{fact['hash']}", "planId": "parser"}
    with (shell.path / f"{APP}.sage").open("ab") as sidecar:
        sidecar.write(Event.sealed(verdict).line + b"\n")
    assert shell.measured(APP) == told


def test_a_plan_forced_past_its_denial(shell, told):
    shell.deny("parser")
    payload = {"planId": "parser", "planHash": shell.plan_hash("parser"), "forcedBy": "ada@example.org"}
    forced = shell.say("PLAN_UNSAFE", overriddenWarnings=["denied"], **payload)
    shell.commit(plan="parser", approval=forced, files=ROGUE)
    assert shell.measured(APP, claimed=True) == told


def test_an_approval_dated_back_where_plans_cover_unnamed(policy, told, tmp_path):
    shell = Shell.begin(tmp_path, policy, {"implicit = false": "implicit = true"})
    shell.slip({GUIDE: lines("rogue")})
    shell.draft("mine", "**")
    shell.approve("mine", timestamp="2026-01-01T00:00:00.000Z")
    assert shell.measured(GUIDE, claimed=True) == told


def test_a_change_to_a_halted_source(shell, told):
    shell.halt(APP)
    shell.commit(plan="parser", files=ROGUE)
    assert shell.measured(APP) == told


def test_a_halt_lifted_by_whom_it_stops(shell, told):
    shell.halt(APP)
    halt = shell.events("--type", "HALT_AND_REPORT")[0]
    assert shell.sage("reconcile", halt["eventId"], "-m", "fine", "--no-sign") == 0, shell.said
    shell.commit(plan="parser", files=ROGUE)
    assert shell.measured(APP, claimed=True) == told


def test_an_agent_that_says_it_is_another(shell, told):
    shell.commit("--no-verify", env={"SAGE_ACTOR": "dependabot", "CLAUDECODE": "1"}, files=ROGUE)
    last = next(each for each in shell.events() if each.get("graphCommit") == shell.repository.head)
    assert last["actor"] == {"agent": "dependabot", "id": "Ada Lovelace <ada@example.org>"}
    assert shell.measured(APP) == told


def test_a_commit_under_the_reviewers_name(shell, told):
    shell.commit("--no-verify", "--author", f"Rae <{REVIEWER}>", files=ROGUE)
    assert shell.measured(APP) == told


# -- changing the policy ---------------------------------------------------------------------------------------------


def loosened(shell: Shell) -> str:
    """The config with nothing left in it that could stop anybody."""
    text = shell.repository.read(CONFIG)
    for mode in ('mode = "warn"', 'mode = "block"'):
        text = text.replace(mode, 'mode = "record"')
    return text.replace("exempt = []", 'exempt = ["**", ".sage/**"]').replace("signed = true", "signed = false")


def test_a_policy_loosened_in_the_same_commit(shell, told):
    shell.commit(files={**ROGUE, CONFIG: loosened(shell)})
    assert shell.measured(APP, CONFIG) == told


def test_a_policy_loosened_before(shell, told):
    shell.commit(files={CONFIG: loosened(shell)})
    assert shell.measured(CONFIG) == told


def test_a_policy_removed(shell, told):
    shell.slip({CONFIG: None})
    shell.slip()
    assert shell.measured(APP, CONFIG) == told


def test_a_policy_that_exempts_itself(shell, told):
    shell.slip({CONFIG: loosened(shell)})
    shell.slip({SIGNERS: "# nobody\n"})
    assert shell.measured(CONFIG, SIGNERS) == told


def test_a_policy_that_nobody_can_read(shell, told):
    shell.slip({CONFIG: "format = [\n"})
    shell.slip()
    assert shell.measured(APP, CONFIG) == told


def test_a_beginning_moved_in_the_policy(shell, told):
    rogue = shell.slip()
    shell.slip({CONFIG: re.sub('since = ".*"', f'since = "{rogue}"', shell.repository.read(CONFIG))})
    assert shell.measured(APP, CONFIG) == told


def test_a_key_entered_by_whom_it_serves(shell, told, tmp_path):
    make_key(tmp_path / "agents")
    mine = f"ada@example.org {public(tmp_path / 'agents')}\n"
    shell.slip({SIGNERS: shell.repository.read(SIGNERS) + mine})
    approval = approved_by(shell, "ada@example.org", tmp_path / "agents")
    assert shell.commit("--no-verify", plan="mine", approval=approval, files={GUIDE: lines("rogue")})
    assert shell.measured(SIGNERS) == told


def test_a_policy_replaced_through_an_orphan_branch(shell, told):
    shell.git("checkout", "-q", "--orphan", "anew")
    shell.slip({**ROGUE, CONFIG: loosened(shell)})
    assert shell.measured(CONFIG) == told


def test_a_policy_loosened_for_a_while(shell, told):
    shell.slip({CONFIG: loosened(shell)})
    shell.slip()
    shell.git("revert", "--no-edit", "HEAD~1")
    assert shell.measured(CONFIG) == told


def test_what_a_loosened_policy_let_through_elsewhere(shell, told):
    shell.git("checkout", "-q", "-b", "other")
    shell.slip({CONFIG: loosened(shell)})
    rogue = shell.slip()
    shell.git("checkout", "-q", "main")
    shell.commit(plan="parser", files={"src/parser.py": lines("planned")})
    shell.git("cherry-pick", rogue)
    assert shell.measured(APP) == told


def before_the_record(shell: Shell) -> None:
    """A branch that begins where the record does."""
    since = re.search(r'^since = "(.*)"', shell.repository.read(CONFIG), re.MULTILINE)
    assert since is not None
    shell.git("checkout", "-q", "-b", "early", since[1])


def test_the_record_begun_once_more(shell, told):
    config, signers = shell.repository.read(CONFIG), shell.repository.read(SIGNERS)
    before_the_record(shell)
    shell.slip({GUIDE: lines("rogue"), CONFIG: config, SIGNERS: signers})
    shell.git("checkout", "-q", "main")
    shell.git("merge", "-q", "--no-edit", "early")
    assert shell.measured(GUIDE) == told


def test_a_file_added_before_anything_was_approved(shell, told):
    before_the_record(shell)
    shell.commit(
        "--no-verify", env={"GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}, files={"src/new.py": lines("rogue")}
    )
    shell.git("checkout", "-q", "main")
    shell.git("merge", "-q", "--no-edit", "early")
    assert shell.measured("src/new.py") == told


# -- rewriting history -----------------------------------------------------------------------------------------------


def test_a_line_smuggled_in_by_an_amend(shell, told):
    shell.commit("--no-verify", "--amend", files={APP: lines("planned") + "smuggled\n"})
    assert shell.measured(APP) == told


def test_a_line_smuggled_in_by_a_rebase(shell, told):
    assert shell.commit(plan="parser", files={"src/parser.py": lines("planned")})
    smuggle = f"echo smuggled >>{GUIDE} && git commit -q --no-verify --no-edit -a --amend"
    shell.git("rebase", "-q", "--force-rebase", "--exec", smuggle, "HEAD~1")
    assert shell.measured(GUIDE) == told


def diverged(shell: Shell) -> None:
    """`side` has planned work on the parser, `main` on the app."""
    shell.git("checkout", "-q", "-b", "side")
    assert shell.commit(plan="parser", files={"src/parser.py": lines("side")})
    shell.git("checkout", "-q", "main")
    assert shell.commit(plan="parser", files={APP: lines("main")})


def test_a_line_smuggled_in_by_a_merge(shell, told):
    diverged(shell)
    shell.git("merge", "-q", "--no-commit", "side")
    shell.slip({"src/parser.py": lines("side") + "smuggled\n"})
    assert shell.measured("src/parser.py") == told


def test_work_dropped_by_a_merge(shell, told):
    diverged(shell)
    shell.git("merge", "-q", "--no-verify", "--no-edit", "-s", "ours", "side")
    assert shell.measured("src/parser.py") == told


def test_rogue_code_applied_again_after_its_revert(shell, told):
    shell.slip()
    shell.git(*NO_HOOKS, "revert", "--no-edit", "HEAD")
    assert shell.open_paths() == set()
    shell.git(*NO_HOOKS, "cherry-pick", "HEAD~1")
    assert shell.measured(APP) == told


def test_a_rogue_edit_squashed_into_planned_work(shell, told):
    assert shell.commit(plan="parser", files={"src/parser.py": lines("planned")})
    shell.slip()
    shell.git("reset", "-q", "--soft", "HEAD~2")
    shell.slip(plan="parser")
    assert shell.measured(APP) == told


# -- spoiling the record ---------------------------------------------------------------------------------------------


def test_the_sidecars_deleted(shell, told):
    shell.slip()
    for sidecar in [*shell.path.glob("src/*.sage"), *shell.path.glob(".sage/*.sage")]:
        sidecar.unlink()
    assert shell.measured(APP) == told


def test_lines_of_a_sidecar_altered(shell, told):
    shell.slip()
    sidecar = shell.path / f"{APP}.sage"
    _, *others = sidecar.read_bytes().splitlines(keepends=True)
    sidecar.write_bytes(b"".join(others).replace(b"Ada", b"Eve"))
    assert shell.measured(APP) == told


def test_a_sidecar_that_is_a_symbolic_link(shell, told, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    (shell.path / f"{APP}.sage").unlink()
    (shell.path / f"{APP}.sage").symlink_to(victim)
    shell.slip()
    assert shell.measured(APP) == told
    assert victim.read_text() == "mine\n"


def delete_index(shell: Shell) -> None:
    for file in shell.sage_dir.glob("index.sqlite*"):
        file.unlink()


def test_the_index_deleted(shell, told):
    shell.slip()
    delete_index(shell)
    assert shell.measured(APP) == told


def test_the_index_deleted_where_no_policy_is(shell, told):
    shell.slip()
    shell.slip({CONFIG: None})
    delete_index(shell)
    assert shell.measured(APP, CONFIG) == told


def test_an_entry_of_the_log_altered(shell, told):
    shell.slip()
    log = shell.sage_dir / "tail.ndjson"
    log.write_bytes(log.read_bytes().replace(b"ROGUE_EDIT_DETECTED", b"HARMLESS_EDIT_FOUND"))
    assert shell.measured(APP) == told


def delete_log(shell: Shell) -> None:
    delete_index(shell)
    for path in (shell.sage_dir / "store.git", shell.sage_dir / "private.git"):
        shutil.rmtree(path, ignore_errors=True)
    (shell.sage_dir / "tail.ndjson").unlink()
    for sidecar in [*shell.path.glob("src/*.sage"), *shell.path.glob(".sage/*.sage")]:
        sidecar.unlink()


def test_the_log_deleted(shell, told):
    assert shell.open_paths() == set()
    delete_log(shell)
    assert shell.measured(APP) == told


def test_a_denial_deleted_with_the_log(shell, told):
    kept = shell.plan_events()
    shell.deny("parser")
    delete_log(shell)
    for event in kept:
        assert shell.sage("append", "--no-sign", ".sage/plans.sage", "--event", json.dumps(event)) == 0, shell.said
    assert shell.commit(plan="parser", files=ROGUE)
    assert shell.measured(APP) == told


def test_the_whole_record_deleted(shell, told):
    shutil.rmtree(shell.sage_dir)
    shell.slip()
    assert "no record is kept in this repository" in shell.answer("status")
    assert shell.words() == told


def test_a_beginning_moved_in_the_clone(shell, told):
    shell.commit(hooks=NO_HOOKS, files=ROGUE)
    identity = shell.sage_dir / "clone.json"
    identity.write_text(json.dumps({**json.loads(identity.read_text()), "since": shell.repository.head}))
    delete_index(shell)
    assert shell.measured(APP) == told


def test_a_verdict_redacted(shell, told):
    shell.slip()
    verdict = next(each["eventId"] for each in shell.events("--type", "ROGUE_EDIT_DETECTED"))
    assert shell.sage("redact", verdict, "-m", "no reason") == 0
    assert shell.measured(APP) == told


def test_a_fact_redacted(shell, told):
    rogue = shell.slip()
    fact = next(each for each in shell.events("--type", "FILE_EDITED") if each["graphCommit"] == rogue)
    assert shell.sage("redact", fact["eventId"], "-m", "no reason") == 0
    assert shell.measured(APP) == told


def test_another_writers_key(shell, told):
    key = shell.sage_dir / "writer.key"
    key.write_bytes(bytes(byte ^ 1 for byte in key.read_bytes()))
    assert "key-mismatch" in shell.answer("fsck", "--json")
    assert shell.words() == told


def test_a_writers_key_copied(shell, told, tmp_path):
    shutil.copy(shell.sage_dir / "writer.key", tmp_path / "copy")
    assert shell.words() == told
