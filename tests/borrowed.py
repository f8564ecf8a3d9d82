"""A real repository's history as if its people had worked under a plan: trees, merges, authors and dates as they are.

Each commit is made once more on top of `sage-git init`, and names the plan; each twentieth does not, and somebody
answers for what it did. Nothing of the repository is kept: it is only read, and lives in a test's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.kit import GitRepository, run_sage
from tests.recorded import logged
from tests.verified import History, approve, text

SCOPE = ["**", "!/lib/", "!/lib/**", "!/.sage/", "!/.sage/**"]
UNPLANNED = 20
"""Every so many commits, one names no plan."""


def borrow(path: Path, source: Path) -> History:
    """The history of `source`'s HEAD, recorded here from its first commit on, with nothing left to answer for."""
    repository = GitRepository.create(path)
    repository.commit("beside what is borrowed", **{"src/old.py": text(0)})
    assert run_sage("init", cwd=path).returncode == 0
    history = History(repository, approve(path, "p1", SCOPE, year=2001))
    repository.git("fetch", "--quiet", "--no-tags", str(source), "HEAD:refs/borrowed/head")
    exported = repository.run("fast-export", "--no-data", "--reencode=no", "--signed-tags=strip", "refs/borrowed/head")
    assert exported.returncode == 0, exported.stderr.decode()
    again = b"".join(_claiming(exported.stdout, repository.head, f"\n\nSage-Plan: p1 {history.approval[:16]}\n"))
    repository.git("fast-import", "--quiet", "--force", "--date-format=raw-permissive", stdin=again)
    repository.git("update-ref", "-d", "refs/borrowed/head")
    repository.git("reset", "--hard", "--quiet", "grown")
    for command in (("record",), ("reconcile", "--all", "-m", "looked at, and right")):
        done = run_sage(*command, cwd=path)
        assert done.returncode == 0, done.stderr + done.stdout
    history.events = logged(path)
    return history


def _claiming(stream: bytes, root: str, claim: str) -> Iterator[bytes]:
    """The stream of `git fast-export`, on top of `root`, with a claim in the messages."""
    at, commits, is_new = 0, 0, False
    while at < len(stream):
        end = stream.index(b"\n", at) + 1
        line, at = stream[at:end], end
        if line.startswith((b"commit ", b"reset ")):
            line = line.replace(b"refs/borrowed/head", b"refs/heads/grown")
        elif line.startswith(b"data "):
            message, at = stream[at : at + int(line[5:])], at + int(line[5:])
            commits += 1
            message += claim.encode() if commits % UNPLANNED else b""
            line = b"data %d\n%s" % (len(message), message + b"\n")
            is_new = True
        elif is_new:
            is_new = False
            line = line if line.startswith(b"from ") else b"from %s\n%s" % (root.encode(), line)
        if not line.startswith(b"encoding "):
            yield line
