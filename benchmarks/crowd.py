"""Many writers at once: logs that never were said by anybody, but are to the byte what clones would have published.

Not here: what is measured about them (`scale`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import RepositoryId, leaf
from sage_git.chronicle.kinds import timestamp
from sage_git.gitrepo.log_tree import CHECKPOINT, INTRODUCTION, SEGMENT_ENTRIES, joined, ref_of, segment_path
from sage_git.proof.checkpoint import Checkpoint, issue, origin_of
from sage_git.proof.introduction import Introduction
from sage_git.proof.merkle import Tree, leaf_hash, segment_root

SUBJECTS = 1_000
_FIRST_MS = 1_767_225_600_000
_COMMITTER = b"committer sage-git <sage-git@localhost> 0 +0000\ndata 0\n"


@dataclass(slots=True)
class Writer:
    """A writer, and of its log what the next entry needs."""

    number: int
    key: Ed25519PrivateKey
    repository: RepositoryId
    size: int = 0
    roots: list[bytes] = field(default_factory=list)
    """Of the whole segments."""
    last: list[Event] = field(default_factory=list)
    """Those that are in none."""

    @classmethod
    def from_seed(cls, number: int, repository: RepositoryId) -> Writer:
        """The writer with this number: the same key each time."""
        return cls(number, Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")), repository)

    @property
    def id(self) -> str:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def say(self, count: int) -> Iterator[bytes]:
        """The files of the log that are new once it has `count` entries more, as fast-import reads them."""
        for _ in range(count):
            self.last.append(step(self.number, self.size))
            self.size += 1
            if len(self.last) == SEGMENT_ENTRIES:
                yield from self._segment()
                self.roots.append(segment_root([leaf(each.event_id) for each in self.last if each.event_id]))
                self.last.clear()
        if self.last:
            yield from self._segment()
        origin = origin_of(self.repository, self.id)
        yield _file(CHECKPOINT, issue(Checkpoint(origin, self.size, self._tree().root()), self.key))
        yield _file(INTRODUCTION, Introduction(self.id, self.repository).content)

    def _segment(self) -> Iterator[bytes]:
        number = (self.size - 1) // SEGMENT_ENTRIES
        yield _file(segment_path("leaves", number), joined(leaf(each.event_id) for each in self.last if each.event_id))
        yield _file(segment_path("events", number), joined(each.line for each in self.last))

    def _tree(self) -> Tree:
        return Tree(
            self.size, self.roots, lambda _: [leaf_hash(leaf(each.event_id)) for each in self.last if each.event_id]
        )


def step(writer: int, number: int) -> Event:
    """What an agent says of one thing that it did; some 400 bytes, as those that hooks of agents append."""
    said = number * 7_919 + writer
    file = f"src/package{said % 97}/module{said % 1009}.py"
    return Event.own(
        {
            "type": "AGENT_ACTION",
            "timestamp": timestamp(_FIRST_MS + 60_000 * number + writer),
            "actor": {
                "agent": "claude-code",
                "id": f"Ada Lovelace {writer} <ada{writer}@example.org>",
                "model": "claude-opus",
                "session": f"{writer:08x}-{number // 50:08x}",
            },
            "action": f"edited {file}: made the {said % 31}th case of it explicit",
            "meta": {"tool": "edit", "file": file, "lines": said % 211},
            "subject": f"work-{said % SUBJECTS}",
        }
    )


def publish(store: Path, said: Iterable[tuple[Writer, int]]) -> None:
    """Have each of these writers say so many things more, in the logs that lie in the bare repository at `store`."""
    command = ["git", f"--git-dir={store}", "fast-import", "--quiet", "--force", "--done", "--depth=0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as git:
        assert git.stdin is not None
        for writer, count in said:
            ref = ref_of(writer.id).encode()
            git.stdin.write(b"commit %s\n%s" % (ref, _COMMITTER))
            if writer.size:
                tree = subprocess.run(
                    ["git", f"--git-dir={store}", "rev-parse", f"{ref_of(writer.id)}^{{tree}}"],
                    capture_output=True, check=True,
                )  # fmt: skip
                git.stdin.write(b'M 040000 %s ""\n' % tree.stdout.strip())
            git.stdin.writelines(writer.say(count))
        git.stdin.write(b"\ndone\n")
    if git.returncode:
        raise SystemExit("git fast-import failed")


def _file(path: str, content: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
