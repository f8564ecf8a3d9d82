"""The sealed environment that every test runs in, and the fixtures that most begin with.

    def test_a_commit_is_recorded_once(repository, sage):
        repository.commit("first", **{"foo.py": "x = 1\\n"})
        assert sage("init", cwd=repository.path).returncode == 0

* `repository`: an empty `kit.GitRepository` at tmp_path / "repository"; see tests/kit.py for what it can do.
* `sage`: runs `sage-git`, see `kit.run_sage`; in `repository` unless `cwd` says something else.
* `sealed`: a home of this test's own, for tests that write `~` or global git config; gives its path.

Nothing of the machine shows: HOME, git's system and global config, locale, time zone, terminal and every GIT_* and
SAGE_* variable are ours. SAGE_SYNC=1, so hooks have recorded when they return. Hypothesis runs the same examples each
time, unless SAGE_SOAK is set (`make soak`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import HealthCheck, settings

from tests.kit import GitRepository, run_sage

GIT_CONFIG = """\
[user]
    name = Ada Lovelace
    email = ada@example.org
[init]
    defaultBranch = main
[commit]
    gpgSign = false
[core]
    editor = :
[protocol "file"]
    allow = always
[advice]
    detachedHead = false
[gc]
    auto = 0
[maintenance]
    auto = false
"""
AGENTS = ("AMP_", "AUGMENT_", "CLAUDE", "CLINE_", "CODEX_", "COPILOT_", "CURSOR_", "GEMINI_", "OPENCODE", "AIDER")
TASTES = ("COLUMNS", "EDITOR", "EMAIL", "LANG", "LC_", "LESS", "NO_COLOR", "PAGER", "SSH_", "VISUAL", "XDG_")
FOREIGN = ("GIT_", "SAGE_", *AGENTS, *TASTES)

settings.register_profile("sure", derandomize=True, deadline=None, print_blob=True)
settings.register_profile(
    "soak", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("soak" if "SAGE_SOAK" in os.environ else "sure")


def _seal(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Let the environment show nothing of the machine but PATH, and `home` as the user's."""
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            patch.delenv(name)
    config = home / ".gitconfig"
    config.write_text(GIT_CONFIG, encoding="utf-8")
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "SAGE_SYNC": "1",
    }.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _sealed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _seal(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture
def sealed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own, with the same git config as everybody's in `.gitconfig`."""
    home = tmp_path_factory.mktemp("home")
    _seal(monkeypatch, home)
    return home


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """An empty repository on an unborn `main`."""
    return GitRepository.create(tmp_path / "repository")


@pytest.fixture
def sage(request: pytest.FixtureRequest) -> partial[CompletedProcess[str]]:
    """`run_sage`, in `repository` if the test has one."""
    if "repository" in request.fixturenames:
        return partial(run_sage, cwd=request.getfixturevalue("repository").path)
    return partial(run_sage)
