"""Faults to plant in a copy of a history (tests/verified.py), each with the codes by which `verify` may name it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sage_git.chronicle.event import Event
from tests.kit import GitRepository
from tests.verified import REVIEWER, History, approve, say

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
ANY: frozenset[str] = frozenset()
"""Whatever is found."""


class Copy:
    """One copy of the history, to be damaged in one place."""

    def __init__(self, history: History, path: Path, random: Random) -> None:
        self.path, self.random, self.approval = path, random, history.approval
        self.repository = GitRepository(path, iter(range(1_000_000, 2_000_000)))
        self.events = history.events

    # -- the record's files ------------------------------------------------------------------------------------------

    @property
    def tail(self) -> Path:
        return self.path / ".git/sage/tail.ndjson"

    def entries(self) -> list[bytes]:
        return self.tail.read_bytes().split(b"\n")[1:-1]

    def event(self, *types: str) -> dict[str, Any]:
        """Some fact or verdict of these types in the log."""
        return dict(
            self.random.choice([each for each in self.events if each["type"] in types and "graphCommit" in each])
        )

    def forge(self, event: dict[str, Any]) -> None:
        """Append an event with a right id to the log."""
        fields = {name: value for name, value in event.items() if name != "eventId"}
        with self.tail.open("ab") as file:
            file.write(Event.sealed(fields).line + b"\n")

    def sidecar(self) -> Path:
        found = sorted(each for each in self.path.rglob("*.sage") if each.is_file() and ".git" not in each.parts)
        return self.random.choice(found)

    def flip(self, path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[self.random.randrange(len(content))] ^= self.random.randrange(1, 256)
        path.chmod(0o644)
        path.write_bytes(content)

    def drop_line(self, path: Path, first: int) -> None:
        lines = path.read_bytes().split(b"\n")
        del lines[self.random.randrange(first, len(lines) - 1)]
        path.write_bytes(b"\n".join(lines))

    # -- the repository ----------------------------------------------------------------------------------------------

    def git(self, *arguments: str) -> str:
        return self.repository.git(*NO_HOOKS, *arguments)

    def commit(self, message: str, **files: str | None) -> str:
        """A commit that no hook saw."""
        for name, content in files.items():
            if content is None:
                (self.path / name).unlink()
            else:
                self.repository.write(name, content)
        self.git("add", "--force", "--all", "--", *files)
        self.git("commit", "--quiet", "-m", message)
        return self.repository.head

    @property
    def claim(self) -> str:
        return f"\n\nSage-Plan: p1 {self.approval[:16]}"

    def source(self) -> str:
        names = self.git("ls-files", "src/*.py").split("\n")
        return self.random.choice([name for name in names if name != "src/old.py"])

    def config(self) -> str:
        return (self.path / ".sage/config.toml").read_text()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done, and by which codes it may be told of."""

    name: str
    plant: Callable[[Copy], None]
    codes: frozenset[str] = ANY


def flip_log(copy: Copy) -> None:
    copy.flip(copy.tail)


def flip_id(copy: Copy) -> None:
    """The id that an entry carries, and nothing of its content."""
    line = copy.random.choice(copy.entries())
    name = json.loads(line)["eventId"]
    other = name[:-1] + ("0" if name[-1] != "0" else "1")
    altered = line.replace(f'"eventId":"{name}"'.encode(), f'"eventId":"{other}"'.encode())
    copy.tail.write_bytes(copy.tail.read_bytes().replace(line, altered))


def flip_sidecar(copy: Copy) -> None:
    copy.flip(copy.sidecar())


def flip_sealed(copy: Copy) -> None:
    packs = sorted((copy.path / ".git/sage").glob("*.git/objects/pack/*.pack"))
    loose = sorted((copy.path / ".git/sage").glob("store.git/objects/??/*"))
    copy.flip(copy.random.choice(packs or loose))


def drop_entry(copy: Copy) -> None:
    copy.drop_line(copy.tail, 1)


