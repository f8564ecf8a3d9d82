"""A machine over four clones of one bare remote: they work, meet by any path, crash and are restored, and end the same.

Each clone commits, says things, redacts, pushes and pulls as it likes, and syncs with the remote, with a sibling's path
or by a bundle on a stick that goes around; views are lost, syncs are cut off before the index knew of them, and
backups of `sage/` are put back. In the end everything is pushed, all look at the same commit, and all sync until
nothing is new: then all know the same, byte for byte. Histories of git: test_recording_machine.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.peers.clones import Clone, Village
from tests.properties.machines import run_machine

NAMES = ("a", "b", "c", "d")
PATHS = ("foo.py", "bar.py", "dir/new.py")
MOST_ROUNDS = 5

names = st.sampled_from(NAMES)
paths = st.sampled_from(PATHS)
words = st.sampled_from(("alpha", "bravo", "charlie"))
lines = st.integers(0, 3)


def text_of(*words: str) -> str:
    return "".join(f"{number}: {word} {word} {word}\n" for number, word in enumerate(words))


class ConvergenceMachine(RuleBasedStateMachine):
    template: ClassVar[Village]

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="convergence-"))
        self.village = self.template.moved(self.folder / "village", minute=1000)  # so that times repeat
        self.said: dict[str, set[str]] = {name: set() for name in NAMES}
        self.redacted: set[str] = set()
        self.backups: dict[str, tuple[Path, set[str]]] = {}
        self.orders: dict[tuple[str, str], list[str]] = {}
        self.count = 0

    def teardown(self) -> None:
        if not hasattr(self, "folder"):
            return
        try:
            self.end()
        finally:
            shutil.rmtree(self.folder)

    def at(self, name: str) -> Clone:
        return self.village[name]

    # -- work ----------------------------------------------------------------------------------------------------------

    @rule(name=names, about=st.sampled_from(("actions", "foo.py", "bar.py")))
    def say(self, name: str, about: str) -> None:
        self.count += 1
        text = f"{name} says {self.count}."
        about = about if about == "actions" or (self.at(name).path / about).is_file() else "actions"
        self.at(name).ok("note", "action", "-m", text, "--about", about)
        self.said[name].add(text)

    @rule(name=names, plan=st.sampled_from(("p", "q")), then=st.sampled_from(("draft", "approve", "deny", "done")))
    def plan(self, name: str, plan: str, then: str) -> None:
        """Same plans in several clones, approved here and denied there."""
        if then == "draft":
            self.at(name).sage("plan", "draft", "--id", plan, "--summary", f"{plan} of {name}", "--scope", "*.py")
        else:
            self.at(name).sage("plan", then, plan, "-m", "so be it")

    @rule(name=names, path=paths)
    def halt(self, name: str, path: str) -> None:
        self.count += 1
        event = {"type": "HALT_AND_REPORT", "invariant": f"{self.count}", "expected": 1, "actual": 2, "actor": ACTOR}
        if (self.at(name).path / path).is_file():
            self.at(name).ok("append", f"{path}.sage", "--event", json.dumps(event))

    @rule(name=names)
    def reconcile(self, name: str) -> None:
        self.at(name).sage("reconcile", "--all", "-m", "we have looked")

    @rule(name=names, which=st.integers(0, 100))
    def redact(self, name: str, which: int) -> None:
        """A clone redacts what it said itself."""
        mine = sorted(self.said[name] - self.redacted)
        if not mine:
            return
        text = mine[which % len(mine)]
        event = next(event for event in self.at(name).events() if event.get("action") == text)
        if self.at(name).sage("redact", event["eventId"], "-m", "it must go").returncode == 0:
            self.redacted.add(text)

    @rule(name=names, path=paths, line=lines, word=words, how=st.sampled_from(("plain", "plain", "amend", "planned")))
    def commit(self, name: str, path: str, line: int, word: str, how: str) -> None:
        repository = self.at(name).repository
        target = repository.path / path
        old = target.read_text().splitlines(keepends=True) if target.exists() else []
        new = old if len(old) == 4 else text_of("start", "start", "start", "start").splitlines(keepends=True)
        new[line] = f"{line}: {word} {word} by {name}\n"
        repository.write(path, "".join(new))
        repository.git("add", "--all")
        message = "planned" if how == "planned" else "edit"
        if how == "planned":
            plans = [json.loads(each) for each in self.at(name).ok("plan", "list", "--json").splitlines()]
            approvals = (e for p in plans for e in p["events"] if e["type"] == "PLAN_APPROVED")
            message += "".join(f"\n\nSage-Plan: {e['planId']} {e['eventId'][:16]}" for e in approvals)
        options = ["--amend"] if how == "amend" else []
        repository.run("commit", "-q", "--allow-empty", "-m", message, *options)

    @rule(name=names, old=paths, new=paths)
    def rename(self, name: str, old: str, new: str) -> None:
        repository = self.at(name).repository
        if (repository.path / old).is_file() and not (repository.path / new).exists():
            (repository.path / new).parent.mkdir(exist_ok=True)
            repository.git("mv", old, new)
            repository.git("commit", "-q", "-m", "rename")

    @rule(name=names, branch=st.sampled_from(("main", "one", "two")))
    def switch(self, name: str, branch: str) -> None:
        repository = self.at(name).repository
        repository.git("checkout", "-q", branch, check=False)
        if repository.status:
            repository.git("checkout", "-q", "-b", branch)

    @rule(name=names)
    def push(self, name: str) -> None:
        self.at(name).git("push", "-q", "--all", "origin", check=False)

    @rule(name=names, how=st.sampled_from(("--rebase", "--no-rebase")), branch=st.sampled_from(("main", "one")))
    def pull(self, name: str, how: str, branch: str) -> None:
        repository = self.at(name).repository
        repository.git("pull", "-q", how, "-X", "ours", "origin", branch, check=False)
        for command in ("merge", "rebase"):
            if repository.status:
                repository.run(command, "--abort")
        repository.git("reset", "-q", "--hard")

    # -- meeting -------------------------------------------------------------------------------------------------------

    @rule(name=names, peer=st.sampled_from(("origin", "origin", *NAMES)))
    def sync(self, name: str, peer: str) -> None:
        if name != peer:
            self.at(name).meet(peer)
            self.look(name)

    @rule(name=names, stick=st.sampled_from(("one", "two")))
    def sync_by_stick(self, name: str, stick: str) -> None:
        self.at(name).meet("--bundle", str(self.folder / f"{stick}.bundle"))
        self.look(name)

    @rule(name=names)
    def only_fetch(self, name: str) -> None:
        self.at(name).meet("origin", "--fetch-only")
        self.look(name)

    def look(self, name: str) -> None:
        """What was known in an order is known in that order ever after, as long as nothing was missing from it."""
        for path in PATHS[:2]:
            done = self.at(name).sage("log", "--json", "--all", path)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            order = [event["eventId"] for event in events if not event.get("incomplete")]
            known = self.orders.get((name, path), [])
            both = set(known) & set(order)
            assert [each for each in known if each in both] == [each for each in order if each in both], path
            self.orders[name, path] = order

    # -- accidents -----------------------------------------------------------------------------------------------------

    @rule(name=names)
    def lose_the_index(self, name: str) -> None:
        for file in self.at(name).directory.glob("index.sqlite*"):
            file.unlink()
        self.at(name).ok("record")

    @rule(name=names, which=st.integers(0, 2))
    def lose_sidecars(self, name: str, which: int) -> None:
        for sidecar in sorted(self.at(name).sidecars())[which::3]:
            (self.at(name).path / sidecar).unlink()

    @rule(name=names, peer=st.sampled_from(("origin", *NAMES)))
    def be_cut_off(self, name: str, peer: str) -> None:
        """A sync that was killed when the store had the logs, and neither index nor sidecars knew of them."""
        if name == peer:
            return
        clone, aside = self.at(name), self.folder / "aside"
        aside.mkdir()
        files = list(clone.directory.glob("index.sqlite*"))
        for file in files:
            shutil.copy2(file, aside)
        clone.meet(peer)
        for file in clone.directory.glob("index.sqlite*"):
            file.unlink()
        for file in aside.iterdir():
            shutil.copy2(file, clone.directory)
        shutil.rmtree(aside)
        clone.ok("record")

    @rule(name=names)
    def back_up(self, name: str) -> None:
        """A copy of `sage/`, as a backup has it."""
        copy = self.folder / f"backup-{name}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.at(name).directory, copy, symlinks=True)
        self.backups[name] = copy, set(self.said[name])

    @rule(name=names, first=st.sampled_from(("say", "commit", "nothing")))
    def restore(self, name: str, first: str) -> None:
        """An old `sage/` comes back, under a key that has signed more since; what was published is not lost."""
        if name not in self.backups:
            return
        clone, (copy, _) = self.at(name), self.backups[name]
        clone.meet("origin")
        shutil.rmtree(clone.directory)
        shutil.copytree(copy, clone.directory, symlinks=True)
        if first == "say":
            self.say(name, "actions")
        elif first == "commit":
            self.commit(name, "foo.py", 1, "restored", "plain")
        clone.meet("origin")

    # -- the end -------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Everything is pushed, fetched and looked at, the same commit last, and all sync until nothing is new."""
        for name in NAMES:
            self.push_everything(name)
        for name in NAMES:
            repository = self.at(name).repository
            repository.git("fetch", "-q", "origin")
            for branch in repository.git("for-each-ref", "--format=%(refname)", "refs/remotes/origin/of-*/*").split():
                repository.git("checkout", "-q", "--detach", branch)
            repository.git("checkout", "-q", "--detach", "refs/remotes/origin/of-a/main")
        meet_until_quiet([self.at(name) for name in NAMES])
        assert_same([self.at(name) for name in NAMES])
        log = self.at("d").log()
        for name in NAMES:
            for text in self.said[name]:
                assert log.count(json.dumps(text)) == (text not in self.redacted), text
            assert not (self.at(name).directory / "equivocations").exists()

    def push_everything(self, name: str) -> None:
        """All that HEAD ever was, under this clone's name."""
        repository = self.at(name).repository
        for number, commit in enumerate(sorted(set(repository.git("reflog", "HEAD", "--format=%H").split()))):
            repository.git("branch", "-f", f"kept-{number}", commit)
        repository.git("push", "-q", "-f", "origin", f"refs/heads/*:refs/heads/of-{name}/*")


