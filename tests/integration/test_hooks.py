"""Which git commands ask for a recording, what a hook leaves alone, and how it fails: the shims with real git.

The interpreter that the shims start is a script that notes how it was called, so each test sees exactly the starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sage_git.operations.setup.shims import HOOKS, install_dispatcher, install_shims
from tests.kit import GitRepository

AGENTS = ("AMP_CURRENT_THREAD_ID", "GEMINI_CLI", "COPILOT_CLI", "OPENCODE", "AUGMENT_AGENT", "CLINE_ACTIVE", "AI_AGENT")


@dataclass
class Recorded:
    """A repository whose hooks start a script instead of Python; it notes its arguments and what it sees."""

    repository: GitRepository
    sage: Path
    calls: Path

    def message(self) -> str:
        """The message of HEAD's commit."""
        return self.repository.git("log", "-1", "--format=%B").rstrip("\n")

    def starts(self) -> list[str]:
        """The arguments of every start since the last question."""
        try:
            lines = self.calls.read_text().splitlines()
        except FileNotFoundError:
            return []
        self.calls.unlink()
        return lines


@pytest.fixture
def recorded(repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    for name in AGENTS:
        monkeypatch.delenv(name, raising=False)
    repository.commit("base", **{f"f{n}": f"{n}\n" * 5 for n in range(4)})
    repository.git("branch", "side")
    repository.commit("main one", f0="main\n")
    repository.git("switch", "-q", "side")
    for n in range(1, 4):
        repository.commit(f"side {n}", **{f"f{n}": f"side {n}\n"})
    repository.git("switch", "-q", "main")
    stub = tmp_path / "interpreter"
    calls = tmp_path / "calls"
    stub.write_text(f'#!/bin/sh\necho "$* index=${{GIT_INDEX_FILE:-}} author=${{GIT_AUTHOR_DATE:-}}" >>"{calls}"\n')
    stub.chmod(0o755)
    sage = repository.path / ".git" / "sage"
    install_dispatcher(sage, str(stub))
    install_shims(repository.path / ".git" / "hooks")
    return Recorded(repository, sage, calls)


def conflict(git: Callable[..., str]) -> None:
    git("switch", "-q", "-c", "clash", "HEAD~1")
    Path(git("rev-parse", "--show-toplevel"), "f0").write_text("clash\n")
    git("commit", "-qam", "clash")


def patch(git: Callable[..., str], first: str) -> str:
    return git("format-patch", "-q", "--stdout", f"{first}..side")


def edit(git: Callable[..., str], name: str = "f0", content: str = "changed\n") -> None:
    Path(git("rev-parse", "--show-toplevel"), name).write_text(content)


def plain(git):
    edit(git)
    git("commit", "-qam", "change")


def by_path(git):
    edit(git)
    git("commit", "-qm", "change", "f0")


def unverified(git):
    edit(git)
    git("commit", "--no-verify", "-qam", "change")


def amend(git):
    git("commit", "-q", "--amend", "-m", "other words")


def nothing_to_commit(git):
    git("commit", "-qm", "nothing", check=False)


def merge(git):
    git("merge", "-q", "--no-edit", "side")


def merge_fast_forward(git):
    git("reset", "-q", "--hard", "side~2")
    git("merge", "-q", "--ff-only", "side")


def merge_squash(git):
    git("merge", "-q", "--squash", "side")


def merge_squash_then_commit(git):
    git("merge", "-q", "--squash", "side")
    git("commit", "-qm", "squashed")


def merge_conflict_then_commit(git):
    conflict(git)
    git("merge", "-q", "main", check=False)
    git("commit", "-qam", "resolved")


def cherry_pick_range(git):
    git("cherry-pick", "side~3..side")


def revert(git):
    git("revert", "--no-edit", "HEAD")


def rebase_merge(git):
    git("rebase", "-q", "main", "side")


def rebase_apply(git):
    git("rebase", "-q", "--apply", "main", "side")


def rebase_squash(git):
    git("switch", "-q", "side")
    git("rebase", "-q", "-i", "main", env={"GIT_SEQUENCE_EDITOR": "sed -i -e '2s/pick/squash/' -e '3s/pick/reword/'"})


def rebase_stopped_then_continued(git):
    conflict(git)
    git("rebase", "-q", "main", check=False)
    git("add", "f0")
    git("rebase", "--continue", env={"GIT_EDITOR": "true"})


def am(git):
    git("am", "-q", stdin=patch(git, "side~3"))


def switch(git):
    git("switch", "-q", "side")


def new_branch(git):
    git("switch", "-q", "-c", "topic")


def restore(git):
    edit(git)
    git("restore", "f0")


def add_status_stash(git):
    edit(git)
    git("add", "f0")
    git("status")
    git("stash", "-q")
    git("stash", "pop", "-q")


def add_worktree(git):
    git("worktree", "add", "-q", "--detach", "../linked", "side")


def commit_in_worktree(git):
    git("worktree", "add", "-q", "--no-checkout", "--detach", "../linked", "side")
    git("-C", "../linked", "commit", "--allow-empty", "-qm", "in the worktree")


STARTS = {
    plain: 1,
    by_path: 1,
    unverified: 1,
    amend: 1,
    nothing_to_commit: 0,
    merge: 1,
    merge_fast_forward: 1,
    merge_squash: 0,
    merge_squash_then_commit: 1,
    merge_conflict_then_commit: 3,  # switch, commit, the merge
    cherry_pick_range: 3,
    revert: 1,
    rebase_merge: 1,
    rebase_apply: 1,
    rebase_squash: 2,  # switch, the rebase
    rebase_stopped_then_continued: 3,  # switch, commit, the rebase
    am: 3,
    switch: 1,
    new_branch: 0,
    restore: 0,
    add_status_stash: 0,
    add_worktree: 1,
    commit_in_worktree: 1,
}


@pytest.mark.parametrize("operation", STARTS, ids=lambda operation: operation.__name__)
def test_a_command_that_makes_or_moves_to_a_commit_starts_the_recorder(recorded: Recorded, operation):
    operation(recorded.repository.git)
    assert len(recorded.starts()) == STARTS[operation]
    assert (recorded.sage / "wanted").exists() == bool(STARTS[operation])


def test_the_recorder_is_told_the_work_tree_and_nothing_of_the_one_command(recorded: Recorded):
    by_path(recorded.repository.git)
    top = recorded.repository.path
    assert recorded.starts() == [f"-E -P -m sage_git -C {top} record --hook index= author="]


def test_in_a_linked_worktree_the_recorder_is_told_that_worktree(recorded: Recorded):
    linked = recorded.repository.worktree()
    recorded.starts()
    linked.commit("in the worktree", f0="linked\n")
    assert recorded.starts() == [f"-E -P -m sage_git -C {linked.path} record --hook index= author="]


def test_while_a_recorder_runs_a_hook_only_leaves_word(recorded: Recorded):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as recorder:
        (recorded.sage / "recording").write_text(f"{recorder.pid}\n")
        recorded.repository.git("commit", "--allow-empty", "-qm", "x", env={"SAGE_SYNC": ""})
        assert (recorded.sage / "wanted").exists()
        plain(recorded.repository.git)  # SAGE_SYNC=1 wants its own run all the same
        recorder.communicate(b"\n")
    assert len(recorded.starts()) == 1


@pytest.mark.parametrize("left", ["", "0", "-1", "00", "1 2", "-l", "x"])
def test_what_names_no_process_holds_no_recorder_back(recorded: Recorded, left: str):
    (recorded.sage / "recording").write_text(f"{left}\n")
    recorded.repository.git("commit", "--allow-empty", "-qm", "x", env={"SAGE_SYNC": ""})
    assert (recorded.sage / "recording").read_text() != f"{left}\n"


def test_a_recorder_in_the_background_keeps_nobody_waiting(recorded: Recorded, tmp_path: Path):
    """git's output ends, and a lock held in an open file is free, while the recorder still runs."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    stub = tmp_path / "interpreter"
    stub.write_text(f'#!/bin/sh\ncat "{gate}" >/dev/null\necho finished >>"{recorded.calls}"\n')
    lock = tmp_path / "lock"
    with lock.open("w") as held:
        os.set_inheritable(held.fileno(), True)
        finished = subprocess.run(
            ["git", "commit", "--allow-empty", "-qm", "quick"],
            cwd=recorded.repository.path,
            env={**os.environ, "SAGE_SYNC": ""},
            capture_output=True,  # waits for the end of both pipes
            close_fds=False,
            check=True,
            timeout=60,
        )
    assert finished.stderr == b""
    assert recorded.starts() == []
    with gate.open("w"):  # the recorder was there, waiting
        pass


def test_commits_in_quick_succession_start_one_recorder(recorded: Recorded, tmp_path: Path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow-python"
    slow.write_text(f'#!/bin/sh\necho started >>"{recorded.calls}"\nread -r word <"{gate}"\n')
    slow.chmod(0o755)
    install_dispatcher(recorded.sage, str(slow))
    recorded.repository.git("commit", "--allow-empty", "-qm", "first", env={"SAGE_SYNC": ""})
    with gate.open("w") as released:  # it has started now
        for _ in range(3):
            recorded.repository.git("commit", "--allow-empty", "-qm", "more", env={"SAGE_SYNC": ""})
        released.write("go on\n")
    assert recorded.starts() == ["started"]


def test_what_the_last_recorder_said_is_kept_and_no_more(recorded: Recorded, tmp_path: Path):
    done = tmp_path / "done"
    os.mkfifo(done)
    (tmp_path / "interpreter").write_text(f'#!/bin/sh\necho "no disk" >&2\necho >"{done}"\n')
    for _ in range(2):
        recorded.repository.git("commit", "--allow-empty", "-qm", "x", env={"SAGE_SYNC": ""})
        assert done.read_text() == "\n"
    assert (recorded.sage / "recorder.log").read_text() == "no disk\n"


def test_what_a_rewrite_replaced_is_handed_to_the_recorder(recorded: Recorded):
    before = recorded.repository.head
    amend(recorded.repository.git)
    assert (recorded.sage / "rewritten").read_text().split() == [before, recorded.repository.head]
    old = recorded.repository.git("rev-list", "side", "^main").split()
    rebase_merge(recorded.repository.git)
    replaced = [line.split()[0] for line in (recorded.sage / "rewritten").read_text().splitlines()[1:]]
    assert sorted(replaced) == sorted(old)


def test_a_lost_interpreter_is_one_line_and_no_failure(recorded: Recorded, tmp_path: Path):
    (tmp_path / "interpreter").unlink()
    finished = recorded.repository.run("commit", "--allow-empty", "-qm", "still works")
    assert finished.returncode == 0
    assert finished.stderr.decode() == (
        f"sage-git: post-commit: interpreter {tmp_path}/interpreter is gone; "
        "run `sage-git init` again, or `sage-git deinit`\n"
    )


def test_a_failing_recorder_does_not_fail_git(recorded: Recorded, tmp_path: Path):
    (tmp_path / "interpreter").write_text("#!/bin/sh\nexit 3\n")
    assert recorded.repository.run("switch", "-q", "side").returncode == 0
    assert recorded.repository.run("commit", "--allow-empty", "-qm", "x").returncode == 0


def test_hooks_without_a_record_do_nothing(recorded: Recorded):
    (recorded.sage / "hook").unlink()
    finished = recorded.repository.run("commit", "--allow-empty", "-qm", "x")
    assert (finished.returncode, finished.stderr, recorded.starts()) == (0, b"", [])


def test_a_moved_repository_goes_on(recorded: Recorded):
    moved = recorded.repository.path.rename(recorded.repository.path.parent / "moved 'there'")
    GitRepository(moved).commit("after", f0="moved\n")
    assert recorded.starts() == [f"-E -P -m sage_git -C {moved} record --hook index= author="]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_record_that_cannot_be_written_is_one_line_and_no_failure(recorded: Recorded):
    recorded.sage.chmod(0o555)
    finished = recorded.repository.run("commit", "--allow-empty", "-qm", "x")
    recorded.sage.chmod(0o755)
    assert finished.returncode == 0
    assert finished.stderr.decode().count("\n") == 1


def test_a_record_that_is_no_folder_is_one_line_and_no_failure(recorded: Recorded):
    (recorded.sage / "wanted").mkdir()
    finished = recorded.repository.run("commit", "--allow-empty", "-qm", "x")
    assert finished.returncode == 0
    assert finished.stderr.decode() == "sage-git: post-commit: cannot write to .git/sage\n"


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_plain_posix_sh_that_any_shell_parses(recorded: Recorded, name: str):
    for script in (recorded.repository.path / ".git" / "hooks" / name, recorded.sage / "hook"):
        subprocess.run(["sh", "-n", script], check=True)
        assert os.access(script, os.X_OK)


class TestSageActor:
    """prepare-commit-msg names the agent that makes a commit."""

    def message(self, recorded: Recorded, *arguments: str, **env: str) -> str:
        recorded.repository.git("commit", "-q", "--allow-empty", *arguments, env=env)
        return recorded.message()

    def test_a_person_is_not_named(self, recorded: Recorded):
        assert self.message(recorded, "-m", "by hand") == "by hand"

    def test_sage_actor_is_written_as_a_trailer(self, recorded: Recorded):
        said = "refactor-bot/run-7 model=acme:large/2"
        assert self.message(recorded, "-m", "by a tool", SAGE_ACTOR=said) == f"by a tool\n\nSage-Actor: {said}"
        assert recorded.repository.git("log", "-1", "--format=%(trailers:key=Sage-Actor,valueonly)").strip() == said

    @pytest.mark.parametrize(
        "variable, agent",
        [
            ("CLAUDECODE", "claude-code"),
            ("CURSOR_AGENT", "cursor"),
            ("GEMINI_CLI", "gemini-cli"),
            ("CODEX_SANDBOX", "codex"),
        ],
    )
    def test_a_known_agent_is_recognised_by_its_environment(self, recorded: Recorded, variable: str, agent: str):
        assert self.message(recorded, "-m", "x", **{variable: "1"}) == f"x\n\nSage-Actor: {agent}"

    def test_sage_actor_beats_the_environment_and_empty_it_names_nobody(self, recorded: Recorded):
        assert self.message(recorded, "-m", "x", CLAUDECODE="1", SAGE_ACTOR="mine").endswith("\n\nSage-Actor: mine")
        assert self.message(recorded, "-m", "x", CLAUDECODE="1", SAGE_ACTOR="") == "x"

    def test_other_trailers_and_a_divider_keep_their_place(self, recorded: Recorded):
        body = "Fix it\n\nWhy:\n---\nbecause\n\nSigned-off-by: Ada <a@b>"
        assert self.message(recorded, "-m", body, SAGE_ACTOR="mine") == f"{body}\nSage-Actor: mine"

    def test_it_is_never_written_twice(self, recorded: Recorded):
        once = self.message(recorded, "-m", "x", SAGE_ACTOR="mine")
        assert self.message(recorded, "--amend", "--no-edit", SAGE_ACTOR="mine") == once
        assert self.message(recorded, "--amend", "--no-edit", SAGE_ACTOR="other") == once
        assert (
            self.message(recorded, "-m", "Sage-Actor: a/b\n\nin the middle", SAGE_ACTOR="mine").count("Sage-Actor") == 1
        )

    def test_an_editor_that_writes_nothing_still_stops_the_commit(self, recorded: Recorded):
        before = recorded.repository.head
        recorded.repository.git(
            "commit", "--allow-empty", env={"SAGE_ACTOR": "mine", "GIT_EDITOR": "true"}, check=False
        )
        assert recorded.repository.status == 1
        assert recorded.repository.head == before

    def test_a_pick_keeps_the_message_of_its_original(self, recorded: Recorded):
        git = recorded.repository.git
        for command in (
            ("cherry-pick", "side"),
            ("rebase", "-q", "main~1", "side"),
            ("rebase", "-q", "--apply", "-f", "HEAD~2"),
        ):
            git(*command, env={"SAGE_ACTOR": "mine"})
        assert "Sage-Actor" not in git("log", "--format=%B")

    def test_a_merge_by_an_agent_is_the_agents(self, recorded: Recorded):
        recorded.repository.git("merge", "-q", "--no-edit", "side", env={"SAGE_ACTOR": "mine"})
        assert recorded.message() == "Merge branch 'side'\n\nSage-Actor: mine"

    def test_a_commit_of_squashed_work_is_named_once_and_keeps_its_log(self, recorded: Recorded):
        git = recorded.repository.git
        git("merge", "-q", "--squash", "side")
        git("commit", "-q", "--no-edit", env={"SAGE_ACTOR": "mine"})
        message = recorded.message()
        assert message.startswith("Squashed commit of the following:")
        assert message.endswith("\n\nSage-Actor: mine")

    @pytest.mark.parametrize(
        "hostile", ["a\nSigned-off-by: b", "$(touch pwned)", "`x`", "a; b", "é", "-x", "a\x1b[31m"]
    )
    def test_a_value_that_is_no_actor_is_refused_in_one_line(self, recorded: Recorded, hostile: str):
        finished = recorded.repository.run("commit", "-q", "--allow-empty", "-m", "x", env={"SAGE_ACTOR": hostile})
        assert finished.returncode == 0
        assert finished.stderr.decode().splitlines() == [
            "sage-git: prepare-commit-msg: SAGE_ACTOR is not AGENT[/SESSION][ model=MODEL]; the commit names no agent"
        ]
        assert recorded.message() == "x"


class TestForeignHooks:
    """What was there before goes on as before."""

    def foreign(self, recorded: Recorded, name: str, body: str) -> Path:
        hook = recorded.repository.path / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\n{body}\n")
        hook.chmod(0o755)
        install_shims(hook.parent)
        return hook

    def test_a_foreign_pre_commit_still_stops_a_commit_with_its_own_status(self, recorded: Recorded):
        self.foreign(recorded, "pre-commit", "echo no >&2; exit 7")
        finished = recorded.repository.run("commit", "--allow-empty", "-qm", "x")
        assert (finished.returncode, finished.stderr) == (1, b"no\n")

    def test_a_foreign_hook_gets_arguments_and_standard_input(self, recorded: Recorded, tmp_path: Path):
        seen = tmp_path / "seen"
        self.foreign(recorded, "post-rewrite", f'echo "$@" >"{seen}"; cat >>"{seen}"')
        before = recorded.repository.head
        amend(recorded.repository.git)
        assert seen.read_text() == f"amend\n{before} {recorded.repository.head}\n"
        assert (recorded.sage / "rewritten").read_text() == f"{before} {recorded.repository.head}\n"

    def test_a_foreign_pre_push_sees_the_refs_and_stops_the_push(self, recorded: Recorded, tmp_path: Path):
        seen = tmp_path / "seen"
        self.foreign(recorded, "pre-push", f'echo "$@" >"{seen}"; cat >>"{seen}"; exit 1')
        recorded.repository.git("init", "-q", "--bare", "../remote")
        assert recorded.repository.run("push", "-q", "../remote", "main").returncode == 1
        assert (
            seen.read_text()
            .splitlines()[1]
            .startswith(f"refs/heads/main {recorded.repository.head} refs/heads/main 000")
        )

    def test_a_foreign_post_checkout_that_fails_still_fails(self, recorded: Recorded):
        self.foreign(recorded, "post-checkout", "exit 1")
        assert recorded.repository.run("switch", "-q", "side").returncode == 1
        assert len(recorded.starts()) == 1

    def test_a_foreign_prepare_commit_msg_writes_first(self, recorded: Recorded):
        self.foreign(recorded, "prepare-commit-msg", 'echo "from the template" >"$1"')
        recorded.repository.git("commit", "-q", "--allow-empty", "-m", "x", env={"SAGE_ACTOR": "mine"})
        assert recorded.message() == "from the template\n\nSage-Actor: mine"

    def test_a_hook_that_git_would_not_run_is_not_run(self, recorded: Recorded):
        self.foreign(recorded, "pre-commit", "exit 1").with_name("pre-commit.sage-prev").chmod(0o644)
        assert recorded.repository.run("commit", "--allow-empty", "-qm", "x").returncode == 0
