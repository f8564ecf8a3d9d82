"""What tests work with: a real git repository that dates its commits itself, and `sage-git` as a command.

repository.commit("first", **{"src/foo.py": "x = 1\\n"})    write, add and commit; gives the commit's id
repository.commit("second", **{"old.py": None})             None removes
repository.git("log", "--format=%H")                        run git; gives its output without the last newline
repository.git("merge", "side", check=False)                … or let it fail; `repository.status` has its exit status
repository.write("src/foo.py", "x = 2\\n")                   only the work tree
repository.clone("other"), repository.worktree("linked")    neighbours that share this repository's clock
repository.copied(tmp_path / "copy")                        for a test to change, when many begin with the same
sage("log", "src/foo.py", cwd=repository.path).stdout       see `run_sage`
"""

from __future__ import annotations

import io
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sage_git.cli.main import main
from sage_git.cli.surroundings import of_this_process

FIRST_COMMIT_AT = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DATING = frozenset({"am", "cherry-pick", "commit", "commit-tree", "merge", "pull", "rebase", "revert", "stash", "tag"})


class GitRepository:
    """A work tree driven by real git; each command that makes a commit happens a minute after the one before."""

    def __init__(self, path: Path, clock: Iterator[int] | None = None) -> None:
        self.path = path
        self.status = 0
        self._clock = clock if clock is not None else itertools.count()
        self._now = FIRST_COMMIT_AT

    @classmethod
    def create(cls, path: Path, *arguments: str) -> GitRepository:
        """A new repository at `path`; `arguments` go to `git init`."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", *arguments)
        return repository

    def git(
        self,
        *arguments: str | bytes,
        check: bool = True,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Git's standard output without the last newline.

        Raises:
            AssertionError: git failed, unless `check` is false; says what git said.
        """
        finished = self.run(*arguments, stdin=stdin, env=env)
        words = finished.stderr.decode("utf-8", "backslashreplace")
        if check:
            assert finished.returncode == 0, f"git {arguments} exited with {finished.returncode}: {words}"
        return finished.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def run(
        self, *arguments: str | bytes, stdin: str | bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """The finished git command, whatever its exit status; output as bytes."""
        if DATING.intersection(word for word in arguments if isinstance(word, str)):
            self._now = FIRST_COMMIT_AT + next(self._clock) * MINUTE
        date = f"{int(self._now.timestamp())} +0000"
        finished = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, **(env or {})},
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
        )
        self.status = finished.returncode
        return finished

    def write(self, path: str | bytes, content: str | bytes) -> Path:
        """Write a file of the work tree, with its folders; gives its full path."""
        target = self.path / os.fsdecode(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def read(self, path: str | bytes) -> str:
        """The text of a file of the work tree."""
        return (self.path / os.fsdecode(path)).read_text(encoding="utf-8")

    def commit(self, message: str = "change", **files: str | bytes | None) -> str:
        """Write (or, for None, remove) `files`, commit all of the work tree; gives the commit's object id."""
        for path, content in files.items():
            if content is None:
                (self.path / path).unlink()
            else:
                self.write(path, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        """HEAD's object id."""
        return self.git("rev-parse", "HEAD")

    def clone(self, name: str = "clone", *arguments: str) -> GitRepository:
        """A clone beside this repository; `arguments` go to `git clone`."""
        target = self.path.parent / name
        self.git("clone", "--quiet", *arguments, str(self.path), str(target))
        return GitRepository(target, self._clock)

    def copied(self, path: Path) -> GitRepository:
        """The same repository once more at `path`, record and all, for one test to change; its clock goes on alone."""
        shutil.copytree(self.path, path, symlinks=True)
        copy = GitRepository(path, itertools.count((self._now - FIRST_COMMIT_AT) // MINUTE + 1))
        copy._now = self._now
        return copy

    def worktree(self, name: str = "linked", *arguments: str) -> GitRepository:
        """A linked worktree beside this repository, on a new branch `name` unless `arguments` say something else."""
        target = self.path.parent / name
        self.git("worktree", "add", "--quiet", *(arguments or ("-b", name)), str(target))
        return GitRepository(target, self._clock)


def run_sage(
    *arguments: str, cwd: Path | None = None, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished `sage-git` command: `stdout`, `stderr` (not a terminal) and `returncode`.

    It runs in this process, which saves its start; see `start_sage`.
    """
    return run_here(*arguments, stdin=stdin, cwd=Path(cwd or "").resolve(), environment={**os.environ, **(env or {})})


def start_sage(*arguments: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The finished `sage-git` command, run in a process of its own that `env` has its say in from the beginning."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "sage_git", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def run_here(*arguments: str, stdin: str = "", **around: Any) -> subprocess.CompletedProcess[str]:
    """The finished `sage-git` command, run in this process; `around` are the `Surroundings` that are to differ."""
    out, err = io.BytesIO(), io.BytesIO()
    surroundings = replace(
        of_this_process(), input=io.BytesIO(stdin.encode("utf-8", "surrogateescape")), output=out, errors=err,
        output_is_terminal=False, errors_are_terminal=False, speaks_unicode=True,
    )  # fmt: skip
    status = main(arguments, replace(surroundings, **around))
    said = [stream.getvalue().decode("utf-8", "surrogateescape") for stream in (out, err)]
    return subprocess.CompletedProcess(["sage-git", *arguments], status, *said)
