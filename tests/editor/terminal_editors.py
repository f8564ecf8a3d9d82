"""Neovim and Emacs without a window, on a repository with a plan and one line that nobody answered for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.kit import GitRepository, run_sage

HERE: Final = Path(__file__).parent
EDITORS: Final = HERE.parents[1] / "editors"
# Read while tests are collected: afterwards the environment is sealed.
PROGRAMS: Final = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sage-git-editors" / "bin"
SOURCE: Final = "tax.py"
OPEN_LINE: Final = 3
"""Counted from 1."""
_TEXT: Final = '"""What the law says."""\n\nRATE = 0.20\n\n\ndef gross(net):\n    return net * (1 + RATE)\n'


def with_an_open_line(repository: GitRepository) -> Path:
    """The source in `repository` whose third line nobody answered for."""
    repository.commit("Say what the law says", **{SOURCE: _TEXT})
    begun = run_sage("init", cwd=repository.path)
    assert begun.returncode == 0, begun.stderr
    repository.commit("Follow the new law", **{SOURCE: _TEXT.replace("0.20", "0.21")})
    assert (repository.path / f"{SOURCE}.sage").is_file()
    return repository.path / SOURCE


def neovim(scenario: str, source: Path) -> dict[str, Any]:
    """What Neovim saw in a scenario of `neovim/`, with `source` open."""
    plugin = ["--clean", "--cmd", f"set runtimepath^={EDITORS / 'neovim'}"]
    command = ["--headless", *plugin, "-c", f"luafile {HERE / 'neovim' / f'{scenario}.lua'}", str(source)]
    return _seen([str(PROGRAMS / "nvim"), *command], source, STEPS=str(HERE / "neovim" / "steps.lua"))


def emacs(client: str, scenario: str, source: Path) -> dict[str, Any]:
    """What Emacs saw in a scenario of `emacs/`, with `source` open in `client`: eglot or lsp-mode.

    In lsp-mode another server looks after Python, and knows nothing of records.
    """
    steps = (HERE / "emacs" / f"{name}.el" for name in ("steps", client, scenario))
    command = ["emacs", "--batch", "--no-init-file", "--eval", "(package-activate-all)"]
    loaded = [word for file in (EDITORS / "emacs" / "sage-git.el", *steps) for word in ("--load", str(file))]
    other = f"{sys.executable} {HERE / 'emacs' / 'other_server.py'}"
    return _seen([*command, *loaded], source, SOURCE=str(source), OTHER=other)


def _seen(command: list[str], source: Path, **more: str) -> dict[str, Any]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    finished = subprocess.run(
        command,
        cwd=source.parent,
        env={**os.environ, "PATH": path, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    seen: dict[str, Any] = json.loads(finished.stdout)
    return seen
