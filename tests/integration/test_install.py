"""`init` and `deinit` as operations: what they write, commit and refuse, and that they leave everything else alone."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sage_git.errors import ConfigError, NotHere, PermissionRefused, SageError, UsageError
from sage_git.judgement.policy import Mode, parse_policy
from sage_git.operations.identity import Identity
from sage_git.operations.setup.install import Beginning, ConfigCommit, InitOutcome, InitWish, initialise
from sage_git.operations.setup.removal import Keeping, remove
from tests.kit import GitRepository, run_sage

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILES = {".sage/config.toml", ".sage/allowed_signers"}


def wish(repository: GitRepository) -> InitWish:
    return InitWish(repository.path, dict(os.environ), sys.executable, NOW)


def init(repository: GitRepository, **wishes: object) -> InitOutcome:
    return initialise(replace(wish(repository), **wishes))  # type: ignore[arg-type]


def deinit(repository: GitRepository, keeping: Keeping = Keeping.RECORD):
    return remove(repository.path, dict(os.environ), keeping)


def policy_of(repository: GitRepository, revision: str = "HEAD"):
    return parse_policy(repository.git("show", f"{revision}:.sage/config.toml").encode())


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mode) for p in folder.iterdir() if p.is_file()}


def test_init_commits_exactly_its_two_files_and_begins_at_head(repository: GitRepository):
    base = repository.commit("base", f0="x\n")
    outcome = init(repository)
    assert outcome.beginning is Beginning.CREATED
    assert outcome.config.commit == repository.head
    assert set(repository.git("show", "--format=", "--name-only", "HEAD").split()) == FILES
    assert repository.git("rev-parse", "HEAD~1") == base
    assert policy_of(repository).identity.since == base
    assert repository.git("status", "--porcelain") == ""


def test_what_is_staged_or_changed_stays_staged_or_changed(repository: GitRepository):
    repository.commit("base", f0="x\n", f1="y\n", f2="z\n")
    repository.write("f0", "staged\n")
    repository.write("new", "staged too\n")
    repository.git("rm", "-q", "f2")
    repository.git("add", "f0", "new")
    repository.write("f0", "and changed again\n")
    repository.write("f1", "changed\n")
    before = (repository.git("status", "--porcelain"), repository.git("diff", "--cached"), repository.git("diff"))
    init(repository)
    after = (repository.git("status", "--porcelain"), repository.git("diff", "--cached"), repository.git("diff"))
    assert after == before


def test_an_unborn_repository_has_no_since(repository: GitRepository):
    repository.write("staged", "x\n")
    repository.git("add", "staged")
    init(repository)
    assert policy_of(repository).identity.since is None
    assert set(repository.git("ls-tree", "-r", "--name-only", "HEAD").split()) == FILES
    assert repository.git("status", "--porcelain") == "A  staged"


def test_branches_that_head_does_not_contain_are_backfilled(repository: GitRepository):
    repository.commit("base")
    repository.git("branch", "contained")
    repository.git("switch", "-q", "-c", "ahead")
    ahead = repository.commit("ahead")
    repository.git("switch", "-q", "main")
    outcome = init(repository)
    assert outcome.identity.backfill == (ahead,)
    assert policy_of(repository).identity.backfill == (ahead,)


def test_init_twice_changes_nothing(repository: GitRepository):
    repository.commit("base", f0="x\n")
    init(repository)
    hooks = repository.path / ".git" / "hooks"
    sage = repository.path / ".git" / "sage"
    before = (repository.head, files_of(hooks), files_of(sage), files_of(repository.path / ".git" / "info"))
    outcome = init(repository, now=NOW.replace(year=2030))
    assert outcome.beginning is Beginning.RENEWED
    assert (repository.head, files_of(hooks), files_of(sage), files_of(repository.path / ".git" / "info")) == before


def test_a_clone_joins_the_record_of_its_origin(repository: GitRepository):
    repository.commit("base", f0="x\n")
    first = init(repository)
    clone = repository.clone()
    outcome = init(clone)
    assert outcome.beginning is Beginning.JOINED
    assert outcome.identity.repository == first.identity.repository
    assert clone.head == repository.head


def test_a_shallow_clone_is_told_that_commits_have_to_wait(repository: GitRepository):
    init(repository)
    repository.commit("more", f0="x\n")
    shallow = GitRepository(repository.path.parent / "shallow")
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(shallow.path))
    assert "git fetch --unshallow" in run_sage("init", cwd=shallow.path).stdout


def test_a_branch_without_the_config_joins_the_record_of_one_that_has_it(repository: GitRepository):
    repository.commit("base", f0="x\n")
    repository.git("branch", "old")
    first = init(repository)
    clone = repository.clone("clone", "--branch", "old")
    outcome = init(clone)
    assert outcome.identity.repository == first.identity.repository
    assert outcome.config.source == "refs/remotes/origin/main"
    assert clone.git("status", "--porcelain") == ""


def test_no_commit_leaves_the_config_for_a_person_and_a_second_init_commits_it(repository: GitRepository):
    base = repository.commit("base", f0="x\n")
    first = init(repository, commit=ConfigCommit.LEAVE)
    assert not first.config.is_committed
    assert repository.head == base
    assert repository.git("status", "--porcelain") == "?? .sage/"
    repository.commit("meanwhile", f1="y\n")
    repository.git("reset", "-q", "--soft", "HEAD~1")
    second = init(repository)
    assert second.identity == first.identity
    assert second.config.is_committed
    assert policy_of(repository).identity.since == base


def test_the_clones_identity_is_what_the_config_says(repository: GitRepository):
    repository.commit("base", f0="x\n")
    outcome = init(repository, suffix=".chronicle.sage")
    assert Identity.read(repository.path / ".git" / "sage") == outcome.identity
    assert outcome.identity.suffix == ".chronicle.sage"
    assert outcome.identity.joined == "2026-01-02T03:04:05.000Z"


def test_the_mode_that_was_wanted_stands_in_the_config(repository: GitRepository):
    repository.commit("base", f0="x\n")
    assert init(repository, mode=Mode.BLOCK).config.policy.rogue.mode is Mode.BLOCK
    assert policy_of(repository).rogue.mode is Mode.BLOCK


def test_no_hook_runs_for_the_commit_of_the_config(repository: GitRepository):
    repository.commit("base")
    for name in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit"):
        hook = repository.path / ".git" / "hooks" / name
        hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
        hook.chmod(0o755)
    init(repository)
    assert not (repository.path / "ran").exists()


def test_a_gitignore_that_names_the_folder_does_not_hinder(repository: GitRepository):
    repository.commit("base", **{".gitignore": ".*\n*.sage\n"})
    init(repository)
    assert set(repository.git("show", "--format=", "--name-only", "HEAD").split()) == FILES


class TestRefusals:
    """What a newcomer meets; each says what to do."""

    def refusal(self, repository: GitRepository, kind: type[SageError] = NotHere, **wishes: object) -> SageError:
        before = repository.git("status", "--porcelain", "--ignored")
        with pytest.raises(kind) as raised:
            init(repository, **wishes)
        assert raised.value.remedy
        assert repository.git("status", "--porcelain", "--ignored") == before
        assert not (repository.path / ".git" / "sage").exists()
        return raised.value

    def test_outside_a_repository(self, tmp_path: Path):
        with pytest.raises(NotHere, match="is not inside a git repository") as raised:
            initialise(InitWish(tmp_path, dict(os.environ), sys.executable, NOW))
        assert "git init" in raised.value.remedy

    def test_in_a_bare_repository(self, tmp_path: Path):
        bare = GitRepository.create(tmp_path / "bare.git", "--bare")
        with pytest.raises(NotHere, match="is a bare repository"):
            init(bare)

    def test_in_a_repository_of_sagemath_and_the_way_out(self, repository: GitRepository):
        repository.commit("base", **{"src/a.sage": "x = 1\n", "b.sage": "y\n"})
        problem = self.refusal(repository)
        assert str(problem) == "b.sage and 1 more would look like a chronicle: SageMath uses .sage as well"
        assert problem.remedy == "sage-git init --suffix .chronicle.sage"
        assert init(repository, suffix=".chronicle.sage").identity.suffix == ".chronicle.sage"

    def test_in_the_middle_of_a_merge(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        repository.git("switch", "-q", "-c", "side")
        repository.commit("side", f0="side\n")
        repository.git("switch", "-q", "main")
        repository.commit("main", f0="main\n")
        repository.git("merge", "side", check=False)
        assert "a merge is not finished" in str(self.refusal(repository))

    def test_on_a_detached_head(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        repository.git("checkout", "-q", "--detach")
        assert "HEAD is detached" in str(self.refusal(repository))

    def test_where_git_does_not_know_who_commits(self, repository: GitRepository, sealed: Path):
        repository.commit("base", f0="x\n")
        (sealed / ".gitconfig").write_text("[user]\nuseConfigOnly = true\n")
        assert "git does not know who you are" in str(self.refusal(repository))

    def test_a_suffix_that_is_none(self, repository: GitRepository):
        assert "'.txt' is not a suffix" in str(self.refusal(repository, UsageError, suffix=".txt"))

    def test_another_suffix_than_the_config_has(self, repository: GitRepository):
        init(repository)
        with pytest.raises(UsageError, match=r"has the suffix '\.sage' already"):
            init(repository, suffix=".chronicle.sage")

    def test_another_mode_than_the_config_has(self, repository: GitRepository):
        init(repository, mode=Mode.WARN)
        init(repository, mode=Mode.WARN)
        with pytest.raises(UsageError, match="has the mode 'warn' already"):
            init(repository, mode=Mode.BLOCK)

    def test_a_broken_config(self, repository: GitRepository):
        repository.commit("base", **{".sage/config.toml": "format = 'x'\n"})
        with pytest.raises(ConfigError):
            init(repository)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_in_a_directory_that_may_not_be_written(self, repository: GitRepository):
        repository.path.chmod(0o555)
        try:
            with pytest.raises(PermissionRefused):
                init(repository)
        finally:
            repository.path.chmod(0o755)

    def test_a_commit_that_git_refuses_leaves_nothing_staged(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        repository.git("config", "commit.gpgSign", "true")
        repository.git("config", "gpg.program", "false")
        with pytest.raises(SageError):
            init(repository)
        assert repository.git("diff", "--cached") == ""


class TestExclude:
    """The managed block keeps sidecars out of `git status`, or `init` says what beats it."""

    def test_sidecars_are_ignored_and_folders_named_like_them_are_not(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        init(repository)
        repository.write("f0.sage", "{}")
        repository.write("deep/x.py.sage", "{}")
        repository.write("folder.sage/source.py", "x\n")
        assert repository.git("status", "--porcelain", "-uall") == "?? folder.sage/source.py"

    def test_what_stood_in_the_file_stays(self, repository: GitRepository):
        exclude = repository.path / ".git" / "info" / "exclude"
        exclude.write_text("mine\nmine too")
        init(repository)
        assert exclude.read_text().startswith("mine\nmine too\n# sage-git")
        deinit(repository)
        assert exclude.read_text() == "mine\nmine too\n"

    def test_a_whitelist_that_beats_the_block_is_named(self, repository: GitRepository):
        repository.commit("base", **{"src/.gitignore": "*\n!*.sage\n"})
        repository.git("add", "--force", "src")
        overruled = init(repository).overruled
        assert overruled is not None
        assert (overruled.source, overruled.line, overruled.pattern) == ("src/.gitignore", 2, "!*.sage")

    def test_packagers_that_read_only_gitignore_are_named(self, repository: GitRepository):
        files = {"package.json": "{}", "pyproject.toml": 'build-backend = "hatchling.build"\n'}
        repository.commit("base", **files)
        assert init(repository).packagers == ("npm", "hatch")
        repository.write(".gitignore", "*.sage\n")
        assert init(repository).packagers == ()


class TestDeinit:
    """`deinit` leaves no trace but the record and what was committed."""

    def test_everything_is_as_before_but_the_commit(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        hooks = repository.path / ".git" / "hooks"
        foreign = hooks / "pre-commit"
        foreign.write_bytes(b"#!/bin/sh\n# mine \xff\nexit 0\n")
        foreign.chmod(0o750)
        (hooks / "post-merge").symlink_to("../../f0")
        before = (files_of(hooks), os.readlink(hooks / "post-merge"), files_of(repository.path / ".git" / "info"))
        init(repository)
        assert os.access(hooks / "post-commit", os.X_OK)
        outcome = deinit(repository)
        after = (files_of(hooks), os.readlink(hooks / "post-merge"), files_of(repository.path / ".git" / "info"))
        assert after == before
        assert outcome.record is not None
        assert not (outcome.record / "clone.json").exists()

    def test_chronicles_go_and_files_that_only_end_like_them_stay(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        init(repository)
        linked = repository.worktree()
        for tree in (repository, linked):
            tree.write("gone/f0.sage", '{"eventId":"00"}\n')
        repository.write("mine.sage", "x = 1\n")
        assert deinit(repository).sidecars >= 2
        left = {path.name for tree in (repository, linked) for path in tree.path.rglob("*.sage")}
        assert left == {".sage", "mine.sage"}  # the folder with the config, and the file
        assert not (repository.path / "gone").exists()
        assert not (linked.path / "gone").exists()
        assert repository.read("mine.sage") == "x = 1\n"

    def test_purge_deletes_the_record_even_a_damaged_one(self, repository: GitRepository):
        init(repository)
        (repository.path / ".git" / "sage" / "clone.json").write_text("{")
        assert deinit(repository, Keeping.NOTHING).record is None
        assert not (repository.path / ".git" / "sage").exists()

    def test_deinit_twice_and_without_init_do_nothing(self, repository: GitRepository):
        before = files_of(repository.path / ".git" / "hooks")
        for _ in range(2):
            outcome = deinit(repository)
            assert (outcome.shims.hooks, outcome.sidecars, outcome.record) == ((), 0, None)
        assert files_of(repository.path / ".git" / "hooks") == before

    def test_a_clone_that_left_can_join_again(self, repository: GitRepository):
        first = init(repository)
        deinit(repository)
        assert init(repository).identity.repository == first.identity.repository

    def test_a_clone_that_left_goes_on_with_its_record_after_the_config_was_reverted(self, repository: GitRepository):
        repository.commit("base", f0="x\n")
        first = init(repository, suffix=".chronicle.sage")
        deinit(repository)
        deinit(repository)
        repository.git("revert", "--no-edit", "HEAD")
        second = init(repository)
        assert second.beginning is Beginning.RESUMED
        assert second.config.commit == repository.head
        assert second.identity == replace(first.identity, reflog_marks=second.identity.reflog_marks)
        assert policy_of(repository).identity == first.config.policy.identity

    def test_the_record_of_another_repository_is_not_gone_on_with(self, repository: GitRepository):
        init(repository)
        deinit(repository)
        config = repository.read(".sage/config.toml")
        repository.commit("another record", **{".sage/config.toml": re.sub('"[0-9a-f]{64}"', f'"{"0" * 64}"', config)})
        with pytest.raises(UsageError, match="but HEAD names 0000") as raised:
            init(repository)
        assert "deinit --purge" in raised.value.remedy
        deinit(repository, Keeping.NOTHING)
        assert init(repository).identity.repository == "0" * 64
