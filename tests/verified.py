"""A recorded history of any length in which everything is answered for, for `verify` to look at.

`build` makes it: plans approved before the work, commits that name them on two branches that are merged now and then,
renames, removals, and unplanned edits that somebody reconciled. Made in one `git fast-import`, from a seed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import sage_git
from sage_git.chronicle.ids import plan_hash
from tests.kit import GitRepository, run_sage
from tests.recorded import logged

REVIEWER = {"agent": "sage-git", "id": "Grace Hopper <grace@example.org>"}
AUTHOR = b"Ada Lovelace <ada@example.org>"
FIRST = 1_767_225_600  # 2026-01-01, a day after the plan was approved
APPROVED_AT = "{}-12-31T00:00:{:02}.000Z"
LINES = 30


@dataclass(slots=True)
class History:
    """What was built: the repository, the approval that its commits name, and every event of the record."""

    repository: GitRepository
    approval: str
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.repository.path


def say(path: Path, subject: str, event: dict[str, Any]) -> str:
    """The id of a statement, appended."""
    said = sage_git.append_event(path / f".sage/{subject}.sage", {"actor": REVIEWER, **event}, lock_timeout_ms=20_000)
    assert said.event_id is not None
    return said.event_id


def approve(path: Path, plan_id: str, scope: list[str], at: int = 0, year: int = 2025) -> str:
    """Have a plan drafted and approved; gives what commits name."""
    plan = {"planId": plan_id, "summary": f"work on {scope}", "steps": ["do it"], "scope": scope}
    named = {"planId": plan_id, "planHash": plan_hash(plan)}
    say(path, "plans", {**plan, **named, "type": "PLAN_DRAFTED", "timestamp": APPROVED_AT.format(year, at)})
    words = {"reviewerId": REVIEWER["id"], "justification": "it is needed"}
    when = APPROVED_AT.format(year, at + 1)
    return say(path, "plans", {**named, **words, "type": "PLAN_APPROVED", "timestamp": when})


def reconcile(path: Path, opened: list[dict[str, Any]]) -> None:
    """Answer for open edits, as `verify` names them, one statement a source."""
    by_path: dict[str, list[dict[str, Any]]] = {}
    for finding in opened:
        by_path.setdefault(finding["path"], []).append(finding)
    for source, several in by_path.items():
        event = {
            "type": "RECONCILIATION",
            "reconciliationStrategy": "accepted",
            "filePath": source,
            "diffRef": f"{'0' * 40}..{'0' * 40}",
            "resolves": [finding["eventId"] for finding in several],
            "justification": "looked at, and right",
            "reviewerId": REVIEWER["id"],
            "actor": REVIEWER,
        }
        sage_git.append_event(path / f"{source}.sage", event, lock_timeout_ms=20_000)


def build(path: Path, commits: int, seed: int = 1) -> History:
    """A history of about this many commits, recorded, with nothing left to answer for."""
    repository = GitRepository.create(path)
    repository.commit("before the record", **{"README": "hello\n", "src/old.py": text(0)})
    done = run_sage("init", cwd=path)
    assert done.returncode == 0, done.stderr
    history = History(repository, approve(path, "p1", ["src/**", "gone/**"]))
    Importer(repository, Random(seed), history.approval).grow(commits)
    repository.git("reset", "--hard", "--quiet", "grown")
    done = run_sage("record", cwd=path)
    assert done.returncode == 0, done.stderr + done.stdout
    opened = [each for each in findings(path) if each["code"] == "open-edit"]
    reconcile(path, opened)
    history.events = logged(path)
    return history


def findings(path: Path, *arguments: str) -> list[dict[str, Any]]:
    """What `verify --json` finds, notes left out."""
    answer = verified(path, *arguments)
    return [finding for finding in answer["findings"] if finding["severity"] != "note"]


def verified(path: Path, *arguments: str) -> dict[str, Any]:
    """The answer of `verify --json`."""
    done = run_sage("verify", "--json", *arguments, cwd=path)
    assert done.returncode in (0, 1, 3), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def text(salt: int) -> str:
    return "".join(f"line {number} of {salt}\n" for number in range(LINES))


class Importer:
    """Writes commits as `git fast-import` reads them."""

    def __init__(self, repository: GitRepository, random: Random, approval: str) -> None:
        self._repository, self._random, self._approval = repository, random, approval
        self._files = {f"src/m{number}.py": text(number).splitlines() for number in range(12)}
        self._mark = 0
        self._stream: list[bytes] = []
        self._count = 0

    def grow(self, commits: int) -> None:
        """Import the commits, as branch `grown` on top of HEAD."""
        tip = self._commit(self._repository.head, None, dict.fromkeys(self._files), "the first sources")
        while self._count < commits:
            tip = self._random.choice((self._edit, self._edit, self._edit, self._edit, self._merge, self._other))(tip)
        self._stream.append(b"done\n")
        self._repository.git("fast-import", "--quiet", "--force", "--done", stdin=b"".join(self._stream))

    def _edit(self, tip: str) -> str:
        return self._commit(tip, None, {self._changed(self._random.randrange(LINES)): None}, "work")

    def _merge(self, tip: str) -> str:
        """Both sides change one file, far from one another; git merges that by itself."""
        path = self._random.choice([name for name in self._files if name.startswith("src/")])
        before = list(self._files[path])
        self._files[path][2] = f"theirs {self._count}"
        theirs = self._commit(tip, None, {path: None}, "theirs", "side")
        merged = list(self._files[path])
        self._files[path] = before
        self._files[path][LINES - 3] = f"ours {self._count}"
        ours = self._commit(tip, None, {path: None}, "ours")
        merged[LINES - 3] = self._files[path][LINES - 3]
        self._files[path] = merged
        return self._commit(ours, theirs, {path: None}, "merge")

    def _other(self, tip: str) -> str:
        what = self._random.randrange(4)
        names = [name for name in self._files if name.startswith("src/")]
        if what == 0:  # nobody planned this, and somebody answers for it afterwards
            name = f"docs/{self._random.randrange(4)}.md"
            self._files[name] = [*self._files.get(name, []), f"words {self._count}"]
            return self._commit(tip, None, {name: None}, "words", claims=False)
        if what == 1:
            old, new = self._random.choice(names), f"src/r{self._count}.py"
            self._files[new] = self._files.pop(old)
            return self._commit(tip, None, {old: "gone", new: None}, "rename")
        if what == 2 and len(names) > 8:
            old = self._random.choice(names)
            del self._files[old]
            return self._commit(tip, None, {old: "gone"}, "remove")
        new = f"src/n{self._count}.py"
        self._files[new] = text(self._count).splitlines()
        return self._commit(tip, None, {new: None}, "add")

    def _changed(self, line: int) -> str:
        path = self._random.choice([name for name in self._files if name.startswith("src/")])
        self._files[path][line] = f"edit {self._count}"
        return path

    def _commit(
        self,
        first: str,
        second: str | None,
        changed: dict[str, str | None],
        subject: str,
        branch: str = "grown",
        *,
        claims: bool = True,
    ) -> str:
        self._mark += 1
        self._count += 1
        message = f"{subject} {self._count}\n" + (f"\nSage-Plan: p1 {self._approval[:16]}\n" if claims else "")
        when = b"%d +0000" % (FIRST + 60 * self._count)
        lines = [b"commit refs/heads/%s\nmark :%d\n" % (branch.encode(), self._mark)]
        lines += [b"author %s %s\ncommitter %s %s\n" % (AUTHOR, when, AUTHOR, when)]
        lines += [b"data %d\n%s" % (len(message), message.encode()), b"from %s\n" % first.encode()]
        lines += [b"merge %s\n" % second.encode()] if second else []
        for path, fate in changed.items():
            if fate == "gone":
                lines.append(b"D %s\n" % path.encode())
            else:
                content = "".join(f"{line}\n" for line in self._files[path]).encode()
                lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
        self._stream += [*lines, b"\n"]
        return f":{self._mark}"
