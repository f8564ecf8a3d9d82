"""What SPEC 6 says of every line of a random history, worked out with sets of lines, and the shell session behind it.

Every line that is ever written is unique, so a line's text alone tells where it was brought in. A `Record` is what one
clone can know: its plans, its answers and the commits it has seen. For each commit it says which `Edit` brought in
each line; an edit is planned or rogue, and a rogue one open until somebody answers for it. Nothing here knows how
sage-git is built: no hunks, no chains, no candidates, only who has which line.

Where SPEC leaves open what holds, a line is `UNSURE` and nobody asks. Not here: what happens to the repositories, and
the question whether sage-git agrees (test_judging_machine.py).
"""

from __future__ import annotations

import fnmatch
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CLAIM = re.compile(r"^Sage-Plan: (\S+) ([0-9a-f]{16,64})$", re.MULTILINE)


@dataclass(eq=False, slots=True)
class Plan:
    name: str
    scope: str
    approval: str
    approved_at: int
    ended_at: int | None = None
    denied_at: int | None = None

    def covers(self, path: str, at: int) -> bool:
        ends = [end for end in (self.ended_at, self.denied_at) if end is not None]
        return self.has(path) and self.approved_at <= at and all(at <= end for end in ends)

    def has(self, path: str) -> bool:
        return fnmatch.fnmatchcase(path, self.scope)


@dataclass(eq=False, slots=True)
class Edit:
    """What brought lines in: `plan` None and not `base` is rogue. None for a state is: SPEC does not say."""

    where: str
    plan: Plan | None = None
    is_base: bool = False
    is_unsure: bool = False
    is_open: bool | None = True
    restored: Edit | None = None
    undone: tuple[Edit, ...] = ()

    @property
    def is_rogue(self) -> bool:
        return self.plan is None and not self.is_base and not self.is_unsure and self.restored is None

    def state(self) -> tuple[bool | None, bool | None]:
        """Whether its lines are rogue, and open."""
        if self.is_unsure or any(edit.is_open is not True for edit in self.undone):
            return None, None
        if self.restored is not None:
            return self.restored.state()
        return self.is_rogue, self.is_open if self.is_rogue else False


@dataclass(slots=True)
class Line:
    """One line in one commit: who brought it in, and what else matters for what holds of it there."""

    edit: Edit
    is_covered: bool = False
    """A plan covers the change that brought it here."""
    is_copy: bool = False
    """It came here by a replay."""
    is_settled: bool = False
    """It came here as a conflict was settled, with not all that its edit did."""

    def state(self) -> tuple[bool | None, bool | None]:
        rogue, is_open = self.edit.state()
        if self.is_settled and is_open is not True:
            return None, None  # SPEC 6.2: what is left over of a replay is judged as a change of its own
        if self.edit.is_rogue and self.is_covered and is_open is not True:
            return None, is_open  # an answered edit replayed under a plan: both stand for it
        if self.edit.plan and self.is_copy and not self.is_covered and self.edit.plan.denied_at is not None:
            return None, None  # the plan was denied after the replay
        return rogue, is_open


@dataclass(slots=True)
class Fact:
    """What a commit did to one path, as lines."""

    commit: str
    path: str
    names: frozenset[str]
    added: frozenset[str]
    removed: frozenset[str]
    edits: set[Edit] = field(default_factory=set)
    is_covered: bool = False
    is_open: bool | None = True
    """Of one that only removes: nobody has answered for it."""
    undoes: tuple[Fact, ...] = ()


Lines = dict[str, Line]


def _moved(texts: Sequence[str], before: Sequence[Lines]) -> set[str]:
    """The lines that stand in another order than before: which of two changed places, who can tell."""
    found = set[str]()
    for old in before:
        places = {text: at for at, text in enumerate(old)}
        kept = [text for text in texts if text in places]
        for at, text in enumerate(kept):
            found.update(word for later in kept[at + 1 :] if places[later] < places[text] for word in (text, later))
    return found


