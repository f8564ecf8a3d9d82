"""What is told of a git that failed."""

from __future__ import annotations

import pytest

from sage_git.errors import GitFailed, GitKilled
from sage_git.gitrepo.command import Stream, run


def test_an_error_names_the_command_and_not_the_settings_before_it(tmp_path):
    settings = ["-c", "diff.algorithm=myers", "-c", "core.fsync=none"]
    with pytest.raises(GitFailed, match=r"^git cat-file --batch failed \(128\): fatal: not a git repository"):
        run([*settings, "cat-file", "--batch"], git_dir=tmp_path)
    with Stream([*settings, "cat-file", "--batch"], git_dir=tmp_path, requests=b"") as git:
        assert git.answers.read() == b""
        assert str(git.failure()).startswith("git cat-file --batch failed")


def test_an_error_of_git_says_where_to_look(tmp_path):
    with pytest.raises(GitFailed) as caught:
        run(["rev-parse", "HEAD"], git_dir=tmp_path)
    assert "sage-git doctor" in caught.value.remedy
    assert caught.value.arguments == ("rev-parse", "HEAD")


def test_a_git_that_is_killed_has_not_answered(tmp_path):
    suicide = ["-c", "alias.die=!kill -9 $PPID", "die"]
    with pytest.raises(GitKilled, match=r"^git die was ended by signal 9$"):
        run(suicide, git_dir=tmp_path)
    assert not issubclass(GitKilled, GitFailed)  # which is an answer to those who ask whether something is there
