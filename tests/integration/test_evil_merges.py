"""What a merge commit does beyond merging is a rogue edit; git's own merge, or a resolution by the sides, is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.judged import Desk
from tests.kit import GitRepository

SOURCE, OTHER = "src/app", "src/other"
LINES = [f"line {n:02} of the source as it was" for n in range(30)]
OURS, THEIRS, CONTESTED = 3, 26, 14


@dataclass(slots=True)
class Stage:
    """`main` and `side` each changed a line of their own, and both the same one if they conflict; all covered."""

    repository: GitRepository
    desk: Desk
    claim: str

    def git(self, *arguments: str) -> str:
        return self.repository.git(*arguments)

    def change(self, place: int, by: str) -> None:
        path = SOURCE
        text = self.repository.read(path).replace(f"{LINES[place]}\n", f"{LINES[place]}, by {by}\n")
        self.repository.write(path, text)

    def commit(self, *, claim: bool) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", f"change\n\n{self.claim if claim else ''}")

    def begin_merge(self, *arguments: str) -> None:
        self.repository.run("merge", "-q", "--no-ff", "--no-commit", *arguments)

    def resolve(self, *texts: str) -> None:
        """Put `texts` in the place of each conflict."""
        kept: list[str] = []
        within = False
        for line in self.repository.read(SOURCE).splitlines():
            if line.startswith("<<<<<<< "):
                within = True
                kept += texts
            elif line.startswith(">>>>>>> "):
                within = False
            elif not within:
                kept.append(line)
        self.repository.write(SOURCE, "".join(f"{line}\n" for line in kept))

    def append(self, path: str, text: str) -> None:
        self.repository.write(path, self.repository.read(path) + f"{text}\n")

    def finish(self, message: str = "merge") -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)

    def open_files(self) -> list[tuple[str, str]]:
        return sorted((edit["filePath"], edit["commit"]) for edit in self.desk.open_edits())

    def named(self, path: str = SOURCE, word: str = "open") -> list[str]:
        """The texts of the lines that are open, or rogue."""
        return [line["text"] for line in self.desk.lines(path) if line[word]]


@pytest.fixture
def diverge(tmp_path: Path) -> Callable[..., Stage]:
    def build(*, conflict: bool = False, side_is_covered: bool = True) -> Stage:
        repository = GitRepository.create(tmp_path / "repository")
        text = "".join(f"{line}\n" for line in LINES)
        repository.commit("before the record", **{SOURCE: text, OTHER: text})
        desk = Desk.begin(repository)
        stage = Stage(repository, desk, desk.approve("all", "src/**"))
        stage.git("checkout", "-q", "-b", "side")
        stage.change(THEIRS, "side")
        stage.change(CONTESTED, "side") if conflict else None
        stage.commit(claim=side_is_covered)
        stage.git("checkout", "-q", "main")
        stage.change(OURS, "main")
        stage.change(CONTESTED, "main") if conflict else None
        stage.commit(claim=True)
        return stage

    return build


def contested(by: str) -> str:
    return f"{LINES[CONTESTED]}, by {by}"


def test_a_clean_merge_is_not_rogue(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    stage.git("merge", "-q", "--no-edit", "side")
    assert stage.open_files() == []
    assert stage.named() == []


@pytest.mark.parametrize("path", [SOURCE, OTHER])
def test_a_line_added_to_a_clean_merge_is_found(diverge: Callable[..., Stage], path: str) -> None:
    stage = diverge()
    stage.begin_merge("side")
    stage.append(path, "evil")
    stage.finish()
    assert stage.open_files() == [(path, stage.repository.head)]
    assert stage.named(path) == stage.named(path, "rogue") == ["evil"]


def test_a_source_added_by_a_merge_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    stage.begin_merge("side")
    stage.repository.write("src/new", "evil\n")
    stage.finish()
    assert stage.open_files() == [("src/new", stage.repository.head)]
    assert stage.named("src/new") == ["evil"]


def test_a_source_removed_by_a_merge_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    stage.begin_merge("side")
    (stage.repository.path / OTHER).unlink()
    stage.finish()
    assert stage.open_files() == [(OTHER, stage.repository.head)]


def test_a_mode_changed_by_a_merge_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    stage.begin_merge("side")
    (stage.repository.path / OTHER).chmod(0o755)
    stage.finish()
    assert stage.open_files() == [(OTHER, stage.repository.head)]


RESOLUTIONS = {
    "ours": (contested("main"),),
    "theirs": (contested("side"),),
    "both": (contested("main"), contested("side")),
    "both, theirs first": (contested("side"), contested("main")),
    "as it was": (LINES[CONTESTED],),
    "none": (),
}


@pytest.mark.parametrize("lines", RESOLUTIONS.values(), ids=RESOLUTIONS)
def test_a_resolution_by_lines_of_the_sides_is_not_rogue(diverge: Callable[..., Stage], lines: tuple[str, ...]) -> None:
    stage = diverge(conflict=True)
    stage.begin_merge("side")
    stage.resolve(*lines)
    stage.finish()
    assert stage.open_files() == []
    assert stage.named() == stage.named(word="rogue") == []


def test_a_resolution_with_a_line_of_its_own_is_rogue(diverge: Callable[..., Stage]) -> None:
    stage = diverge(conflict=True)
    stage.begin_merge("side")
    stage.resolve(contested("main"), "evil", contested("side"))
    stage.finish()
    assert stage.open_files() == [(SOURCE, stage.repository.head)]
    assert stage.named() == ["evil"]


def test_a_change_outside_the_conflict_is_found_beside_a_fair_resolution(diverge: Callable[..., Stage]) -> None:
    stage = diverge(conflict=True)
    stage.begin_merge("side")
    stage.resolve(contested("side"))
    stage.append(SOURCE, "evil")
    stage.finish()
    assert stage.open_files() == [(SOURCE, stage.repository.head)]
    assert stage.named() == ["evil"]


def test_a_line_of_a_side_does_not_count_outside_the_conflict(diverge: Callable[..., Stage]) -> None:
    stage = diverge(conflict=True)
    stage.begin_merge("side")
    stage.resolve(contested("side"))
    stage.append(SOURCE, contested("main"))
    stage.finish()
    assert stage.open_files() == [(SOURCE, stage.repository.head)]


def test_a_resolution_by_a_side_that_is_rogue_is_rogue_until_the_side_is_answered_for(
    diverge: Callable[..., Stage],
) -> None:
    stage = diverge(conflict=True, side_is_covered=False)
    side = stage.git("rev-parse", "side")
    stage.begin_merge("side")
    stage.resolve(contested("side"))
    stage.finish()
    assert (SOURCE, side) in stage.open_files()
    assert contested("side") in stage.named()
    stage.desk.reconcile(SOURCE)
    assert stage.open_files() == []
    assert stage.named() == []


def test_an_evil_merge_is_answered_for_like_any_edit(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    stage.begin_merge("side")
    stage.append(SOURCE, "evil")
    stage.finish()
    assert stage.open_files() == [(SOURCE, stage.repository.head)]
    stage.desk.reconcile(SOURCE)
    assert stage.open_files() == []
    assert stage.named(word="rogue") == ["evil"]
    assert stage.named() == []


def test_a_merge_that_names_a_plan_may_change_what_the_plan_has(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    stage.begin_merge("side")
    stage.append(SOURCE, "needed to fit both")
    stage.finish(f"merge\n\n{stage.claim}")
    assert stage.open_files() == []
    assert stage.named(word="rogue") == []


def test_a_merge_with_strategy_ours_changes_nothing_here(diverge: Callable[..., Stage]) -> None:
    """Every source equals the first parent's, and by SPEC 5 that makes no fact which could be rogue."""
    stage = diverge(conflict=True)
    stage.git("merge", "-q", "--no-edit", "-s", "ours", "side")
    assert stage.open_files() == []
    assert stage.named() == stage.named(word="rogue") == []