BASE = Edit("before the record", is_base=True, is_open=False)
UNSURE = Edit("unsure", is_unsure=True, is_open=None)


class Objects:
    """Commits and blobs of one repository, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reader = subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._texts: dict[str, tuple[str, ...]] = {}

    def close(self) -> None:
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        self._reader.stdin.close()
        self._reader.wait()
        self._reader.stdout.close()

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, check=True).stdout.decode()

    def content(self, name: str) -> bytes:
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        self._reader.stdin.write(name.encode() + b"\n")
        self._reader.stdin.flush()
        size = int(self._reader.stdout.readline().split()[2])
        return self._reader.stdout.read(size + 1)[:-1]

    def read(self, name: str) -> str:
        return self.content(name).decode()

    def texts(self, blob: str) -> tuple[str, ...]:
        """The lines of a blob."""
        if blob not in self._texts:
            self._texts[blob] = tuple(self.read(blob).splitlines())
        return self._texts[blob]

    def tree(self, commit: str) -> dict[str, str]:
        """Path → blob, without what is sage-git's own."""
        return {path: blob for path, blob in self.entries(f"{commit}^{{tree}}") if not path.startswith(".sage/")}

    def entries(self, tree: str) -> Iterator[tuple[str, str]]:
        """Path and blob of each file below a tree."""
        rest = self.content(tree)
        while rest:
            head, _, rest = rest.partition(b"\0")
            mode, _, name = head.decode().partition(" ")
            oid, rest = rest[:20].hex(), rest[20:]
            if mode == "40000":
                yield from ((f"{name}/{path}", blob) for path, blob in self.entries(oid))
            else:
                yield name, oid

    def renames(self, parent: str, commit: str) -> dict[str, str]:
        """New path → old path."""
        words = self.git(
            "diff-tree", "-r", "-z", "--raw", "-M50%", "-C50%", "-l2000", "--no-commit-id", parent, commit
        ).split("\0")
        return {words[i + 2]: words[i + 1] for i, word in enumerate(words) if re.match(r":.* R\d+$", word)}

    def since(self, tips: Iterable[str], known: Iterable[str]) -> list[str]:
        """The commits that `tips` reach and `known` do not, parents first."""
        return self.git("rev-list", "--reverse", "--topo-order", *tips, "--not", *known).split()


@dataclass(slots=True)
class Commit:
    name: str
    parents: tuple[str, ...]
    at: int
    claims: tuple[tuple[str, str], ...]
    tree: dict[str, str]
    above: int
    """One bit for each commit that it reaches, itself included."""
    lines: dict[str, Lines] = field(default_factory=dict)
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)