def drop_last_entries(copy: Copy) -> None:
    lines = copy.tail.read_bytes().split(b"\n")
    copy.tail.write_bytes(b"\n".join(lines[: -1 - copy.random.randrange(1, 4)]) + b"\n")


def drop_sidecar_line(copy: Copy) -> None:
    copy.drop_line(copy.sidecar(), 0)


def tear_log(copy: Copy) -> None:
    copy.tail.write_bytes(copy.tail.read_bytes()[:-7])


def forge_fact(copy: Copy) -> None:
    copy.forge(copy.event("FILE_EDITED") | {"hash": f"{copy.random.getrandbits(160):040x}"})


def forge_author(copy: Copy) -> None:
    copy.forge(copy.event("FILE_EDITED") | {"actor": {"agent": "git", "id": "Eve <eve@example.org>"}})


def forge_parent(copy: Copy) -> None:
    copy.forge(copy.event("FILE_EDITED") | {"prevEventId": f"{copy.random.getrandbits(256):064x}"})


def forge_verdict(copy: Copy) -> None:
    """A verdict that says more for an unplanned change than is so."""
    head = copy.commit("nobody planned this", **{"src/m1.py": "x = 1\n"})
    known = copy.event("RECONCILIATION", "ROGUE_EDIT_DETECTED")
    blobs = {"hash": "1" * 40, "lastHash": "2" * 40}
    fields = {name: known[name] for name in ("timestamp", "actor")}
    verdict = {"type": "RECONCILIATION", "reconciliationStrategy": "plan", "filePath": "src/m1.py", "graphCommit": head}
    reference = f"{blobs['lastHash']}..{blobs['hash']}"
    copy.forge({**fields, **verdict, "diffRef": reference, "prevEventId": known["prevEventId"]})


def forge_verdict_of_known(copy: Copy) -> None:
    """A second verdict on an edit that somebody answered for."""
    rogue = copy.event("ROGUE_EDIT_DETECTED")
    kept = {name: rogue[name] for name in ("timestamp", "actor", "graphCommit", "filePath", "prevEventId")}
    reference = f"{rogue['lastHash']}..{rogue['hash']}"
    copy.forge({**kept, "type": "RECONCILIATION", "reconciliationStrategy": "plan", "diffRef": reference})


def forge_answer(copy: Copy) -> None:
    """An answer for an edit that nobody knows."""
    copy.forge(
        {
            "type": "RECONCILIATION",
            "reconciliationStrategy": "accepted",
            "filePath": "src/m1.py",
            "diffRef": f"{'1' * 40}..{'2' * 40}",
            "resolves": [f"{copy.random.getrandbits(256):064x}"],
            "actor": REVIEWER,
            "timestamp": "2026-06-01T00:00:00.000Z",
            "subject": "src/m1.py",
        }
    )


def forge_approval(copy: Copy) -> None:
    """Of a version of the plan that nobody drafted."""
    fields = {"planId": "p1", "planHash": f"{copy.random.getrandbits(256):064x}", "reviewerId": "Eve <eve@example.org>"}
    when = "2025-12-31T00:00:09.000Z"
    say(copy.path, "plans", {**fields, "type": "PLAN_APPROVED", "justification": "trust me", "timestamp": when})


def forge_draft(copy: Copy) -> None:
    """A draft with the hash of another."""
    fields = {"planId": "p9", "planHash": "ab" * 32, "summary": "all", "steps": [], "scope": ["**"]}
    say(copy.path, "plans", {**fields, "type": "PLAN_DRAFTED", "timestamp": "2025-12-31T00:00:09.000Z"})


def backdate_approval(copy: Copy) -> None:
    """An approval that follows a draft and is dated before it."""
    approve(copy.path, "p2", ["docs/**"], 20)
    lines = copy.entries()
    draft = next(json.loads(line) for line in lines if b'"PLAN_DRAFTED"' in line and b'"p2"' in line)
    copy.tail.write_bytes(copy.tail.read_bytes().replace(lines[-1] + b"\n", b""))
    fields = {"type": "PLAN_APPROVED", "planId": "p2", "planHash": draft["planHash"], "subject": "plans"}
    fields |= {"reviewerId": REVIEWER["id"], "justification": "was fine", "actor": REVIEWER}
    copy.forge({**fields, "prevEventId": draft["eventId"], "timestamp": "2025-12-30T00:00:00.000Z"})