def test_what_is_added_to_a_merge_with_strategy_ours_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge(conflict=True)
    stage.begin_merge("-s", "ours", "side")
    stage.append(SOURCE, "evil")
    stage.finish()
    assert stage.open_files() == [(SOURCE, stage.repository.head)]
    assert stage.named() == ["evil"]


def test_a_merge_that_drops_part_of_a_side_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge(conflict=True)
    stage.begin_merge("side")
    stage.resolve(contested("side"))
    text = stage.repository.read(SOURCE).replace(f"{LINES[THEIRS]}, by side", LINES[THEIRS])
    stage.repository.write(SOURCE, text)
    stage.finish()
    assert stage.open_files() == [(SOURCE, stage.repository.head)]


@pytest.mark.parametrize("option", ["ours", "theirs"])
def test_conflicts_resolved_by_a_strategy_option_are_resolved_by_a_side(
    diverge: Callable[..., Stage], option: str
) -> None:
    stage = diverge(conflict=True)
    stage.git("merge", "-q", "--no-edit", "-X", option, "side")
    assert contested("main" if option == "ours" else "side") in stage.repository.read(SOURCE)
    assert stage.open_files() == []
    assert stage.named() == []


def octopus(stage: Stage) -> None:
    stage.git("checkout", "-q", "-b", "third", "main~1")
    stage.append(SOURCE.replace("app", "other"), "by third")
    stage.commit(claim=True)
    stage.git("checkout", "-q", "main")


