"""A machine that drives random, real git over two clones and a linked worktree, and asks the oracle after each step.

`a` is recorded, `linked` is a worktree of it, `b` is a clone of it that joined. Most commands run without hooks, so
that the recorder finds a little history at once; some run with them. Files have four lines at most, each with its
place written in front, so that no merge makes them longer: see tests/oracle.py.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.kit import GitRepository
from tests.oracle import Event, Oracle, observable_tips, oracle_of
from tests.properties.machines import run_machine
from tests.recorded import assert_recorded_exactly, logged, sage, sidecars_on_disk

PATHS = ("a", "A", "b.py", "dir/x", "dir/y z", "dir", "caf\u00e9", "latin\udce9", "deep/er/p%")
WORDS = ("alpha", "bravo", "charlie", "delta")
BRANCHES = ("main", "one", "two", "three")


class Then(Enum):
    """What happens beside and after a git command."""

    NOTHING = "no hooks, no record"
    HOOKS = "hooks record"
    RECORD = "record, and compare"


class Edit(NamedTuple):
    """Something done to a work tree."""

    kind: str
    path: str
    other: str
    line: int
    word: str


EDIT_KINDS = (
    "line",
    "line",
    "line",
    "line",
    "whole",
    "whole",
    "delete",
    "rename",
    "rename",
    "mode",
    "link",
    "copy",
    "empty",
)
edits = st.lists(
    st.builds(
        Edit,
        st.sampled_from(EDIT_KINDS),
        st.sampled_from(PATHS),
        st.sampled_from(PATHS),
        st.integers(0, 3),
        st.sampled_from(WORDS),
    ),
    min_size=1,
    max_size=3,
)
trees = st.sampled_from(("a", "a", "b", "linked"))
branches = st.sampled_from(BRANCHES)
afterwards = st.sampled_from((Then.NOTHING, Then.RECORD, Then.RECORD, Then.RECORD, Then.HOOKS))
COMMITS = ("plain", "plain", "all", "amend", "no-verify", "path", "stash", "by-hand")
commits = st.sampled_from(COMMITS)
resolutions = st.lists(st.sampled_from(("ours", "theirs", "own", "delete", "abort")), min_size=1, max_size=4)


class RecordingMachine(RuleBasedStateMachine):
    template: ClassVar[Path]

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        clock = itertools.count(100)
        for name in ("a", "b"):
            shutil.copytree(self.template / name, self.folder / name, symlinks=True)
        self.trees = {name: GitRepository(self.folder / name, clock) for name in ("a", "b")}
        self.trees["linked"] = self.trees["a"].worktree("linked", "-q", "-b", "one")
        self.hooks: tuple[str, ...] = ()
        self.oracles: dict[str, Oracle] = {
            name: oracle_of(self.folder / name, self.folder / f"oracle-{name}") for name in ("a", "b")
        }
        self.said: dict[str, int] = {"a": 0, "b": 0}

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # -- git ---------------------------------------------------------------------------------------------------------

    def git(self, tree: str, *arguments: str, stdin: str = "", **env: str) -> str:
        """Output of a git command that may fail."""
        options = ("-c", "core.editor=true", "-c", "rerere.enabled=false", *self.hooks)
        done = self.trees[tree].run(*options, *arguments, stdin=stdin, env=env)
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def act(self, tree: str, then: Then, *actions: Callable[[], Any]) -> None:
        self.hooks = () if then is Then.HOOKS else ("-c", "core.hooksPath=/dev/null")
        for action in actions:
            action()
        if then is Then.RECORD:
            self.compare(clone_of(tree))

    def compare(self, clone: str) -> None:
        """Record what is not recorded, and ask the oracle; git sees none of it."""
        inside = [name for name in self.trees if clone_of(name) == clone]
        before = {name: self.seen_by_git(name) for name in inside}
        for name in inside:
            sage(self.trees[name].path, "record")
        oracle = self.oracles[clone]
        oracle.observe(observable_tips(self.folder / clone / ".git"))
        statements = [event for event in logged(self.folder / clone) if event["type"] == "BUILD"]
        assert len(statements) == self.said[clone]
        assert_recorded_exactly(oracle, *(self.trees[name].path for name in inside), statements=statements)
        assert before == {name: self.seen_by_git(name) for name in inside}

    def seen_by_git(self, tree: str) -> tuple[str, ...]:
        status, refs = self.git(tree, "status", "--porcelain", "-uall"), self.git(tree, "for-each-ref")
        assert ".sage\n" not in f"{status}\n"
        assert "sage" not in refs.replace("refs/sage/writers/", "")  # what was pushed here
        return status, refs, self.git(tree, "ls-files", "-s")

    def in_progress(self, tree: str) -> str | None:
        folder = Path(self.git(tree, "rev-parse", "--absolute-git-dir"))
        states = {
            "rebase-merge": "rebase", "rebase-apply/applying": "am", "rebase-apply": "rebase",
            "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert", "MERGE_HEAD": "merge",
        }  # fmt: skip
        return next((command for name, command in states.items() if (folder / name).exists()), None)

    def settle(self, tree: str, how: list[str]) -> None:
        """Resolve what conflicts one way or another until git is at rest."""
        for resolution in (*how, *how, "abort"):
            command = self.in_progress(tree)
            if command is None:
                break
            if resolution == "abort":
                self.git(tree, command, "--abort")
                continue
            for path in filter(None, self.git(tree, "diff", "--name-only", "--diff-filter=U", "-z").split("\0")):
                self.resolve(tree, path, resolution)
            self.git(tree, "add", "--all")
            self.git(tree, command, "--continue")
            if self.in_progress(tree) and not self.git(tree, "status", "--porcelain"):
                self.git(tree, command, "--skip")
        self.git(tree, "reset", "-q", "--hard")
        self.git(tree, "clean", "-qfd")

    def resolve(self, tree: str, path: str, resolution: str) -> None:
        if resolution == "own":
            self.edit(tree, Edit("whole", path, path, 0, "delta"))
        elif resolution == "delete":
            self.git(tree, "rm", "-qf", "--", path)
        else:
            self.git(tree, "checkout", f"--{resolution}", "--", path)
            self.git(tree, "rm", "-qf", "--ignore-unmatch", "--cached", "--", path)

    def tidy(self, tree: str) -> None:
        """Commit what is uncommitted, for commands that want a clean tree."""
        if self.git(tree, "status", "--porcelain"):
            self.git(tree, "add", "--all")
            self.git(tree, "commit", "-qm", "tidy")

    # -- the work tree -----------------------------------------------------------------------------------------------

    def edit(self, tree: str, edit: Edit) -> None:
        """Do it, or write the file if there is none to do it to."""
        target = self.trees[tree].path / edit.path
        plain = target.is_file() and not target.is_symlink()
        match edit.kind:
            case "delete" if plain or target.is_symlink():
                target.unlink()
            case "line" | "rename" | "copy" | "mode" if plain:
                self.change(tree, edit, target)
            case "link":
                self.place(tree, edit.path, "")
                target.unlink()
                target.symlink_to(edit.word)
            case "empty":
                self.place(tree, edit.path, "")
            case _:
                self.place(tree, edit.path, "".join(lines_of(edit.word)))

    def change(self, tree: str, edit: Edit, target: Path) -> None:
        old = target.read_text()
        if edit.kind == "mode":
            target.chmod(target.stat().st_mode ^ 0o111)
        elif edit.kind == "line":
            lines = old.splitlines(keepends=True) or lines_of("charlie")
            lines[edit.line] = lines_of(edit.word)[edit.line]
            self.place(tree, edit.path, "".join(lines))
        elif edit.other != edit.path:
            target.unlink() if edit.kind == "rename" else None
            self.place(tree, edit.other, old)

    def place(self, tree: str, path: str, text: str) -> None:
        """Write a file where there may be a folder, a link, or a file instead of its folder."""
        target = self.trees[tree].path
        for part in Path(path).parts:
            if target.is_symlink() or target.is_file():
                target.unlink()
            target.mkdir(exist_ok=True)
            target /= part
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        target.write_text(text)

    @rule(tree=trees, changes=edits, how=commits, then=afterwards)
    def commit(self, tree: str, changes: list[Edit], how: str, then: Then) -> None:
        actions: list[Callable[[], Any]] = [lambda e=edit: self.edit(tree, e) for edit in changes]  # type: ignore[misc]
        self.act(tree, then, *actions, lambda: self.commit_by(tree, how, changes[0].path))

    @rule(tree=trees, ours=edits, theirs=edits, how=resolutions, then=afterwards)
    def diverge_and_merge(self, tree: str, ours: list[Edit], theirs: list[Edit], how: list[str], then: Then) -> None:
        def diverge() -> None:
            side = f"side-{tree}"
            self.git(tree, "branch", "-f", side)
            self.commit_edits(tree, ours)
            mine = self.git(tree, "rev-parse", "HEAD")
            self.git(tree, "checkout", "-q", side)
            self.commit_edits(tree, theirs)
            self.git(tree, "merge", "-q", "-m", "merge", mine)

        self.act(tree, then, lambda: self.tidy(tree), diverge, lambda: self.settle(tree, how))

    def commit_edits(self, tree: str, changes: list[Edit]) -> None:
        for change in changes:
            self.edit(tree, change)
        self.git(tree, "add", "--all")
        self.git(tree, "commit", "-qm", "edits")

    @rule(tree=trees, changes=edits)
    def leave_uncommitted(self, tree: str, changes: list[Edit]) -> None:
        for change in changes:
            self.edit(tree, change)
        self.compare(clone_of(tree))

    def commit_by(self, tree: str, how: str, path: str) -> None:
        if how not in ("all", "path"):
            self.git(tree, "add", "--all")
        if how == "stash":
            self.git(tree, "stash", "push", "-q", "-u")
            self.git(tree, "stash", "pop", "-q")
        if how == "by-hand":
            made = self.git(tree, "commit-tree", "-p", "HEAD", "-m", "by hand", self.git(tree, "write-tree"))
            self.git(tree, "update-ref", "-m", "by hand", "HEAD", made)
            return
        styles = {"all": ["-a"], "amend": ["--amend"], "no-verify": ["--no-verify"], "path": ["--only", "--", path]}
        self.git(tree, "commit", "-q", "-m", how, *styles.get(how, []))

    # -- branches and histories --------------------------------------------------------------------------------------

    @rule(tree=trees, branch=branches, then=afterwards)
    def switch(self, tree: str, branch: str, then: Then) -> None:
        self.act(tree, then, lambda: self.tidy(tree), lambda: self.git(tree, "checkout", "-q", branch))

    @rule(tree=trees, branch=branches, back=st.integers(0, 3))
    def branch(self, tree: str, branch: str, back: int) -> None:
        self.git(tree, "branch", "-f", branch, f"HEAD~{back}")

    @rule(tree=trees, branch=branches, then=afterwards)
    def detach(self, tree: str, branch: str, then: Then) -> None:
        self.act(tree, then, lambda: self.tidy(tree), lambda: self.git(tree, "checkout", "-q", "--detach", branch))

    @rule(
        tree=trees,
        branch=branches,
        flag=st.sampled_from(("--ff", "--no-ff", "--squash")),
        how=resolutions,
        then=afterwards,
    )
    def merge(self, tree: str, branch: str, flag: str, how: list[str], then: Then) -> None:
        actions = [lambda: self.git(tree, "merge", "-q", flag, "-m", "merge", branch), lambda: self.settle(tree, how)]
        self.act(tree, then, lambda: self.tidy(tree), *actions)

    @rule(tree=trees, first=branches, second=branches, changes=edits, then=afterwards)
    def evil_octopus(self, tree: str, first: str, second: str, changes: list[Edit], then: Then) -> None:
        def merge() -> None:
            self.git(tree, "merge", "-q", "--no-commit", "--no-ff", first, second)
            if self.in_progress(tree) == "merge" and not self.git(tree, "diff", "--name-only", "--diff-filter=U"):
                self.edit(tree, changes[0])
                self.git(tree, "add", "--all")
                self.git(tree, "commit", "-qm", "evil")

        self.act(tree, then, lambda: self.tidy(tree), merge, lambda: self.settle(tree, ["abort"]))

    @rule(tree=trees, branch=branches, flag=st.sampled_from(("--merge", "--apply")), how=resolutions, then=afterwards)
    def rebase(self, tree: str, branch: str, flag: str, how: list[str], then: Then) -> None:
        actions = [lambda: self.git(tree, "rebase", "-q", flag, branch), lambda: self.settle(tree, how)]
        self.act(tree, then, lambda: self.tidy(tree), *actions)

    @rule(
        tree=trees, back=st.integers(1, 3), todo=st.sampled_from(("squash", "fixup", "drop", "reword")), then=afterwards
    )
    def rebase_interactively(self, tree: str, back: int, todo: str, then: Then) -> None:
        line = 1 if todo in ("drop", "reword") else 2
        editor = {"GIT_SEQUENCE_EDITOR": f"sed -i -e {line}s/^pick/{todo}/"}
        actions = [lambda: self.git(tree, "rebase", "-q", "-i", f"HEAD~{back}", **editor)]
        self.act(tree, then, lambda: self.tidy(tree), *actions, lambda: self.settle(tree, ["theirs", "own"]))

    @rule(
        tree=trees,
        branch=branches,
        command=st.sampled_from(("cherry-pick", "revert")),
        how=resolutions,
        then=afterwards,
    )
    def replay(self, tree: str, branch: str, command: str, how: list[str], then: Then) -> None:
        arguments = ["--no-edit"] if command == "revert" else []
        actions = [lambda: self.git(tree, command, *arguments, branch), lambda: self.settle(tree, how)]
        self.act(tree, then, lambda: self.tidy(tree), *actions)

    @rule(tree=trees, branch=branches, how=resolutions, then=afterwards)
    def mail(self, tree: str, branch: str, how: list[str], then: Then) -> None:
        def apply() -> None:
            patch = self.git(tree, "format-patch", "--stdout", "-1", branch)
            self.git(tree, "am", "-q", "--3way", stdin=patch + "\n")

        self.act(tree, then, lambda: self.tidy(tree), apply, lambda: self.settle(tree, how))

    @rule(tree=trees, back=st.integers(0, 2), then=afterwards)
    def reset(self, tree: str, back: int, then: Then) -> None:
        self.act(tree, then, lambda: self.git(tree, "reset", "-q", "--hard", f"HEAD~{back}"))

    # -- between clones ----------------------------------------------------------------------------------------------

    @rule(
        branch=branches,
        flag=st.sampled_from(("--rebase", "--no-rebase", "--ff-only")),
        how=resolutions,
        then=afterwards,
    )
    def pull(self, branch: str, flag: str, how: list[str], then: Then) -> None:
        actions = [lambda: self.git("b", "pull", "-q", flag, "origin", branch), lambda: self.settle("b", how)]
        self.act("b", then, lambda: self.tidy("b"), *actions)

    @rule(tree=st.sampled_from(("a", "linked")), how=resolutions, then=afterwards)
    def push_and_merge(self, tree: str, how: list[str], then: Then) -> None:
        actions = [lambda: self.git(tree, "merge", "-q", "pushed"), lambda: self.settle(tree, how)]
        push = ("push", "-q", "-f", "origin", "HEAD:refs/heads/pushed")
        self.act(tree, then, lambda: self.git("b", *push), lambda: self.tidy(tree), *actions)

    # -- what people do to our files ---------------------------------------------------------------------------------

    @rule(tree=trees, which=st.integers(0, 1000), index=st.sampled_from(("keep", "delete")))
    def lose_views(self, tree: str, which: int, index: str) -> None:
        sidecars = sorted(sidecars_on_disk(self.trees[tree].path))
        for sidecar in sidecars[which % 3 :: 3]:
            Path(os.fsdecode(os.fsencode(self.trees[tree].path) + b"/" + sidecar)).unlink()
        if index == "delete":
            for file in (self.folder / clone_of(tree) / ".git/sage").glob("index.sqlite*"):
                file.unlink()
        self.compare(clone_of(tree))

    @rule(tree=trees, which=st.integers(0, 1000))
    def say(self, tree: str, which: int) -> None:
        """Append a statement to some chronicle; it hangs on the newest facts at HEAD."""
        clone, path = clone_of(tree), self.trees[tree].path
        self.compare(clone)
        sidecars = sorted(sidecars_on_disk(path))
        if not sidecars:
            return
        sidecar = os.fsdecode(sidecars[which % len(sidecars)])
        self.said[clone] += 1
        event = {
            "type": "BUILD",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "actor": {"agent": "ci", "id": "ci@example.org"},
            "status": "success",
            "buildId": f"{tree}-{self.said[clone]}",
        }
        sage(path, "append", f"./{sidecar}", "--event", json.dumps(event))
        statement = next(e for e in logged(path) if e.get("buildId") == event["buildId"])
        source = os.fsencode(sidecar).removesuffix(b".sage")
        newest = self.oracles[clone].heads.get(self.trees[tree].head, {}).get(source, frozenset())
        assert parents_of(statement) == newest  # none, if HEAD has the source as `since` had it
        self.compare(clone)


def lines_of(word: str) -> list[str]:
    return [f"{place}: {' '.join([word] * 6)}\n" for place in range(4)]


def parents_of(event: Event) -> set[str]:
    return {*([event["prevEventId"]] if "prevEventId" in event else []), *event.get("mergedEventIds", ())}


def clone_of(tree: str) -> str:
    return "b" if tree == "b" else "a"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded repository `a`, and its clone `b` that joined."""
    folder = tmp_path_factory.mktemp("template")
    repository = GitRepository.create(folder / "a")
    texts = ("".join(lines_of(word)) for word in ("start", "python", "folder"))
    repository.commit("before the record", **dict(zip(("a", "b.py", "dir/x"), texts, strict=True)))
    sage(repository.path, "init")
    for branch in BRANCHES[2:]:
        repository.git("branch", branch)
    clone = repository.clone("b")
    clone.git("config", "remote.origin.url", "../a")
    for branch in BRANCHES[1:]:
        clone.git("branch", branch, "HEAD")
    sage(clone.path, "init")
    return folder


@pytest.fixture
def machine(template: Path) -> type[RecordingMachine]:
    RecordingMachine.template = template
    return RecordingMachine


def test_whatever_git_does_the_chronicles_are_what_history_says(machine: type[RecordingMachine]) -> None:
    run_machine(machine, examples=4, steps=20)


@pytest.mark.soak
def test_whatever_git_does_for_hours_the_chronicles_are_what_history_says(machine: type[RecordingMachine]) -> None:
    run_machine(machine, examples=150, steps=50)
