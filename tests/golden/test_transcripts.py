"""What a person sees: each transcript here is what the commands in it print.

`SAGE_GOLDEN=write pytest tests/golden` writes them anew; then read the difference as a reviewer would.
A transcript begins with its folder (tests/golden/conftest.py), its columns and what it is about.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from sage_git.cli.text import width
from tests.golden.conftest import run

HERE = Path(__file__).parent
TRANSCRIPTS = sorted(HERE.glob("*.txt"))
WRITES = os.environ.get("SAGE_GOLDEN") == "write"  # asked for before the environment is sealed


def said(folder: Path, command: str, columns: int) -> str:
    """The command and what it prints; standard error after standard output, an exit status other than 0 last."""
    words = shlex.split(command)
    assert words.pop(0) == "sage-git"
    status, out, err = run(folder, *words, columns=columns)
    ending = f"[exit status {status}]\n" if status else ""
    text = f"$ {command}\n{out}{err}{ending}".replace("\x1b", "\\e").replace(str(folder.parent), "/home/ada")
    return re.sub(r"writer [0-9a-f]{16}", "writer 00112233aabbccdd", text)  # a key of its own for every clone


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_is_what_commands_print(transcript, places):
    text = transcript.read_text(encoding="utf-8")
    heading, *_ = text.partition("\n$ ")
    settings = dict(line.removeprefix("# ").split(": ", 1) for line in heading.strip().splitlines())
    folder, columns = places(settings["folder"]), int(settings["columns"])
    commands = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    fresh = heading.strip() + "\n\n" + "\n".join(said(folder, command, columns) for command in commands)
    if WRITES:
        transcript.write_text(fresh, encoding="utf-8")
    else:
        assert fresh == text


@pytest.mark.parametrize("columns", [61, 80, 100, 200])
@pytest.mark.parametrize(
    "command", ["log", "log --oneline", "log --graph src/grammar.py", "log --date=iso", "status", "report"]
)
def test_no_line_is_wider_than_the_terminal(places, command, columns):
    status, out, _ = run(places("calculator"), *command.split(), columns=columns)
    assert status == 0
    wide = [
        line for line in out.splitlines() if width(line) > columns and not line.startswith(("repository", "sage-git"))
    ]
    assert wide == []
