"""What a commit can do to a path, one case each: the facts and sidecars are those that the oracle derives."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.kit import GitRepository, run_sage
from tests.oracle import Event, Oracle, observable_tips, oracle_of
from tests.recorded import assert_recorded_exactly, keep_record, logged, sage, sidecars_on_disk

FOUR = "one alpha alpha\ntwo bravo bravo\nthree charlie\nfour delta delta\n"
PARTS = ("left.py", "middle.py", "right.py")
THIRDS = ["".join(f"def {p[:-3]}_{n}(argument):\n    return argument * {n}\n\n" for n in range(12)) for p in PARTS]


@pytest.fixture
def recorded(repository: GitRepository) -> GitRepository:
    """A repository with a first commit from before the record."""
    repository.commit("before the record", old="old\n", seed=FOUR)
    keep_record(repository)
    return repository


def recorded_exactly(repository: GitRepository, *others: GitRepository, tips: list[str] | None = None) -> Oracle:
    scratch = repository.path.parent / f"oracle-{os.urandom(4).hex()}"
    oracle = oracle_of(repository.path, scratch, tips)
    assert_recorded_exactly(oracle, repository.path, *(other.path for other in others))
    assert repository.git("status", "--porcelain") == ""
    return oracle


def said(events: list[Event], *fields: str) -> list[tuple[object, ...]]:
    names = ("type", *(fields or ("oldPath", "newPath", "filePath")))
    return sorted(tuple(event[name] for name in names if name in event) for event in events)


def facts_of(repository: GitRepository, commit: str) -> list[Event]:
    return [e for e in logged(repository.path) if e.get("graphCommit") == commit and e["type"].startswith("FILE_")]


# -- renames, copies, and paths that come back -----------------------------------------------------------------------


def test_a_rename_is_a_rename_and_its_edit_follows(recorded: GitRepository) -> None:
    commit = recorded.commit("move", seed=None, **{"src/seed": FOUR.replace("one", "ONE")})
    assert said(facts_of(recorded, commit)) == [("FILE_EDITED", "src/seed"), ("FILE_RENAMED", "seed", "src/seed")]
    recorded_exactly(recorded)


def test_a_copy_of_a_changed_file_says_where_it_is_from(recorded: GitRepository) -> None:
    commit = recorded.commit("copy", copy=FOUR, seed=FOUR.replace("one", "ONE"))
    (copy,) = (e for e in facts_of(recorded, commit) if e["type"] == "FILE_ADDED")
    assert copy["copiedFrom"] == "seed"
    assert "prevEventId" not in copy
    recorded_exactly(recorded)


def test_a_path_that_comes_back_continues_its_history(recorded: GitRepository) -> None:
    recorded.commit("add", back="first life\n")
    recorded.commit("remove", back=None)
    recorded.commit("between", old="OLD\n")
    recorded.commit("again", back="second life, quite another text\n")
    recorded_exactly(recorded)
    lines = sidecars_on_disk(recorded.path)[b"back.sage"]
    assert said([json.loads(line) for line in lines]) == [
        ("FILE_ADDED", "back"), ("FILE_ADDED", "back"), ("FILE_REMOVED", "back"),
    ]  # fmt: skip


def test_what_takes_a_name_that_was_renamed_away_begins_anew(recorded: GitRepository) -> None:
    recorded.commit("first", a=FOUR)
    recorded.commit("move", a=None, b=FOUR)
    recorded.commit("new a", a="nothing in common\n")
    recorded_exactly(recorded)
    assert len(sidecars_on_disk(recorded.path)[b"a.sage"]) == 1


def test_a_case_only_rename_is_a_rename(recorded: GitRepository) -> None:
    recorded.git("mv", "seed", "Seed")
    commit = recorded.commit("case")
    assert said(facts_of(recorded, commit)) == [("FILE_RENAMED", "seed", "Seed")]
    recorded_exactly(recorded)
    assert b"seed.sage" not in sidecars_on_disk(recorded.path)


def test_a_file_becomes_a_folder_and_a_file_again(recorded: GitRepository) -> None:
    recorded.commit("file", thing="thing\n")
    (recorded.path / "thing").unlink()
    recorded.commit("folder", **{"thing/inside": "something else entirely\n"})
    recorded_exactly(recorded)
    recorded.commit("no folder", **{"thing/inside": None})
    sage(recorded.path, "record")
    assert not (recorded.path / "thing").exists()
    recorded.commit("file again", thing="a third text\n")
    recorded_exactly(recorded)


def test_lines_that_move_to_new_files_are_a_split_in_every_chronicle(recorded: GitRepository) -> None:
    recorded.commit("whole", **{"whole.py": "".join(THIRDS)})
    commit = recorded.commit("split", **{"whole.py": None}, **dict(zip(PARTS, THIRDS, strict=True)))
    (split,) = (e for e in facts_of(recorded, commit) if e["type"] == "FILE_SPLIT")
    assert (split["originalPath"], split["strategy"]) == ("whole.py", "lines-1")
    assert set(split["resultingPaths"]) == set(PARTS)
    shown = sidecars_on_disk(recorded.path)
    for path in PARTS:
        assert len([line for line in shown[path.encode() + b".sage"] if b'"FILE_SPLIT"' in line]) == 1


def test_lines_gathered_from_files_are_a_merge_of_files(recorded: GitRepository) -> None:
    recorded.commit("parts", **dict(zip(PARTS, THIRDS, strict=True)))
    commit = recorded.commit("whole", **dict.fromkeys(PARTS), **{"whole.py": "".join(THIRDS)})
    (merge,) = (e for e in facts_of(recorded, commit) if e["type"] == "FILE_MERGED")
    assert (merge["resultPath"], merge["strategy"]) == ("whole.py", "lines-1")
    assert set(merge["sourcePaths"]) == set(PARTS)
    assert len([line for line in sidecars_on_disk(recorded.path)[b"whole.py.sage"] if b'"FILE_MERGED"' in line]) == 1


# -- modes, links, content -------------------------------------------------------------------------------------------


def test_a_mode_change_is_an_edit_with_both_modes(recorded: GitRepository) -> None:
    (recorded.path / "seed").chmod(0o755)
    (edit,) = facts_of(recorded, recorded.commit("mode"))
    assert (edit["lastMode"], edit["mode"], edit["lastHash"]) == ("100644", "100755", edit["hash"])
    (verdict,) = (e for e in logged(recorded.path) if e["type"] == "ROGUE_EDIT_DETECTED")
    assert verdict["reason"] == "mode"
    recorded_exactly(recorded)


def test_a_symbolic_link_is_a_source_and_is_not_followed(recorded: GitRepository) -> None:
    (recorded.path / "link").symlink_to("seed")
    (recorded.path / "dangling").symlink_to("/nowhere/at/all")
    (recorded.path / "folder").symlink_to("..")
    recorded.commit("links")
    (recorded.path / "link").unlink()
    recorded.commit("a file now", link="text\n")
    recorded_exactly(recorded)


def test_a_submodule_link_is_a_source_of_size_nought(recorded: GitRepository) -> None:
    recorded.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    recorded.git("commit", "-qm", "link")
    (added,) = facts_of(recorded, recorded.head)
    assert (added["mode"], added["hash"], added["size"]) == ("160000", "1" * 40, 0)
    recorded.git("update-index", "--cacheinfo", f"160000,{'2' * 40},module")
    recorded.git("commit", "-qm", "bump")
    assert said(facts_of(recorded, recorded.head)) == [("FILE_EDITED", "module")]
    scratch = recorded.path.parent / "oracle"
    assert_recorded_exactly(oracle_of(recorded.path, scratch), recorded.path)


def test_binaries_and_empty_files_are_known_by_their_ids(recorded: GitRepository) -> None:
    recorded.commit("first", binary=bytes(range(256)), empty="", **{"__init__.py": ""})
    recorded.commit("second", binary=bytes(range(255, -1, -1)), empty="no more\n")
    recorded.commit("third", empty=None, other="")
    recorded_exactly(recorded)


def test_an_empty_commit_has_no_facts(recorded: GitRepository) -> None:
    assert facts_of(recorded, recorded.commit("nothing")) == []
    recorded_exactly(recorded)


# -- shapes of history -----------------------------------------------------------------------------------------------


def test_every_file_of_a_root_commit_is_added(repository: GitRepository) -> None:
    keep_record(repository)
    repository.commit("second", a=FOUR)
    for root in ("one", "two"):
        repository.git("checkout", "-q", "--orphan", root)
        repository.commit(root, **{root: FOUR, "a": f"{root}\n"})
    repository.git("merge", "-q", "--allow-unrelated-histories", "-X", "ours", "-m", "together", "one")
    recorded_exactly(repository)


def test_the_first_commit_of_an_unborn_repository_can_be_the_config(repository: GitRepository) -> None:
    keep_record(repository)
    assert {path for _, path in said(facts_of(repository, repository.head))} >= {".sage/config.toml"}
    recorded_exactly(repository)


def test_an_unborn_branch_in_a_recorded_repository_is_no_error(recorded: GitRepository) -> None:
    recorded.commit("more", a=FOUR)
    recorded.git("checkout", "-q", "--orphan", "unborn")
    assert run_sage("record", cwd=recorded.path).returncode in {0, 3}
    recorded.git("checkout", "-qf", "main")
    recorded_exactly(recorded)


def test_a_detached_head_is_recorded_and_remembered(recorded: GitRepository) -> None:
    recorded.git("checkout", "-q", "--detach")
    recorded.commit("detached", a=FOUR)
    recorded.git("checkout", "-q", "main")
    oracle = recorded_exactly(recorded)
    assert len([c for c in oracle.facts if oracle.facts[c]]) == 2
    assert b"a.sage" not in sidecars_on_disk(recorded.path)


def test_a_commit_amended_before_the_recorder_ran_is_recorded_too(recorded: GitRepository) -> None:
    first = recorded.commit("first try", a="1\n")
    recorded.write("a", "2\n")
    recorded.git("commit", "-qa", "--amend", "-m", "second try")
    sage(recorded.path, "record")
    assert said(facts_of(recorded, first)) == [("FILE_ADDED", "a")]
    recorded_exactly(recorded)


def test_criss_cross_merges_have_all_newest_facts_as_parents(recorded: GitRepository) -> None:
    recorded.git("branch", "side")
    recorded.commit("main", seed=FOUR.replace("one", "ONE"))
    recorded.git("checkout", "-q", "side")
    recorded.commit("side", seed=FOUR.replace("four", "FOUR"))
    recorded.git("branch", "side-before")
    recorded.git("merge", "-q", "-m", "across", "main")
    recorded.git("checkout", "-q", "main")
    recorded.git("merge", "-q", "-m", "and back", "side-before")
    recorded.git("merge", "-q", "-m", "the same on both sides", "side")
    recorded.commit("on top", seed=FOUR.replace("two", "TWO"))
    recorded_exactly(recorded)


@pytest.mark.parametrize("dropped", ["ours", "theirs"])
def test_a_merge_that_drops_a_side_makes_no_fact(recorded: GitRepository, dropped: str) -> None:
    recorded.git("checkout", "-qb", "side")
    recorded.commit("side", seed="side\n")
    recorded.git("checkout", "-q", "main")
    recorded.commit("main", seed="main\n")
    recorded.git("merge", "-q", "--no-commit", "side", check=False)
    recorded.write("seed", "main\n" if dropped == "theirs" else "side\n")
    recorded.git("commit", "-qam", "merge")
    assert facts_of(recorded, recorded.head) == []
    recorded_exactly(recorded)


def test_renames_in_merges_are_found_against_the_first_parent(recorded: GitRepository) -> None:
    recorded.git("checkout", "-qb", "side")
    recorded.commit("side", seed=FOUR.replace("one", "ONE"))
    recorded.git("checkout", "-q", "main")
    recorded.git("mv", "seed", "moved")
    recorded.commit("main")
    recorded.git("checkout", "-q", "side")
    recorded.git("merge", "-q", "-m", "merge", "main")
    assert recorded.read("moved").startswith("ONE")
    recorded_exactly(recorded)
    recorded.git("checkout", "-q", "-b", "again", "main")
    recorded.git("merge", "-q", "-m", "the other way round", "side~1")
    recorded_exactly(recorded)


# -- what was there before, and what others do -----------------------------------------------------------------------


def test_history_before_init_is_not_recorded(repository: GitRepository) -> None:
    before = [repository.commit("c", a=text) for text in ("1\n", "2\n")]
    keep_record(repository)
    repository.commit("after", a="3\n")
    oracle = recorded_exactly(repository)
    assert not set(before) & set(oracle.facts)
    assert len(sidecars_on_disk(repository.path)[b"a.sage"]) == 2


def test_branches_from_before_init_are_recorded_and_answered_for(repository: GitRepository) -> None:
    repository.commit("base", a=FOUR)
    repository.git("checkout", "-qb", "side")
    side = repository.commit("side", a=FOUR.replace("one", "ONE"))
    repository.git("checkout", "-q", "main")
    repository.commit("main", b="b\n")
    keep_record(repository)
    oracle = oracle_of(repository.path, repository.path.parent / "backfilled")
    assert side in oracle.backfilled
    oracle.observe([side])
    sage(repository.path, "record")
    assert [v["reconciliationStrategy"] for v in oracle.verdicts[side]] == ["backfill"]
    assert_recorded_exactly(oracle, repository.path)
    repository.git("merge", "-q", "-m", "merge", "side")
    assert_recorded_exactly(oracle.observe([repository.head]), repository.path)


def test_a_colleagues_commits_from_before_init_are_recorded_when_they_come(repository: GitRepository) -> None:
    repository.commit("base", a=FOUR)
    colleague = repository.clone("colleague")
    colleague.commit("long before", a=FOUR.replace("one", "ONE"))
    keep_record(repository)
    repository.commit("ours", b="b\n")
    repository.git("pull", "-q", "--no-rebase", "--no-edit", str(colleague.path), "main")
    recorded_exactly(repository)


def test_a_clone_joins_and_derives_the_same(recorded: GitRepository) -> None:
    recorded.commit("more", seed="more\n")
    clone = recorded.clone("clone")
    keep_record(clone)
    recorded_exactly(recorded)
    recorded_exactly(clone)
    assert sidecars_on_disk(clone.path) == sidecars_on_disk(recorded.path)


# -- unusual clones --------------------------------------------------------------------------------------------------


def test_a_shallow_clone_defers_and_says_nothing_false(recorded: GitRepository) -> None:
    for number in range(5):
        recorded.commit("more", seed=f"{number}\n", **{f"file{number}": "x\n"})
    clone = GitRepository(recorded.path.parent / "shallow")
    recorded.git("clone", "-q", "--depth=2", recorded.path.as_uri(), str(clone.path))
    keep_record(clone)
    clone.commit("on top of the unknown", seed="on top\n")
    true = {event["eventId"] for event in logged(recorded.path)}
    assert [e for e in logged(clone.path) if e["eventId"] not in true and e["type"].startswith("FILE")] == []
    clone.git("fetch", "-q", "--unshallow")
    sage(clone.path, "record")
    recorded_exactly(clone)


def test_a_partial_clone_fetches_the_blobs_it_needs(recorded: GitRepository) -> None:
    for number in range(4):
        recorded.commit("more", seed=f"{number}\n", moved=FOUR if number == 2 else "other\n")
    recorded.git("config", "uploadpack.allowFilter", "true")
    recorded.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = GitRepository(recorded.path.parent / "partial")
    recorded.git("clone", "-q", "--filter=blob:none", recorded.path.as_uri(), str(clone.path))
    keep_record(clone)
    clone.commit("ours", seed="ours\n")
    oracle = oracle_of(recorded.path, recorded.path.parent / "oracle", observable_tips(recorded.path / ".git"))
    alternates = oracle.scratch / "objects/info/alternates"
    alternates.write_text(f"{alternates.read_text()}{clone.path}/.git/objects\n")
    assert_recorded_exactly(oracle.observe([clone.head]), clone.path)


def test_a_sparse_checkout_is_recorded_whole(recorded: GitRepository) -> None:
    recorded.commit("wide", **{"inside/a": "a\n", "outside/b": "b\n", "outside/deep/c": "c\n"})
    recorded.git("sparse-checkout", "set", "inside")
    recorded.commit("narrow", **{"inside/a": "A\n"})
    recorded.git("update-index", "--cacheinfo", f"100644,{recorded.git('rev-parse', 'HEAD:seed')},outside/b")
    recorded.git("update-index", "--skip-worktree", "outside/b")
    recorded.git("commit", "-qm", "outside by plumbing")
    assert said(facts_of(recorded, recorded.head)) == [("FILE_EDITED", "outside/b")]
    assert recorded.git("status", "--porcelain") == ""
    oracle = oracle_of(recorded.path, recorded.path.parent / "oracle")
    shown = {path: set(lines) for path, lines in sidecars_on_disk(recorded.path).items()}
    wanted = oracle.sidecars(recorded.head)
    assert shown.items() <= wanted.items()
    assert b"inside/a.sage" in shown


def test_a_sha256_repository_is_recorded(tmp_path: Path) -> None:
    repository = GitRepository.create(tmp_path / "long", "--object-format=sha256")
    repository.commit("first", a=FOUR)
    keep_record(repository)
    repository.commit("second", a=None, b=FOUR.replace("one", "ONE"))
    repository.git("checkout", "-qb", "side")
    repository.commit("third", b=FOUR)
    repository.git("checkout", "-q", "main")
    repository.commit("fourth", c="c\n")
    repository.git("merge", "-q", "-m", "merge", "side")
    recorded_exactly(repository)
    assert all(len(event["graphCommit"]) == 64 for event in logged(repository.path))


def test_a_linked_worktree_has_sidecars_of_its_own(recorded: GitRepository) -> None:
    linked = recorded.worktree("linked")
    linked.commit("there", there="there\n", seed="there\n")
    sage(linked.path, "record")
    recorded.commit("here", here="here\n")
    recorded_exactly(recorded, linked)
    assert b"there.sage" in sidecars_on_disk(linked.path)
    assert b"there.sage" not in sidecars_on_disk(recorded.path)
    recorded.git("merge", "-q", "-m", "merge", "linked")
    recorded_exactly(recorded, linked)


def test_hooks_that_live_elsewhere_record(repository: GitRepository) -> None:
    (repository.path.parent / "hooks").mkdir()
    repository.git("config", "core.hooksPath", "../hooks")
    repository.commit("first", a="1\n")
    sage(repository.path, "init", "--hook-manager")
    repository.commit("second", a="2\n")
    assert len(sidecars_on_disk(repository.path)[b"a.sage"]) == 2
    recorded_exactly(repository)


# -- names -----------------------------------------------------------------------------------------------------------

NAMES = (
    b" a b ",
    b"a\nb",
    b"\"a'b`$(c)",
    b"a\\b\\n",
    b"a\t\x1b[31m",
    b"caf\xe9",  # Latin-1
    "日本/カフェ".encode(),
    "a\u2028b\u0085c".encode(),
    b"100%25.txt",
    b"100%/\xff\xfe",
    b"-rf",
    b"*[a-z]?",
    b":(top)a",
    b".hidden/.b",
    b"x" * 250,
    b"plans",  # as a subject
)


def place(repository: GitRepository, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(repository.path) + b"/" + name))


def commit_raw(repository: GitRepository, files: Mapping[bytes, str | None]) -> None:
    for name, content in files.items():
        if content is None:
            place(repository, name).unlink()
        else:
            repository.write(name, content)
    repository.commit()


def test_a_name_may_be_anything_that_git_allows(recorded: GitRepository) -> None:
    """All of them at once; the oracle says whose chronicle is wrong."""
    tame = {name: recorded.path / f"tame{number}" for number, name in enumerate(NAMES)}
    texts = {name: FOUR.replace("alpha", f"alpha{number}") for number, name in enumerate(NAMES)}
    commit_raw(recorded, texts)
    commit_raw(recorded, {name: text.replace("one", "ONE") for name, text in texts.items()})
    for name, other in tame.items():
        place(recorded, name).rename(other)
    commit_raw(recorded, {b"old": "changed\n"})
    commit_raw(recorded, {os.fsencode(other.name): None for other in tame.values()})
    commit_raw(recorded, dict.fromkeys(NAMES, "back\n"))
    recorded_exactly(recorded)
    assert sidecars_on_disk(recorded.path).keys() >= {name + b".sage" for name in NAMES}


@pytest.mark.parametrize("length", [251, 255])
def test_a_name_too_long_for_a_sidecar_beside_it_is_recorded_all_the_same(recorded: GitRepository, length: int) -> None:
    name = "n" * length
    recorded.commit("long", **{name: "1\n"})
    recorded.commit("long", **{name: "2\n"})
    events = [event for event in logged(recorded.path) if event.get("filePath") == name]
    assert said(events) == [("FILE_ADDED", name), ("FILE_EDITED", name), ("ROGUE_EDIT_DETECTED", name)]
    assert recorded.git("status", "--porcelain") == ""


@pytest.mark.parametrize("author", [b"J\xf6rg <j@example.org>", "Jörg 7% <j@example.org>".encode(), b"<n@example.org>"])
def test_an_author_is_as_the_commit_has_it(recorded: GitRepository, author: bytes) -> None:
    dates = b"author %s 1700000000 +0530\ncommitter %s 300000000000 -1100\n" % (author, author)
    raw = b"tree %s\nparent %s\n%s\nmessage\n" % (recorded.git("write-tree").encode(), recorded.head.encode(), dates)
    commit = recorded.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    recorded.git("update-ref", "HEAD", commit)
    recorded.commit("after", seed="after\n")
    recorded_exactly(recorded)


@pytest.mark.parametrize(
    "line, actor",
    [
        ("Sage-Actor: claude", {"agent": "claude"}),
        ("Sage-Actor: claude/s-1", {"agent": "claude", "session": "s-1"}),
        ("Sage-Actor: claude/s-1 model=opus-4.1", {"agent": "claude", "session": "s-1", "model": "opus-4.1"}),
        ("Sage-Actor:", {"agent": "git"}),
        ("sage-actor claude", {"agent": "git"}),
    ],
)
def test_the_message_may_name_the_agent(recorded: GitRepository, line: str, actor: dict[str, str]) -> None:
    commit = recorded.commit(f"subject\n\nbody\n{line}\nSigned-off-by: Ada", seed="x\n")
    (edit,) = facts_of(recorded, commit)
    assert edit["actor"] == {"id": "Ada Lovelace <ada@example.org>", **actor}
