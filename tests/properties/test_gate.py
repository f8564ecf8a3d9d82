"""The gate in sh and the gate in Python agree: whatever the one lets pass at once, the other has nothing against.

The other way round sh may only ask too often, and where it must not, it does not.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from sage_git.judgement.patterns import Patterns
from sage_git.judgement.policy import Judged, Mode, Rogue, parse_policy, render_policy
from sage_git.operations.checkout import Checkout
from sage_git.operations.gating.compiling import compile_gate, exclude_lines
from sage_git.operations.gating.gate import GateHook, GateReport, GateWish, judge_staged
from sage_git.operations.gating.in_use import use_plan
from sage_git.operations.setup.shims import install_dispatcher
from tests import planned
from tests.kit import GitRepository, run_sage

NAMES = [
    "a", "b", "ab", ".a", "a b", " a", "a ", "é", "日本", '"a"', "a\nb", "a\tb", "\\", "a\\", ":a", ":(top)a", "*",
    "!a", "#a", "[a]", ".sage", "config", "refs", "HEAD", "\udcff",
]  # fmt: skip
TEXTS = [
    "a", "b/", "/a", "ab*", "a/**", "**/a", "**", "*", "!a", "!b/a", "!*", "é", "日本/", "a b", "\\#a", "\\!a", '"a"',
    ".sage/", "[[]a]", "config", "refs/", "HEAD", ":a", "*\\\\", " a", "a\\ ", "# note",
]  # fmt: skip
numbers = count()

paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
scopes = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4)
exemptions = st.lists(st.sampled_from(TEXTS), max_size=2)
kinds = st.sampled_from([frozenset(Judged), frozenset({Judged.EDIT}), frozenset(Judged) - {Judged.RENAME}])


@dataclass(frozen=True)
class Ground:
    """A repository whose pre-commit hook says whether it would start Python."""

    repository: GitRepository
    checkout: Checkout
    stub: Path

    def prepare(self, scope: list[str], rogue: Rogue, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """A new HEAD with that policy and the files `before`, what is staged being `after`, under a plan in use."""
        git, plan_id = self.repository.git, f"plan{next(numbers)}"
        policy = replace(parse_policy(self.repository.read(".sage/config.toml").encode()), rogue=rogue)
        config = git("hash-object", "-w", "--stdin", stdin=render_policy(policy))
        self._stage(before, config)
        tree = git("write-tree")
        git("update-ref", "HEAD", git("commit-tree", tree, "-m", "before"))
        self._stage(after, config)
        planned.approved(self.repository, plan_id, *scope)
        use_plan(self.checkout, plan_id)

    def passes_at_once(self) -> bool:
        """True if the hook lets the commit pass without asking Python."""
        hook = self.repository.path / ".git" / "hooks" / "pre-commit"
        finished = subprocess.run([hook], cwd=self.repository.path, capture_output=True, check=False)
        assert (finished.returncode, finished.stderr) in ((0, b""), (1, b"asked\n"))
        return finished.returncode == 0

    def judged(self) -> GateReport:
        """What Python has against the commit."""
        return judge_staged(self.checkout, GateWish(GateHook.PRE_COMMIT))

    def _stage(self, files: Mapping[str, str], config: str) -> None:
        blobs = {content: self.repository.git("hash-object", "-w", "--stdin", stdin=content * 9) for content in "xyz"}
        entries = {path: blobs[content] for path, content in files.items()} | {".sage/config.toml": config}
        lines = (f"100644 {blob}\t{path}\0" for path, blob in entries.items())
        self.repository.git("read-tree", "--empty")
        stdin = "".join(lines).encode("utf-8", "surrogateescape")
        self.repository.git("update-index", "-z", "--index-info", stdin=stdin)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("gate")
    repository = GitRepository.create(folder / "repository")
    repository.commit("first", first="x\n")
    assert run_sage("init", cwd=repository.path).returncode == 0
    stub = folder / "interpreter"
    stub.write_text("#!/bin/sh\necho asked >&2\nexit 10\n")
    stub.chmod(0o755)
    install_dispatcher(repository.path / ".git" / "sage", str(stub))
    return Ground(repository, Checkout.open(repository.path, dict(os.environ)), stub)


def without_clashes(files: dict[str, str]) -> dict[str, str]:
    """`files` less those that lie in what is a file as well, and less what is nobody's to make up."""
    folders = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    return {path: content for path, content in files.items() if path not in folders and path != ".sage/config.toml"}


