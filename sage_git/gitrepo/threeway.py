"""Git's own three-way merge and diff of single files, one question at a time: a `judgement.workshop.Workshop`.

Responsible for asking few processes, each kept open, and nothing twice. Not here: what an answer means.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from sage_git.chronicle.ids import ObjectId
from sage_git.errors import GitFailed
from sage_git.gitrepo.bench import MERGE, Bench, template_in
from sage_git.gitrepo.command import Dialogue
from sage_git.gitrepo.scratch import Scratch
from sage_git.judgement.workshop import Hunk, Merge

MAX_TEXT_BYTES: Final = 1 << 20
_MERGE: Final = ("-c", "merge.renames=false", *MERGE, "--messages")
_DIFFERENCES: Final = ("diff-tree", "--stdin", "-p", "-U0", "--diff-algorithm=histogram", "--text", "--no-renames")
_HUNK: Final = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ENTRY: Final = b"100644 file\0"
_COMMIT: Final = "tree {}\n{}author {} <> 0 +0000\ncommitter sage-git <> 0 +0000\n\n"
_MAX_REMEMBERED_BYTES: Final = 64 << 20
_PATIENCE_S: Final = 0.25  # git 2.39 answers at once because it prints messages; nothing promises that it will
_CONFLICT: Final = Merge(None, is_clean=False)


class Threeway:
    """Answers of git about single files, all of them remembered. Costs nothing until it is asked."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._salt = os.urandom(16).hex()  # so that no text can hold the name of a commit that is made here
        self._bench: Bench | None = None
        self._contents: Dialogue | None = None
        self._merger: _Merger | None = None
        self._differ: Dialogue | None = None
        self._trees: dict[ObjectId | None, ObjectId] = {}
        self._commits: dict[tuple[ObjectId, ObjectId | None], ObjectId] = {}
        self._lines: dict[ObjectId, tuple[bytes, ...] | None] = {}
        self._counts: dict[ObjectId, Mapping[bytes, int]] = {}
        self._remembered_bytes = 0
        self._merges: dict[tuple[ObjectId | None, ...], Merge] = {}
        self._differences: dict[tuple[ObjectId, ObjectId], tuple[Hunk, ...]] = {}

    @classmethod
    def open(cls, scratch: Scratch) -> Threeway:
        """A workshop over the objects that `scratch` sees; to be closed."""
        return cls(scratch)

    def lines(self, blob: ObjectId) -> tuple[bytes, ...] | None:
        """The blob split at newlines; None if it is binary, larger than 1 MiB or not here. Raises GitFailed."""
        if blob not in self._lines:
            content = self._content(blob, MAX_TEXT_BYTES)
            if self._remembered_bytes > _MAX_REMEMBERED_BYTES:
                self._lines, self._counts, self._remembered_bytes = {}, {}, 0
            self._remembered_bytes += len(content or b"")
            self._lines[blob] = None if content is None or b"\0" in content else tuple(content.split(b"\n"))
        return self._lines[blob]

    def counts(self, blob: ObjectId) -> Mapping[bytes, int] | None:
        """How often each of `lines` is there; None where there are none. Raises GitFailed."""
        if blob not in self._counts:
            lines = self.lines(blob)
            if lines is None:
                return None
            self._counts[blob] = dict(Counter(lines))  # compares and subtracts far faster
        return self._counts[blob]

    def merge(self, base: ObjectId | None, ours: ObjectId | None, theirs: ObjectId | None) -> Merge:
        """Git's merge of the contents of three regular files; None for no file. Raises GitFailed."""
        if theirs in (base, ours):
            return Merge(ours, is_clean=True)
        if ours == base:
            return Merge(theirs, is_clean=True)
        if ours is None or theirs is None:
            return _CONFLICT
        if any(blob is not None and self.lines(blob) is None for blob in (base, ours, theirs)):
            return _CONFLICT
        key = base, ours, theirs
        if key not in self._merges:
            self._merges[key] = self._merged(base, ours, theirs)
        return self._merges[key]

    def differences(self, before: ObjectId, after: ObjectId) -> tuple[Hunk, ...]:
        """The hunks between two texts, in order, by git's histogram diff without context. Raises GitFailed."""
        key = before, after
        if before == after:
            return ()
        if key not in self._differences:
            if self._differ is None:
                self._differ = self._at_bench().git.dialogue(*_DIFFERENCES)
            # What is no object id is printed as it is, and git lets go of its answer.
            self._differ.ask(f"{self._tree(before)} {self._tree(after)}\nend\n".encode("ascii"))
            hunks = []
            while (line := self._differ.until(b"\n")) != b"end":
                if line.startswith(b"@@ "):
                    hunks.append(_hunk(line))
            self._differences[key] = tuple(hunks)
        return self._differences[key]

    def close(self) -> None:
        """End every process and throw away what was made."""
        for process in (self._contents, self._merger, self._differ):
            if process is not None:
                process.close()
        if self._bench is not None:
            self._bench.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _at_bench(self) -> Bench:
        if self._bench is None:
            self._bench = Bench(self._scratch)
        return self._bench

    def _content(self, oid: ObjectId, limit_bytes: int | None = None) -> bytes | None:
        """The content of the object; None if it is not here or larger than the limit."""
        if self._contents is None:
            self._contents = self._at_bench().git.dialogue("cat-file", "--batch-command")
        git = self._contents
        git.ask(b"info %s\n" % oid.encode("ascii"))
        words = git.until(b"\n").split()
        if len(words) != 3 or words[1] == b"commit" or (limit_bytes is not None and int(words[2]) > limit_bytes):
            return None
        git.ask(b"contents %s\n" % oid.encode("ascii"))
        git.until(b"\n")
        return git.exactly(int(words[2]) + 1)[:-1]

    def _merged(self, base: ObjectId | None, ours: ObjectId, theirs: ObjectId) -> Merge:
        if self._merger is None:
            self._merger = _Merger(self._at_bench())
        root = self._commit(base, None, len(ours))
        sides = self._commit(ours, root, len(ours)), self._commit(theirs, root, len(ours))
        try:
            is_clean, tree = self._merger.merge(*sides)
        except GitFailed:
            return _CONFLICT
        entry = self._content(tree) or b""
        blob = ObjectId(entry[-(len(ours) // 2) :].hex())
        if not entry.startswith(_ENTRY):
            return _CONFLICT
        if is_clean:
            return Merge(blob, is_clean=True)
        texts = [self._content(side) or b"" for side in (ours, theirs)]
        return Merge(None, is_clean=False, template=template_in(self._content(blob) or b"", texts, *sides))

    def _tree(self, blob: ObjectId | None, digits: int = 0) -> ObjectId:
        """The tree with nothing in it but `blob`."""
        if blob not in self._trees:
            content = b"" if blob is None else _ENTRY + bytes.fromhex(blob)
            self._trees[blob] = self._at_bench().write(b"tree", content, len(blob or "") or digits)
        return self._trees[blob]

    def _commit(self, blob: ObjectId | None, parent: ObjectId | None, digits: int) -> ObjectId:
        key = self._tree(blob, digits), parent
        if key not in self._commits:
            raw = _COMMIT.format(key[0], f"parent {parent}\n" if parent else "", self._salt)
            self._commits[key] = self._at_bench().write(b"commit", raw.encode("ascii"), digits)
        return self._commits[key]


class _Merger:
    """`git merge-tree`, kept open where git can."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.git: Dialogue | None = None

    def merge(self, ours: ObjectId, theirs: ObjectId) -> tuple[bool, ObjectId]:
        """Whether the merge is clean, and its tree. Raises GitFailed."""
        try:
            return self._in_dialogue(ours, theirs)
        except GitFailed:  # git 2.38 has no --stdin
            self.close()
            self.git = None
            return self._alone(ours, theirs)

    def close(self) -> None:
        """End the process; safe to call twice."""
        if self.git is not None:
            self.git.close()

    def _in_dialogue(self, ours: ObjectId, theirs: ObjectId) -> tuple[bool, ObjectId]:
        has_rest = self.git is not None and not self.git.is_over
        if not has_rest:
            self.close()
            self.git = self._bench.git.dialogue(*_MERGE, "--stdin", patience_s=_PATIENCE_S)
        assert self.git is not None
        self.git.ask(f"{ours} {theirs}\n".encode("ascii"))
        if has_rest:  # the end of an answer comes with the next one
            _skip_details(self.git)
        is_clean = self.git.until(b"\0") == b"1"
        return is_clean, ObjectId(self.git.until(b"\0").decode("ascii"))

    def _alone(self, ours: ObjectId, theirs: ObjectId) -> tuple[bool, ObjectId]:
        with self._bench.git.stream(*_MERGE, ours, theirs, requests=()) as git:
            tree, _, details = git.answers.read().partition(b"\0")
            if not tree:
                raise git.failure()
        return details.startswith(b"\0") or not details, ObjectId(tree.decode("ascii"))


def _skip_details(git: Dialogue) -> None:
    """Read the files in conflict and the messages, each a number of paths, those, a kind and a sentence."""
    while git.until(b"\0"):
        pass
    while paths := git.until(b"\0"):
        for _ in range(int(paths) + 2):
            git.until(b"\0")


def _hunk(line: bytes) -> Hunk:
    found = _HUNK.match(line)
    assert found is not None
    old, old_count, new, new_count = (1 if each is None else int(each) for each in found.groups())
    # Git names the line before where there is none of its own.
    return Hunk(old - 1 if old_count else old, old_count, new - 1 if new_count else new, new_count)
