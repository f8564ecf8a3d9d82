"""`core.hooksPath` without a hook manager: shims stand wherever they get into nobody's history, and leave again."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sage_git.operations.setup.doctor import State, examine
from sage_git.operations.setup.hook_folder import SHARERS, Standing
from sage_git.operations.setup.hook_managers import Manager
from sage_git.operations.setup.install import InitOutcome, InitWish, initialise
from sage_git.operations.setup.removal import Keeping, RemoveOutcome, remove
from sage_git.operations.setup.shims import HOOKS
from tests.kit import GitRepository, run_sage

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def shared(tmp_path: Path, sealed: Path) -> Path:
    """A folder that git is told, for every repository of this user, to run hooks from."""
    folder = tmp_path / "shared hooks"
    folder.mkdir()
    with (sealed / ".gitconfig").open("a") as config:
        config.write(f'[core]\nhooksPath = "{folder}"\n')
    return folder


def created(tmp_path: Path, name: str) -> GitRepository:
    repository = GitRepository.create(tmp_path / name)
    repository.commit("base", f0="x\n")
    return repository


def init(repository: GitRepository) -> InitOutcome:
    return initialise(InitWish(repository.path, dict(os.environ), sys.executable, NOW))


def deinit(repository: GitRepository) -> RemoveOutcome:
    return remove(repository.path, dict(os.environ), Keeping.RECORD)


def is_recorded(repository: GitRepository) -> bool:
    """Whether a commit to f0 now appears in its sidecar."""
    head = repository.commit("change", f0=repository.read("f0") + "x\n")
    sidecar = repository.path / "f0.sage"
    return sidecar.exists() and head in sidecar.read_text()


def hooks_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_for_all_repositories_gets_shims_and_says_so(tmp_path: Path, shared: Path):
    repository = created(tmp_path, "mine")
    finished = run_sage("init", cwd=repository.path)
    assert finished.returncode == 0
    assert f"{len(HOOKS)} in {shared}" in finished.stdout
    assert "other repositories use that folder too" in finished.stdout
    assert hooks_in(shared) == {*HOOKS, SHARERS}
    assert is_recorded(repository)


def test_a_repository_without_a_record_notices_nothing(tmp_path: Path, shared: Path):
    init(created(tmp_path, "mine"))
    other = created(tmp_path, "other")
    finished = other.run("commit", "--allow-empty", "-m", "x", env={"SAGE_ACTOR": "somebody"})
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert not (other.path / ".git" / "sage").exists()
    assert other.git("log", "-1", "--format=%B") == "x\n"


def test_what_stood_there_runs_first_everywhere_and_is_put_back(tmp_path: Path, shared: Path):
    hook = shared / "post-commit"
    hook.write_text("#!/bin/sh\necho mine >&2\n")
    hook.chmod(0o755)
    mine, other = created(tmp_path, "mine"), created(tmp_path, "other")
    assert init(mine).shims.foreign == ("post-commit",)
    for repository in (mine, other):
        assert repository.run("commit", "--allow-empty", "-qm", "x").stderr == b"mine\n"
    deinit(mine)
    assert hooks_in(shared) == {"post-commit"}
    assert hook.read_text() == "#!/bin/sh\necho mine >&2\n"


def test_the_last_repository_to_leave_takes_the_shims_away(tmp_path: Path, shared: Path):
    first, second, deleted = (created(tmp_path, name) for name in ("first", "second", "deleted"))
    for repository in (first, second, deleted):
        init(repository)
    (deleted.path / ".git").rename(tmp_path / "gone")
    outcome = deinit(first)
    assert (outcome.shared_with, outcome.shims.hooks) == (1, ())
    assert not is_recorded(first)
    assert is_recorded(second)
    assert deinit(second).shims.hooks == HOOKS
    assert hooks_in(shared) == set()


def test_a_folder_in_the_work_tree_that_git_ignores_gets_shims(repository: GitRepository):
    repository.commit("base", **{".gitignore": "/.hooks/\n", "f0": "x\n"})
    repository.git("config", "core.hooksPath", ".hooks")
    outcome = init(repository)
    assert outcome.hooks.standing is Standing.OURS
    assert hooks_in(repository.path / ".hooks") == set(HOOKS)
    assert is_recorded(repository)
    assert repository.git("status", "--porcelain") == ""
    deinit(repository)
    assert hooks_in(repository.path / ".hooks") == set()


def test_a_tracked_folder_is_the_teams_even_where_git_ignores_it(repository: GitRepository):
    repository.write(".hooks/pre-push", "#!/bin/sh\n")
    repository.git("add", "--force", ".hooks")
    repository.commit("base", **{".gitignore": "/.hooks/\n"})
    repository.git("config", "core.hooksPath", ".hooks")
    assert init(repository).hooks.manager is Manager.FOLDER
    assert hooks_in(repository.path / ".hooks") == {"pre-push"}


def test_where_git_is_told_to_run_no_hooks_init_says_what_that_means(repository: GitRepository):
    repository.commit("base", f0="x\n")
    repository.git("config", "core.hooksPath", "/dev/null")
    finished = run_sage("init", cwd=repository.path)
    assert finished.returncode == 1
    assert "core.hooksPath is /dev/null, which is no folder" in finished.stdout
    assert f"git config core.hooksPath {repository.path}/.git/hooks" in finished.stdout
    hooks = {check.name: check for check in examine(repository.path, dict(os.environ))}["hooks"]
    assert hooks.state is State.FAULT
    assert "core.hooksPath" in hooks.remedy
    run_sage("deinit", cwd=repository.path)


def test_doctor_proves_a_capture_through_a_relative_folder(repository: GitRepository):
    repository.commit("base", f0="x\n")
    repository.git("config", "core.hooksPath", "../hooks")
    init(repository)
    checks = {check.name: check for check in examine(repository.path, dict(os.environ))}
    assert checks["hooks"].state is State.FINE
    assert checks["live capture"].state is State.FINE
