"""Random, real git in two clones and a linked worktree, and `sage-git blame` asked for every line: rogue, open?

`a` is recorded, `linked` is a worktree of it and knows what it knows, `b` is a clone that joined and has never heard
of a's plans and answers. Planned edits write lines that begin with P, unplanned ones with U, what is added to merges
and to resolutions of conflicts begins with E; every line is unique. What holds of each is worked out by `judging_world`
from who has which line, and must be what sage-git says. A failure prints the shell session that leads to it.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.judged import approve, sage_at
from tests.kit import FIRST_COMMIT_AT, GitRepository
from tests.properties.judging_world import CLAIM, Lines, Objects, Plan, Record

BEFORE_ANY_REAL_DATE_MIN = -1_000_000
QUIET = ("-c", "core.hooksPath=/dev/null")
BRANCHES = {"a": ("main", "one", "two"), "linked": ("three", "four"), "b": ("main", "five", "six")}
SOURCES = ("src/a", "src/b", "lib/c")
SCOPES = ("*", "*", "src/*", "lib/*")
WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath")


class Stuck(Exception):
    """Git can not go on here; the step is taken back."""


@dataclass(slots=True)
class Session:
    """The shell session that happened, as text."""

    lines: list[str] = field(default_factory=list)

    def ran(self, tree: str, arguments: Iterable[str], env: dict[str, str]) -> None:
        words = " ".join([*(f"{k}={shlex.quote(v)}" for k, v in env.items()), shlex.join(arguments)])
        self.lines.append(f"(cd {tree} && {words})")

    def wrote(self, tree: str, path: str, text: str | None) -> None:
        self.lines.append(f"rm {tree}/{path}" if text is None else f"cat >{tree}/{path} <<'EOF'\n{text}EOF")


class Tree:
    """A work tree on stage: git and sage-git in it, each written down."""

    def __init__(self, name: str, repository: GitRepository, record: Record, session: Session) -> None:
        self.name, self.repository, self.record, self.session = name, repository, record, session
        self.options: tuple[str, ...] = QUIET

    @property
    def path(self) -> Path:
        return self.repository.path

    @cached_property
    def git_dir(self) -> Path:
        return Path(self.ask("rev-parse", "--absolute-git-dir"))

    def try_git(self, *arguments: str, **env: str) -> bool:
        self.session.ran(self.name, ["git", *self.options, *arguments], env)
        return self.repository.run("-c", "core.editor=true", *self.options, *arguments, env=env).returncode == 0

    def git(self, *arguments: str, **env: str) -> None:
        if not self.try_git(*arguments, **env):
            raise Stuck(f"git {arguments[0]}")

    def ask(self, *arguments: str) -> str:
        """What git says, which changes nothing."""
        return self.repository.git(*arguments)

    def sage(self, *arguments: str) -> str:
        """What `sage-git` prints, run in this process at the time that git's commits have here."""
        self.session.ran(self.name, ["sage-git", *arguments], {})
        self.tick()
        return sage_at(self.now, self.path, *arguments)

    def tick(self) -> None:
        """Let a minute go by."""
        self.repository._now = FIRST_COMMIT_AT + timedelta(minutes=next(self.repository._clock))

    @property
    def now(self) -> Any:
        return self.repository._now

    @property
    def now_s(self) -> int:
        return int(self.now.timestamp())

    @property
    def head(self) -> str:
        return self.repository.head

    def write(self, path: str, texts: Sequence[str]) -> None:
        text = "".join(f"{line}\n" for line in texts)
        self.session.wrote(self.name, path, text)
        self.repository.write(path, text)

    def remove(self, path: str) -> None:
        self.session.wrote(self.name, path, None)
        (self.path / path).unlink()

    def texts(self, path: str) -> list[str]:
        return (self.path / path).read_text().splitlines()

    def sources(self) -> list[str]:
        return [path for path in self.ask("ls-files").splitlines() if not path.startswith(".sage/")]

    def observe(self) -> None:
        moves = (self.git_dir / "logs/HEAD").read_text().splitlines()[:-61:-1]  # the file of `git log -g`
        self.record.observe(move.split()[1] for move in moves)

    def in_progress(self) -> str | None:
        states = {
            "rebase-merge": "rebase", "rebase-apply": "rebase", "CHERRY_PICK_HEAD": "cherry-pick",
            "REVERT_HEAD": "revert", "MERGE_HEAD": "merge",
        }  # fmt: skip
        return next((command for name, command in states.items() if (self.git_dir / name).exists()), None)


