"""What is told of a git that failed."""

from __future__ import annotations

import pytest

from sage_git.errors import GitFailed
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