def test_an_octopus_is_not_rogue(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    octopus(stage)
    stage.git("merge", "-q", "--no-edit", "side", "third")
    assert len(stage.git("rev-parse", "HEAD^@").split()) == 3
    assert stage.open_files() == []
    assert stage.named() == stage.named(OTHER) == []


def test_what_an_octopus_adds_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    octopus(stage)
    stage.begin_merge("side", "third")
    stage.append(OTHER, "evil")
    stage.finish()
    assert len(stage.git("rev-parse", "HEAD^@").split()) == 3
    assert stage.open_files() == [(OTHER, stage.repository.head)]
    assert stage.named(OTHER) == ["evil"]


def forge_merge(stage: Stage, *, evil: bool) -> None:
    """A merge made by plumbing in a bare repository, and pulled."""
    bare = stage.repository.path.parent / "forge.git"
    stage.git("clone", "-q", "--bare", str(stage.repository.path), str(bare))
    forge = GitRepository(bare, stage.repository._clock)
    tree = forge.git("merge-tree", "--write-tree", "main", "side")
    if evil:
        text = forge.git("cat-file", "blob", f"{tree}:{SOURCE}") + "\nevil\n"
        blob = forge.git("hash-object", "-w", "--stdin", stdin=text)
        listed = forge.git("ls-tree", "-r", tree).splitlines()
        entries = [f"100644 blob {blob}\t{SOURCE}" if line.endswith(f"\t{SOURCE}") else line for line in listed]
        index = {"GIT_INDEX_FILE": str(bare / "evil.index")}
        forge.git("update-index", "--add", "--index-info", stdin="".join(f"{e}\n" for e in entries), env=index)
        tree = forge.git("write-tree", env=index)
    merge = forge.git("commit-tree", "-p", "main", "-p", "side", "-m", "Merge pull request #1", tree)
    forge.git("update-ref", "refs/heads/main", merge)
    stage.git("pull", "-q", "--ff-only", str(bare), "main")


def test_a_merge_made_by_a_forge_is_not_rogue(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    forge_merge(stage, evil=False)
    assert stage.open_files() == []
    assert stage.named() == []


def test_what_a_forge_adds_to_a_merge_is_found(diverge: Callable[..., Stage]) -> None:
    stage = diverge()
    forge_merge(stage, evil=True)
    assert stage.open_files() == [(SOURCE, stage.repository.head)]
    assert stage.named() == ["evil"]
