"""docs/ci: what the workflows do on a pull request, run as they stand, with read access and no secrets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verified import approve

FOLDER = Path(__file__).parents[2] / "docs/ci"
GITHUB, GITLAB = ((FOLDER / name).read_text(encoding="utf-8") for name in ("github-actions.yml", "gitlab-ci.yml"))


@pytest.fixture
def clone(repository, sage):
    """A clone with a branch of planned work, checked out at its commit as runners do."""
    repository.commit("first", **{"src/a.py": "a = 1\n"})
    assert sage("init").returncode == 0
    approval = approve(repository.path, "p1", ["src/**"])
    clone = repository.clone("runner")
    clone.git("checkout", "--quiet", "-b", "work")
    clone.commit(f"work\n\nSage-Plan: p1 {approval[:16]}", **{"src/a.py": "a = 2\n"})
    clone.git("checkout", "--quiet", "--detach")
    return clone


def commands(text: str) -> list[str]:
    """The lines that run sage-git."""
    lines = (line.strip().removeprefix("- ").removeprefix("run: ") for line in text.splitlines())
    return [line for line in lines if line.startswith("sage-git ")]


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
    assert re.findall(r"\$\{\{ ([\w.]+) \}\}", GITHUB) == ["github.base_ref", "github.event.pull_request.head.sha"]


def test_github_is_told_of_each_finding_and_given_a_summary(clone, tmp_path):
    verify, report = commands(GITHUB)
    done = run(verify, clone.path, BASE="origin/main")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error ")
    assert ",title=gap::no log is known here" in done.stdout
    summary = tmp_path / "summary.md"
    done = run(report, clone.path, BASE="origin/main", GITHUB_STEP_SUMMARY=str(summary))
    assert (done.returncode, done.stderr) == (0, "")
    assert "src/a.py" in summary.read_text()


def test_gitlab_is_told_and_keeps_the_report(clone):
    verify, report = commands(GITLAB)
    done = run(verify, clone.path, BASE="origin/main")
    assert (done.returncode, "gap" in done.stdout) == (1, True)
    done = run(report, clone.path, BASE="origin/main")
    assert done.returncode == 0, done.stderr
    assert "src/a.py" in (clone.path / "sage-git-report.md").read_text()
