"""The gate as people meet it: `git commit` under a plan, outside of it, in block mode, while halted, in odd places."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sage_git.operations.setup.shims import install_shims
from tests import planned
from tests.kit import GitRepository, run_sage

GATE = "gate --hook"


@dataclass
class Gated:
    """A repository in which `src/` may be changed under the plan `login`, in use; commits are made now."""

    repository: GitRepository
    starts: Path
    approval: str

    def commit(
        self, *arguments: str, env: Mapping[str, str] | None = None, where: GitRepository | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """`git commit` with these arguments, as it finished."""
        return (where or self.repository).run("commit", "-qm", "change", *arguments, env={**planned.NOW, **(env or {})})

    def stage(self, **files: str | None) -> None:
        """Write or remove files, and stage all."""
        for path, content in files.items():
            if content is None:
                (self.repository.path / path).unlink()
            else:
                self.repository.write(path, content)
        self.repository.git("add", "--all")

    def asked(self) -> bool:
        """True if a hook has started Python for the gate since the last question."""
        lines = self.starts.read_text().splitlines() if self.starts.exists() else []
        self.starts.unlink(missing_ok=True)
        return any(GATE in line for line in lines)

    def open_edits(self) -> list[str]:
        """The paths of the rogue edits that nobody has answered for."""
        status = json.loads(run_sage("status", "--json", cwd=self.repository.path).stdout)
        return sorted(edit["filePath"] for edit in status["openRogueEdits"])

    def message(self) -> str:
        """The message of HEAD's commit."""
        return self.repository.git("log", "-1", "--format=%B").rstrip("\n")

    def refuses(self, finished: subprocess.CompletedProcess[bytes], *words: str) -> bool:
        """True if the commit was refused, with these words."""
        said = finished.stderr.decode()
        return finished.returncode == 1 and "commit refused" in said and all(word in said for word in words)


