"""Clones of one bare remote that keep a record, and what a test may ask of each.

village = Village.founded(folder, "alice", "bob")     `remote.git`, and clones of it that have joined; all is synced
village = template.moved(tmp_path)                    a copy of it, to do harm to
village["bob"].sync("origin")                         see `Clone`

Commands run in this process, and a minute passes before each. Hooks are off: whoever reads or syncs records first.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.kit import FIRST_COMMIT_AT, GitRepository, run_here

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Snapshot:
    """What a refused exchange must leave as it was."""

    refs: dict[str, str]
    log: str
    sidecars: dict[str, list[bytes]]
    users: str


class Clone:
    """One clone, its `sage/` directory, and sage-git in it."""

    def __init__(self, path: Path, clock: Iterator[int]) -> None:
        self.path, self.directory = path, path / ".git/sage"
        self.store = self.directory / "store.git"
        self.repository = GitRepository(path, clock)

    def sage(self, *arguments: str, stdin: str = "") -> Done:
        """The finished command, a minute later than the one before."""
        self.repository._now = FIRST_COMMIT_AT + timedelta(minutes=next(self.repository._clock))
        date = f"{int(self.repository._now.timestamp())} +0000"
        environment = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        return run_here(
            "-C", str(self.path), *arguments, stdin=stdin, now=self.repository._now, environment=environment
        )

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """Its standard output, once it is seen to have gone well."""
        done = self.sage(*arguments, stdin=stdin)
        assert done.returncode == 0, f"sage-git {arguments} exited with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def sync(self, *arguments: str) -> list[dict[str, Any]]:
        """What a sync that went well did, an object a peer."""
        return [json.loads(line) for line in self.ok("sync", "--json", *arguments).splitlines()]

    def meet(self, *arguments: str) -> list[dict[str, Any]]:
        """As `sync`, of a clone that may learn that its key is in use elsewhere, which is said and no failure."""
        done = self.sage("sync", "--json", *arguments)
        outcomes = [json.loads(line) for line in done.stdout.splitlines()]
        refused = {each["code"] for outcome in outcomes for each in outcome["refused"]}
        assert done.returncode == (1 if refused else 0), (done.stdout, done.stderr)
        assert refused <= {"own-log-elsewhere"}, done.stdout
        return outcomes

    def git(self, *arguments: str, **options: Any) -> str:
        return self.repository.git(*arguments, **options)

    @property
    def writer(self) -> str:
        return str(json.loads((self.directory / "writer.json").read_text())["key"])

    @property
    def key(self) -> Ed25519PrivateKey:
        key = load_pem_private_key((self.directory / "writer.key").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    @property
    def id(self) -> str:
        """The repository's id."""
        found = re.search(r'^repository = "([0-9a-f]+)"', (self.path / ".sage/config.toml").read_text(), re.MULTILINE)
        assert found
        return found[1]

    def log(self) -> str:
        """Everything that is known, as `log --json --all` prints it."""
        return self.ok("log", "--json", "--all")

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log().splitlines()]

    def says(self, words: str) -> bool:
        """Whether the words stand anywhere in what is known."""
        return words in self.log()

    def sidecars(self) -> dict[str, list[bytes]]:
        """Path of each sidecar → its lines, sorted."""
        listed = self.path.rglob("*.sage")
        files = {str(each.relative_to(self.path)): each for each in listed if each.is_file()}
        return {
            name: sorted(each.read_bytes().split(b"\n")[:-1])
            for name, each in sorted(files.items())
            if not name.startswith(".git/")
        }

    def writers(self) -> dict[str, str]:
        """Writer → commit, as the store has them."""
        prefix = "refs/sage/writers/"
        return {name.removeprefix(prefix): oid for name, oid in refs(self.store).items() if name.startswith(prefix)}

    def snapshot(self) -> Snapshot:
        """What is known and shown now."""
        log = self.log()
        kept = {f"{name} {ref}": oid for name in ("store.git", "private.git") for ref, oid in self._refs(name).items()}
        users = "\n".join(f"{oid} {name}" for name, oid in refs(self.path / ".git").items())
        return Snapshot(kept, log, self.sidecars(), users)

    def _refs(self, name: str) -> dict[str, str]:
        return refs(self.directory / name) if (self.directory / name).exists() else {}


class Village:
    """A bare remote and the clones that push to it, by name, in one folder."""

    def __init__(self, folder: Path, *names: str, minute: int = 1000) -> None:
        self.folder, self.names = folder, names
        self.remote = folder / "remote.git"
        clock = itertools.count(minute)
        self.clones = {name: Clone(folder / name, clock) for name in names}

    def __getitem__(self, name: str) -> Clone:
        return self.clones[name]

    @classmethod
    def founded(cls, folder: Path, *names: str, files: Mapping[str, str] | None = None) -> Self:
        """The first begins the record, the others join; each says one thing, and all know it."""
        folder.mkdir(parents=True, exist_ok=True)
        first = GitRepository.create(folder / names[0])
        first.commit("before the record", **dict(files or {"foo.py": "x = 1\n", "bar.py": "y = 1\n"}))
        first.git("clone", "--quiet", "--bare", ".", str(folder / "remote.git"))
        first.git("remote", "add", "origin", str(folder / "remote.git"))
        village = cls(folder, *names)
        village[names[0]].ok("init")
        first.git("config", "core.hooksPath", "/dev/null")
        first.git("push", "-q", "-u", "origin", "main")
        for name in names[1:]:
            village.join(name)
        for name in names:
            village[name].ok("note", "action", "-m", f"{name} was here")
        village.settle()
        return village

    def join(self, name: str) -> Clone:
        """A further clone."""
        source, target = str(self.remote), self.folder / name
        subprocess.run(["git", "clone", "--quiet", source, target], check=True, capture_output=True)
        self.clones.setdefault(name, Clone(target, self.clones[self.names[0]].repository._clock))
        clone = self.clones[name]
        clone.git("config", "core.hooksPath", "/dev/null")
        clone.sage("init")
        return clone

    def settle(self, rounds: int = 2) -> None:
        """Have all sync with the remote until all know all."""
        for _ in range(rounds):
            for clone in self.clones.values():
                clone.ok("sync", "origin")

    def moved(self, folder: Path, minute: int = 2000) -> Village:
        """A copy of it all in another folder, from a later minute on."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        for path in (*folder.glob("*/.git/config"), *folder.glob("*/.git/sage/peers.json")):
            path.write_text(path.read_text().replace(str(self.folder), str(folder)))
        return Village(folder, *self.clones, minute=minute)


def refs(bare: Path) -> dict[str, str]:
    """Name → object id, straight from git."""
    done = subprocess.run(
        ["git", "--git-dir", bare, "for-each-ref", "--format=%(objectname) %(refname)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {name: oid for oid, _, name in (line.partition(" ") for line in done.stdout.splitlines())}
