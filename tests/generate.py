"""Random histories that no sane team would make, built from a seed in one `git fast-import`.

Merges of anything with anything (criss-cross, octopus, an ancestor with its descendant), several roots, add/add,
rename/rename, deletions that come back, files that become folders, links and submodules, dates that run backwards, and
names, authors and messages in no encoding. Every file has fewer than five lines: see tests/oracle.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

PATHS = (
    b"a", b"A", b"b.py", b"c", b"dir", b"dir/x", b"dir/y.py", b"dir/deep/z", b"Dir/x", b"sp ace", b"new\nline",
    b'quo"te', b"back\\slash", b"caf\xc3\xa9", b"latin\xe9", b"100%", b"bad%\xff", b"-dash", b"tab\t", b"link",
    b"sub", b".gitattributes", b".gitmodules", b"l" * 240, b"\xe2\x80\xa8", b"half\xe2\x82", b"surrogate\xed\xa0\x80",
)  # fmt: skip
WORDS = (b"alpha", b"bravo", b"charlie", b"delta", b"echo", b"foxtrot", b"golf")
AUTHORS = (
    b"Ada <ada@example.org>", b"J\xf6rg <joerg@example.org>", b"100% <p@example.org>", b"\xe6\x97\xa5 <n@example.org>",
    b"<nameless@example.org>", b"J\xf6rg 7% <j@example.org>",
)  # fmt: skip
MESSAGES = (
    b"plain\n", b"", b"no newline", b"caf\xe9\n\nSage-Actor: claude/s1 model=opus\n", b"Sage-Actor: copilot\n",
    b"two\n\nSage-Actor: first/1\nSage-Actor: second\n",
)  # fmt: skip
SPECIAL = {
    b".gitattributes": b"* -diff -text binary merge=ours\n",
    b".gitmodules": b'[submodule "sub"]\npath = sub\nurl = ./nowhere\nignore = all\n',
}
SUBMODULES = ("1" * 40, "2" * 40)


class File(NamedTuple):
    """A tree entry: its mode, and its content (for a submodule link, and for what was there before, an object id)."""

    mode: bytes
    content: bytes | str


State = Mapping[bytes, File]


@dataclass(slots=True)
class Histories:
    """Grows a history in `repository`; every commit made keeps a branch of its own."""

    repository: Path
    random: Random
    names: list[str] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    above: list[frozenset[int]] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)
    paths: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Few paths, so that histories meet."""
        self.paths = self.random.sample(PATHS, 8)

    def adopt(self, commit: str) -> None:
        """Let `commit`, made elsewhere on top of the last of ours, be a parent too."""
        listed = [line.split(b"\t", 1) for line in self.git("ls-tree", "-r", "-z", commit).split(b"\0")[:-1]]
        entries = {path: File(meta.split()[0], meta.split()[2].decode()) for meta, path in listed}
        last = len(self.names) - 1
        self.remember(commit, {**entries, **self.states[last]}, self.above[last] | {last}, [last])

    def grow(self, count: int) -> list[str]:
        """`count` more commits; gives the ids of all that have no child, the last made last."""
        first = len(self.names)
        stream = [self.next_commit(mark) for mark in range(first, first + count)]
        marks = self.repository / "generated.marks"
        self.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", stdin=b"".join(stream) + b"done\n")
        ids = dict(line.split() for line in marks.read_text().splitlines())
        marks.unlink()
        for mark in range(first, first + count):
            self.names[mark] = ids[f":{mark + 1}"]
        children = {parent for parents in self.parents for parent in parents}
        return [name for mark, name in enumerate(self.names) if mark not in children or mark == len(self.names) - 1]

    # -- one commit --------------------------------------------------------------------------------------------------

    def next_commit(self, mark: int) -> bytes:
        parents = self.pick_parents()
        state = self.merged(parents) if len(parents) > 1 else dict(self.states[parents[0]]) if parents else {}
        for _ in range(self.random.choice(((8,), (0, 1, 2, 3, 4), (0, 0, 0, 1))[min(len(parents), 2)])):
            self.mutate(state)
        name = f":{mark + 1}"
        above = frozenset(parents).union(*(self.above[parent] for parent in parents)) if parents else frozenset[int]()
        text = self.commit_text(name, [self.names[parent] for parent in parents], state)
        self.remember(name, state, above, parents)
        return text

    def remember(self, name: str, state: State, above: frozenset[int], parents: list[int]) -> None:
        self.names.append(name)
        self.states.append(state)
        self.above.append(above)
        self.parents.append(parents)

    def pick_parents(self) -> list[int]:
        made = len(self.names)
        chance = self.random.random()
        wanted = 0 if chance < 0.05 else 1 if chance < 0.6 else 2 if chance < 0.93 else self.random.choice((3, 4))
        recent = [self.random.randrange(max(0, made - 6), made) for _ in range(wanted if made else 0)]
        return list(dict.fromkeys(recent))

    def merged(self, parents: list[int]) -> dict[bytes, File]:
        """Like a merge by path and line, with mistakes: a side dropped, a file taken from anywhere."""
        states = [self.states[parent] for parent in parents]
        common = frozenset.intersection(*(self.above[parent] | {parent} for parent in parents))
        base = self.states[max(common)] if common else {}
        result: dict[bytes, File] = {}
        for path in sorted(set().union(*states)):
            sides = [state.get(path) for state in states]
            changed = [side for side in sides if side != base.get(path)]
            chosen = by_line(base.get(path), changed) if len(set(changed)) > 1 else self.random.choice(changed or sides)
            if self.random.random() < 0.1:
                chosen = self.random.choice(sides)
            if chosen is not None:
                place(result, path, chosen)
        return result

    def mutate(self, state: dict[bytes, File]) -> None:
        often = (self.add, self.add, self.edit, self.edit, self.edit, self.rename, self.rename)
        self.random.choice((*often, self.copy, self.delete, self.change_mode))(state)

    def add(self, state: dict[bytes, File]) -> None:
        path = self.random.choice(self.paths)
        if path == b"sub":
            return place(state, path, File(b"160000", self.random.choice(SUBMODULES)))
        if path == b"link":
            return place(state, path, File(b"120000", self.random.choice(WORDS)))
        mode = self.random.choice((b"100644", b"100644", b"100755"))
        return place(state, path, File(mode, SPECIAL.get(path) or self.content()))

    def edit(self, state: dict[bytes, File]) -> None:
        path = self.pick(state)
        if path is not None and isinstance(content := state[path].content, bytes):
            lines = content.splitlines(keepends=True) or [b""]
            lines[self.random.choice((0, 0, len(lines) // 2, -1, -1))] = self.line()
            state[path] = File(state[path].mode, b"".join(lines))

    def delete(self, state: dict[bytes, File]) -> None:
        path = self.pick(state)
        if path is not None:
            del state[path]

    def rename(self, state: dict[bytes, File]) -> None:
        path = self.pick(state)
        if path is not None:
            moved = state.pop(path)
            place(state, self.random.choice(self.paths), moved)
            if self.random.random() < 0.3:
                self.edit(state)

    def copy(self, state: dict[bytes, File]) -> None:
        path = self.pick(state)
        if path is not None:
            copied = state[path]
            self.edit(state)
            place(state, self.random.choice(self.paths), copied)

    def change_mode(self, state: dict[bytes, File]) -> None:
        path = self.pick(state)
        if path is not None and isinstance(content := state[path].content, bytes):
            can_be_link = path not in SPECIAL and content[:1] > b"\0"  # git would refuse to check it out
            mode = self.random.choice((b"100644", b"100755", b"120000" if can_be_link else b"100644"))
            state[path] = File(mode, content)

    def pick(self, state: Mapping[bytes, File]) -> bytes | None:
        ours = sorted(path for path in state if not path.startswith(b".sage/"))
        favourite = [path for path in self.paths[:2] if path in state and self.random.random() < 0.4]
        return self.random.choice(favourite or ours) if ours else None

    def content(self) -> bytes:
        if self.random.random() < 0.1:
            return self.random.choice((b"", b"\0\1\2binary\n", b"crlf\r\ntwo\r\n"))
        return b"".join(self.line() for _ in range(4))

    def line(self) -> bytes:
        return b" ".join([self.random.choice(WORDS)] * 4) + b"\n"

    # -- fast-import -------------------------------------------------------------------------------------------------

    def commit_text(self, name: str, parents: list[str], state: State) -> bytes:
        lines = [f"commit refs/heads/n{name[1:]}\nmark {name}\n".encode()]
        lines += [b"author %s %s\n" % (self.random.choice(AUTHORS), self.date())]
        lines += [b"committer Com <c@example.org> %s\n" % self.date()]
        lines += [b"encoding iso-8859-1\n"] if self.random.random() < 0.1 else []
        lines += [counted(self.random.choice(MESSAGES))]
        lines += [b"%s %s\n" % (b"merge" if i else b"from", parent.encode()) for i, parent in enumerate(parents)]
        lines += [b"deleteall\n"]
        for path, (mode, content) in sorted(state.items()):
            lines += [
                b"M %s %s %s\n" % (mode, content.encode() if isinstance(content, str) else b"inline", quoted(path))
            ]
            lines += [counted(content)] if isinstance(content, bytes) else []
        return b"".join(lines) + b"\n"

    def date(self) -> bytes:
        chance = self.random.random()
        usual = 1_700_000_000 + 60 * len(self.names) + self.random.choice((0, 0, 0, -864_000, 864_000))
        seconds = 0 if chance < 0.02 else 300_000_000_000 if chance < 0.04 else usual
        return b"%d %s" % (seconds, self.random.choice((b"+0000", b"+0530", b"-1100")))

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=self.repository, input=stdin, stdout=subprocess.PIPE, check=True
        ).stdout


def place(state: dict[bytes, File], path: bytes, file: File) -> None:
    """Put `file` at `path`; what a file and a folder cannot share makes way."""
    for other in list(state):
        if other.startswith(path + b"/") or path.startswith(other + b"/"):
            del state[other]
    state[path] = file


def by_line(base: File | None, sides: list[File | None]) -> File | None:
    """Each line from the first side that changed it."""
    if base is None or None in sides or not isinstance(base.content, bytes):
        return sides[0]
    before = base.content.splitlines(keepends=True)
    lines = before
    for side in sides:
        content = side.content if side else b""
        after = content.splitlines(keepends=True) if isinstance(content, bytes) else []
        if len(after) == len(before):
            lines = [new if new != old else kept for old, new, kept in zip(before, after, lines, strict=True)]
    return File(base.mode, b"".join(lines))


def counted(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def quoted(path: bytes) -> bytes:
    return b'"%s"' % b"".join(b"\\%03o" % byte for byte in path)
