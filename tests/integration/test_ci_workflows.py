"""docs/ci: what the workflows do on a pull request, run as they stand, with read access and no secrets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import GitRepository, run_sage
from tests.verified import approve

FOLDER = Path(__file__).parents[2] / "docs/ci"
GITHUB, GITLAB = ((FOLDER / name).read_text(encoding="utf-8") for name in ("github-actions.yml", "gitlab-ci.yml"))

TARGET = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}


@pytest.fixture
def origin(tmp_path):
    """Where the target branch is, and the logs of who may push there."""
    GitRepository.create(tmp_path / "origin.git", "--bare")
    return tmp_path / "origin.git"


@pytest.fixture
def fork(repository, sage, origin, tmp_path):
    """A contributor's fork with a branch of planned work, and the contributor's log."""
    repository.git("remote", "add", "origin", str(origin))
    repository.commit("first", **{"src/a.py": "a = 1\n"})
    assert sage("init").returncode == 0
    approval = approve(repository.path, "p1", ["src/**"])
    repository.git("push", "--quiet", "origin", "main")
    GitRepository.create(tmp_path / "fork.git", "--bare")
    contributor = repository.clone("contributor")
    contributor.git("remote", "set-url", "origin", str(tmp_path / "fork.git"))
    assert run_sage("init", cwd=contributor.path).returncode == 0
    contributor.git("checkout", "--quiet", "-b", "work")
    contributor.commit(f"work\n\nSage-Plan: p1 {approval[:16]}", **{"src/a.py": "a = 2\n"})
    contributor.git("push", "--quiet", "origin", "work")
    return tmp_path / "fork.git"


@pytest.fixture
def clone(repository, origin, fork):
    """What a runner has: a clone of the origin, and the contributor's commit checked out."""
    clone = GitRepository(repository.path.parent / "runner", repository._clock)
    repository.git("clone", "--quiet", str(origin), str(clone.path))
    clone.git("fetch", "--quiet", str(fork), "work")
    clone.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    return clone


def commands(text: str) -> list[str]:
    """The lines that run sage-git or git."""
    lines = (line.strip().removeprefix("- ").removeprefix("run: ") for line in text.splitlines())
    return [line for line in lines if line.startswith(("sage-git ", "git "))]


def run(command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    around = {**os.environ, "PATH": path, **environment}
    return subprocess.run(["sh", "-ec", command], cwd=cwd, env=around, capture_output=True, text=True, check=False)


def test_the_workflows_may_only_read_and_know_no_secret():
    assert re.search(r"^on:\n  pull_request:\npermissions:\n  contents: read\njobs:", GITHUB, re.MULTILINE)
    assert not re.search(r"pull_request_target:|secrets\.|: write", GITHUB)
    assert "fetch-depth: 0" in GITHUB
    assert "persist-credentials: false" in GITHUB
    assert 'GIT_DEPTH: "0"' in GITLAB
    named = {"github.base_ref", "github.event.pull_request.head.sha", "github.event.pull_request.head.repo.clone_url"}
    assert set(re.findall(r"\$\{\{ ([\w.]+) \}\}", GITHUB)) == named


def test_github_passes_planned_work_from_a_fork_and_sums_it_up(clone, fork, tmp_path):
    summary = tmp_path / "summary.md"
    around = {"BASE": "origin/main", "FORK": str(fork), "GITHUB_STEP_SUMMARY": str(summary)}
    for command in commands(GITHUB):
        done = run(command, clone.path, **around)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert "src/a.py" in summary.read_text()
    assert "planned" in summary.read_text()


def test_github_is_told_of_each_finding_where_the_forks_log_does_not_come(clone, tmp_path):
    *prepare, verify, _ = commands(GITHUB)
    for command in prepare:
        assert run(command, clone.path, BASE="origin/main", FORK=str(tmp_path / "deleted.git")).returncode == 0
    done = run(verify, clone.path, BASE="origin/main")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error ")
    assert ",title=gap::no log known here holds" in done.stdout


def test_gitlab_passes_planned_work_from_a_fork_and_keeps_the_report(clone, fork):
    for command in commands(GITLAB):
        done = run(command, clone.path, BASE="origin/main", FORK=str(fork), **TARGET)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert "src/a.py" in (clone.path / "sage-git-report.md").read_text()


def test_a_fork_that_changes_what_nobody_planned_does_not_pass(clone, fork):
    *prepare, verify, _ = commands(GITLAB)
    clone.commit("smuggled in", **{"setup.py": "evil\n"})
    for command in prepare:
        assert run(command, clone.path, BASE="origin/main", FORK=str(fork), **TARGET).returncode == 0
    done = run(verify, clone.path, BASE="origin/main")
    assert (done.returncode, "open-edit" in done.stdout) == (1, True)