def claim_unknown_approval(copy: Copy) -> None:
    copy.commit(f"work\n\nSage-Plan: p1 {copy.random.getrandbits(64):016x}", **{copy.source(): "other\n"})


def claim_unknown_plan(copy: Copy) -> None:
    copy.commit(f"work\n\nSage-Plan: nobodys {copy.approval[:16]}", **{copy.source(): "other\n"})


def weaken_policy(copy: Copy) -> None:
    weaker = copy.random.choice(
        [
            ('mode = "warn"', 'mode = "record"'),
            ('["add", "edit", "remove", "rename"]', '["add"]'),
            ("exempt = []", 'exempt = ["src/**"]'),
            ("implicit = false", "implicit = true"),
        ]
    )
    assert weaker[0] in copy.config()
    copy.commit("tidy up" + copy.claim, **{".sage/config.toml": copy.config().replace(*weaker)})


def alter_identity(copy: Copy) -> None:
    lines = copy.config().split("\n")
    changed = [f'since = "{"0" * 40}"' if line.startswith("since") else line for line in lines]
    copy.commit("tidy up" + copy.claim, **{".sage/config.toml": "\n".join(changed)})


def remove_policy(copy: Copy) -> None:
    copy.commit("tidy up" + copy.claim, **{".sage/config.toml": None})


def replace_policy(copy: Copy) -> None:
    """The same sources with a laxer config, in a history of its own."""
    config = copy.config().replace('mode = "warn"', 'mode = "record"').replace("exempt = []", 'exempt = ["**"]')
    copy.git("checkout", "--quiet", "--orphan", "fresh")
    copy.commit("start again", **{".sage/config.toml": config})


def re_add(copy: Copy) -> None:
    """Code that was taken out long ago comes back, and no plan says so."""
    removed = set(copy.git("log", "--diff-filter=D", "--name-only", "--format=", "--", "src/*.py", "gone").split())
    name = copy.random.choice(sorted(removed - set(copy.git("ls-files").split("\n"))))
    before = copy.git("log", "-1", "--diff-filter=D", "--format=%H", "--", name)
    copy.commit("bring it back", **{name: copy.git("show", f"{before}^:{name}") + "\n"})


def re_apply(copy: Copy) -> None:
    """An edit that was taken back is made again, by a commit that names no plan."""
    name = copy.source()
    before = copy.repository.read(name)
    copy.commit("as planned" + copy.claim, **{name: before + "added\n"})
    copy.commit("take it back" + copy.claim, **{name: before})
    copy.commit("something else on the same line" + copy.claim, **{name: before + "other\n"})
    copy.commit("again", **{name: before + "other\nadded\n"})


def approved_elsewhere(copy: Copy) -> None:
    """A planned edit, made outside of the plan's scope."""
    copy.commit("work" + copy.claim, **{"lib/core.py": copy.repository.read(copy.source())})


def evil_merge(copy: Copy) -> None:
    """A merge that changes what neither side did."""
    name, other = sorted([copy.source(), "src/old.py"])
    trunk = copy.git("symbolic-ref", "--short", "HEAD")
    copy.git("checkout", "--quiet", "-b", "evil", "HEAD~1")
    copy.commit("theirs" + copy.claim, **{f"src/evil{copy.random.randrange(99)}.py": "theirs\n"})
    copy.git("checkout", "--quiet", trunk)
    copy.git("merge", "--quiet", "--no-ff", "--no-commit", "evil")
    copy.commit("Merge branch evil", **{other: copy.repository.read(other) + f"# {name}\n"})


