"""An independent, deliberately simple derivation of what a repository's chronicles must hold (SPEC 3-6).

It shares no code with `sage_git`: raw commit objects, `ls-tree` and one `diff-tree` per commit in a bare repository of
its own, whole tables instead of clever maps, `rfc8785` and `hashlib` for the ids. Slow, and easy to believe.

Not derived: FILE_SPLIT and FILE_MERGED (histories for the oracle keep every file below five lines, where `lines-1` can
find neither), plans, statements' ids, and which of the events this clone's own log holds.
"""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import rfc8785

Event = dict[str, Any]
Heads = Mapping[bytes, frozenset[str]]
"""H(C, ·) of one commit: the newest facts of every path that ever had one."""

SEALED = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_AUTHOR_NAME": "oracle",
    "GIT_AUTHOR_EMAIL": "oracle@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "oracle",
    "GIT_COMMITTER_EMAIL": "oracle@example.org",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TZ": "UTC",
}
FACTS_AND_VERDICTS = frozenset(
    "FILE_ADDED FILE_EDITED FILE_REMOVED FILE_RENAMED FILE_SPLIT FILE_MERGED ROGUE_EDIT_DETECTED RECONCILIATION".split()
)
LAST_SECOND = 253402300799
"""9999-12-31T23:59:59Z."""


class Entry(NamedTuple):
    """A path's mode and object id in a tree; `ABSENT` where it has none."""

    mode: str
    id: str


class Change(NamedTuple):
    """One line of `diff-tree --raw`: status letter, both sides, the path, and the source of a rename or copy."""

    status: str
    before: Entry
    after: Entry
    path: bytes
    source: bytes


