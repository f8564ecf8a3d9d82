"""The repositories that the transcripts are about. Their dates and ids are the same each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.kit import GitRepository, run_here

NOW = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
GRAMMAR = "".join(f"def rule_{number}(tokens):\n    return parse(tokens, {number})\n\n" for number in range(18))
LEXER = "def tokens(text):\n    return text.split()\n"
PLAN = """\
---
id: guide
summary: Finish the guide
scope:
  - docs/**
  - README.md
expires: 2026-01-31
---
# The guide

- say how rules are written
- say what errors mean
"""
CONFIG = 'format = 1\nrepository = "{repository}"\nsince = "{since}"\n'


def run(where: Path, *arguments: str, columns: int | None = 80, now: datetime = NOW) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `sage-git` in this process, three hours after the new year."""
    finished = run_here(*arguments, cwd=where, now=now, columns=columns)
    return finished.returncode, finished.stdout, finished.stderr


def join(repository: GitRepository, since: str) -> None:
    """Begin a record whose id is no accident, so that no commit's id is."""
    repository.commit(
        "Keep the history of every source with sage-git",
        **{
            ".sage/config.toml": CONFIG.format(repository="0123456789abcdef" * 4, since=since),
            ".sage/allowed_signers": "",
        },
    )
    assert run(repository.path, "init")[0] == 0


def calculator(place: Path) -> GitRepository:
    """A repository with what histories have: agents, a rename, a merge, a split, a mode, hostile text, wide text."""
    repository = GitRepository.create(place)
    repository.commit("begin a calculator", **{"src/parser.py": GRAMMAR, "README.md": "# Calculator\n"})
    join(
        repository, repository.commit("parser: say which rule failed", **{"src/parser.py": GRAMMAR + "failed = None\n"})
    )
    repository.git("config", "core.hooksPath", "/dev/null")  # commands that read record; no need to wait for hooks
    repository.commit(
        "parser: accept trailing commas", **{"src/parser.py": GRAMMAR + "commas = 1\n", "src/lexer.py": LEXER}
    )
    agent = "lexer: read numbers\n\nSage-Actor: claude-code/session-7 model=opus"
    repository.commit(agent, **{"src/lexer.py": LEXER + "\ndef numbers(text):\n    return int(text)\n"})
    repository.git("mv", "src/parser.py", "src/grammar.py")
    repository.commit("rename the parser to what it is")
    repository.git("switch", "--quiet", "--create", "side")
    repository.commit("grammar: import the lexer", **{"src/grammar.py": "import lexer\n" + GRAMMAR + "commas = 1\n"})
    repository.git("switch", "--quiet", "main")
    repository.commit("grammar: two commas", **{"src/grammar.py": GRAMMAR + "commas = 2\n"})
    repository.git("merge", "--quiet", "--no-edit", "side")
    rules = GRAMMAR.split("\n\n")
    parts = {"grammar": "\n\n".join(rules[:6]), "terms": "\n\n".join(rules[6:12]), "calls": "\n\n".join(rules[12:])}
    repository.commit("split the grammar in three", **{f"src/{name}.py": text + "\n" for name, text in parts.items()})
    (repository.path / "README.md").chmod(0o755)
    repository.commit("README: \x1b[31mred\x1b[0m and \u202etupni desrever\u202c, 日本語")
    deep = "packages/server/src/routes/authentication/single-sign-on/index.ts"
    repository.commit(
        "server: sign in once, and explain at great length why once is enough for anybody", **{deep: "x\n"}
    )
    repository.commit("drop the lexer", **{"src/lexer.py": None})
    repository.git("config", "--unset", "core.hooksPath")
    return repository


def workshop(place: Path) -> GitRepository:
    """A repository in which plans can be made: some sources, nothing planned yet, and a file that has a plan."""
    repository = GitRepository.create(place)
    files = {f"src/parser/{name}.py": f"{name} = 1\n" for name in ("errors", "rules", "tokens")}
    join(repository, repository.commit("begin", **files, **{"docs/guide.md": "# Guide\n", "README.md": "# Tool\n"}))
    repository.write("plan.md", PLAN)
    return repository


def planned(place: Path) -> GitRepository:
    """The same after work under a plan that went beyond its scope, with one edit that nobody planned."""
    repository = workshop(place)
    scope = ("--scope", "src/parser/**", "--step", "move the rules into a table", "--step", "one error for each rule")
    at_one, at_half_past = NOW - timedelta(hours=2), NOW - timedelta(minutes=90)
    assert run(place, "plan", "draft", "--summary", "Tidy the parser", *scope, now=at_one)[0] == 0
    answer = run(place, "plan", "approve", "tidy", "-m", "small and useful", "--json", now=at_half_past)[1]
    line = f"Sage-Plan: tidy-the-parser {json.loads(answer)['events'][-1]['eventId'][:16]}"
    at_two = {f"GIT_{who}_DATE": f"{int(NOW.timestamp()) - 3600} +0000" for who in ("AUTHOR", "COMMITTER")}
    for title, files in (
        (f"rules: a table\n\n{line}", {"src/parser/rules.py": "rules = {}\n", "docs/guide.md": "# Guide to rules\n"}),
        (f"rules: one error each\n\n{line}", {"src/parser/rules.py": "rules = {1: 'error'}\n"}),
        ("say what it is for", {"README.md": "# Tool\n\nFor parsing.\n"}),
    ):
        for name, text in files.items():
            repository.write(name, text)
        repository.git("commit", "--quiet", "--all", "--message", title, env=at_two)
    return repository


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder that a transcript is in, by name; made when first asked for."""
    base = tmp_path_factory.mktemp("golden")

    def place(name: str) -> Path:
        folder = base / name
        if not folder.exists():
            match name:
                case "calculator":
                    calculator(folder)
                case "workshop" | "decisions" | "plan-mistakes":
                    workshop(folder)
                case "planned" | "answers":
                    planned(folder)
                case "unborn":
                    GitRepository.create(folder)
                case _:
                    folder.mkdir()
        return folder

    return place
