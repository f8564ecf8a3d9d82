"""Repositories of our own that are there for git to be in."""

from __future__ import annotations

import os

import pytest

from sage_git.gitrepo.command import run
from sage_git.gitrepo.scratch import make_bare


@pytest.mark.parametrize(
    "left", [["refs"], ["refs", "HEAD.lock"], ["refs/heads", "HEAD"], ["refs", "HEAD", "config.lock"]], ids=" ".join
)
def test_one_that_a_killed_git_left_half_made_is_finished(tmp_path, left):
    git_dir = tmp_path / "scratch.git"
    for name in left:
        if name.startswith("refs"):
            (git_dir / name).mkdir(parents=True)
        else:
            (git_dir / name).write_text("ref: refs/heads/main\n" if name == "HEAD" else "")
    make_bare(git_dir, "sha1", os.environ)
    assert run(["rev-parse", "--is-bare-repository", "--show-object-format"], git_dir=git_dir) == b"true\nsha1\n"
    config = (git_dir / "config").stat()
    make_bare(git_dir, "sha1", os.environ)
    assert (git_dir / "config").stat().st_ino == config.st_ino