class Record:
    """What one clone can say of each line of each commit that it has seen."""

    def __init__(self, objects: Objects, tip: str) -> None:
        self.objects = objects
        self.plans: dict[str, Plan] = {}
        self.commits: dict[str, Commit] = {}
        self.bits: dict[str, int] = {}
        self.births: dict[str, list[tuple[Commit, Fact, Line]]] = defaultdict(list)
        self.resolved_on: set[str] = set()
        self.families: dict[str, str] = {}
        self.base: set[str] = set()
        for name in objects.since([tip], []):
            self._remember(name)
            commit = self.commits[name]
            for path, blob in commit.tree.items():
                commit.lines[path] = {text: Line(BASE) for text in objects.texts(blob)}
                self.base.update(commit.lines[path])
                commit.names[path] = frozenset({path})

    def observe(self, tips: Iterable[str]) -> None:
        """See what is new under `tips`, and say who brought in its lines."""
        fresh = [tip for tip in dict.fromkeys(tips) if tip not in self.commits]
        if not fresh:
            return
        parents = {parent for commit in self.commits.values() for parent in commit.parents}
        known = [name for name in self.commits if name not in parents]
        for name in self.objects.since(fresh, known):
            if name not in self.commits:
                self._remember(name)
                self._judge(self.commits[name])

    def _remember(self, name: str) -> None:
        head, _, message = self.objects.read(name).partition("\n\n")
        parents = tuple(re.findall(r"^parent (\w+)$", head, re.MULTILINE))
        (date,) = re.findall(r"^committer .* (\d+) \+0000$", head, re.MULTILINE)
        self.bits[name] = 1 << len(self.bits)
        above = self.bits[name]
        for parent in parents:
            above |= self.commits[parent].above
        claims = tuple(CLAIM.findall(message))
        self.commits[name] = Commit(name, parents, int(date), claims, self.objects.tree(name), above)

    # -- judging -----------------------------------------------------------------------------------------------------

    def _judge(self, commit: Commit) -> None:
        parents = [self.commits[parent] for parent in commit.parents]
        renames = [self._renames(parent, commit) for parent in parents]
        for path, blob in commit.tree.items():
            before = [
                (parent, source)
                for parent, old in zip(parents, renames, strict=True)
                if (source := old.get(path, path)) in parent.tree
            ]
            same = next((p for p, source in before if p.tree[source] == blob), None)
            commit.names[path] = frozenset({path}).union(*(p.names[source] for p, source in before))
            for _, source in before:
                self.families[self.family(path)] = self.family(source)
            if same is not None:
                source = next(source for p, source in before if p is same)
                commit.lines[path] = same.lines[source]
            else:
                self._judge_file(commit, path, [p.lines[source] for p, source in before])
        gone = {path for parent in parents[:1] for path in parent.tree} - set(commit.tree)
        gone -= set(renames[0].values()) if renames else set()
        for path in gone:
            removed = frozenset(parents[0].lines[path])
            commit.facts[path] = fact = Fact(commit.name, path, parents[0].names[path], frozenset(), removed)
            fact.is_covered = self.covering(commit.claims, path, commit.at) is not None
            fact.undoes = self._undone(commit, fact) if len(parents) == 1 and not fact.is_covered else ()

    def family(self, path: str) -> str:
        """One name for all that a source was ever called."""
        while path in self.families and self.families[path] != path:
            path = self.families[path]
        return path

    def _renames(self, parent: Commit, commit: Commit) -> dict[str, str]:
        new = commit.tree.keys() - parent.tree.keys()
        return self.objects.renames(parent.name, commit.name) if new and parent.tree.keys() - commit.tree.keys() else {}

    def _judge_file(self, commit: Commit, path: str, before: Sequence[Lines]) -> None:
        texts = self.objects.texts(commit.tree[path])
        lines: Lines = {}
        moved = _moved(texts, before)
        for text in texts:
            found = [old[text] for old in before if text in old]
            if found:
                agreed = len({id(line.edit) for line in found}) == 1 or len({line.state() for line in found}) == 1
                is_sure = agreed and texts.count(text) == 1 and text not in moved
                lines[text] = found[0] if is_sure else Line(UNSURE)
        added = frozenset(texts) - lines.keys()
        removed = frozenset(before[0]) - set(texts) if before else frozenset()
        fact = Fact(commit.name, path, commit.names[path], added, removed)
        commit.facts[path] = fact
        commit.lines[path] = lines
        self._judge_added(commit, fact, before)
        for text in added:
            fact.edits.add(lines[text].edit)
            self.births[text].append((commit, fact, lines[text]))

    def _judge_added(self, commit: Commit, fact: Fact, before: Sequence[Lines]) -> None:
        covering = self.covering(commit.claims, fact.path, commit.at)
        own = Edit(f"{commit.name[:8]}:{fact.path}", covering)
        fact.is_covered = covering is not None
        undone = self._undone(commit, fact) if len(commit.parents) == 1 else ()
        fact.undoes = undone if covering is None else ()
        is_resolved = self._is_resolved(commit)
        lines, texts = commit.lines[fact.path], self.objects.texts(commit.tree[fact.path])
        copied = {text: self._replayed(commit, fact, text, before) for text in fact.added}
        is_replay = any(copied.values())
        for text, replayed in copied.items():
            is_both = replayed is not None and fact.undoes  # SPEC 6, rules 1 and 5: done again, and undone
            if texts.count(text) > 1 or is_both or (replayed is not None and self._is_elsewhere(text, texts)):
                lines[text] = Line(UNSURE)
            elif replayed is not None:
                is_merges = any(len(known.parents) > 1 for known, _, _ in self.births[text][:1])
                is_settled = is_merges or (is_resolved and not self._is_whole(fact, text, before))
                lines[text] = Line(replayed, covering is not None, is_copy=True, is_settled=is_settled)
            elif (is_resolved and self.births[text]) or (text in self.base and (is_resolved or is_replay)):
                lines[text] = Line(UNSURE)  # SPEC 6.4: a resolution kept a line that one side had taken away
            elif fact.undoes:
                lines[text] = Line(self._restored(fact, text))
            elif self._was_merged_away(commit, fact, text):
                lines[text] = Line(UNSURE)  # which edits go with a merge that did more than git, lines do not tell
            elif self._is_doubtful(commit, fact, text) or (undone and self._was_rogue(undone, text)):
                lines[text] = Line(UNSURE)
            else:
                lines[text] = Line(own, is_covered=covering is not None)

    def covering(self, claims: Iterable[tuple[str, str]], path: str, at: int) -> Plan | None:
        plans = (
            plan for name, approval in claims if (plan := self.plans.get(name)) and plan.approval.startswith(approval)
        )
        return next((plan for plan in plans if plan.covers(path, at)), None)

    def _replayed(self, commit: Commit, fact: Fact, text: str, before: Sequence[Lines]) -> Edit | None:
        """The edit that this line is a copy of; None if it is new here, or again."""
        mask = commit.above & ~self.bits[commit.name]
        here = {id(line.edit) for known, _, line in self.births[text] if self.bits[known.name] & mask}
        found = [
            (known, other, line)
            for known, other, line in self.births[text]
            if id(line.edit) not in here and self.family(other.path) == self.family(fact.path)
        ]
        if not found:
            return None
        usable = [(known, other, line) for known, other, line in found if self._is_candidate(line, fact)]
        if not usable:
            return None
        edits = {id(line.edit): line.edit for _, _, line in usable}
        if len(edits) > 1 or here or len({id(line.edit) for _, _, line in found}) > 1:
            return UNSURE if len({edit.state() for edit in edits.values()}) > 1 or here else next(iter(edits.values()))
        if self._is_resolved(commit) or self._is_whole(fact, text, before):
            return next(iter(edits.values()))
        return UNSURE

    def _is_elsewhere(self, text: str, texts: Sequence[str]) -> bool:
        """Whether a line stands in another order among others than wherever else it came in: somebody put it there."""
        place = {word: at for at, word in enumerate(texts)}
        return all(
            any(
                (at < old.index(text)) != (place[word] < place[text])
                for at, word in enumerate(old)
                if word in place and word != text
            )
            for known, other, _ in self.births[text]
            for old in (self.objects.texts(known.tree[other.path]),)
        )

    def _is_whole(self, fact: Fact, text: str, before: Sequence[Lines]) -> bool:
        """Whether all that an edit did is done with this line of it."""
        births = [(known, other) for known, other, line in self.births[text] if self._is_candidate(line, fact)]
        return any(self._fits(known, other, text, fact, before) for known, other in births)

    def _is_resolved(self, commit: Commit) -> bool:
        """Whether somebody settled a conflict in it."""
        return any(parent in self.resolved_on for parent in commit.parents)

    @staticmethod
    def _is_candidate(line: Line, fact: Fact) -> bool:
        plan = line.edit.plan
        return plan is None or (plan.denied_at is None and plan.has(fact.path))

    def _fits(self, known: Commit, other: Fact, text: str, fact: Fact, before: Sequence[Lines]) -> bool:
        """Whether all that `other`, or a run of changes from it on, did is done here too."""
        there = set().union(*before)
        if self._is_done(other.added, other.removed, fact, there):
            return True
        for start, end in self._runs(known, other):
            old, new = set(start), set(end)
            if text in new and self._is_done(frozenset(new - old), frozenset(old - new), fact, there):
                return True
        return False

    @staticmethod
    def _is_done(added: frozenset[str], removed: frozenset[str], fact: Fact, there: set[str]) -> bool:
        return added <= fact.added and removed & there <= fact.removed

    def _runs(self, known: Commit, other: Fact) -> Iterator[tuple[Lines, Lines]]:
        """Before and after of each run of commits that has `other` in it, by first parents."""
        starts: list[Lines] = []
        below: Commit | None = known
        path = other.path
        while below is not None and len(starts) < 12 and below.parents:
            parent = self.commits[below.parents[0]]
            source = next((name for name in parent.tree if name in below.names.get(path, frozenset())), None)
            starts.append(parent.lines[source] if source else {})
            below, path = (parent, source) if source else (None, path)
        for commit in self.commits.values():
            if commit.above & self.bits[known.name]:
                for name, lines in commit.lines.items():
                    if self.family(name) == self.family(other.path):
                        yield from ((start, lines) for start in starts)

    def _undone(self, commit: Commit, fact: Fact) -> tuple[Fact, ...]:
        """The rogue change in this history that `fact` takes back, or the several, if they are or may be open."""
        mask = commit.above & ~self.bits[commit.name]
        history = [c for c in reversed(self.commits.values()) if self.bits[c.name] & mask]
        undone = {id(each) for c in history for f in c.facts.values() for each in f.undoes}
        facts = [
            other
            for known in history
            for other in known.facts.values()
            if self.family(other.path) == self.family(fact.path) and id(other) not in undone
        ]
        for other in facts:
            if other.added == fact.removed and other.removed == fact.added and self._is_open(other) is not False:
                return (other,)
        return self._undone_together(fact, facts)

    def _undone_together(self, fact: Fact, facts: Iterable[Fact]) -> tuple[Fact, ...]:
        """Several changes, newest first, that `fact` is the opposite of, if none of them is answered for."""
        found: list[Fact] = []
        to_go, to_come = set(fact.removed), set(fact.added)
        for other in facts:
            is_merge = len(self.commits[other.commit].parents) > 1
            if not is_merge and other.added <= to_go and (other.added or other.removed & to_come):
                found.append(other)
                to_go = (to_go - other.added) | (other.removed - to_come)
                to_come -= other.removed
        is_all = len(found) > 1 and not (to_go or to_come)
        return tuple(found) if is_all and all(self._is_open(each) is not False for each in found) else ()

    def _is_open(self, fact: Fact) -> bool | None:
        """Whether a change is an open rogue edit, as far as its lines tell."""
        if fact.undoes:  # which it answers for, if that was open
            return None if any(self._is_open(each) is None for each in fact.undoes) else False
        if fact.added:
            states = {edit.state()[1] for edit in fact.edits}
            is_copy = any(not edit.where.startswith(fact.commit[:8]) for edit in fact.edits)
            is_doubtful = None in states or (is_copy and fact.removed)  # who removed what, lines do not tell
            return True if True in states else None if is_doubtful else False
        if fact.is_covered:
            return False
        same = [
            f
            for c in self.commits.values()
            for f in c.facts.values()
            if f is not fact and f.removed == fact.removed and not f.added
        ]
        return None if same else fact.is_open

    def _was_merged_away(self, commit: Commit, fact: Fact, text: str) -> bool:
        """Whether a merge of this history that somebody had a hand in lacks a line which its first parent had."""
        return any(
            (other.added or self._is_resolved(known)) and text in other.removed
            for known in self.commits.values()
            if len(known.parents) > 1 and self.bits[known.name] & commit.above
            for other in known.facts.values()
            if other is not fact and self.family(other.path) == self.family(fact.path)
        )

    def _removed_line(self, fact: Fact, text: str) -> Line | None:
        """The line as it was before a change that took it away."""
        parent = self.commits[self.commits[fact.commit].parents[0]]
        return next((lines[text] for lines in parent.lines.values() if text in lines), None)

    def _was_rogue(self, undone: Sequence[Fact], text: str) -> bool:
        """Whether a plan took back what had removed a rogue line: SPEC 6 does not say whose the line is then."""
        old = [self._removed_line(each, text) for each in undone]
        return any(line is not None and line.state()[0] is not False for line in old)

    def _restored(self, fact: Fact, text: str) -> Edit:
        undone = next((each for each in fact.undoes if text in each.removed), None)
        old = None if undone is None else self._removed_line(undone, text)
        if undone is None or old is None or old.edit.is_unsure:
            return UNSURE
        if any(self._is_open(each) is None for each in fact.undoes):
            return UNSURE
        opened = tuple(edit for each in fact.undoes for edit in each.edits if edit.is_rogue)
        return Edit(
            f"{fact.commit[:8]} restores what {undone.commit[:8]} removed from",
            restored=old.edit,
            undone=opened,
            is_open=False,
        )

    def _is_doubtful(self, commit: Commit, fact: Fact, text: str) -> bool:
        """Whether a line that comes again is what SPEC has no clear word for."""
        copies = [line for known, _, line in self.births[text] if not commit.above & self.bits[known.name]]
        if not fact.is_covered:
            return any(line.state()[1] is not True for line in copies)
        beside = [lines[text] for path, lines in self.commits[commit.parents[0]].lines.items() if text in lines]
        earlier = [line for _, _, line in self.births[text]]  # a plan brings back a rogue line: whose is it then?
        return bool(copies) or any(line.state()[0] is not False for line in (*beside, *earlier))

    # -- answering ---------------------------------------------------------------------------------------------------

    def open_lines(self, commit: str, path: str) -> list[str]:
        return [text for text, line in self.commits[commit].lines[path].items() if line.state()[1] is True]

    def answer(self, commit: str, paths: Sequence[str]) -> None:
        """Somebody answers for all that is open under these paths, as seen from `commit`."""
        head = self.commits[commit]
        families = {self.family(path) for path in paths}
        present = {
            id(line.edit): line.edit
            for path in paths
            for line in head.lines[path].values()
            if line.edit.is_rogue and line.edit.is_open is not False
        }
        facts = [
            fact
            for known in self.commits.values()
            if head.above & self.bits[known.name]
            for fact in known.facts.values()
            if self.family(fact.path) in families
        ]
        doubtful: set[Edit] = set()
        for fact in facts:
            if any(id(edit) in present for edit in fact.edits):
                present.update((id(edit), edit) for edit in fact.edits if edit.is_rogue)
        for fact in facts:
            fact.is_open = None
            doubtful.update(edit for edit in fact.edits if edit.is_rogue and id(edit) not in present)
        if any(len(self.commits[f.commit].parents) > 1 or self._is_resolved(self.commits[f.commit]) for f in facts):
            # SPEC 6.4: what settles a conflict stands with all of both sides, and so is answered with it
            doubtful.update(
                edit
                for known in self.commits.values()
                for fact in known.facts.values()
                if self.family(fact.path) in families
                for edit in fact.edits
                if edit.is_rogue and id(edit) not in present
            )
        for edit in doubtful:
            edit.is_open = None if edit.is_open is True else edit.is_open
        for edit in present.values():
            edit.is_open = False