ACTOR = {"agent": "test", "id": "test@example.org"}


def meet_until_quiet(clones: Sequence[Clone], peer: str = "origin") -> None:
    """Have all sync with the remote until a whole round brings nothing."""
    moved = [1]
    for _ in range(MOST_ROUNDS):
        moved = [outcome["received"] + outcome["sent"] for clone in clones for outcome in clone.meet(peer)]
        if not any(moved):
            break
    assert not any(moved), f"there is still something new after {MOST_ROUNDS} rounds"


def assert_same(clones: Iterable[Clone]) -> None:
    """All know the same events and show the same lines."""
    first, *others = clones
    log, shown = agreed(first.log()), first.sidecars()
    for clone in others:
        assert not (said := difference(log, agreed(clone.log()))), f"{clone.path.name}: {said}"
        theirs = clone.sidecars()
        assert theirs.keys() == shown.keys()
        for name, lines in shown.items():
            assert not (said := difference(text(lines), text(theirs[name]))), f"{name} of {clone.path.name}: {said}"


SAID_OF_ALL = re.compile('"type":"HALT_AND_REPORT"|"inHead":true')


def agreed(log: str) -> str:
    """What clones agree on whatever they observed first: all but whether an edit is open that HEAD does not have."""
    return "".join(
        line if SAID_OF_ALL.search(line) else re.sub(',"open":(true|false)', "", line)
        for line in log.splitlines(keepends=True)
    )


