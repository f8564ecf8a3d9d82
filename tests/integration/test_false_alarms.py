"""Work that somebody answered for stays so, however git rewrites it; one byte that slips in meanwhile does not.

A table: how the work was answered for × what others did meanwhile × how it is rewritten. `main` and `work` change the
same source; what comes out is read by `status` and `blame`. Forges are bare repositories without hooks, whose commits
are pulled. Each two of the three are tried together in every run, all three in `make soak`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.judged import Desk
from tests.kit import GitRepository

SOURCE, RENAMED = "src/app", "src/core"
LINES = [f"line {n:02} of the source as it was" for n in range(40)]
OTHERS_PLACE, WORK_PLACES, LAST = 3, (12, 18, 24), 39


class Answer(Enum):
    COVERED = "a plan in force covers it"
    FINISHED = "a plan that is done covered it"
    RECONCILED = "it was reconciled"


class Meanwhile(Enum):
    NOTHING = "nobody else did anything"
    OTHERS = "others changed the same source"
    THEY_RENAMED = "others renamed the source"
    WE_RENAMED = "the work renames the source on its way"
    CONFLICT = "others changed the same line"


@dataclass(slots=True)
class Stage:
    """`work` holds three commits, `main` what others did meanwhile."""

    repository: GitRepository
    desk: Desk
    base: str
    smuggled: str | None = None
    """A line of the source that gets one byte more while the work is rewritten."""

    def git(self, *arguments: str, **env: str) -> str:
        return self.repository.git("-c", "core.editor=true", *arguments, env=env)

    def smuggle(self, where: GitRepository | None = None) -> None:
        """Let the byte slip into what is to be committed."""
        if self.smuggled is None:
            return
        where = where or self.repository
        path = source_in(where)
        where.write(path, where.read(path).replace(self.smuggled, f"{self.smuggled}!"))
        where.git("add", "--all")

    def sequence(self, script: str) -> dict[str, str]:
        return {"GIT_SEQUENCE_EDITOR": f"sed -i -e '{script}'"}


def source_in(where: GitRepository) -> str:
    return next(path for path in (RENAMED, "src/theirs", SOURCE) if (where.path / path).exists())


def changed(text: str, place: int, new: str) -> str:
    """`text` with another line at a place of the original."""
    old = LINES[place]
    assert old in text or f"{old} by others" in text
    return "".join(f"{new}\n" if line.startswith(old) else f"{line}\n" for line in text.splitlines())


def prepared(folder: Path, answer: Answer, meanwhile: Meanwhile) -> Stage:
    repository = GitRepository.create(folder)
    repository.commit("before the record", **{SOURCE: "".join(f"{line}\n" for line in LINES), "other": "x\n"})
    desk = Desk.begin(repository)
    theirs, ours = desk.approve("theirs", "src/**"), desk.approve("ours", "src/**")
    base = repository.head
    repository.git("checkout", "-q", "-b", "work")
    claim = "" if answer is Answer.RECONCILED else ours
    path = SOURCE
    for number, place in enumerate(WORK_PLACES):
        if number == 1 and meanwhile is Meanwhile.WE_RENAMED:
            repository.git("mv", SOURCE, RENAMED)
            path = RENAMED
        text = changed(repository.read(path), place, f"{LINES[place]}, by work")
        repository.commit(f"work {number}\n\n{claim}", **{path: text})
    if answer is Answer.RECONCILED:
        desk.reconcile(path)
    elif answer is Answer.FINISHED:
        desk.finish("ours")
    repository.git("checkout", "-q", "main")
    if meanwhile is Meanwhile.CONFLICT:
        text = changed(repository.read(SOURCE), WORK_PLACES[1], f"{LINES[WORK_PLACES[1]]} by others")
        repository.commit(f"others on the same line\n\n{theirs}", **{SOURCE: text})
    elif meanwhile is Meanwhile.THEY_RENAMED:
        repository.git("mv", SOURCE, "src/theirs")
        repository.commit(f"others rename\n\n{theirs}")
    elif meanwhile is not Meanwhile.NOTHING:
        text = changed(repository.read(SOURCE), OTHERS_PLACE, f"{LINES[OTHERS_PLACE]} by others")
        repository.commit(f"others\n\n{theirs}", **{SOURCE: text})
    return Stage(repository, desk, base)


# -- how work is rewritten: each leaves the result at HEAD ------------------------------------------------------------

Way = Callable[[Stage], None]


def go_on(stage: Stage, command: str) -> None:
    """Resolve each conflict by the lines of both sides."""
    for _ in range(4):
        unmerged = stage.git("diff", "--name-only", "--diff-filter=U").splitlines()
        if not unmerged:
            return
        for path in unmerged:
            both = [
                line
                for line in stage.repository.read(path).splitlines()
                if not line.startswith(("<<<<<<< ", "=======", ">>>>>>> "))
            ]
            stage.repository.write(path, "".join(f"{line}\n" for line in both))
        stage.git("add", "--all")
        stage.repository.run("-c", "core.editor=true", command, "--continue")


def rebase(stage: Stage) -> None:
    stage.git("checkout", "-q", "work")
    moved = stage.repository.run("rebase", "-q", "--force-rebase", "main")
    go_on(stage, "rebase") if moved.returncode else None
    amend_if_smuggled(stage)


def rebase_by_patches(stage: Stage) -> None:
    stage.git("checkout", "-q", "work")
    moved = stage.repository.run("rebase", "-q", "--apply", "--force-rebase", "main")
    go_on(stage, "rebase") if moved.returncode else None
    amend_if_smuggled(stage)


def amend_if_smuggled(stage: Stage) -> None:
    if stage.smuggled:
        stage.smuggle()
        stage.git("commit", "-q", "--amend", "-m", "work 2, amended")


def stop_in_a_rebase(stage: Stage) -> None:
    stage.git("checkout", "-q", "work")
    stopped = stage.repository.run("rebase", "-q", "-i", "main", env=stage.sequence("3s/^pick/edit/"))
    if stopped.returncode:
        go_on(stage, "rebase")
    stage.smuggle()
    stage.git("commit", "-q", "--amend", "-m", "work 2 in other words")
    stage.git("rebase", "--continue")


def autosquash(stage: Stage) -> None:
    """A fixup that adds a blank change of its own is as good as covered: here it holds only the byte, if any."""
    stage.git("checkout", "-q", "work")
    stage.smuggle()
    first = stage.git("rev-parse", "HEAD~2")
    stage.git("commit", "-q", "--allow-empty", f"--fixup={first}")
    moved = stage.repository.run("rebase", "-q", "-i", "--autosquash", "main", env={"GIT_SEQUENCE_EDITOR": "true"})
    go_on(stage, "rebase") if moved.returncode else None


def squash_by_rebase(stage: Stage) -> None:
    stage.git("checkout", "-q", "work")
    editor = stage.sequence("2,3s/^pick/squash/")
    moved = stage.repository.run("-c", "core.editor=true", "rebase", "-q", "-i", "main", env=editor)
    go_on(stage, "rebase") if moved.returncode else None
    amend_if_smuggled(stage)


def reword(stage: Stage) -> None:
    stage.git("checkout", "-q", "work")
    stage.smuggle()
    stage.git("commit", "-q", "--amend", "-m", "work 2 in other words")


def cherry_pick(stage: Stage) -> None:
    picked = stage.repository.run("cherry-pick", "main..work")
    go_on(stage, "cherry-pick") if picked.returncode else None
    amend_if_smuggled(stage)


def local_squash(stage: Stage) -> None:
    squashed = stage.repository.run("merge", "-q", "--squash", "work")
    if squashed.returncode:
        go_on(stage, "commit")  # writes the files; nothing to continue
    stage.smuggle()
    stage.git("commit", "-q", "-m", "all of work")


def on_forge(stage: Stage, work: Callable[[GitRepository], None]) -> None:
    """Do it in a worktree of a bare repository that knows of no hooks, and pull."""
    folder = stage.repository.path.parent
    stage.git("clone", "-q", "--bare", str(stage.repository.path), str(folder / "forge.git"))
    forge = GitRepository(folder / "forge.git", stage.repository._clock)
    work(forge.worktree("pull-request", "--detach"))
    stage.git("pull", "-q", str(folder / "forge.git"), "merged")


def forge_squash(stage: Stage) -> None:
    def press(button: GitRepository) -> None:
        button.git("checkout", "-q", "--detach", "main")
        button.git("merge", "-q", "--squash", "work")
        stage.smuggle(button)
        button.git("commit", "-q", "-m", "work (#1)")
        button.git("branch", "merged")

    on_forge(stage, press)


def forge_squash_with_bodies(stage: Stage) -> None:
    def press(button: GitRepository) -> None:
        button.git("checkout", "-q", "--detach", "main")
        button.git("merge", "-q", "--squash", "work")
        stage.smuggle(button)
        button.git("commit", "-q", "-m", "work (#1)\n\n" + button.git("log", "--format=* %B", "main..work"))
        button.git("branch", "merged")

    on_forge(stage, press)


def forge_rebase(stage: Stage) -> None:
    def press(button: GitRepository) -> None:
        button.git("checkout", "-q", "--detach", "work")
        button.git("rebase", "-q", "--force-rebase", "main")
        if stage.smuggled:
            stage.smuggle(button)
            button.git("commit", "-q", "--amend", "--no-edit")
        button.git("branch", "merged")

    on_forge(stage, press)


LOCAL: tuple[Way, ...] = (
    rebase,
    rebase_by_patches,
    stop_in_a_rebase,
    autosquash,
    squash_by_rebase,
    reword,
    cherry_pick,
    local_squash,
)
FORGE: tuple[Way, ...] = (forge_squash, forge_squash_with_bodies, forge_rebase)


def rows(*answers: Answer) -> Iterator[Any]:
    """What goes with what: forges refuse conflicts, and `am` sees no renames. Every pair once; the rest are long."""
    every = product(enumerate((*LOCAL, *FORGE)), enumerate(Meanwhile), enumerate(answers))
    for (w, way), (m, meanwhile), (a, answer) in every:
        if way in FORGE and meanwhile is Meanwhile.CONFLICT:
            continue
        if way is rebase_by_patches and meanwhile is Meanwhile.THEY_RENAMED:
            continue
        name = f"{way.__name__}-{meanwhile.name.lower()}-{answer.name.lower()}"
        marks = () if (w + m) % len(answers) == a else pytest.mark.soak
        yield pytest.param(way, meanwhile, answer, id=name, marks=marks)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stage]:
    """Stages, each prepared once and copied for each test."""
    kept: dict[tuple[Answer, Meanwhile], Stage] = {}
    folder = tmp_path_factory.mktemp("stages")

    def stage(target: Path, answer: Answer, meanwhile: Meanwhile) -> Stage:
        key = (answer, meanwhile)
        if key not in kept:
            kept[key] = prepared(folder / f"{answer.name}-{meanwhile.name}" / "repository", answer, meanwhile)
        model = kept[key]
        desk = model.desk.copied(target)
        desk.tick()
        return Stage(desk.repository, desk, model.base)

    return stage


@pytest.mark.parametrize("way, meanwhile, answer", list(rows(*Answer)))
def test_rewriting_answered_work_raises_no_alarm(
    stages: Callable[..., Stage], tmp_path: Path, answer: Answer, way: Way, meanwhile: Meanwhile
) -> None:
    stage = stages(tmp_path / "repository", answer, meanwhile)
    way(stage)
    assert stage.desk.open_edits() == []
    path = source_in(stage.repository)
    lines = stage.desk.lines(path)
    assert sum("by work" in line["text"] for line in lines) == 3
    assert not any(line["open"] for line in lines)
    rogue = {line["text"] for line in lines if line["rogue"]}
    work = {line["text"] for line in lines if "by work" in line["text"]}
    assert rogue == (work if answer is Answer.RECONCILED else set())


@pytest.mark.parametrize("way, meanwhile, answer", list(rows(Answer.FINISHED, Answer.RECONCILED)))
def test_one_byte_that_slips_in_is_one_open_edit(
    stages: Callable[..., Stage], tmp_path: Path, answer: Answer, way: Way, meanwhile: Meanwhile
) -> None:
    stage = stages(tmp_path / "repository", answer, meanwhile)
    stage.smuggled = LINES[LAST]
    way(stage)
    path = source_in(stage.repository)
    (edit,) = stage.desk.open_edits()
    lines = stage.desk.lines(path)
    named = [(line["line"], line["text"]) for line in lines if line["open"]]
    assert named == [(len(lines), f"{LINES[LAST]}!")]
    assert edit["filePath"] in (path, SOURCE)
    assert edit["lines"] in ([], [[len(lines), len(lines)]])
