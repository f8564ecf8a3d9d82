"""Every git command that makes a commit: recorded exactly once, and git is none the wiser.

Each script runs twice from copies of one repository: with sage-git's hooks, and in a twin that has the same history
(the commit of the config included) and no hooks. Git must end in the same state by everything that it can tell.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.kit import GitRepository, run_sage
from tests.oracle import observable_tips, oracle_of
from tests.recorded import assert_recorded_exactly, assert_sidecars

LINES = "one alpha alpha alpha\ntwo bravo bravo bravo\nthree charlie charlie\nfour delta delta delta\n"
DATED = {"GIT_COMMITTER_DATE": "1767225600 +0000", "GIT_AUTHOR_DATE": "1767225600 +0000"}
FIRST, LAST = LINES.replace("one", "ONE"), LINES.replace("four", "FOUR")


@dataclass(slots=True)
class Stage:
    """A repository on stage, its exit statuses, and the linked worktrees that the script made."""

    repository: GitRepository
    statuses: list[int] = field(default_factory=list)
    worktrees: list[GitRepository] = field(default_factory=list)

    def git(self, *arguments: str, where: GitRepository | None = None, stdin: str = "", **env: str) -> str:
        where = where or self.repository
        done: CompletedProcess[bytes] = where.run(*arguments, stdin=stdin, env=env)
        self.statuses.append(done.returncode)
        return done.stdout.decode().removesuffix("\n")

    def write(self, **files: str) -> None:
        for path, content in files.items():
            self.repository.write(path, content)

    def rebase(self, todo: str, *arguments: str) -> None:
        """An interactive rebase whose list of commits goes through the sed script `todo`."""
        self.git("rebase", "-i", *arguments, GIT_SEQUENCE_EDITOR=f"sed -i -e '{todo}'")


Script = Callable[[Stage], None]
AT_ONCE: dict[str, Script] = {}
"""A hook records these before git returns."""
AT_THE_NEXT_TRIGGER: dict[str, Script] = {}
"""No hook runs for these."""


def at_once(script: Script) -> Script:
    AT_ONCE[script.__name__] = script
    return script


def at_the_next_trigger(script: Script) -> Script:
    AT_THE_NEXT_TRIGGER[script.__name__] = script
    return script


@at_once
def commit_plain(stage: Stage) -> None:
    stage.write(a=FIRST, new="n\n")
    stage.git("add", "a", "new")
    stage.git("commit", "-m", "plain")


@at_once
def commit_all(stage: Stage) -> None:
    stage.write(a=FIRST)
    (stage.repository.path / "b").unlink()
    stage.git("commit", "-a", "-m", "all")


@at_once
def commit_patch(stage: Stage) -> None:
    stage.write(a=FIRST, b="BEE\n")
    stage.git("commit", "-p", "-m", "patch", stdin="y\nn\n")


@at_once
def commit_path(stage: Stage) -> None:
    stage.write(a=FIRST, b="BEE\n")
    stage.git("add", "a")
    stage.git("commit", "-m", "path", "--", "b")


@at_once
def commit_amend(stage: Stage) -> None:
    stage.write(a=FIRST)
    stage.git("commit", "-a", "-m", "first try")
    stage.write(a=LINES.replace("two", "TWO"))
    stage.git("commit", "-a", "--amend", "-m", "second try")


@at_once
def commit_no_verify(stage: Stage) -> None:
    stage.write(a=FIRST)
    stage.git("commit", "-a", "--no-verify", "-m", "unverified")


@at_once
def commit_of_nothing_fails(stage: Stage) -> None:
    stage.git("commit", "-m", "nothing")
    stage.git("commit", "--allow-empty", "-m", "empty")


@at_once
def commit_rename_and_mode(stage: Stage) -> None:
    stage.git("mv", "a", "A")
    stage.git("update-index", "--chmod=+x", "b")
    stage.git("commit", "-m", "case-only rename and mode")


@at_once
def commit_detached(stage: Stage) -> None:
    stage.git("checkout", "--detach")
    stage.write(a=FIRST)
    stage.git("commit", "-a", "-m", "detached")
    stage.git("checkout", "main")


@at_once
def merge_clean(stage: Stage) -> None:
    stage.git("merge", "side", "-m", "merge")


@at_once
def merge_conflicted(stage: Stage) -> None:
    stage.git("merge", "rival", "-m", "merge")
    stage.write(a="settled\n")
    stage.git("commit", "-a", "-m", "settled")


@at_once
def merge_aborted(stage: Stage) -> None:
    stage.git("merge", "rival", "-m", "merge")
    stage.git("merge", "--abort")


@at_once
def merge_octopus(stage: Stage) -> None:
    stage.git("merge", "side", "third", "-m", "octopus")


@at_once
def merge_fast_forward(stage: Stage) -> None:
    stage.git("checkout", "-b", "behind", "base")
    stage.git("merge", "side")


@at_once
def merge_squash(stage: Stage) -> None:
    stage.git("merge", "--squash", "side")
    stage.git("commit", "-m", "squashed")


@at_once
def rebase_merge_backend(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.git("rebase", "--merge", "main")


@at_once
def rebase_apply_backend(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.git("rebase", "--apply", "main")


@at_once
def rebase_conflicted(stage: Stage) -> None:
    stage.git("checkout", "rival")
    stage.git("rebase", "main")
    stage.write(a="settled\n")
    stage.git("add", "a")
    stage.git("rebase", "--continue")


@at_once
def rebase_squash(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.rebase("2s/^pick/squash/", "base")


@at_once
def rebase_fixup(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.rebase("2s/^pick/fixup/", "base")


@at_once
def rebase_reword(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.git("rebase", "-i", "base", GIT_SEQUENCE_EDITOR="sed -i -e 1s/^pick/reword/", GIT_EDITOR="sed -i -e 1s/s/S/")


@at_once
def rebase_edit(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.rebase("1s/^pick/edit/", "base")
    stage.write(added="in the middle\n")
    stage.git("add", "added")
    stage.git("commit", "--amend", "--no-edit")
    stage.git("rebase", "--continue")


@at_once
def rebase_drop(stage: Stage) -> None:
    stage.git("checkout", "side")
    stage.rebase("1s/^pick/drop/", "base")


@at_once
def cherry_pick(stage: Stage) -> None:
    stage.git("cherry-pick", "base..side")


@at_once
def cherry_pick_conflicted(stage: Stage) -> None:
    stage.git("cherry-pick", "rival")
    stage.write(a="settled\n")
    stage.git("add", "a")
    stage.git("cherry-pick", "--continue")


@at_once
def revert(stage: Stage) -> None:
    stage.git("revert", "--no-edit", "HEAD")


@at_once
def am(stage: Stage) -> None:
    patches = stage.git("format-patch", "--stdout", "base..third")
    stage.git("am", stdin=patches + "\n")


@at_once
def stash_pop_and_commit(stage: Stage) -> None:
    stage.write(a=FIRST)
    stage.git("stash", "push")
    stage.git("stash", "pop")
    stage.git("commit", "-a", "-m", "from the stash")


@at_the_next_trigger
def commit_tree_and_update_ref(stage: Stage) -> None:
    stage.write(a=FIRST)
    stage.git("add", "a")
    tree = stage.git("write-tree")
    stage.git("update-ref", "HEAD", stage.git("commit-tree", "-p", "HEAD", "-m", "by hand", tree))


@at_the_next_trigger
def reset_hard(stage: Stage) -> None:
    stage.git("reset", "--hard", "side")


@at_once
def pull_rebase(stage: Stage) -> None:
    stage.git("clone", "-q", ".", "../origin")
    origin = GitRepository(stage.repository.path.parent / "origin")
    origin.write("theirs", "theirs\n")
    stage.git("add", "theirs", where=origin)
    stage.git("commit", "-m", "theirs", where=origin)
    stage.git("remote", "add", "origin", "../origin")
    stage.write(a=FIRST)
    stage.git("commit", "-a", "-m", "ours")
    stage.git("pull", "--rebase", "origin", "main")


@at_once
def pull_fast_forward(stage: Stage) -> None:
    stage.git("clone", "-q", ".", "../origin")
    origin = GitRepository(stage.repository.path.parent / "origin")
    origin.write("theirs", "theirs\n")
    stage.git("add", "theirs", where=origin)
    stage.git("commit", "-m", "theirs", where=origin)
    stage.git("pull", "../origin", "main")


@at_once
def linked_worktree(stage: Stage) -> None:
    stage.git("worktree", "add", "-b", "linked", "../linked", "side")
    linked = GitRepository(stage.repository.path.parent / "linked")
    stage.worktrees.append(linked)
    linked.write("a", LINES + "\n")
    stage.git("commit", "-a", "-m", "in the worktree", where=linked)
    stage.git("checkout", "--detach", where=linked)
    linked.write("a", "thrown away\n")
    stage.git("commit", "-a", "-m", "lost soon", where=linked)
    stage.git("checkout", "linked", where=linked)


@at_once
def submodule(stage: Stage) -> None:
    stage.git("clone", "-q", "--bare", ".", "../module.git")
    stage.git("submodule", "add", "-b", "main", "../module.git", "module")
    stage.git("commit", "-m", "with a submodule")
    inner = GitRepository(stage.repository.path / "module")
    inner.write("a", "inside\n")
    stage.git("commit", "-a", "-m", "inside", where=inner)
    stage.git("commit", "-a", "-m", "bump")
    stage.git("status", "--porcelain", where=inner)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `repository`, recorded, on main, beside branches to do things with."""
    folder = tmp_path_factory.mktemp("prepared")
    repository = GitRepository.create(folder / "repository")
    repository.git("config", "core.autocrlf", "false")
    repository.commit("start", a=LINES, b="b\n", c=LINES.replace("a", "e"))
    done = run_sage("init", cwd=repository.path, env=DATED)
    assert done.returncode == 0, done.stderr
    repository.git("branch", "base")
    for branch, files in {"side": {"a": FIRST}, "third": {"third": "3\n"}, "rival": {"a": "rival\n"}}.items():
        repository.git("checkout", "-q", "-b", branch, "base")
        repository.commit(f"{branch} 1", **files)
    repository.git("checkout", "-q", "side")
    repository.commit("side 2", d="d\n", b="side\n")
    repository.git("checkout", "-q", "main")
    repository.commit("main goes on", a=LAST)
    return folder


