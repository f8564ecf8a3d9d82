"""The README tells the truth: its transcripts are what the commands in them print, and its links lead somewhere.

`SAGE_GOLDEN=write pytest tests/integration/test_readme.py` writes them anew. Names, dates and the record's id
are fixed, so that every id in the README is one that anybody can get.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sage_git.cli.main import main
from sage_git.cli.surroundings import of_this_process
from tests.kit import GitRepository

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
WRITES = os.environ.get("SAGE_GOLDEN") == "write"  # asked for before the environment is sealed
BEGAN = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
TRANSCRIPT = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)


class Terminal:
    """80 columns in one folder, where each command is typed some minutes after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = BEGAN

    def answer(self, command: str) -> str:
        """What `command` prints, standard error included; sage-git in this process, all else in a shell.

        What fails has to say why.
        """
        self.now += timedelta(minutes=7)
        words = shlex.split(command)
        return self._sage(words[1:]) if words[0] == "sage-git" else self._shell(command)

    def _sage(self, words: list[str]) -> str:
        said = io.BytesIO()
        around = replace(
            of_this_process(), cwd=self.folder, environment=self._environment(), now=self.now, columns=80,
            output=said, errors=said, output_is_terminal=False, errors_are_terminal=False,
        )  # fmt: skip
        main(words, around)
        return without_writer(said.getvalue().decode())

    def _shell(self, command: str) -> str:
        finished = subprocess.run(
            ["sh", "-c", f"exec 2>&1; {command}"], cwd=self.folder, env=self._environment(), check=False,
            stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        assert finished.returncode == 0 or finished.stdout, command
        return finished.stdout

    def _environment(self) -> dict[str, str]:
        date = self.now.isoformat()
        return {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}


def without_writer(text: str) -> str:
    """The text without the key that each clone makes for itself."""
    return re.sub(r"writer [0-9a-f]{16}", "writer 00112233aabbccdd", text)


def as_run(transcripts: Iterator[str], terminal: Terminal) -> Iterator[str]:
    """Each transcript with the answers that its commands give now."""
    for transcript in transcripts:
        commands = [line.removeprefix("$ ") for line in transcript.splitlines() if line.startswith("$ ")]
        yield "".join(f"$ {command}\n{terminal.answer(command)}" for command in commands)


def test_transcripts_are_what_the_commands_print(repository: GitRepository, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(secrets, "token_hex", lambda size: "c0ffee" * (size // 3) + "c0" * (size % 3))
    repository.commit("Say what the tax is", **{"tax.py": "TAX = 0.19\n", "README.md": "# Shop\n"})
    text = README.read_text(encoding="utf-8")
    fresh = as_run(iter(TRANSCRIPT.findall(text)), Terminal(repository.path))
    rewritten = TRANSCRIPT.sub(lambda _: next(fresh), text)
    if WRITES:
        README.write_text(rewritten, encoding="utf-8")
    assert WRITES or rewritten == text


def test_links_lead_somewhere():
    text = README.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", words).lower().replace(" ", "-")
        for words in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = link.partition("#")
        assert (ROOT / path).exists(), link
        assert path or anchor in headings, link


def test_commands_that_it_names_exist():
    from sage_git.cli import main as command_line

    text = README.read_text(encoding="utf-8")
    for name in set(re.findall(r"`?sage-git ([a-z]+(?:-[a-z]+)*)", text)):
        with pytest.raises(SystemExit) as ended:
            command_line.main([name, "--help"])
        assert ended.value.code == 0