contents = st.dictionaries(paths, st.sampled_from("xyz"), max_size=4).map(without_clashes)


@st.composite
def trees(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """Files before and after: some kept, edited, renamed or removed, others added."""
    before = draw(contents)
    after = draw(contents)
    for path, content in before.items():
        match draw(st.sampled_from(["keep", "edit", "rename", "remove"])):
            case "keep":
                after.setdefault(path, content)
            case "edit":
                after.setdefault(path, "z")
            case "rename":
                after.setdefault(draw(paths), content)
            case _:
                after.pop(path, None)
    return before, without_clashes(after)


def check(
    ground: Ground, scope: list[str], rogue: Rogue, before: dict[str, str], after: dict[str, str]
) -> tuple[bool, GateReport]:
    ground.prepare(scope, rogue, before, after)
    passes, report = ground.passes_at_once(), ground.judged()
    event(f"passes at once: {passes}; covered: {not report.uncovered}")
    if passes:
        assert report.uncovered == ()
    changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
    plain = not any(path.startswith((".sage/", ":")) for path in changed)
    said_in_one = exclude_lines(tuple(scope), replace(POLICY, rogue=rogue)) is not None
    if not report.uncovered and plain and (said_in_one or not changed) and rogue.changes == frozenset(Judged):
        assert passes
    return passes, report


POLICY = parse_policy(b'format = 1\nrepository = "%s"\n' % (b"0" * 32))
ONE_REPOSITORY = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
EVERYTHING = frozenset(Judged)


@settings(max_examples=60, suppress_health_check=ONE_REPOSITORY)
@given(scope=scopes, exempt=exemptions, mode=st.sampled_from([*Mode, Mode.WARN]), changes=kinds, files=trees())
@example(scope=["a"], exempt=[], mode=Mode.WARN, changes=EVERYTHING, files=({}, {"a": "x", "b": "x"}))
@example(scope=["a"], exempt=["b"], mode=Mode.WARN, changes=EVERYTHING, files=({"b": "x"}, {"a": "x"}))
@example(scope=["a/", "!a/b"], exempt=["!a", "b"], mode=Mode.BLOCK, changes=EVERYTHING, files=({}, {"a/b": "x"}))
@example(scope=["refs/", "config"], exempt=[], mode=Mode.WARN, changes=EVERYTHING, files=({}, {"refs": "x"}))
@example(scope=["b"], exempt=["**"], mode=Mode.BLOCK, changes=EVERYTHING, files=({}, {".sage/a": "x"}))
@example(scope=["a"], exempt=[], mode=Mode.WARN, changes=EVERYTHING, files=({}, {":(top)a": "x"}))
def test_what_sh_lets_pass_python_has_nothing_against(
    ground: Ground,
    scope: list[str],
    exempt: list[str],
    mode: Mode,
    changes: frozenset[Judged],
    files: tuple[dict[str, str], dict[str, str]],
) -> None:
    check(ground, scope, Rogue(mode, changes, Patterns(exempt)), *files)


@pytest.mark.soak
@settings(max_examples=1_500, suppress_health_check=ONE_REPOSITORY)
@given(scope=scopes, exempt=exemptions, mode=st.sampled_from([*Mode, Mode.WARN]), changes=kinds, files=trees())
def test_and_in_many_more_cases(
    ground: Ground,
    scope: list[str],
    exempt: list[str],
    mode: Mode,
    changes: frozenset[Judged],
    files: tuple[dict[str, str], dict[str, str]],
) -> None:
    check(ground, scope, Rogue(mode, changes, Patterns(exempt)), *files)


def test_the_compiled_gate_is_not_written_again_while_nothing_changes(ground: Ground) -> None:
    ground.prepare(["a"], Rogue(), {}, {"a": "x"})
    compiled = ground.checkout.sage / "gate" / "main" / "compiled"
    before = compiled.stat().st_ino
    compile_gate(ground.checkout)
    assert compiled.stat().st_ino == before