class World:
    """Two clones, a linked worktree, and what may happen to them."""

    def __init__(self, template: Path, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        shutil.copytree(template, folder, symlinks=True)
        self.session = Session()
        clock = itertools.count(BEFORE_ANY_REAL_DATE_MIN + 100)
        a, b = (GitRepository(folder / name, clock) for name in ("a", "b"))
        a._now = b._now = FIRST_COMMIT_AT + timedelta(minutes=next(clock))
        linked = a.worktree("linked", "-q", "-b", "three")
        self.objects = [Objects(tree.path) for tree in (a, b)]
        records = [Record(objects, tree.head) for objects, tree in zip(self.objects, (a, b), strict=True)]
        records[1].resolved_on = records[0].resolved_on  # what was settled there is a resolution here as well
        self.trees = {
            "a": Tree("a", a, records[0], self.session),
            "linked": Tree("linked", linked, records[0], self.session),
            "b": Tree("b", b, records[1], self.session),
        }
        self.serial = itertools.count(1)
        self.done: Counter[str] = Counter()
        self.random = Random(seed)
        linked._now = a._now
        for name in ("a", "b"):
            self.plan(self.trees[name], "*")

    def close(self) -> None:
        for objects in self.objects:
            objects.close()
        shutil.rmtree(self.folder)

    def step(self, number: int) -> None:
        """One operation, the same for the same number and what went before."""
        self.random = Random(f"{self.seed}/{number}")
        tree = self.trees[self.random.choice(("a", "a", "linked", "linked", "b"))]
        tree.repository._now = max(each.now for each in self.trees.values())  # reflogs are put together by it
        operation = self.random.choices([name for name, _ in OPERATIONS], [weight for _, weight in OPERATIONS])[0]
        tree.options = () if self.random.random() < 0.01 else QUIET
        self.session.lines.append(f"# {number}: {operation} in {tree.name}")
        try:
            getattr(self, operation)(tree)
            self.done[operation] += 1
        except Stuck as problem:
            self.done["stuck"] += 1
            self.session.lines.append(f"# taken back: {problem}")
        finally:
            self.rest(tree)
        tree.observe()

    def rest(self, tree: Tree) -> None:
        """Bring the work tree to rest whatever was left undone."""
        tree.options = QUIET
        command = tree.in_progress()
        if command:
            tree.try_git(command, "--abort")
        if tree.ask("status", "--porcelain"):
            tree.try_git("reset", "-q", "--hard")
            tree.try_git("clean", "-qfd")

    def check(self, tree: Tree, most: int) -> None:
        """Compare what sage-git says of some sources."""
        sources = tree.sources()
        for path in sources if len(sources) <= most else self.random.sample(sources, most):
            self.compare(tree, path, tree.record.commits[tree.head].lines[path])

    def compare(self, tree: Tree, path: str, expected: Lines) -> None:
        said = [json.loads(line) for line in tree.sage("blame", "--json", path).splitlines()]
        assert [line["text"] for line in said] == tree.texts(path)
        wrong = []
        for line in said:
            known = expected[line["text"]]
            for word, wanted in zip(("rogue", "open"), known.state(), strict=True):
                if wanted is not None and line[word] is not wanted:
                    wrong.append(
                        f"{path}:{line['line']} {line['text']!r}: {word} should be {wanted}: {known.edit.where}"
                    )
                    wrong.append(f"    {line}")
        assert not wrong, "\n".join([f"in {tree.name}", *wrong[:8]])

    # -- lines -------------------------------------------------------------------------------------------------------

    def line(self, token: str) -> str:
        return f"{token}{next(self.serial)} {' '.join(self.random.choices(WORDS, k=4))}"

    def claims(self, tree: Tree) -> str:
        """Lines of a message that name a plan, one that covers or one that does not, or none."""
        plans = list(tree.record.plans.values())
        in_force = [plan for plan in plans if plan.ended_at is None and plan.denied_at is None]
        choice = self.random.random()
        if choice < 0.5 and in_force:
            return claim_of(self.random.choice(in_force))
        if choice < 0.58 and plans:
            return claim_of(self.random.choice(plans))
        if choice < 0.61 and plans:
            return f"Sage-Plan: {self.random.choice(plans).name} {'0' * 16}"
        return ""

    def token(self, tree: Tree, claims: str, *paths: str) -> str:
        covered = all(tree.record.covering(CLAIM.findall(claims), path, tree.now_s + 60) for path in paths)
        return "P" if covered else "U"

    def edit(self, tree: Tree, token: str, path: str) -> None:
        """Add lines, rewrite some, or take some away."""
        texts = tree.texts(path)
        place = self.random.randrange(len(texts) + 1)
        kind = self.random.choice(("insert", "insert", "insert", "rewrite", "rewrite", "delete", "append"))
        new = [self.line(token) for _ in range(self.random.choice((1, 1, 2, 3)))]
        if kind == "append":
            texts += new
        elif kind == "insert" or len(texts) < 12:
            texts[place:place] = new
        elif kind == "rewrite":
            texts[place : place + self.random.choice((1, 1, 2))] = new
        else:
            del texts[place : place + self.random.choice((1, 2))]
        tree.write(path, texts)

    def pick_source(self, tree: Tree) -> str:
        sources = tree.sources()
        if not sources:
            raise Stuck("nothing to edit")
        return self.random.choice(sources)

    def commit_staged(self, tree: Tree, claims: str, *options: str) -> None:
        tree.git("add", "--all")
        subject = f"change {next(self.serial)}"
        tree.git("commit", "-q", "-m", f"{subject}\n\n{claims}", *options)

    # -- what people do: editing -------------------------------------------------------------------------------------

    def do_edit(self, tree: Tree) -> None:
        claims = self.claims(tree)
        paths = {self.pick_source(tree) for _ in range(self.random.choice((1, 1, 2)))}
        for path in sorted(paths):
            self.edit(tree, self.token(tree, claims, path), path)
        self.commit_staged(tree, claims, *self.random.choice(((), (), ("--no-verify",))))

    def do_add(self, tree: Tree) -> None:
        claims = self.claims(tree)
        path = f"{self.random.choice(('src', 'lib'))}/n{next(self.serial)}"
        token = self.token(tree, claims, path)
        tree.write(path, [self.line(token) for _ in range(14)])
        self.commit_staged(tree, claims)

    def do_delete(self, tree: Tree) -> None:
        if len(tree.sources()) > 2:
            tree.remove(self.pick_source(tree))
            self.commit_staged(tree, self.claims(tree))

    def do_rename(self, tree: Tree) -> None:
        old = self.pick_source(tree)
        claims = self.claims(tree)
        new = f"{self.random.choice(('src', 'lib'))}/r{next(self.serial)}"
        token = self.token(tree, claims, new)
        if token == "P" and self.token(tree, claims, old) == "U":
            raise Stuck("a plan that has only one of the names")
        tree.git("mv", old, new)
        if self.random.random() < 0.4:
            texts = tree.texts(new)
            texts.insert(self.random.randrange(len(texts) + 1), self.line(token))
            tree.write(new, texts)
        self.commit_staged(tree, claims)

    def do_split(self, tree: Tree) -> None:
        path = self.pick_source(tree)
        texts = tree.texts(path)
        if len(texts) < 18:
            raise Stuck("too short to split")
        at = self.random.randrange(len(texts) - 7)
        tree.write(f"{path}-s{next(self.serial)}", texts[at : at + 6])
        tree.write(path, texts[:at] + texts[at + 6 :])
        self.commit_staged(tree, self.claims(tree))

    def do_stash(self, tree: Tree) -> None:
        claims = self.claims(tree)
        path, other = self.pick_source(tree), self.pick_source(tree)
        self.edit(tree, self.token(tree, claims, path), path)
        if not tree.try_git("stash", "push", "-q"):
            raise Stuck("nothing to stash")
        self.edit(tree, self.token(tree, "", other), other)
        self.commit_staged(tree, "")
        if tree.try_git("stash", "pop", "-q"):
            self.commit_staged(tree, claims)
        else:
            tree.git("reset", "-q", "--hard")
            tree.git("stash", "drop", "-q")

    def do_used_plan(self, tree: Tree) -> None:
        """A plan taken into use, so that the hook writes the line."""
        plans = [plan for plan in tree.record.plans.values() if plan.ended_at is None and plan.denied_at is None]
        if not plans:
            raise Stuck("no plan in force")
        plan = self.random.choice(plans)
        tree.sage("plan", "use", plan.name)
        try:
            tree.options = ()
            path = self.pick_source(tree)
            self.edit(tree, self.token(tree, claim_of(plan), path), path)
            self.commit_staged(tree, "")
        finally:
            tree.sage("plan", "use", "--none")

    # -- rewriting ---------------------------------------------------------------------------------------------------

    def own_commits(self, tree: Tree) -> list[str]:
        """Those after the branch point with what others have, newest first, without merges."""
        return tree.ask("rev-list", "--no-merges", "-n", "6", "HEAD", "--not", "base").split()

    def do_amend(self, tree: Tree) -> None:
        if not tree.ask("rev-list", "--no-merges", "-n", "1", "HEAD^!", "--not", "base"):
            raise Stuck("nothing to amend")
        message = tree.ask("log", "-1", "--format=%B")
        claims = self.random.choice((claims_of(message), self.claims(tree), ""))
        if self.random.random() < 0.6:
            path = self.pick_source(tree)
            texts = tree.texts(path)
            texts.insert(self.random.randrange(len(texts) + 1), self.line(self.token(tree, claims, path)))
            tree.write(path, texts)
        self.commit_staged(tree, claims, "--amend")

    def do_fixup(self, tree: Tree) -> None:
        """A later commit squashed into an earlier one."""
        commits = self.own_commits(tree)
        if not commits:
            raise Stuck("nothing to fix up")
        target = self.random.choice(commits)
        claims = self.claims(tree)
        path = self.pick_source(tree)
        self.edit(tree, self.token(tree, claims, path), path)
        tree.git("add", "--all")
        tree.git("commit", "-q", f"--fixup={target}")
        tree.observe()
        if tree.try_git("rebase", "-q", "-i", "--autosquash", f"{target}^", GIT_SEQUENCE_EDITOR="true"):
            return
        self.settle(tree)

    def do_rebase(self, tree: Tree) -> None:
        onto = self.other_branch(tree)
        if not tree.try_git("rebase", "-q", self.random.choice(("--merge", "--merge", "--apply")), onto):
            self.settle(tree)

    def do_squash(self, tree: Tree) -> None:
        other = self.other_branch(tree)
        if not tree.try_git("merge", "-q", "--squash", other):
            self.resolve(tree)
        bodies = tree.ask("log", "--format=%B", f"HEAD..{other}")
        claims = self.random.choice(("", claims_of(bodies), self.claims(tree)))
        self.commit_staged(tree, claims)

    def do_pick(self, tree: Tree) -> None:
        other = self.other_branch(tree)
        missing = tree.ask("rev-list", "--no-merges", "-n", "8", other, "--not", "HEAD").split()
        if not missing:
            raise Stuck("nothing to pick")
        if not tree.try_git("cherry-pick", *self.random.choice(((), ("-x",))), self.random.choice(missing)):
            self.settle(tree)

    def do_revert(self, tree: Tree) -> None:
        commits = self.own_commits(tree)
        if not commits:
            raise Stuck("nothing to revert")
        claims = self.claims(tree)
        tree.git("revert", "-n", self.random.choice(commits[:4]))
        self.commit_staged(tree, claims)

    def do_revert_several(self, tree: Tree) -> None:
        """Several commits in one, or a branch that was merged."""
        merges = tree.ask("rev-list", "--merges", "-n", "3", "HEAD", "--not", "base").split()
        commits = [commit for commit in self.own_commits(tree)[:5] if self.random.random() < 0.6]
        claims = self.claims(tree) if self.random.random() < 0.5 else ""
        if merges and self.random.random() < 0.5:
            tree.git("revert", "-n", "-m", "1", self.random.choice(merges))
        elif len(commits) > 1:
            tree.git("revert", "-n", *commits)
        else:
            raise Stuck("nothing to revert")
        self.commit_staged(tree, claims)

    def do_reapply(self, tree: Tree) -> None:
        """Take something back, and put it there again."""
        commits = self.own_commits(tree)
        if not commits:
            raise Stuck("nothing to take back")
        target = self.random.choice(commits[:3])
        tree.git("revert", "--no-edit", target)
        tree.observe()
        if self.random.random() < 0.5:
            tree.git("revert", "-n", "HEAD")
        else:
            tree.git("cherry-pick", "-n", target)
        self.commit_staged(tree, self.claims(tree))

    # -- merging -----------------------------------------------------------------------------------------------------

    def other_branch(self, tree: Tree) -> str:
        current = tree.ask("branch", "--show-current")
        names = tree.ask("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        others = [name for name in names if name not in (current, "base")]
        if not others:
            raise Stuck("no other branch")
        return self.random.choice(others)

    def do_merge(self, tree: Tree) -> None:
        if not tree.try_git(
            "merge", "-q", "--no-edit", *self.random.choice(((), ("--no-ff",))), self.other_branch(tree)
        ):
            self.settle(tree)

    def do_evil_merge(self, tree: Tree) -> None:
        if not tree.try_git("merge", "-q", "--no-ff", "--no-commit", self.other_branch(tree)):
            self.resolve(tree)
        if tree.in_progress() != "merge":
            raise Stuck("nothing to merge")
        path = self.pick_source(tree)
        texts = tree.texts(path)
        texts.insert(self.random.randrange(len(texts) + 1), self.line("E"))
        tree.write(path, texts)
        self.commit_staged(tree, self.claims(tree) if self.random.random() < 0.3 else "")

    def do_strategy_merge(self, tree: Tree) -> None:
        how = self.random.choice((("-s", "ours"), ("-X", "ours"), ("-X", "theirs")))
        tree.git("merge", "-q", "--no-edit", *how, self.other_branch(tree))

    def settle(self, tree: Tree) -> None:
        """Resolve what conflicts until git is at rest."""
        for _ in range(8):
            command = tree.in_progress()
            if command is None:
                return
            tree.observe()
            self.resolve(tree)
            if not tree.ask("status", "--porcelain", "--untracked-files=no") and command != "merge":
                tree.try_git(command, "--skip")
                continue
            tree.try_git(command, "--continue")
        raise Stuck("conflicts without end")

    def resolve(self, tree: Tree) -> None:
        tree.record.resolved_on.add(tree.head)
        stages = tree.ask("ls-files", "-u", "-z").split("\0")[:-1]
        paths = {entry.split("\t")[1] for entry in stages}
        for path in sorted(paths):
            found = {entry.split()[2] for entry in stages if entry.endswith(f"\t{path}")}
            if not found >= {"2", "3"}:  # of whole files: as it is here
                tree.git(*(("checkout", "--ours", "--", path) if "2" in found else ("rm", "-q", "-f", "--", path)))
                continue
            how = self.random.choice(("both", "both", "ours", "theirs", "theirs", "foreign"))
            tree.write(path, list(self.resolution(tree.texts(path), how)))
        tree.git("add", "--all")

    def resolution(self, texts: list[str], how: str) -> Iterator[str]:
        """The file with each conflict resolved, no line twice."""
        side: str | None = None
        region: dict[str, list[str]] = {}
        seen: set[str] = set()
        for text in texts:
            if text.startswith("<<<<<<<<"):
                raise Stuck("conflicts within conflicts")
            if text.startswith("<<<<<<< "):
                side, region = "ours", {"ours": [], "theirs": []}
            elif text == "=======" and side == "ours":
                side = "theirs"
            elif text.startswith(">>>>>>> "):
                side = None
                kept = region[how] if how in region else region["ours"] + region["theirs"]
                kept = [*kept, self.line("E")] if how == "foreign" else kept
                yield from (line for line in dict.fromkeys(kept) if line not in seen)
                seen.update(kept)
            elif side:
                region[side].append(text)
            elif text not in seen:
                seen.add(text)
                yield text

    # -- branches and clones -----------------------------------------------------------------------------------------

    def do_switch(self, tree: Tree) -> None:
        name = self.random.choice(BRANCHES[tree.name])
        if not tree.try_git("checkout", "-q", name):
            tree.git("checkout", "-q", "-b", name, self.random.choice(("HEAD", "HEAD~1", "base")))

    def do_reset_branch(self, tree: Tree) -> None:
        """Begin again beside the others."""
        tree.git("reset", "-q", "--hard", self.random.choice(("HEAD~1", "HEAD~2", self.other_branch(tree))))

    def do_pull(self, tree: Tree) -> None:
        other = self.trees["a" if tree.name == "b" else "b"]
        branch = other.ask("branch", "--show-current")
        how = self.random.choice(("--no-rebase", "--no-rebase", "--rebase"))
        if not tree.try_git("pull", "-q", "--no-edit", how, f"../{other.name}", branch):
            self.settle(tree)

    # -- statements --------------------------------------------------------------------------------------------------

    def plan(self, tree: Tree, scope: str) -> None:
        """Draft and approve a plan."""
        tree.tick()
        name = f"plan-{next(self.serial)}"
        approval = approve(tree.sage, name, scope)
        tree.tick()
        tree.record.plans[name] = Plan(name, scope, approval, tree.now_s)

    def do_plan(self, tree: Tree) -> None:
        self.plan(tree, self.random.choice(SCOPES))

    def do_end_plan(self, tree: Tree) -> None:
        in_force = [p for p in tree.record.plans.values() if p.ended_at is None and p.denied_at is None]
        if not in_force:
            raise Stuck("nothing in force")
        plan = self.random.choice(in_force)
        tree.tick()
        if self.random.random() < 0.5:
            tree.sage("plan", "done", plan.name)
            plan.ended_at = tree.now_s
        else:
            tree.sage("plan", "deny", plan.name, "-m", "no more")
            plan.denied_at = tree.now_s
        tree.tick()

    def do_reconcile(self, tree: Tree) -> None:
        tree.observe()
        head = tree.head
        paths = [path for path in tree.sources() if tree.record.open_lines(head, path)]
        if not paths:
            raise Stuck("nothing is open")
        chosen = [self.random.choice(paths)]
        tree.tick()
        tree.sage("reconcile", *chosen, "-m", "it is what we want")
        tree.record.answer(head, chosen)


def claim_of(plan: Plan) -> str:
    return f"Sage-Plan: {plan.name} {plan.approval[:16]}"


def claims_of(message: str) -> str:
    return "\n".join(dict.fromkeys(line for line in message.splitlines() if line.startswith("Sage-Plan: ")))


OPERATIONS: list[tuple[str, int]] = [
    ("do_edit", 26), ("do_add", 3), ("do_delete", 1), ("do_rename", 4), ("do_split", 2), ("do_stash", 2),
    ("do_amend", 9), ("do_fixup", 4), ("do_rebase", 7), ("do_squash", 5), ("do_pick", 7), ("do_revert", 4),
    ("do_reapply", 3), ("do_merge", 9), ("do_evil_merge", 4), ("do_strategy_merge", 2), ("do_switch", 8),
    ("do_reset_branch", 2), ("do_pull", 4), ("do_plan", 3), ("do_end_plan", 2), ("do_reconcile", 5),
    ("do_used_plan", 1), ("do_revert_several", 3),
]  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded repository `a` with two sources, and its clone `b` that joined."""
    folder = tmp_path_factory.mktemp("judging") / "template"
    return template_in(folder)


def template_in(folder: Path) -> Path:
    a = GitRepository.create(folder / "a")
    a._clock = itertools.count(BEFORE_ANY_REAL_DATE_MIN)
    files = {path: "".join(f"base {path} {n} {' '.join(WORDS[:3])}\n" for n in range(14)) for path in SOURCES}
    a.commit("before the record", **files)
    session = Session()
    begun = Tree("a", a, None, session)  # type: ignore[arg-type]
    begun.sage("init")
    a.git("branch", "base")
    b = a.clone("b")
    b.git("remote", "remove", "origin")
    b.git("branch", "base")
    Tree("b", b, None, session).sage("init")  # type: ignore[arg-type]
    return folder


CHECK_EVERY, CHECKED_SOURCES, ALL = 20, 2, 1_000_000


def run_world(template: Path, folder: Path, seed: int, steps: Sequence[int], every: int = CHECK_EVERY) -> list[str]:
    """The session up to the first thing that is wrong; empty if nothing is."""
    world = World(template, folder, seed)
    number = 0
    try:
        for number in steps:
            world.step(number)
            is_last = number == steps[-1]
            if is_last or number % every == 0:
                for tree in world.trees.values():
                    world.check(tree, ALL if is_last else CHECKED_SOURCES)
    except AssertionError as problem:
        return [*world.session.lines, f"# {number}: {problem}"]
    finally:
        world.close()
    return []


def shrunk(template: Path, folder: Path, seed: int, session: list[str]) -> list[str]:
    """A short session that still goes wrong, found by leaving out steps of one that does."""
    steps = [int(line.split()[1][:-1]) for line in session if re.match(r"# \d+: do_", line)]
    tries = itertools.count()
    size = len(steps)
    while size and next(tries) < 150:
        for begin in range(len(steps) - size, -1, -size):
            fewer = steps[:begin] + steps[begin + size :]
            found = run_world(template, folder / str(next(tries)), seed, fewer, every=ALL) if fewer else []
            if found:
                steps, session = fewer, found
        size //= 2
    return session


def assert_right(template: Path, folder: Path, seed: int, steps: int) -> None:
    session = run_world(template, folder / "world", seed, range(1, steps + 1))
    if session and "SAGE_SOAK" in os.environ:  # it takes minutes
        session = shrunk(template, folder, seed, session)
    if session:
        pytest.fail("\n".join([*session, "# SAGE_SOAK=1 makes this shorter"]), pytrace=False)


SQUASHED_ANEW = pytest.mark.xfail(
    reason="a removed source that a squash in conflict brings back is open, and blame calls some of its lines planned",
    strict=True,
)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[SQUASHED_ANEW] if seed == 12 else []) for seed in range(20)]
)
def test_every_line_is_called_what_it_is(template: Path, tmp_path: Path, seed: int) -> None:
    assert_right(template, tmp_path, seed, steps=100)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1500))
def test_every_line_is_called_what_it_is_for_hours(template: Path, tmp_path: Path, seed: int) -> None:
    assert_right(template, tmp_path, seed, steps=100)
