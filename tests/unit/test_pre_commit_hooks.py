"""`.pre-commit-hooks.yaml` is what the pre-commit framework accepts, and starts what exists.

The file is read as the plain list of plain mappings that it is; `make soak` asks the framework itself where it is.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from sage_git.cli.commands import every_command
from sage_git.operations.setup.shims import HOOKS

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"


def hooks() -> dict[str, dict[str, str]]:
    """The fields of each hook, by its id."""
    found: list[dict[str, str]] = []
    for line in MANIFEST.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("- "):
            found.append({})
        name, separator, value = line[2:].partition(": ")
        assert (separator, name) == (": ", name.strip()), line
        found[-1][name] = value
    return {hook["id"]: hook for hook in found}


def stages(hook: dict[str, str]) -> list[str]:
    return hook["stages"].strip("[]").split(", ")


def test_the_gate_runs_before_commits_and_the_recorder_after_what_makes_them():
    assert stages(hooks()["sage-git-gate"]) == ["pre-commit"]
    assert stages(hooks()["sage-git-record"]) == ["post-commit", "post-merge", "post-rewrite", "post-checkout"]


@pytest.mark.parametrize("name", ["sage-git-gate", "sage-git-record"])
def test_a_hook_runs_once_whatever_was_changed(name: str):
    hook = hooks()[name]
    kept = {"always_run": "true", "pass_filenames": "false", "require_serial": "true", "language": "python"}
    assert {field: hook[field] for field in kept} == kept
    assert set(stages(hook)) <= set(HOOKS)


@pytest.mark.parametrize("name", ["sage-git-gate", "sage-git-record"])
def test_a_hook_starts_a_command_that_there_is(name: str):
    program, command, *options = shlex.split(hooks()[name]["entry"])
    assert program == "sage-git"
    every_command()[command].parse_args(options)


@pytest.mark.soak
def test_the_framework_accepts_the_file():
    framework = shutil.which("pre-commit")
    if framework is None:
        pytest.skip("the pre-commit framework is not installed")
    subprocess.run([framework, "validate-manifest", str(MANIFEST)], check=True)