def stage_at(prepared: Path, folder: Path) -> Stage:
    shutil.copytree(prepared, folder, symlinks=True)
    stage = Stage(GitRepository(folder / "repository", itertools.count(100)))
    stage.repository.git("update-index", "-q", "--refresh")
    return stage


def without_sage(stage: Stage) -> Stage:
    """The twin: the same objects, refs and work tree, and nothing of ours beside them."""
    path = stage.repository.path
    shutil.rmtree(path / ".git/sage")
    shutil.rmtree(path / ".git/hooks")
    (path / ".git/info/exclude").unlink()
    for sidecar in path.rglob("*.sage"):
        if sidecar.is_file():
            sidecar.unlink()
    return stage


def everything_git_tells(stage: Stage) -> dict[str, object]:
    told: dict[str, object] = {"statuses": stage.statuses}
    questions = (
        "status --porcelain=v2 --branch", "ls-files -s", "for-each-ref", "cat-file --batch-all-objects --batch-check",
        "reflog", "stash list", "diff", "config --local --get-regexp ^(core|branch|merge|hook)",
    )  # fmt: skip
    for number, repository in enumerate((stage.repository, *stage.worktrees)):
        for question in questions:
            told[f"{number}: {question}"] = repository.git(*question.split(), check=False)
    return told


@pytest.mark.parametrize("name", [*AT_ONCE, *AT_THE_NEXT_TRIGGER])
def test_a_commit_by_any_command_is_recorded_once_and_git_is_none_the_wiser(
    name: str, prepared: Path, tmp_path: Path
) -> None:
    script = {**AT_ONCE, **AT_THE_NEXT_TRIGGER}[name]
    ours, twin = stage_at(prepared, tmp_path / "ours"), without_sage(stage_at(prepared, tmp_path / "twin"))
    script(ours)
    script(twin)
    assert everything_git_tells(ours) == everything_git_tells(twin)
    path = ours.repository.path
    oracle = oracle_of(path, tmp_path / "oracle", observable_tips(path / ".git"))
    worktrees = (path, *(worktree.path for worktree in ours.worktrees))
    if name in AT_ONCE:
        assert_sidecars(oracle, worktrees[-1])
    for worktree in worktrees:
        assert run_sage("record", cwd=worktree).returncode == 0
    assert_recorded_exactly(oracle, *worktrees)
    assert everything_git_tells(ours) == everything_git_tells(twin)