class Missing(Exception):
    """An object is not in this clone."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a raw commit object says."""

    id: str
    tree: str
    parents: tuple[str, ...]
    timestamp: str
    actor: dict[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """What of `.sage/config.toml` facts and this issue's verdicts depend on."""

    repository: str
    since: str | None
    backfill: tuple[str, ...] = ()
    suffix: str = ".sage"

    @staticmethod
    def of(text: str) -> Policy:
        table = tomllib.loads(text)
        suffix = table.get("sidecars", {}).get("suffix", ".sage")
        return Policy(table["repository"], table.get("since"), tuple(table.get("backfill", ())), suffix)


@dataclass(slots=True)
class Oracle:
    """Everything that a recorder in the clone at `common_dir` must know, commit by commit."""

    common_dir: Path
    scratch: Path
    policy: Policy
    facts: dict[str, list[Event]] = field(default_factory=dict)
    verdicts: dict[str, list[Event]] = field(default_factory=dict)
    heads: dict[str, Heads] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    trees: dict[str, dict[bytes, Entry]] = field(default_factory=dict)
    parents_of: dict[str, list[str]] = field(default_factory=dict)
    lineages: dict[str, set[str]] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)
    backfilled: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        object_format = run(self.common_dir, "rev-parse", "--show-object-format").decode().strip()
        run(None, "init", "-q", "--bare", f"--object-format={object_format}", str(self.scratch))
        (self.scratch / "objects/info/alternates").write_text(f"{self.common_dir / 'objects'}\n")
        if self.policy.since is not None:
            self.before = self.reached([self.policy.since])
        self.backfilled = self.reached(self.policy.backfill) - self.before

    # -- which commits -----------------------------------------------------------------------------------------------

    def observe(self, tips: Iterable[str]) -> Oracle:
        """Derives all that `tips` reach and that can be known; calling it again adds to it."""
        for commit in self.parents_first(tips):
            if commit not in self.heads and self.can_know(commit):
                self.derive(self.commit(commit))
        return self

    def can_know(self, commit: str) -> bool:
        """True if every parent is derived, or stands before the record; a shallow clone lacks some."""
        return all(parent in self.heads or parent in self.before for parent in self.commit(commit).parents)

    def parents_first(self, tips: Iterable[str]) -> list[str]:
        """What `tips` reach and `since` does not, no commit before its parents; absent commits left out."""
        order: list[str] = []
        seen: set[str] = set(self.before)
        todo = [(tip, False) for tip in tips]
        while todo:
            commit, ready = todo.pop()
            if ready:
                order.append(commit)
            elif commit not in seen:
                seen.add(commit)
                try:
                    parents = self.commit(commit).parents
                except Missing:
                    continue
                todo.append((commit, True))
                todo.extend((parent, False) for parent in parents)
        return order

    def reached(self, tips: Iterable[str]) -> set[str]:
        """`tips` and all their ancestors that are here."""
        seen: set[str] = set()
        todo = list(tips)
        while todo:
            commit = todo.pop()
            if commit not in seen:
                seen.add(commit)
                try:
                    todo.extend(self.commit(commit).parents)
                except Missing:
                    continue
        return seen

    # -- what git says -----------------------------------------------------------------------------------------------

    def commit(self, commit: str) -> Commit:
        if commit not in self.commits:
            self.commits[commit] = parse_commit(commit, self.git("cat-file", "commit", commit))
        return self.commits[commit]

    def tree(self, commit: str) -> dict[bytes, Entry]:
        """Every path of a commit's tree (or of a tree)."""
        if commit not in self.trees:
            entries = {}
            for line in self.git("ls-tree", "-r", "-z", commit).split(b"\0")[:-1]:
                meta, path = line.split(b"\t", 1)
                mode, _, oid = meta.decode().split()
                entries[path] = Entry(mode, oid)
            self.trees[commit] = entries
        return self.trees[commit]

    def changes(self, *commits: str) -> list[Change]:
        """The differences between a commit and its parent, a root and nothing, or two commits."""
        options = "-r --root --raw -z -M50% -C50% -l2000 --ignore-submodules=none --no-commit-id --no-abbrev".split()
        fields = iter(self.git("diff-tree", *options, *commits).split(b"\0")[:-1])
        changes = []
        for meta in fields:
            old_mode, new_mode, old_id, new_id, status = meta.decode().removeprefix(":").split()
            source = path = next(fields)
            if status[0] in "RC":
                path = next(fields)
            changes.append(Change(status[0], Entry(old_mode, old_id), Entry(new_mode, new_id), path, source))
        return changes

    def size(self, entry: Entry) -> int:
        return 0 if entry.mode == "160000" else int(self.git("cat-file", "-s", entry.id))

    def git(self, *arguments: str) -> bytes:
        """Raises Missing."""
        return run(self.scratch, *arguments)

    # -- facts (SPEC 5) ----------------------------------------------------------------------------------------------

    def derive(self, commit: Commit) -> None:
        inherited = self.inherited(commit)
        own: dict[bytes, frozenset[str]] = {}
        made: list[Event] = []

        def state(kind: str, path: bytes, parents: list[str], **payload: Any) -> str:
            event = self.event(commit, kind, parents, payload)
            made.append(event)
            own[path] = frozenset([event["eventId"]])
            self.parents_of[event["eventId"]] = parents
            self.settle_lineage(event)
            return str(event["eventId"])

        if len(commit.parents) > 1:
            self.merge_facts(commit, state, own)
        else:
            self.plain_facts(commit, state, own)
        self.facts[commit.id] = made
        self.heads[commit.id] = {**inherited, **own}
        if len(commit.parents) > 1:
            for members in self.heads[commit.id].values():
                self.join(name for member in members for name in self.lineages[member])
        self.verdicts[commit.id] = self.judged(commit, made)

    def plain_facts(self, commit: Commit, state: Callable[..., str], own: dict[bytes, frozenset[str]]) -> None:
        null = Entry("000000", "0" * len(commit.id))
        gone: list[bytes] = []
        for change in self.changes(commit.id):
            path, before, after = change.path, change.before, change.after
            if change.status in "AC":
                copied = {"copiedFrom": change.source} if change.status == "C" else {}
                self.added(commit, state, path, after, copied)
            elif change.status == "D":
                state("FILE_REMOVED", path, self.newest(commit, path), filePath=path, lastHash=before.id)
            elif change.status == "R":
                self.renamed(commit, state, change, None)
                gone.append(change.source)
            else:
                assert before != null != after
                self.edited(state, path, self.newest(commit, path), before, after)
        for path in gone:
            own[path] = frozenset()

    def merge_facts(self, commit: Commit, state: Callable[..., str], own: dict[bytes, frozenset[str]]) -> None:
        result = self.tree(commit.id)
        sides = [self.tree(parent) for parent in commit.parents]
        renamed = {c.path: c for c in self.changes(commit.parents[0], commit.id) if c.status == "R"}
        everywhere = set(result).union(*sides)
        news = {path for path in everywhere if all(side.get(path) != result.get(path) for side in sides)}
        renames = [renamed[path] for path in sorted(news) if path in renamed]
        gone = {change.source for change in renames}
        for change in renames:
            self.renamed(commit, state, change, next((s[change.path] for s in sides if change.path in s), None))
        for path in sorted(news - gone - {change.path for change in renames}):
            last = next((side[path] for side in sides if path in side), None)
            if path not in result:
                assert last is not None
                state("FILE_REMOVED", path, self.newest(commit, path), filePath=path, lastHash=last.id)
            elif last is None:
                self.added(commit, state, path, result[path], {})
            else:
                self.edited(state, path, self.newest(commit, path), last, result[path])
        for path in gone:
            own[path] = frozenset()

    def added(self, commit: Commit, state: Callable[..., str], path: bytes, after: Entry, copied: Event) -> None:
        payload = {"hash": after.id, "mode": after.mode, "size": self.size(after), **copied}
        state("FILE_ADDED", path, self.newest(commit, path), filePath=path, **payload)

    def renamed(self, commit: Commit, state: Callable[..., str], change: Change, elsewhere: Entry | None) -> None:
        """The rename, and the edit after it, whose other side in a merge is the parent that has the new path."""
        names = {"oldPath": change.source, "newPath": change.path}
        parents = self.newest(commit, change.source)
        rename = state("FILE_RENAMED", change.path, parents, **names, hash=change.before.id)
        before = elsewhere or change.before
        if before != change.after:
            others = self.newest(commit, change.path) if len(commit.parents) > 1 else []
            self.edited(state, change.path, [rename, *sorted(others)], before, change.after)

    def edited(self, state: Callable[..., str], path: bytes, parents: list[str], before: Entry, after: Entry) -> None:
        modes = {"lastMode": before.mode, "mode": after.mode} if before.mode != after.mode else {}
        state("FILE_EDITED", path, parents, filePath=path, lastHash=before.id, hash=after.id, **modes)

    def inherited(self, commit: Commit) -> Heads:
        """H as it would be if the commit itself did nothing: the maximal members of its parents' H."""
        tables = [self.heads.get(parent, {}) for parent in commit.parents]
        if len(tables) < 2:
            return dict(tables[0]) if tables else {}
        paths = {path for table in tables for path in table}
        return {path: self.maximal(set().union(*(t.get(path, ()) for t in tables))) for path in paths}

    def newest(self, commit: Commit, path: bytes) -> list[str]:
        """A fact's parents: H over the commit's parents, maximal, by (parent number, id)."""
        ordered: list[str] = []
        for parent in commit.parents:
            ordered += sorted(h for h in self.heads.get(parent, {}).get(path, ()) if h not in ordered)
        keep = self.maximal(set(ordered))
        return [member for member in ordered if member in keep]

    def maximal(self, members: set[str]) -> frozenset[str]:
        """`members` less those that are an ancestor of another."""
        if len(members) < 2:
            return frozenset(members)
        below: set[str] = set()
        todo = [parent for member in members for parent in self.parents_of[member]]
        while todo:
            event = todo.pop()
            if event not in below:
                below.add(event)
                todo.extend(self.parents_of[event])
        return frozenset(members - below)

    def event(self, commit: Commit, kind: str, parents: list[str], payload: Event) -> Event:
        event: Event = {"type": kind, "timestamp": commit.timestamp, "actor": commit.actor, "graphCommit": commit.id}
        if parents:
            event["prevEventId"] = parents[0]
        if len(parents) > 1:
            event["mergedEventIds"] = sorted(parents[1:])
        raw = [value for value in payload.values() if isinstance(value, bytes)]
        percent = not all(is_utf8(path) for path in raw)
        if percent:
            event["pathEncoding"] = "percent"
        for key, value in payload.items():
            event[key] = spelled(value, percent) if isinstance(value, bytes) else value
        return with_id(event)

    # -- verdicts (SPEC 6, before any plan) --------------------------------------------------------------------------

    def judged(self, commit: Commit, facts: list[Event]) -> list[Event]:
        edits = [fact for fact in facts if fact["type"] == "FILE_EDITED"]
        automatic = self.automatic_merge(commit) if edits and len(commit.parents) > 1 else {}
        gone = [fact for fact in facts if fact["type"] == "FILE_REMOVED" and fact["filePath"] == ".sage/config.toml"]
        return [self.verdict(commit, edit, automatic) for edit in edits] + [self.removal(commit, fact) for fact in gone]

    def removal(self, commit: Commit, fact: Event) -> Event:
        """Removing the config is always rogue (SPEC 6.3)."""
        verdict = {key: fact[key] for key in ("timestamp", "actor", "graphCommit", "filePath", "lastHash")}
        verdict |= {"prevEventId": fact["eventId"], "type": "ROGUE_EDIT_DETECTED", "detectedBy": "sage-git"}
        reason = "merge" if len(commit.parents) > 1 else "remove"
        return with_id(verdict | {"hash": "0" * len(fact["lastHash"]), "reason": reason})

    def verdict(self, commit: Commit, fact: Event, automatic: dict[bytes, Entry]) -> Event:
        copied = ("timestamp", "actor", "graphCommit", "pathEncoding")
        verdict = {key: fact[key] for key in copied if key in fact}
        verdict |= {"prevEventId": fact["eventId"], "filePath": fact["filePath"]}
        path = unspelled(fact)
        as_merged = path in automatic and automatic[path] == self.tree(commit.id)[path]
        if commit.id in self.backfilled or as_merged:
            strategy = "backfill" if commit.id in self.backfilled else "merge"
            verdict |= {"type": "RECONCILIATION", "reconciliationStrategy": strategy}
            return with_id(verdict | {"diffRef": f"{fact['lastHash']}..{fact['hash']}"})
        reason = "edit" if fact["hash"] != fact["lastHash"] else "mode"
        reason = "merge" if len(commit.parents) > 1 else reason
        verdict |= {"type": "ROGUE_EDIT_DETECTED", "reason": reason, "detectedBy": "sage-git"}
        return with_id(verdict | {"hash": fact["hash"], "lastHash": fact["lastHash"]})

    def automatic_merge(self, commit: Commit) -> dict[bytes, Entry]:
        """What git alone would have made of the parents, without the paths it could not settle; octopus pairwise."""
        ours = commit.parents[0]
        unsettled: set[bytes] = set()
        tree = ""
        for theirs in commit.parents[1:]:
            options = ("--write-tree", "--name-only", "-z", "--allow-unrelated-histories")
            tree, *rest = self.git("merge-tree", *options, ours, theirs).decode("utf-8", "surrogateescape").split("\0")
            conflicted = rest[: rest.index("")] if "" in rest else rest
            unsettled |= {name.encode("utf-8", "surrogateescape") for name in conflicted}
            if theirs != commit.parents[-1]:
                ours = self.git("commit-tree", "-p", ours, "-p", theirs, "-m", "fold", tree).decode().strip()
        return {path: entry for path, entry in self.tree(tree).items() if path not in unsettled}

    # -- chronicles --------------------------------------------------------------------------------------------------

    def settle_lineage(self, event: Event) -> None:
        """A fact with no parents begins a lineage; the others live on in their parents', and join them."""
        parents = self.parents_of[event["eventId"]]
        names = {name for parent in parents for name in self.lineages[parent]}
        if not names:
            birth = event["graphCommit"] if event["type"] == "FILE_ADDED" else self.policy.since
            names = {f"{event.get('oldPath', event.get('filePath'))}\0{birth}"}
        self.lineages[event["eventId"]] = names
        self.join(names)

    def join(self, names: Iterable[str]) -> None:
        first, *others = sorted({self.component(name) for name in names}) or [""]
        for other in others:
            self.joined[other] = first

    def component(self, name: str) -> str:
        while name in self.joined:
            name = self.joined[name]
        return name

    def events(self) -> list[Event]:
        """Every fact and verdict known, in no promised order."""
        return [e for commit in self.facts for e in (*self.facts[commit], *self.verdicts[commit])]

    def chronicles(self, statements: Iterable[Event] = ()) -> dict[str, set[bytes]]:
        """The lines of each connected component of lineages."""
        lines: defaultdict[str, set[bytes]] = defaultdict(set)
        for event in self.events():
            fact = event["eventId"] if event["eventId"] in self.lineages else event["prevEventId"]
            lines[self.component(next(iter(self.lineages[fact])))].add(rfc8785.dumps(event))
        for event in statements:
            lines[self.component(self.lineage_of_statement(event))].add(rfc8785.dumps(event))
        return lines

    def lineage_of_statement(self, event: Event) -> str:
        """That of the facts it hangs on; of a source that HEAD has as `since` had it, the one that began there."""
        if "prevEventId" in event:
            return next(iter(self.lineages[event["prevEventId"]]))
        path: str = event["subject"].removeprefix("./")
        return f"{path}\0{self.policy.since}"

    def sidecars(self, head: str | None, statements: Iterable[Event] = ()) -> dict[bytes, set[bytes]]:
        """Sidecar path → its lines, for a checkout of `head`; a source without events has none."""
        if head is None or (head not in self.heads and head != self.policy.since):
            return {}
        chronicles = self.chronicles(statements)
        shown = {}
        for path in self.tree(head):
            members = self.heads.get(head, {}).get(path, frozenset())
            names = {name for member in members for name in self.lineages[member]}
            names = names or {f"{spelled(path, not is_utf8(path))}\0{self.policy.since}"}
            lines = set().union(*(chronicles.get(self.component(name), ()) for name in names))
            if lines:
                shown[path + self.policy.suffix.encode()] = lines
        return shown