@pytest.fixture(scope="module")
def unplanned(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """What `recorded` is a copy of."""
    repository = GitRepository.create(tmp_path_factory.mktemp("unplanned") / "repository")
    repository.commit("base", **{"src/a.py": "a\n" * 5, "src/b.py": "b\n" * 5, "docs/c.md": "c\n" * 5})
    assert run_sage("init", cwd=repository.path).returncode == 0
    return repository


@pytest.fixture(scope="module")
def with_login(unplanned: GitRepository, tmp_path_factory: pytest.TempPathFactory) -> tuple[GitRepository, str]:
    """What `gated` is a copy of, and the approval of its plan."""
    repository = unplanned.copied(tmp_path_factory.mktemp("with_login") / "repository")
    plan = planned.approved(repository, "login", "src/")
    planned.use(repository, "login")
    assert plan.event_id is not None
    return repository, plan.event_id[:16]


@pytest.fixture
def recorded(unplanned: GitRepository, tmp_path: Path) -> Gated:
    """No plan yet."""
    repository = unplanned.copied(tmp_path / "repository")
    return Gated(repository, planned.count_starts(repository, tmp_path), "")


@pytest.fixture
def gated(with_login: tuple[GitRepository, str], tmp_path: Path) -> Gated:
    repository = with_login[0].copied(tmp_path / "repository")
    return Gated(repository, planned.count_starts(repository, tmp_path), with_login[1])


@pytest.fixture
def strict(gated: Gated) -> Gated:
    planned.set_policy(gated.repository, 'mode = "warn"', 'mode = "block"')
    run_sage("record", cwd=gated.repository.path)
    return gated


class TestCoveredCommits:
    """What the plan in use covers passes without Python, and says under which plan it was made."""

    def test_a_covered_commit_is_silent_starts_no_python_and_names_its_plan(self, gated: Gated):
        gated.stage(**{"src/a.py": "new\n"})
        finished = gated.commit()
        assert (finished.returncode, finished.stderr, gated.asked()) == (0, b"", False)
        assert gated.message() == f"change\n\nSage-Plan: login {gated.approval}"

    @pytest.mark.parametrize("arguments", [["-a"], ["src/a.py"], ["--include", "src/a.py"], ["--only", "src/a.py"]])
    def test_however_it_is_staged(self, gated: Gated, arguments: list[str]):
        gated.repository.write("src/a.py", "new\n")
        assert gated.commit(*arguments).stderr == b""
        assert not gated.asked()

    def test_what_is_staged_beside_a_named_path_is_not_judged(self, gated: Gated):
        gated.repository.write("src/a.py", "new\n")
        gated.stage(**{"docs/c.md": "new\n"})
        assert gated.commit("src/a.py").stderr == b""
        assert not gated.asked()

    def test_additions_renames_and_removals_inside_the_scope_are_covered(self, gated: Gated):
        gated.stage(**{'src/new ü"\n.py': "n\n", "src/b.py": None})
        gated.repository.git("mv", "src/a.py", "src/z.py")
        assert gated.commit().stderr == b""
        assert not gated.asked()

    def test_nothing_staged_is_nothing_to_cover(self, gated: Gated):
        gated.repository.write("docs/c.md", "not staged\n")
        gated.repository.write("docs/later.md", "")
        gated.repository.git("add", "--intent-to-add", "docs/later.md")
        assert gated.commit("--allow-empty").stderr == b""
        assert not gated.asked()

    def test_exempt_paths_need_no_plan(self, gated: Gated):
        planned.set_policy(gated.repository, "exempt = []", 'exempt = ["*.lock"]')
        run_sage("record", cwd=gated.repository.path)
        gated.stage(**{"src/a.py": "new\n", "docs/poetry.lock": "x\n"})
        assert gated.commit().stderr == b""
        assert not gated.asked()

    def test_a_subdirectory_and_a_linked_worktree_are_no_different(self, gated: Gated):
        linked = gated.repository.worktree("main", "-b", "other")  # no worse a name than another
        planned.use(linked, "login")
        linked.write("src/a.py", "new\n")
        assert gated.commit("-a", where=linked).stderr == b""
        assert not gated.asked()
        assert linked.git("log", "-1", "--format=%B").rstrip("\n").endswith(f"Sage-Plan: login {gated.approval}")

    def test_a_sha256_repository_is_no_different(self, tmp_path: Path):
        repository = GitRepository.create(tmp_path / "sha256", "--object-format=sha256")
        repository.commit("base", **{"src/a.py": "a\n"})
        run_sage("init", cwd=repository.path)
        planned.approved(repository, "login", "src/")
        planned.use(repository, "login")
        gated = Gated(repository, planned.count_starts(repository, tmp_path), "")
        gated.stage(**{"src/a.py": "new\n"})
        assert gated.commit().stderr == b""
        assert not gated.asked()

    def test_a_sparse_index_is_no_different(self, gated: Gated):
        gated.repository.git("sparse-checkout", "set", "--cone", "--sparse-index", "src")
        gated.stage(**{"src/a.py": "new\n"})
        assert gated.commit().stderr == b""
        assert not gated.asked()

    def test_what_the_gate_lets_pass_the_recorder_finds_covered(self, gated: Gated):
        planned.set_policy(gated.repository, "exempt = []", 'exempt = ["vendor/"]')
        run_sage("record", cwd=gated.repository.path)
        before = gated.open_edits()
        gated.stage(**{"src/a.py": "new\n", "src/ü.py": "x\n", "vendor/x": "x\n"})
        gated.repository.git("mv", "src/b.py", "vendor/b.py")
        assert gated.commit().stderr == b""
        assert gated.open_edits() == before
        gated.stage(**{"docs/c.md": "new\n"})
        assert b"covers 1 staged change\n" in gated.commit().stderr
        assert gated.open_edits() == sorted([*before, "docs/c.md"])


class TestUncoveredCommits:
    """What no plan covers is told or refused, with what to do next."""

    def test_a_warning_names_the_paths_and_the_way_out_and_lets_git_go_on(self, gated: Gated):
        gated.stage(**{"docs/c.md": "new\n", "src/a.py": "new\n"})
        gated.repository.git("mv", "src/b.py", "docs/b.py")
        finished = gated.commit()
        assert finished.returncode == 0
        assert finished.stderr.decode().splitlines() == [
            "sage-git: no approved plan covers 2 staged changes",
            "  src/b.py → docs/b.py",
            "  docs/c.md",
            "  plan login, which is in use, does not cover them",
            "  next: sage-git plan draft; once it is approved, sage-git plan use PLANID",
            "        or commit all the same, and answer for it with sage-git reconcile",
        ]

    def test_a_plan_that_covers_it_is_told(self, gated: Gated):
        planned.approved(gated.repository, "manual", "docs/", "src/")
        gated.stage(**{"docs/c.md": "new\n"})
        assert "  next: sage-git plan use manual, which covers all of it" in gated.commit().stderr.decode().splitlines()

    def test_block_mode_refuses_and_no_verify_passes_by(self, strict: Gated):
        head = strict.repository.head
        strict.stage(**{"docs/c.md": "new\n"})
        assert strict.refuses(strict.commit(), "docs/c.md")
        assert strict.repository.head == head
        assert strict.commit("--no-verify").returncode == 0
        strict.stage(**{"src/a.py": "new\n"})
        assert strict.commit().stderr == b""

    def test_record_mode_is_silent(self, gated: Gated):
        planned.set_policy(gated.repository, 'mode = "warn"', 'mode = "record"')
        run_sage("record", cwd=gated.repository.path)
        gated.stage(**{"docs/c.md": "new\n"})
        assert gated.commit().stderr == b""
        assert not gated.asked()

    def test_before_any_plan_was_approved_the_gate_is_silent(self, recorded: Gated):
        planned.draft(recorded.repository, "login", "src/")
        recorded.stage(**{"docs/c.md": "new\n"})
        assert recorded.commit().stderr == b""
        assert not recorded.asked()

    def test_no_plan_in_use_covers_nothing(self, gated: Gated):
        planned.use(gated.repository, None)
        gated.stage(**{"src/a.py": "new\n"})
        assert b"no approved plan covers 1 staged change\n" in gated.commit().stderr
        assert gated.message() == "change"

    def test_a_denial_closes_the_gate_at_once_in_every_work_tree(self, gated: Gated):
        linked = gated.repository.worktree()
        planned.use(linked, "login")
        plan = planned.draft(gated.repository, "login", "src/")
        planned.deny(gated.repository, plan)
        for where in (gated.repository, linked):
            where.write("src/a.py", "new\n")
            said = gated.commit("-a", where=where).stderr.decode()
            assert "plan login, which is in use, is not in force" in said
            assert "plan login is not in force; the commit names no plan" in said

    def test_an_expired_plan_covers_nothing(self, gated: Gated):
        planned.approved(gated.repository, "short", "src/", expiresAt="2026-01-01T00:00:00.000Z")
        planned.use(gated.repository, "short")
        gated.stage(**{"src/a.py": "new\n"})
        assert b"plan short, which is in use, is not in force" in gated.commit().stderr

    def test_a_plan_that_will_expire_covers_until_then(self, gated: Gated):
        planned.approved(gated.repository, "long", "src/", expiresAt="2999-01-01T00:00:00.000Z")
        planned.use(gated.repository, "long")
        gated.stage(**{"src/a.py": "new\n"})
        assert gated.commit().stderr == b""
        assert not gated.asked()

    def test_the_config_itself_is_covered_by_a_plan_that_names_it_but_never_what_is_immutable(self, strict: Gated):
        planned.approved(strict.repository, "policy", ".sage/")
        planned.use(strict.repository, "policy")
        text = strict.repository.read(".sage/config.toml")
        strict.stage(**{".sage/config.toml": text.replace("implicit = false", "implicit = true")})
        assert strict.commit().returncode == 0
        strict.stage(**{".sage/config.toml": text.replace('repository = "', 'repository = "0')})
        assert strict.refuses(strict.commit(), ".sage/config.toml")
        strict.stage(**{".sage/config.toml": None})
        assert strict.refuses(strict.commit(), ".sage/config.toml")

    def test_an_exemption_of_everything_does_not_reach_the_config(self, strict: Gated):
        planned.set_policy(strict.repository, "exempt = []", 'exempt = ["**"]')
        text = strict.repository.read(".sage/config.toml")
        strict.stage(**{".sage/config.toml": text.replace('mode = "block"', 'mode = "warn"')})
        assert strict.refuses(strict.commit(), ".sage/config.toml")

    def test_implicit_coverage_needs_no_plan_in_use(self, strict: Gated):
        planned.set_policy(strict.repository, "implicit = false", "implicit = true")
        planned.use(strict.repository, None)
        strict.stage(**{"src/a.py": "new\n"})
        assert strict.commit().stderr == b""

    def test_ones_own_approval_does_not_count_where_the_policy_says_so(self, strict: Gated):
        planned.set_policy(strict.repository, "self_approval = true", "self_approval = false")
        bob = {"agent": "test", "id": "Bob <bob@example.org>"}
        planned.approve(strict.repository, planned.draft(strict.repository, "shared", "src/", actor=bob))
        planned.use(strict.repository, "shared")
        strict.stage(**{"src/a.py": "new\n"})
        assert strict.commit().stderr == b""
        strict.stage(**{"src/a.py": "newer\n"})
        by_rae = {"GIT_AUTHOR_NAME": "Rae", "GIT_AUTHOR_EMAIL": "rae@example.org"}
        assert strict.refuses(strict.commit(env=by_rae))

    def test_a_changed_mode_counts_from_the_next_commit_on(self, gated: Gated):
        planned.set_policy(gated.repository, 'mode = "warn"', 'mode = "block"')  # nobody compiled the gate since
        gated.stage(**{"docs/c.md": "new\n"})
        assert gated.refuses(gated.commit())

    def test_a_commit_with_an_older_date_is_judged_by_that_date(self, gated: Gated):
        gated.stage(**{"docs/c.md": "new\n"})
        before_any_plan = {"GIT_COMMITTER_DATE": "2025-01-01T00:00:00Z"}
        assert b"covers 1 staged change" in gated.commit(env=before_any_plan).stderr  # HEAD is later than the approval

    def test_hostile_names_are_shown_escaped_and_many_are_cut(self, gated: Gated):
        gated.stage(**{f"docs/\x1b[31m{number}": "x\n" for number in range(20)}, **{"docs/" + "x" * 200: "x\n"})
        lines = gated.commit().stderr.decode().splitlines()
        assert "  … and 13 more" in lines
        assert not any("\x1b" in line or len(line) > 80 for line in lines)


class TestOddPlaces:
    """Where a commit is no plain commit."""

    def test_an_unborn_branch_is_judged_against_nothing(self, gated: Gated):
        gated.repository.git("switch", "-q", "--orphan", "new")
        gated.stage(**{"docs/x.md": "x\n"})
        assert b"covers 1 staged change\n  docs/x.md\n" in gated.commit().stderr

    def test_an_amend_is_judged_by_what_it_adds(self, strict: Gated):
        strict.stage(**{"docs/c.md": "new\n"})
        strict.commit("--no-verify")
        assert strict.commit("--amend").stderr == b""
        strict.stage(**{"docs/c.md": "newer\n"})
        assert strict.refuses(strict.commit("--amend"))

    def test_an_automatic_merge_answers_for_itself(self, strict: Gated):
        git = strict.repository.git
        git("switch", "-q", "-c", "side")
        strict.stage(**{"docs/c.md": "side\n"})
        strict.commit("--no-verify")
        git("switch", "-q", "main")
        strict.stage(**{"src/a.py": "main\n"})
        strict.commit()
        finished = strict.repository.run("merge", "-q", "--no-edit", "side", env=planned.NOW)
        assert (finished.returncode, finished.stderr) == (0, b"")

    def test_of_a_finished_conflict_only_what_differs_from_every_parent_is_judged(self, strict: Gated):
        git = strict.repository.git
        git("switch", "-q", "-c", "side")
        strict.stage(**{"src/a.py": "side\n", "docs/c.md": "side\n"})
        strict.commit("--no-verify")
        git("switch", "-q", "main")
        strict.stage(**{"src/a.py": "main\n"})
        strict.commit()
        git("merge", "-q", "side", check=False)
        strict.stage(**{"src/a.py": "main and side\n"})
        assert strict.commit().stderr == b""
        git("reset", "-q", "--hard", "HEAD~1")
        git("merge", "-q", "side", check=False)
        strict.stage(**{"src/a.py": "main and side\n", "docs/c.md": "evil\n"})
        assert strict.refuses(strict.commit(), "docs/c.md")

    def test_a_cherry_pick_and_a_squash_are_left_to_the_recorder(self, strict: Gated):
        git = strict.repository.git
        git("switch", "-q", "-c", "side")
        strict.stage(**{"docs/c.md": "side\n"})
        strict.commit("--no-verify")
        git("switch", "-q", "main")
        git("merge", "-q", "--squash", "side")
        assert strict.commit().stderr == b""
        strict.stage(**{"docs/c.md": "main\n"})
        strict.commit("--no-verify")
        git("cherry-pick", "side", check=False)
        strict.stage(**{"docs/c.md": "both\n"})
        finished = strict.repository.run("-c", "core.editor=:", "cherry-pick", "--continue", env=planned.NOW)
        assert (finished.returncode, finished.stderr) == (0, b"")

    def test_a_foreign_hook_runs_first_and_what_it_stages_is_judged(self, strict: Gated):
        hook = strict.repository.path / ".git" / "hooks" / "pre-commit"
        hook.write_text("#!/bin/sh\n[ ! -f stop ] || exit 1\necho f >docs/formatted\ngit add docs/formatted\n")
        install_shims(hook.parent)
        strict.stage(**{"src/a.py": "new\n"})
        assert strict.refuses(strict.commit(), "docs/formatted")
        strict.repository.write("stop", "")
        finished = strict.commit()
        assert (finished.returncode, finished.stderr) == (1, b"")

    def test_a_teams_own_hook_scripts_call_the_gate_and_are_stopped_by_it(self, tmp_path: Path):
        repository = GitRepository.create(tmp_path / "team")
        repository.git("config", "core.hooksPath", ".githooks")
        hook = repository.write(".githooks/pre-commit", "#!/bin/sh\necho formatted >&2\nexit 0\n")
        hook.chmod(0o755)
        repository.commit("base", **{"src/a.py": "a\n"})
        assert run_sage("init", "--hook-manager", cwd=repository.path).returncode == 0
        planned.set_policy(repository, 'mode = "warn"', 'mode = "block"')
        planned.approved(repository, "login", "src/")
        repository.write("docs/c.md", "new\n")
        repository.git("add", "docs")
        finished = repository.run("commit", "-qm", "change", env=planned.NOW)
        assert finished.returncode == 1
        assert b"commit refused" in finished.stderr

    def test_a_fault_of_ours_is_one_line_and_stops_nobody(self, strict: Gated, tmp_path: Path):
        strict.stage(**{"docs/c.md": "new\n"})
        (tmp_path / "interpreter").write_text("#!/bin/sh\nexit 1\n")  # as Python does that cannot import us
        assert strict.commit().returncode == 0
        strict.stage(**{"docs/c.md": "newer\n"})
        (tmp_path / "interpreter").unlink()
        finished = strict.commit()
        assert finished.returncode == 0
        assert finished.stderr.decode().splitlines()[0] == (
            f"sage-git: pre-commit: interpreter {tmp_path}/interpreter is gone; nothing is judged"
        )

    def test_a_compiled_gate_that_is_gone_or_broken_only_costs_time(self, strict: Gated):
        compiled = strict.repository.path / ".git/sage/gate/main/compiled"
        for damage in (compiled.unlink, lambda: compiled.write_text("sage-git gate 1\njudging yes\nhalts 0\n")):
            damage()
            strict.stage(**{"docs/c.md": f"{damage}\n"})
            assert strict.refuses(strict.commit())
        assert "config" in compiled.read_text()


class TestHalts:
    """What a halt binds is refused until somebody lifts it."""

    def test_a_halted_source_is_refused_and_others_are_not(self, gated: Gated):
        halt = planned.halt(gated.repository, "src/a.py")
        gated.stage(**{"src/b.py": "new\n"})
        assert gated.commit().returncode == 0
        gated.stage(**{"src/a.py": "new\n"})
        finished = gated.commit()
        assert gated.refuses(finished, "src/a.py is halted", "tests are green", f"{halt.event_id}"[:12])
        planned.say(
            gated.repository,
            "src/a.py",
            type="RECONCILIATION",
            reconciliationStrategy="lifted",
            resolves=[halt.event_id],
        )
        assert gated.commit().stderr == b""

    def test_a_halted_repository_refuses_every_change_also_before_any_plan(self, recorded: Gated):
        planned.halt(recorded.repository, "halts")
        recorded.stage(**{"docs/c.md": "new\n"})
        assert recorded.refuses(recorded.commit(), "the repository is halted")

    def test_a_merge_that_would_change_a_halted_source_is_refused(self, gated: Gated):
        git = gated.repository.git
        git("switch", "-q", "-c", "side")
        gated.stage(**{"src/a.py": "side\n"})
        gated.commit()
        git("switch", "-q", "main")
        gated.stage(**{"src/b.py": "main\n"})
        gated.commit()
        planned.halt(gated.repository, "src/a.py")
        finished = gated.repository.run("merge", "-q", "--no-edit", "side", env=planned.NOW)
        assert finished.returncode != 0
        assert b"src/a.py is halted" in finished.stderr

    def test_record_mode_refuses_nothing(self, gated: Gated):
        planned.set_policy(gated.repository, 'mode = "warn"', 'mode = "record"')
        planned.halt(gated.repository, "halts")
        gated.stage(**{"docs/c.md": "new\n"})
        assert gated.commit().stderr == b""


class TestSagePlan:
    """prepare-commit-msg names the plan under which a commit is made."""

    def message(self, gated: Gated, *arguments: str, **env: str) -> str:
        gated.repository.git("commit", "-q", "--allow-empty", *arguments, env={**planned.NOW, **env})
        return gated.message()

    def test_actor_and_plan_stand_together(self, gated: Gated):
        said = self.message(gated, "-m", "x", SAGE_ACTOR="mine")
        assert said == f"x\n\nSage-Actor: mine\nSage-Plan: login {gated.approval}"

    def test_sage_plan_wins_and_empty_it_names_none(self, gated: Gated):
        other = planned.approved(gated.repository, "manual", "docs/")
        assert self.message(gated, "-m", "x", SAGE_PLAN="manual") == f"x\n\nSage-Plan: manual {other.event_id}"[:-48]
        assert self.message(gated, "-m", "x", SAGE_PLAN="") == "x"
        gated.stage(**{"docs/c.md": "new\n"})
        assert gated.commit(env={"SAGE_PLAN": "manual"}).stderr == b""
        assert not gated.asked()

    def test_it_is_never_written_twice_and_another_one_stays(self, gated: Gated):
        once = self.message(gated, "-m", "x")
        assert self.message(gated, "--amend", "--no-edit") == once
        claim = f"x\n\nSage-Plan: other {'0' * 16}"
        assert self.message(gated, "-m", claim) == claim

    def test_a_message_that_is_written_in_an_editor_is_signed_afterwards(self, gated: Gated):
        written = {**planned.NOW, "GIT_EDITOR": "f() { sed -i '1s/^/by hand/' \"$1\"; }; f", "SAGE_ACTOR": "mine"}
        gated.repository.git("commit", "--allow-empty", "--verbose", env=written)
        assert gated.message() == f"by hand\n\nSage-Actor: mine\nSage-Plan: login {gated.approval}"

    def test_an_empty_message_still_stops_the_commit(self, gated: Gated):
        gated.repository.git("commit", "--allow-empty", env={**planned.NOW, "GIT_EDITOR": "true"}, check=False)
        assert gated.repository.status == 1

    def test_a_pick_keeps_the_message_of_its_original(self, gated: Gated):
        git = gated.repository.git
        git("switch", "-q", "-c", "side")
        gated.stage(**{"src/b.py": "side\n"})
        gated.commit(env={"SAGE_PLAN": ""})
        git("switch", "-q", "main")
        gated.stage(**{"src/a.py": "main\n"})
        gated.commit(env={"SAGE_PLAN": ""})
        git("cherry-pick", "side", env=planned.NOW)
        git("reset", "-q", "--hard", "HEAD~1")
        git("rebase", "-q", "main", "side", env=planned.NOW)
        assert "Sage-Plan" not in git("log", "--format=%B")

    @pytest.mark.parametrize(
        "named, said",
        [
            ("unheard-of", "plan unheard-of is not in force; the commit names no plan"),
            ("a\nb", "SAGE_PLAN is not the id of a plan; the commit names no plan"),
            ("$(touch pwned)", "SAGE_PLAN is not the id of a plan; the commit names no plan"),
        ],
    )
    def test_what_is_no_plan_in_force_is_one_line(self, gated: Gated, named: str, said: str):
        finished = gated.commit("--allow-empty", env={"SAGE_PLAN": named})
        assert finished.returncode == 0
        assert finished.stderr.decode() == f"sage-git: prepare-commit-msg: {said}\n"
        assert gated.message() == "change"
