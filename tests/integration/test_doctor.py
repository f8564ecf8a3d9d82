"""`doctor` finds what keeps commits from being recorded, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sage_git.errors import NotHere
from sage_git.operations.setup.doctor import Check, State, examine
from sage_git.operations.setup.install import ConfigCommit, InitWish, initialise
from tests.kit import GitRepository


@pytest.fixture
def recorded(repository: GitRepository) -> GitRepository:
    repository.commit("base", f0="x\n")
    init(repository)
    return repository


def init(repository: GitRepository, commit: ConfigCommit = ConfigCommit.MAKE) -> None:
    initialise(
        InitWish(repository.path, dict(os.environ), sys.executable, datetime(2026, 1, 2, tzinfo=UTC), commit=commit)
    )


def examined(repository: GitRepository) -> dict[str, Check]:
    return {check.name: check for check in examine(repository.path, dict(os.environ))}


def everything(repository: GitRepository) -> dict[str, bytes]:
    """Each file below .git, with its content."""
    root = repository.path / ".git"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_after_init_all_is_fine_and_a_commit_was_captured(recorded: GitRepository):
    checks = examined(recorded)
    assert {check.state for check in checks.values()} == {State.FINE}
    assert checks["live capture"].message.startswith("a commit in a throw-away worktree reached sage-git ")


def test_it_leaves_nothing_behind(recorded: GitRepository):
    recorded.git("status")
    before = everything(recorded)
    examined(recorded)
    assert everything(recorded) == before
    assert recorded.git("worktree", "list", "--porcelain").count("worktree ") == 1


def test_a_foreign_hook_is_not_run_for_it(recorded: GitRepository):
    hook = recorded.path / ".git" / "hooks" / "post-commit.sage-prev"
    hook.write_text(f"#!/bin/sh\ntouch {recorded.path}/ran\n")
    hook.chmod(0o755)
    assert examined(recorded)["live capture"].state is State.FINE
    assert not (recorded.path / "ran").exists()


def test_it_works_from_a_linked_worktree(recorded: GitRepository):
    assert examined(recorded.worktree())["live capture"].state is State.FINE


@pytest.mark.parametrize("damage", ["remove", "replace", "unexecutable", "hooks_path"])
def test_hooks_that_do_not_run_are_a_fault_and_so_is_the_capture(recorded: GitRepository, damage: str):
    hook = recorded.path / ".git" / "hooks" / "post-commit"
    if damage == "remove":
        hook.unlink()
    elif damage == "replace":
        hook.write_text("#!/bin/sh\n")
    elif damage == "unexecutable":
        hook.chmod(0o644)
    else:
        recorded.git("config", "core.hooksPath", "nowhere")
    checks = examined(recorded)
    assert checks["hooks"].state is State.FAULT
    assert checks["hooks"].remedy
    assert checks["live capture"].state is State.FAULT


def test_an_interpreter_that_is_gone_is_a_fault(recorded: GitRepository):
    dispatcher = recorded.path / ".git" / "sage" / "hook"
    dispatcher.write_text(dispatcher.read_text().replace(sys.executable, "/nonexistent/python"))
    checks = examined(recorded)
    assert checks["interpreter"].state is State.FAULT
    assert checks["interpreter"].message == "/nonexistent/python is gone"
    assert checks["live capture"].state is State.FAULT


def test_hooks_of_another_version_are_a_warning(recorded: GitRepository):
    dispatcher = recorded.path / ".git" / "sage" / "hook"
    dispatcher.write_text(dispatcher.read_text() + "# older\n")
    assert examined(recorded)["interpreter"].state is State.WARNING


def test_an_interpreter_without_sage_git_is_a_fault(recorded: GitRepository, tmp_path: Path):
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    dispatcher = recorded.path / ".git" / "sage" / "hook"
    dispatcher.write_text(dispatcher.read_text().replace(sys.executable, str(other)))
    assert examined(recorded)["live capture"].message == "the hook ran, but sage-git did not start"


def test_a_whitelist_that_shows_chronicles_to_git_is_a_warning_with_the_line_to_add(recorded: GitRepository):
    recorded.write(".gitignore", "!*.sage\n")
    check = examined(recorded)["exclude"]
    assert (check.state, check.remedy) == (State.WARNING, "add `*.sage` as the last line of .gitignore")


def test_a_missing_exclude_block_is_a_fault(recorded: GitRepository):
    (recorded.path / ".git" / "info" / "exclude").write_text("")
    assert examined(recorded)["exclude"].state is State.FAULT


def test_a_config_that_nobody_committed_is_a_fault(repository: GitRepository):
    repository.commit("base", f0="x\n")
    init(repository, ConfigCommit.LEAVE)
    assert examined(repository)["config"].state is State.FAULT


def test_the_recorders_last_words_are_told(recorded: GitRepository):
    (recorded.path / ".git" / "sage" / "recorder.log").write_text("first\nsage-git: disk full\n")
    assert examined(recorded)["recorder"].message == "last said: sage-git: disk full"


def test_a_packager_that_would_pack_chronicles_is_a_warning(recorded: GitRepository):
    recorded.write("package.json", "{}")
    assert examined(recorded)["packaging"].message == "npm reads only .gitignore, so it would pack chronicles"


def test_without_a_record_there_is_nothing_to_examine(repository: GitRepository):
    with pytest.raises(NotHere, match="no record is kept"):
        examined(repository)