def run(git_dir: Path | None, *arguments: str) -> bytes:
    """What git prints; merge-tree's exit status 1 is an answer. Raises Missing."""
    where = [] if git_dir is None else [f"--git-dir={git_dir}"]
    done = subprocess.run(
        ["git", *where, *arguments], env=SEALED, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode and not (arguments[0] == "merge-tree" and done.returncode == 1):
        raise Missing(f"{arguments}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def parse_commit(commit: str, raw: bytes) -> Commit:
    header, _, message = raw.partition(b"\n\n")
    lines = header.split(b"\n")
    parents = tuple(line[7:].decode() for line in lines if line.startswith(b"parent "))
    author = next(line[7:] for line in lines if line.startswith(b"author "))
    committer = next(line for line in lines if line.startswith(b"committer "))
    seconds = min(int(committer.rpartition(b"> ")[2].split()[0]), LAST_SECOND)
    timestamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z").rjust(24, "0")
    who = author[: author.rindex(b">") + 1]
    actor = {"id": spelled(who, not is_utf8(who)), "agent": "git", **claimed_actor(message)}
    if not is_utf8(who):
        actor["idEncoding"] = "percent"
    return Commit(commit, lines[0][5:].decode(), parents, timestamp, actor)


def claimed_actor(message: bytes) -> dict[str, str]:
    """What the first line `Sage-Actor: AGENT[/SESSION][ model=MODEL]` says; simple words only."""
    for line in message.split(b"\n"):
        if line.startswith(b"Sage-Actor: ") and is_utf8(line):
            name, _, model = line[12:].decode().strip().partition(" model=")
            agent, _, session = name.partition("/")
            claims = {"agent": agent, "session": session, "model": model}
            return {key: value for key, value in claims.items() if value}
    return {}


def with_id(event: Event) -> Event:
    return {**event, "eventId": hashlib.sha256(rfc8785.dumps(event)).hexdigest()}


def is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def spelled(raw: bytes, percent: bool) -> str:
    """`raw` as text; where some path of the event is not UTF-8, with `%` and undecodable bytes as %XX."""
    if not percent:
        return raw.decode()
    text = raw.replace(b"%", b"%25").decode("utf-8", "surrogateescape")
    return "".join(f"%{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


def unspelled(event: Event) -> bytes:
    """The raw bytes of an event's `filePath`."""
    raw: bytes = event["filePath"].encode()
    if event.get("pathEncoding") != "percent":
        return raw
    first, *rest = raw.split(b"%")
    return first + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in rest)


def observable_tips(common_dir: Path) -> set[str]:
    """HEAD of every worktree, and every commit that one of their reflogs names."""
    tips = set()
    for git_dir in (common_dir, *(common_dir / "worktrees").glob("*")):
        try:
            tips.add(run(git_dir, "rev-parse", "--verify", "-q", "HEAD^{commit}").decode().strip())
        except Missing:
            continue
        reflog = git_dir / "logs/HEAD"
        if reflog.exists():
            for line in reflog.read_bytes().splitlines():
                tips |= set(line.split(b"\t")[0].decode(errors="replace").split(" ")[:2])
    return {tip for tip in tips if tip.strip("0")}


def head_of(worktree: Path) -> str | None:
    """The commit that a worktree has checked out; None while its branch is unborn."""
    try:
        return run(worktree / ".git", "rev-parse", "--verify", "-q", "HEAD^{commit}").decode().strip()
    except Missing:
        return None


def oracle_of(repository: Path, scratch: Path, tips: Iterable[str] | None = None) -> Oracle:
    """What the clone at `repository` must hold by its HEAD's config and by all that its reflogs name, or `tips`."""
    common = Path(run(repository / ".git", "rev-parse", "--git-common-dir").decode().strip())
    common = common if common.is_absolute() else repository / common
    policy = Policy.of(run(repository / ".git", "show", "HEAD:.sage/config.toml").decode())
    return Oracle(common.resolve(), scratch, policy).observe(observable_tips(common) if tips is None else tips)
