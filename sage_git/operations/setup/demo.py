"""A small repository that shows what a record is: plans, what steps outside of them, and who answers for it.

Made by real git commands, as people and agents would.

Not here: how it is told (`cli.setup`); a scene only does its part and says which command shows the result.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed, NotHere, UsageError
from sage_git.storage.durable import make_directory, told_as

SHOWN: Final = "shop/billing.py"
"""The source whose chronicle is shown at the end."""
_ADA: Final = {
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "SAGE_SYNC": "1",
    "SAGE_ACTOR": "",
}
_AGENT: Final = {"SAGE_ACTOR": "refactor-bot/run-7 model=example-1"}
_TIDY: Final = {"SAGE_PLAN": "tidy-shop"}
_TAX: Final = {"SAGE_PLAN": "new-tax"}
_NOBODY: Final[Mapping[str, str]] = {}
_BEGAN: Final = timedelta(hours=8)
_PAUSE: Final = timedelta(minutes=42)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: what is told of it, the commands that did it, and what the last of them `answered`.

    Then sage-git is to be run with each of `arguments`, in `environment` and at `moment`, before the next step is made.
    """

    told: str
    typed: tuple[str, ...]
    answered: str
    environment: Mapping[str, str]
    moment: datetime
    arguments: tuple[tuple[str, ...], ...] = ()


