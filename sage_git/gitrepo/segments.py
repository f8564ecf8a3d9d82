"""One bare repository of ours with writer logs: a ref for each, whose tree has files of up to 256 lines.

Commits have no author, time or parents of their own, so that the same entries make the same commit: nobody trusts one,
and no past is dragged along, in which what was redacted would go on.
What is written is durable on return, and what a killed git left behind is taken away by the next that writes. Not here:
how a tree is laid out (log_tree), which repository has which (store), and locks: the caller of anything that writes
holds `log.lock`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import new as new_hash
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed, StorageError, ValidationError
from sage_git.gitrepo import upkeep
from sage_git.gitrepo.command import Stream, run
from sage_git.gitrepo.log_tree import WRITERS, ref_of, split, writer_of
from sage_git.gitrepo.upkeep import DURABLE

_DURABLE_OBJECTS: Final = ("-c", "core.fsync=objects,derived-metadata", "-c", "core.fsyncMethod=fsync")
# Loose objects are compressed twice and fsynced one by one; below a few segments they are still fewer files to repack.
_PACKED: Final = ("-c", "fastimport.unpackLimit=20")
_INCOMING: Final = "refs/sage/incoming/"
_READY: Final = "sage.ready"
_TREES_REMEMBERED: Final = 8  # whoever looks at a log asks more than once
_NOBODY: Final = "sage-git <sage-git@localhost> 0 +0000"


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit, its tree, and the object ids of its files by path; all empty if there is none."""

    commit: str = ""
    tree: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SegmentRepository:
    """The repository at `git_dir`, made when first written to. `environment` says where git is."""

    git_dir: Path
    object_format: str
    environment: Mapping[str, str]
    _remembered: dict[str, dict[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def writers(self, namespace: str = WRITERS) -> dict[str, str]:
        """The commit of every writer whose log is here. Raises GitFailed."""
        refs = self._refs(namespace)
        return {writer: tip.commit for ref, tip in refs.items() if (writer := writer_of(ref, namespace))}

    def trees(self, commits: Sequence[str]) -> dict[str, str]:
        """The tree of each of these commits that is here. Raises GitFailed."""
        asked = "".join(f"{commit}^{{tree}}\n" for commit in commits).encode("ascii")
        told = self._git("cat-file", "--batch-check=%(objectname)", input=asked).decode("ascii").splitlines()
        return {commit: tree for commit, tree in zip(commits, told, strict=True) if " " not in tree}

    def tip(self, ref: str) -> Tip:
        """Where `ref` stands; nowhere if it is not there. Raises GitFailed."""
        return self.tips(ref)[0]

    def tips(self, *refs: str) -> list[Tip]:
        """Where each of `refs` stands; nowhere if it is not there. Raises GitFailed."""
        found = self._refs(*refs)
        tips = (found.get(ref, Tip()) for ref in refs)
        return [Tip(tip.commit, tip.tree, self.files(tip.tree)) if tip.commit else tip for tip in tips]

    def files(self, tree: str) -> Mapping[str, str]:
        """The object ids of the files of a commit or tree by path. Raises GitFailed."""
        if tree not in self._remembered:
            listed = self._git("ls-tree", "-r", "-z", tree).decode("utf-8", "surrogateescape").split("\0")[:-1]
            while len(self._remembered) >= _TREES_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            parts = (each.partition("\t") for each in listed)
            self._remembered[tree] = {path: words.split(" ")[2] for words, _, path in parts}
        return self._remembered[tree]

    def segments(self, files: Mapping[str, str], paths: Sequence[str]) -> Iterator[list[bytes]]:
        """The lines of each of these segments, none for one that is not in `files`; one is in memory at a time.

        Raises GitFailed; StorageError if the repository is damaged.
        """
        contents = self.blobs([files[path] for path in paths if path in files])
        for path in paths:
            try:
                yield split(next(contents)) if path in files else []
            except ValidationError as problem:
                raise self._damaged(f"{path}: {problem}") from None

    def blobs(self, names: Sequence[str]) -> Iterator[bytes]:
        """The content of each of these blobs. Raises GitFailed, StorageError."""
        if not names:
            return
        requests = "".join(f"{name}\n" for name in names).encode("ascii")
        with Stream(
            ["cat-file", "--batch"], git_dir=self.git_dir, requests=requests, environment=self.environment
        ) as stream:
            for name in names:
                header = stream.answers.readline()
                if not header:
                    raise stream.failure()
                _, kind, *size = header.decode("ascii").split()
                if kind != "blob":
                    raise self._damaged(f"object {name} is {kind}")
                content = stream.answers.read(int(size[0]) + 1)
                if len(content) <= int(size[0]):
                    raise stream.failure()
                yield content[:-1]

    def has(self, commit: str) -> bool:
        """Whether the object is here, reached by a ref or not. Raises GitFailed."""
        return self.is_ready() and b" commit " in self._git("cat-file", "--batch-check", input=f"{commit}\n".encode())

    def commit(self, ref: str, base: Tip, files: Mapping[str, bytes]) -> bool:
        """True if `files` were not all in `base`, where `ref` stands: they are now, beside those that were.

        Raises GitFailed.
        """
        changed = self._changed(base, files)
        if not changed:
            return False
        self.ensure()
        self._healing(lambda: self._import(ref, base.tree, changed))
        upkeep.tidy(self.git_dir, self._git)
        return True

    def merge(self, base: Tip, files: Mapping[str, bytes]) -> str:
        """The commit with the files of `base` and these; no ref has it but `incoming_ref`. Raises GitFailed."""
        ref = incoming_ref(base.commit)
        self._healing(lambda: self._import(ref, base.tree, self._changed(base, files)))
        return self._refs(ref)[ref].commit

    def without_past(self, commits: Sequence[str]) -> dict[str, str]:
        """For each of these our own commit of the same tree, without parents, which is here now. Raises GitFailed."""
        own = {commit: _commit_of(tree) for commit, tree in self.trees(commits).items()}
        return {
            commit: name
            if (name := self._id(b"commit", content)) == commit
            else self._git("hash-object", "-t", "commit", "-w", "--stdin", input=content).decode("ascii").strip()
            for commit, content in own.items()
        }

    def lend(self, taker: SegmentRepository, commits: Sequence[str]) -> None:
        """Have `commits` of this repository in `taker`, durably; what this one borrows is there already.

        No fetch: git would send all of a log again whose commit has no parent that the taker has. Raises GitFailed.
        """
        taker.ensure()
        pack = taker.git_dir / "objects" / "pack" / "pack"
        options = ("--revs", "--local", "--non-empty", "--quiet")
        given = "".join(f"{commit}\n" for commit in commits).encode("ascii")
        self._git(*_DURABLE_OBJECTS, "pack-objects", *options, str(pack), input=given)

    def swap(self, changes: Mapping[str, tuple[str, str]]) -> set[str]:
        """The refs of `changes` (ref → expected commit, new commit; "" is none) that stood as expected, and were moved.

        All of them at once, and every `incoming_ref` is deleted. Raises GitFailed.
        """
        stands = self._refs("refs/sage/")
        ready = {ref: move for ref, move in changes.items() if stands.get(ref, Tip()).commit == move[0]}
        none = "0" * (64 if self.object_format == "sha256" else 40)
        moves = [f"update {ref} {new or none} {was or none}\n" for ref, (was, new) in ready.items() if was != new]
        self._update([*moves, *(f"delete {ref}\n" for ref in stands if ref.startswith(_INCOMING))])
        upkeep.tidy(self.git_dir, self._git)
        return set(ready)

    def forget_incoming(self) -> None:
        """Delete every `incoming_ref`; what only they reached is left to the next `forget_unreachable`."""
        self._update([f"delete {ref}\n" for ref in self._refs(_INCOMING)])

    def blob_id(self, content: bytes) -> str:
        """The object id that a blob has."""
        return self._id(b"blob", content)

    def damage(self) -> str:
        """What git finds damaged in the repository, all of which is read, in its own words; empty if nothing is."""
        if not self.is_ready():
            return ""
        try:
            self._git("fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs")
        except GitFailed as failure:
            words = failure.stderr.strip().splitlines()
            return words[0] if words else str(failure)
        return ""

    def forget_unreachable(self) -> None:
        """Delete every object that no ref reaches, for good. Raises GitFailed."""
        self.forget_incoming()
        self._git(*DURABLE, "repack", "-a", "-d", "-q")
        self._git("prune", "--expire=now")

    def ensure(self) -> None:
        """Make the repository; what a killed run left half made holds nothing, and is made anew. Raises GitFailed."""
        if self.is_ready():
            return
        shutil.rmtree(self.git_dir, ignore_errors=True)
        self._git("init", "--bare", "--quiet", "--template=", f"--object-format={self.object_format}")
        for setting, value in (("gc.auto", "0"), ("core.logAllRefUpdates", "false"), (_READY, "true")):
            self._git("config", setting, value)

    def is_ready(self) -> bool:
        """True once it is made whole."""
        try:
            return b"ready = true" in (self.git_dir / "config").read_bytes()
        except FileNotFoundError:
            return False

    def _changed(self, base: Tip, files: Mapping[str, bytes]) -> dict[str, bytes]:
        return {path: content for path, content in files.items() if base.files.get(path) != self.blob_id(content)}

    def _id(self, kind: bytes, content: bytes) -> str:
        """The id of an object (gitformat-pack(5), `git hash-object`)."""
        return new_hash(self.object_format, b"%s %d\0" % (kind, len(content)) + content).hexdigest()

    def _import(self, ref: str, tree: str, files: Mapping[str, bytes]) -> None:
        head = f"feature done\ncommit {ref}\ncommitter {_NOBODY}\ndata 0\n"
        commands = [f'{head}M 040000 {tree} ""\n'.encode() if tree else head.encode()]
        for path, content in files.items():
            commands += [f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n"]
        commands.append(b"\ndone\n")
        self._git(*DURABLE, *_PACKED, "fast-import", "--quiet", "--force", "--depth=0", input=b"".join(commands))

    def _refs(self, *patterns: str) -> dict[str, Tip]:
        """The refs at or below any of `patterns`, with commits and trees."""
        if not self.is_ready():
            return {}
        listed = self._git("for-each-ref", "--format=%(refname) %(objectname) %(tree)", *patterns).decode("ascii")
        rows = (line.split(" ") for line in listed.splitlines())
        return {name: Tip(commit, tree) for name, commit, tree in rows}

    def _update(self, commands: Sequence[str]) -> None:
        """One transaction of `git update-ref`: all of it or nothing. Raises GitFailed."""
        given = "".join(commands).encode("ascii")
        if given:
            self._healing(lambda: self._git(*DURABLE, "update-ref", "--stdin", input=given))

    def _healing(self, action: Callable[[], object]) -> None:
        """Do it. Whoever was killed in the middle of the like left git's own locks, which outlive their holders."""
        try:
            action()
        except GitFailed:
            if not upkeep.remove_stale_locks(self.git_dir):
                raise
            action()

    def _git(self, *arguments: str, input: bytes = b"") -> bytes:
        return run(arguments, git_dir=self.git_dir, input=input, environment=self.environment)

    def _damaged(self, how: str) -> StorageError:
        return StorageError(str(self.git_dir), "read", how, remedy="run `sage-git fsck`")


def _commit_of(tree: str) -> bytes:
    """The content of our commit of a tree."""
    return f"tree {tree}\nauthor {_NOBODY}\ncommitter {_NOBODY}\n\n".encode("ascii")


def incoming_ref(commit: str) -> str:
    """The ref that keeps `commit` while it is looked at; only this clone sees it."""
    return _INCOMING + commit


def sealed_ref(writer: str) -> str:
    """The ref of what a clone sealed of its own log, published or not; only this clone sees it."""
    return ref_of(writer, "refs/sage/sealed/")