def text(lines: Iterable[bytes]) -> str:
    return b"\n".join(lines).decode()


def difference(one: str, other: str) -> str:
    """How two logs differ; empty if they do not."""
    if one == other:
        return ""
    ours, theirs = one.splitlines(), other.splitlines()
    less, more = [line for line in ours if line not in theirs], [line for line in theirs if line not in ours]
    if less or more:
        return "\n".join(["they differ; only in the first:", *less[:5], "only in the second:", *more[:5]])
    at = next(number for number, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    return "\n".join(["their order differs:", *ours[at : at + 3], "in the second:", *theirs[at : at + 3]])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Four clones that have joined and know one another."""
    four = text_of("one", "two", "three", "four")
    village = Village.founded(
        tmp_path_factory.mktemp("convergence") / "village", *NAMES, files={"foo.py": four, "bar.py": four}
    )
    for name in NAMES:
        for other in NAMES:
            if name != other:
                village[name].ok("peer", "add", other, str(village[other].path))
    return village


@pytest.fixture
def machine(template: Village) -> type[ConvergenceMachine]:
    ConvergenceMachine.template = template
    return ConvergenceMachine


def test_whoever_meets_whomever_all_end_with_the_same_chronicles(machine: type[ConvergenceMachine]) -> None:
    run_machine(machine, examples=3, steps=20)


@pytest.mark.soak
def test_whoever_meets_whomever_for_hours_all_end_with_the_same_chronicles(machine: type[ConvergenceMachine]) -> None:
    run_machine(machine, examples=200, steps=50)


# -- joins -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sticks(template: Village, tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Three clones that worked apart and told a bundle each; the commits are known to all."""
    village = template.moved(tmp_path_factory.mktemp("sticks") / "village")
    for number, name in enumerate(NAMES[:3]):
        clone = village[name]
        clone.repository.commit(f"{name} works", **{"foo.py": text_of(name, name), f"{name}.py": "new = 1\n"})
        clone.ok("plan", "draft", "--id", "same", "--summary", f"as {name} sees it", "--scope", "*.py")
        for times in range(number + 1):
            clone.ok("note", "action", "-m", f"{name} {times}", "--about", "foo.py")
        clone.git("push", "-q", "origin", f"HEAD:refs/heads/of-{name}")
        clone.git("fetch", "-q", "origin")
    for name in NAMES[:3]:
        village[name].ok("sync", "--bundle", str(village.folder / f"{name}.bundle"))
    village["d"].git("fetch", "-q", "origin")
    village["d"].git("merge", "-q", "-s", "ours", "-m", "all", *(f"origin/of-{name}" for name in NAMES[:3]))
    village["d"].git("push", "-q", "origin", "HEAD:main")
    return village


def joined(sticks: Village, folder: Path, order: Iterable[str]) -> tuple[str, dict[str, list[bytes]]]:
    """What `d` knows and shows when it was given bundles in this order."""
    village = sticks.moved(folder)
    for name in order:
        village["d"].ok("sync", "--bundle", str(village.folder / f"{name}.bundle"), "--fetch-only")
    known = village["d"].log(), village["d"].sidecars()
    shutil.rmtree(folder)
    return known


def test_it_does_not_matter_in_which_order_or_how_often_logs_are_joined(sticks: Village, tmp_path: Path) -> None:
    """Commutative and idempotent."""
    expected = joined(sticks, tmp_path / "abc", "abc")
    assert re.search('"a 0".*"b 0"|"b 0".*"a 0"', expected[0], re.DOTALL)
    for order in ("cba", "bacabb"):
        log, sidecars = joined(sticks, tmp_path / order, order)
        assert difference(expected[0], log) == ""
        assert sidecars == expected[1]


def test_it_does_not_matter_who_joined_logs_before(sticks: Village, tmp_path: Path) -> None:
    """Associative: d hears of b and c through what somebody else made of them."""
    expected = joined(sticks, tmp_path / "abc", "abc")
    village = sticks.moved(tmp_path / "bc")
    village["b"].ok("sync", "--bundle", str(village.folder / "c.bundle"), "--fetch-only")
    village["b"].ok("sync", "--bundle", str(village.folder / "bc.bundle"))
    for name in ("a", "bc"):
        village["d"].ok("sync", "--bundle", str(village.folder / f"{name}.bundle"), "--fetch-only")
    assert difference(expected[0], village["d"].log()) == ""
    assert village["d"].sidecars() == expected[1]


@pytest.mark.soak
def test_no_order_of_joining_logs_matters(sticks: Village, tmp_path: Path) -> None:
    expected = joined(sticks, tmp_path / "expected", "abc")
    for order in permutations("aabbcc", 4):
        if set(order) == set("abc"):
            assert joined(sticks, tmp_path / "other", order) == expected, order
