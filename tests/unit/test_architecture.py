"""The shape of the project: sizes, and that everything a person can meet is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sage_git import errors
from sage_git.cli.commands import COMMANDS, every_command

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sage_git"
SERVER = ROOT / "lsp_server"
MODULES = sorted([*PACKAGE.rglob("*.py"), *SERVER.rglob("*.py")])
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "manager", "handler", "data", "info", "process", "common", "misc"}


def functions(module: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines, docstring left out, of every function of `module`."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, FUNCTION):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert node.end_lineno is not None
            yield f"{module.relative_to(ROOT)}:{node.name}", node.end_lineno - first.lineno + 1


def error_classes(base: type[errors.SageError]) -> Iterator[type[errors.SageError]]:
    yield base
    for below in base.__subclasses__():
        yield from error_classes(below)


def test_no_module_is_longer_than_a_person_reads_at_once():
    lengths = {str(m.relative_to(ROOT)): len(m.read_text(encoding="utf-8").splitlines()) for m in MODULES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_a_screen():
    lengths = dict(pair for module in MODULES for pair in functions(module))
    assert {name: length for name, length in lengths.items() if length >= LONGEST_FUNCTION} == {}


def test_every_module_says_what_it_is_responsible_for():
    mute = [m.relative_to(ROOT) for m in MODULES if not ast.get_docstring(ast.parse(m.read_text(encoding="utf-8")))]
    assert mute == []


def test_no_module_has_a_name_that_says_nothing():
    assert [m for m in MODULES if m.stem in SAYS_NOTHING or m.parent.name in SAYS_NOTHING] == []


@pytest.mark.parametrize("error", list(error_classes(errors.SageError)), ids=lambda error: error.code)
def test_every_error_is_documented_with_its_status(error):
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {error.code}\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/errors.md has no section on {error.code}"
    assert f"tatus {error.exit_status}" in section[1]
    assert error.__name__ in section[1]
    assert error.code in errors.__doc__ or error is errors.SageError


@pytest.mark.parametrize("floor", ["chronicle", "observation", "judgement", "proof", "storage", "gitrepo", "peers"])
def test_the_map_names_every_module_of_a_floor_and_no_other(floor):
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{floor}` \|.*\|(.*)\|$", text, re.MULTILINE)
    assert row, f"docs/architecture.md has no row for {floor}"
    there = {path.stem for path in (PACKAGE / floor).iterdir() if not path.name.startswith("__")}
    assert set(re.findall(r"`(\w+)`", row[1])) == there


@pytest.mark.parametrize("package", sorted(path.parent.name for path in (PACKAGE / "operations").glob("*/__init__.py")))
def test_the_map_names_every_module_of_a_use_case_and_no_other(package):
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| … `{package}` \|.*\|(.*)\|$", text, re.MULTILINE)
    assert row, f"docs/architecture.md has no row for operations.{package}"
    there = {path.stem for path in (PACKAGE / "operations" / package).glob("[!_]*.py")}
    assert set(re.findall(r"`(\w+)`", row[1])) == there


def test_the_map_names_every_module_of_the_language_server_and_no_other():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    row = re.search(r"^\| `lsp_server` \|.*\|(.*)\|$", text, re.MULTILINE)
    assert row, "docs/architecture.md has no row for lsp_server"
    there = {path.stem for path in SERVER.iterdir() if not path.name.startswith("__")}
    assert set(re.findall(r"`(\w+)`", row[1])) == there


def test_every_make_target_says_what_it_does():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    described = set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE))
    assert described == set(phony[1].split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_with_its_options(command):
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    for_all = text.partition("\n## ")[0]
    section = re.search(rf"^### `sage-git {command}\b.*?(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/cli.md has no section on {command}"
    options = {option for action in every_command()[command]._actions for option in action.option_strings}
    assert sorted(option for option in options if option not in for_all + section[0]) == []


@pytest.mark.parametrize(
    "modules, spared",
    [
        ("cli.main", "argparse asyncio cryptography filelock git orjson rfc8785 sqlite3 tomllib"),
        ("cli.main, sage_git.cli.gate, sage_git.operations.gating.gate", "argparse cryptography filelock git tomllib"),
        ("cli.history, sage_git.operations.reading.opening", "cryptography git sage_git.operations.gating tomllib"),
        ("operations.recording.record", "sage_git.operations.recording.observing sage_git.operations.judging.judge"),
    ],
)
def test_who_is_waited_for_starts_without_what_only_some_need(modules, spared):
    script = f"import sys, sage_git.{modules}; print(sorted({set(spared.split())} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert finished.stdout == "[]\n"
