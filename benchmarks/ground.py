"""Where measurements happen: repositories made by `git fast-import`, a clean environment, git as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.measure import timed

PYTHON_STARTS = [sys.executable, "-c", "pass"]
SAGE = str(Path(sys.executable).with_name("sage-git"))
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
LINES_PER_FILE = 40
FIRST_SECOND = 1_767_225_600


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree on `main`, and what to do with it."""

    path: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, *command: str, stdin: bytes = b"") -> bytes:
        """Standard output of `command`, run in the work tree. Raises CalledProcessError."""
        finished = subprocess.run(
            command, cwd=self.path, env=self.environment, input=stdin, capture_output=True, check=False
        )
        if finished.returncode:
            sys.stderr.write(finished.stderr.decode("utf-8", "backslashreplace"))
            finished.check_returncode()
        return finished.stdout

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Git's standard output, stripped."""
        return self.run("git", *arguments, stdin=stdin).decode("utf-8", "surrogateescape").strip()

    def sage(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Standard output of `sage-git`."""
        return self.run(SAGE, *arguments, stdin=stdin)

    def time(self, *command: str) -> float:
        """Seconds that `command` takes here."""
        return timed(partial(self.run, *command))

    def edit(self, *numbers: int, version: int) -> None:
        """Add a line to the files with these numbers, and stage them."""
        for number in numbers:
            with (self.path / name(number)).open("a", encoding="utf-8") as file:
                file.write(f"# version {version}\n")
        self.git("add", "--", *map(name, numbers))

    def grow(self, commits: Iterable[bytes]) -> None:
        """Add `commits` (fast-import stream) to `main`, and check it out."""
        self.run("git", "fast-import", "--quiet", "--force", stdin=b"".join(commits))
        self.git("reset", "--quiet", "--hard")

    def count(self, *arguments: str) -> int:
        """Number of commits that `git rev-list` finds."""
        return int(self.git("rev-list", "--count", *arguments))

    @property
    def record(self) -> Path:
        """The folder of sage-git's own files."""
        return self.path / self.git("rev-parse", "--git-common-dir") / "sage"


def sealed_environment(home: Path) -> dict[str, str]:
    """An environment that shows nothing of this machine's git configuration."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / ".gitconfig"
    config.write_text(
        "[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
        encoding="utf-8",
    )
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def new_repository(path: Path, *, files: int) -> Repository:
    """A repository whose only commit has `files` files of forty lines."""
    repository = Repository(path, sealed_environment(path.parent / "home"))
    path.mkdir(parents=True)
    repository.git("init", "--quiet")
    repository.grow([commit(0, dict.fromkeys(range(files), 0), parent="")])
    return repository


def edits(count: int, *, files: int, per_commit: int, seed: int = 0) -> Iterator[bytes]:
    """`count` commits on top of `main` that each change one line in `per_commit` of the `files` files."""
    random = Random(seed)
    versions: Counter[int] = Counter()
    for number in range(1, count + 1):
        chosen = random.sample(range(files), per_commit)
        versions.update(chosen)
        yield commit(
            number, {file: versions[file] for file in chosen}, parent="refs/heads/main^0" if number == 1 else ""
        )


def lively_history(count: int, *, files: int, seed: int = 1) -> Iterator[bytes]:
    """`count` commits as projects have them: mostly few edits; some files are added, renamed or removed."""
    random = Random(seed)
    names = {number: name(number).encode() for number in range(files)}
    versions: Counter[int] = Counter()
    for version in range(1, count + 1):
        body = b""
        for number in random.sample(sorted(names), min(len(names), 1 + int(random.expovariate(1)))):
            match random.random():
                case chance if chance < 0.04:
                    moved = b"moved/v%d/f%d.py" % (version, number)
                    body += b"R %s %s\n" % (names[number], moved)
                    names[number] = moved
                case chance if chance < 0.07:
                    body += b"D %s\n" % names.pop(number)
                case chance if chance < 0.17:
                    fresh = files + version * 100 + len(names)
                    names[fresh] = name(fresh).encode()
                    body += _file(names[fresh], content(fresh, 0))
                case _:
                    versions[number] += 1
                    body += _file(names[number], content(number, versions[number]))
        yield _commit_header(version, "refs/heads/main^0" if version == 1 else "") + body


def commit(version: int, changes: dict[int, int], *, parent: str) -> bytes:
    """A commit, as fast-import reads it, that sets the numbered files to the given versions."""
    files = (_file(name(number).encode(), content(number, at)) for number, at in changes.items())
    return _commit_header(version, parent) + b"".join(files)


def name(number: int) -> str:
    """The path of the file with this number; a hundred to a folder."""
    return f"src/d{number // 100:03}/f{number:05}.py"


def content(number: int, version: int) -> bytes:
    """Forty lines, of which each version changes one, another each time."""
    return b"".join(
        b"value_%d_%d = %d  # what this stands for\n"
        % (number, at, (version - at) // LINES_PER_FILE if version >= at else -1)
        for at in range(LINES_PER_FILE)
    )


def _file(path: bytes, text: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text)


def _commit_header(version: int, parent: str) -> bytes:
    message = b"change %d" % version
    return b"commit refs/heads/main\ncommitter Ada Lovelace <ada@example.org> %d +0000\ndata %d\n%s\n%s" % (
        FIRST_SECOND + 60 * version,
        len(message),
        message,
        f"from {parent}\n".encode() if parent else b"",
    )