def evil_resolution(copy: Copy) -> None:
    """A conflict that is settled with a line of neither side."""
    trunk, name = copy.git("symbolic-ref", "--short", "HEAD"), "src/old.py"
    lines = copy.repository.read(name).split("\n")
    copy.git("checkout", "--quiet", "-b", "theirs")
    copy.commit("theirs" + copy.claim, **{name: "\n".join([*lines[:3], "theirs", *lines[4:]])})
    copy.git("checkout", "--quiet", trunk)
    copy.commit("ours" + copy.claim, **{name: "\n".join([*lines[:3], "ours", *lines[4:]])})
    copy.repository.git(*NO_HOOKS, "merge", "--quiet", "theirs", check=False)
    copy.commit("Merge branch theirs", **{name: "\n".join([*lines[:3], "ours", "os.system(evil)", *lines[4:]])})


def hooks_off(copy: Copy) -> None:
    copy.commit("quick fix", **{copy.source(): "quick fix\n"})


def hooks_off_planned(copy: Copy) -> None:
    """All is as planned, only no log tells of it."""
    copy.commit("work" + copy.claim, **{copy.source(): f"planned {copy.random.random()}\n"})


def halt(copy: Copy) -> None:
    fields = {"type": "HALT_AND_REPORT", "invariant": "never negative", "expected": "0", "actual": "-1"}
    say(copy.path, "halts", {**fields, "timestamp": "2026-06-01T00:00:00.000Z"})


def codes(names: str) -> frozenset[str]:
    return frozenset(names.split())


OPEN = codes("open-edit")
FAULTS = (
    Fault("a byte of the log", flip_log),
    Fault("a byte of a sidecar", flip_sidecar),
    Fault("an entry's id", flip_id, codes("entry-altered")),
    Fault("a byte of the sealed log", flip_sealed),
    Fault("a dropped entry", drop_entry),
    Fault("the last entries dropped", drop_last_entries),
    Fault("a dropped line of a sidecar", drop_sidecar_line, codes("line-missing")),
    Fault("a torn log", tear_log, codes("log-torn log-shorter")),
    Fault("a forged fact", forge_fact, codes("fact-not-true")),
    Fault("a fact by somebody else", forge_author, codes("fact-not-true")),
    Fault("a fact after another", forge_parent, codes("fact-not-true")),
    Fault("a forged verdict", forge_verdict, codes("verdict-not-true")),
    Fault("a second verdict", forge_verdict_of_known, codes("verdict-overturned verdict-doubled")),
    Fault("an answer for nothing", forge_answer, codes("answer-unknown")),
    Fault("an approval of another plan", forge_approval, codes("plan-hash-unknown")),
    Fault("a draft with another's hash", forge_draft, codes("plan-hash-wrong")),
    Fault("a backdated approval", backdate_approval, codes("backdated")),
    Fault("an approval that never was", claim_unknown_approval, codes("plan-not-approved")),
    Fault("a plan that never was", claim_unknown_plan, codes("plan-unknown")),
    Fault("a weakened policy", weaken_policy, codes("policy-weakened")),
    Fault("another identity", alter_identity, codes("policy-weakened policy-replaced")),
    Fault("no policy", remove_policy, codes("policy-removed")),
    Fault("a policy from an orphan branch", replace_policy, codes("policy-replaced")),
    Fault("code that was removed", re_add, OPEN),
    Fault("an edit made again", re_apply, OPEN),
    Fault("an edit approved elsewhere", approved_elsewhere, codes("plan-out-of-scope")),
    Fault("an evil merge", evil_merge, OPEN),
    Fault("an evil resolution", evil_resolution, OPEN),
    Fault("hooks off", hooks_off, OPEN),
    Fault("hooks off, though planned", hooks_off_planned, codes("gap")),
    Fault("an open halt", halt, codes("halt-open")),
)


def faults(count: int) -> Iterator[tuple[int, Fault]]:
    """A seed and a fault, each kind in its turn."""
    return ((seed, FAULTS[seed % len(FAULTS)]) for seed in range(count))
