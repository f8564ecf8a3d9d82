"""A small repository that shows what a record is: made by real git commands, as people and agents would.

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
_AGENT: Final = "refactor-bot/run-7 model=example-1"
_BEGAN: Final = timedelta(hours=8)
_PAUSE: Final = timedelta(minutes=51)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: what is told of it, and the commands that did it.

    Then sage-git is to be run with each of `arguments` in `environment`, before the next step is asked for.
    """

    told: str
    typed: tuple[str, ...]
    environment: Mapping[str, str]
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

    def step(self, told: str, *arguments: tuple[str, ...]) -> Step:
        """What was done since the last step, told."""
        typed, self._typed = tuple(self._typed), []
        return Step(told, typed, self._dated(), arguments)

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

    def git(self, *arguments: str, actor: str = "") -> str:
        """What `git ARGUMENTS` prints. Raises GitFailed."""
        from git.exc import GitCommandError

        said = f"SAGE_ACTOR={shlex.quote(actor)} " if actor else ""
        self._typed.append(f"{said}git {shlex.join(arguments)}")
        environment = self._dated() | {"SAGE_ACTOR": actor}
        try:
            return str(self._git.execute(["git", *arguments], env=environment))
        except GitCommandError as failure:
            status = failure.status if isinstance(failure.status, int) else 1
            raise GitFailed(arguments, status, str(failure.stderr)) from None

    def commit(self, message: str, actor: str = "") -> None:
        """Commit what was edited, some time later."""
        self.later()
        self.git("commit", "-am", message, actor=actor)

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
    scene.edit("shop/prices.py", _PRICES)
    scene.git("add", "shop")
    scene.commit("Count what things cost")
    yield scene.step("a repository with a commit in it; from now on its history is to be kept", ("init",))
    yield from _edits(scene)
    yield from _moves(scene)
    yield from _branches(scene)
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


def _edits(scene: _Scene) -> Iterator[Step]:
    taxed = _PRICES.replace("0.19", "0.20")
    scene.edit("shop/prices.py", taxed)
    scene.commit("Raise the tax")
    yield scene.step("Ada edits a file")
    scene.edit("shop/prices.py", taxed.replace("total = 0", "total = 0.0"))
    scene.commit("Count in floats", actor=_AGENT)
    told = "an agent edits it too; SAGE_ACTOR, or what the agent sets anyway, says who it is"
    yield scene.step(told, ("log", "shop/prices.py"))


def _moves(scene: _Scene) -> Iterator[Step]:
    scene.git("mv", "shop/prices.py", SHOWN)
    scene.commit("Call it billing", actor=_AGENT)
    yield scene.step("the agent renames the file")
    head, _, tail = scene.read(SHOWN).partition("# --- receipts\n")
    scene.edit(SHOWN, head)
    scene.edit("shop/receipts.py", tail)
    scene.git("add", "shop")
    scene.commit("Give receipts a file of their own")
    yield scene.step("Ada splits it in two")


def _branches(scene: _Scene) -> Iterator[Step]:
    text = scene.read(SHOWN)
    scene.git("switch", "--create", "taxes")
    scene.edit(SHOWN, text.replace("TAX = 0.20", "TAX = 0.21"))
    scene.commit("Follow the new tax law", actor=_AGENT)
    scene.git("switch", "main")
    scene.edit(SHOWN, text.replace("return round(total, 2)", "return round(total, 4)"))
    scene.commit("Round later")
    scene.later()
    scene.git("merge", "--no-edit", "taxes")
    told = "two branches meet; the merge is git's own, so nobody has to answer for it"
    yield scene.step(told, ("log", SHOWN))


def _empty(place: Path) -> Path:
    with told_as(place, "look into"):
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} is there already, and not empty", remedy="name a folder that does not exist yet")
    make_directory(place)
    return place


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


# --- receipts
def heading(shop, day):
    return f"{shop}, {day:%Y-%m-%d}"


def line(item):
    name = item.name.ljust(20)
    count = str(item.count).rjust(4)
    return f"{name} {count} {item.net:>9.2f}"


def receipt(shop, day, items):
    lines = [heading(shop, day), "-" * 35]
    lines += [line(item) for item in items]
    return "\\n".join(lines)
'''