class _Scene:
    """git in one folder, hours ago: each commit some minutes after the one before. Keeps what was typed."""

    def __init__(self, place: Path, environment: Mapping[str, str], now: datetime) -> None:
        try:
            from git import Git
        except ImportError:
            raise NotHere("git is not on PATH", remedy="install git 2.38 or newer") from None
        astray = sorted(name for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE") if environment.get(name))
        if astray:  # GitPython adds to this process's environment, and takes nothing away
            raise UsageError(f"{astray[0]} leads git to another repository", remedy=f"unset {' '.join(astray)}")
        self.place = place
        self._git = Git(place)
        self._environment = environment
        self._moment = now - _BEGAN
        self._typed: list[str] = []
        self._answered = ""

    def step(self, told: str, *arguments: tuple[str, ...]) -> Step:
        """What was done since the last step, told."""
        typed, self._typed = tuple(self._typed), []
        answered, self._answered = self._answered, ""
        return Step(told, typed, answered, self._dated(), self._moment, arguments)

    def edit(self, name: str, text: str) -> None:
        """Write a file, as with an editor."""
        path = self.place / name
        with told_as(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._typed.append(f"edit {name}")

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.place / name).read_text(encoding="utf-8")

    def git(self, *arguments: str, by: Mapping[str, str] = _NOBODY) -> str:
        """What `git ARGUMENTS` prints, with `by` in its environment. Raises GitFailed."""
        from git.exc import GitCommandError

        said = "".join(f"{name}={shlex.quote(value)} " for name, value in by.items())
        self._typed.append(f"{said}git {shlex.join(arguments)}")
        try:
            return str(self._git.execute(["git", *arguments], env={**self._dated(), **by}))
        except GitCommandError as failure:
            status = failure.status if isinstance(failure.status, int) else 1
            raise GitFailed(arguments, status, _words_of(failure.stderr)) from None

    def commit(self, message: str, *options: str, by: Mapping[str, str] = _NOBODY) -> None:
        """Commit what was edited, some time later."""
        self.later()
        self.git("commit", *options, "-am", message, by=by)

    def commit_in_vain(self, message: str, by: Mapping[str, str]) -> None:
        """Try to commit what was edited, and keep what the gate answered."""
        try:
            self.commit(message, by=by)
        except GitFailed as refusal:
            self._answered = refusal.stderr

    def later(self) -> None:
        """Let some time go by."""
        self._moment += _PAUSE

    def _dated(self) -> dict[str, str]:
        """What a command sees: Ada, and the time of the scene."""
        date = self._moment.isoformat(timespec="seconds")
        return {**as_ada(self._environment), "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}


def play(place: Path, environment: Mapping[str, str], now: datetime) -> Iterator[Step]:
    """Make the demonstration in `place`, which is empty or not there; each step is yielded once it was done.

    Raises UsageError, NotHere, GitFailed, StorageError.
    """
    scene = _Scene(_empty(place), environment, now)
    scene.git("init", "--initial-branch=main")
    scene.edit("README.md", "# Shop\n")
    scene.edit("shop/prices.py", _PRICES)
    scene.git("add", ".")
    scene.commit("Count what things cost")
    told = "a repository with a commit in it; from now on its history is kept, and what nobody planned is refused"
    yield scene.step(told, ("init", "--mode", "block"))
    yield from _planned(scene)
    yield from _refused(scene)
    yield from _past_the_gate(scene)
    yield from _merged(scene)
    yield from _met(scene)
    status = scene.git("status", "--short")
    told = "the same history lies beside each file, one event a line; git does not see it"
    yield scene.step(told if not status else f"git sees what it should not: {status}")


def as_ada(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` as Ada's, without what would lead git to another repository or identity."""
    native = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    return {**native, **_ADA}


def chronicle(place: Path) -> list[str]:
    """The lines of the sidecar that the demonstration shows; none if it is not there."""
    try:
        return (place / f"{SHOWN}.sage").read_text(encoding="utf-8").split("\n")[:-1]
    except OSError:
        return []


def _planned(scene: _Scene) -> Iterator[Step]:
    scene.later()
    draft = ("plan", "draft", "--id", "tidy-shop", "--summary", "Tidy the shop", "--scope", "shop/")
    told = "Ada says what is to be done, and where; whoever may decide puts it in force"
    yield scene.step(told, draft, ("plan", "approve", "tidy-shop", "-m", "before it grows"))
    head, _, tail = scene.read("shop/prices.py").partition("# --- receipts\n")
    scene.edit("shop/prices.py", head.rstrip() + "\n")
    scene.edit("shop/receipts.py", tail)
    scene.git("add", "shop")
    scene.commit("Give receipts a file of their own", by=_TIDY)
    yield scene.step("Ada splits a file under that plan; `sage-git plan use` would say so for all that follows")


def _refused(scene: _Scene) -> Iterator[Step]:
    scene.git("mv", "shop/prices.py", SHOWN)
    scene.edit("README.md", "# Shop\n\nThe best there is.\n")
    scene.commit_in_vain("Call it billing", by=_AGENT | _TIDY)
    yield scene.step("an agent works under it too, and does more than it should")
    scene.git("restore", "README.md")
    scene.commit("Call it billing", by=_AGENT | _TIDY)
    yield scene.step("without that its commit passes", ("log", SHOWN))


def _past_the_gate(scene: _Scene) -> Iterator[Step]:
    scene.edit("README.md", "# Shop\n\nCall 555-0100 if prices are wrong.\n")
    scene.commit("Say whom to call", "--no-verify")
    yield scene.step("somebody in a hurry goes past the gate; the record knows", ("status",))
    scene.later()
    told = "somebody looks at it, and answers for it"
    yield scene.step(told, ("reconcile", "README.md", "-m", "the shop was down; I have seen it"))


def _merged(scene: _Scene) -> Iterator[Step]:
    text = scene.read(SHOWN)
    scene.later()
    draft = ("plan", "draft", "--id", "new-tax", "--summary", "Follow the new tax law", "--scope", SHOWN)
    yield scene.step("a second plan", draft, ("plan", "approve", "new-tax", "-m", "in force from January"))
    scene.git("switch", "--create", "taxes")
    scene.edit(SHOWN, text.replace("TAX = 0.19", "TAX = 0.21"))
    scene.commit("Follow the new tax law", by=_AGENT | _TAX)
    scene.git("switch", "main")
    scene.edit(SHOWN, text.replace("return round(total, 2)", "return round(total, 4)"))
    scene.commit("Round later", by=_TIDY)
    scene.git("merge", "--no-commit", "taxes")
    scene.edit(SHOWN, scene.read(SHOWN).replace("(1 + TAX)", "(1 + TAX / 2)"))
    scene.commit("Merge the new taxes", "--no-verify")
    told = "two branches meet, and the merge brings in a line that stood on neither"
    yield scene.step(told, ("log", SHOWN, "-n", "3"), ("blame", SHOWN, "-L", "3,9"))
    told = "in CI `verify` stops it, and `report` says what was done; both only read"
    yield scene.step(told, ("verify",), ("report",))


def _met(scene: _Scene) -> Iterator[Step]:
    bob = scene.place.with_name(f"{scene.place.name}-bob")
    place = f"../{_empty(bob).name}"
    scene.git("clone", "--quiet", ".", place)
    told = "Bob has a clone elsewhere; Ada signs her log, and he takes it from her: no server, no coordinator"
    yield scene.step(told, ("sync",), ("-C", place, "init"), ("-C", place, "sync"))
    told = "he knows what was planned, decided and answered; what nobody answered for is open for him, too"
    yield scene.step(told, ("-C", place, "log", SHOWN, "-n", "2"))


def _empty(place: Path) -> Path:
    with told_as(place, "look into"):
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} is there already, and not empty", remedy="name a folder that does not exist yet")
    make_directory(place)
    return place


def _words_of(stderr: object) -> str:
    """What git wrote on standard error, without how GitPython presents it."""
    return str(stderr).strip().removeprefix("stderr: ").strip("'").strip()


_PRICES: Final = '''\
"""What things cost."""

TAX = 0.19


def gross(net):
    return net * (1 + TAX)


def total_of(items):
    total = 0
    for item in items:
        total += gross(item.net) * item.count
    return round(total, 2)


def cheapest(items):
    return min(items, key=lambda item: gross(item.net))


def reduced(net, percent):
    return round(net * (100 - percent) / 100, 2)


# --- receipts
def receipt(shop, day, items):
    lines = [f"{shop}, {day:%Y-%m-%d}", "-" * 35]
    for sold in items:
        lines.append(f"{sold.name:20} {sold.count:>4} {sold.net:>9.2f}")
    return "\\n".join(lines)
'''
