"""What is a replay and what is not, one case each, done by real git (SPEC 6.2)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sage_git.chronicle.ids import ObjectId
from sage_git.gitrepo.merges import conflicts_of
from sage_git.gitrepo.repository import Repository
from sage_git.gitrepo.scratch import Scratch
from sage_git.gitrepo.threeway import Threeway
from sage_git.judgement.replay import Edit, Fit, Replay, Version, chains_among, find_replays
from sage_git.judgement.resolution import Side, is_resolution
from sage_git.judgement.tracing import Origin, trace
from sage_git.judgement.undoing import undone
from sage_git.observation.commit import parse_commit
from tests.kit import GitRepository
from tests.replaying import edit_of, fact, line_of, replays, workshop

TEN = [f"line {n}" for n in range(10)]


def text(*lines: str, **changed: str) -> str:
    """Ten lines, some of them other ones (l3="…"), and more behind."""
    return "".join(f"{changed.get(f'l{n}', line)}\n" for n, line in enumerate([*TEN, *lines]))


@pytest.fixture
def shop(repository: GitRepository) -> Iterator[Threeway]:
    with workshop(repository) as opened:
        yield opened


@pytest.fixture
def branched(repository: GitRepository) -> GitRepository:
    """`work` has changed lines 2 and 4 of `f`, a commit each; `main`, where we are, line 8."""
    repository.commit("base", f=text())
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("two", f=text(l2="TWO"))
    repository.commit("four", f=text(l2="TWO", l4="FOUR"))
    repository.git("checkout", "-q", "main")
    repository.commit("eight", f=text(l8="EIGHT"))
    return repository


def edits(repository: GitRepository, revisions: str) -> list[Edit]:
    found = repository.git("rev-list", "--reverse", "--first-parent", revisions).split()
    return [edit_of(repository, commit) for commit in found]


def version(number: int) -> Version:
    return Version(b"f", "100644", ObjectId(f"{number:040x}"))


def kinds(found: tuple[Replay, ...]) -> list[tuple[int, str]]:
    return [(len(replay.chain), replay.kind.value) for replay in found]


def test_a_rebase_replays_each_commit(branched: GitRepository, shop: Threeway) -> None:
    old = edits(branched, "main..work")
    branched.git("rebase", "-q", "main", "work")
    for number, change in enumerate(edits(branched, "main..work")):
        assert replays(change, old[number:], shop) == (Replay((old[number].fact,), Fit.WHOLE),)


def test_a_squash_replays_the_chain(branched: GitRepository, shop: Threeway) -> None:
    branched.git("merge", "--squash", "work")
    squash = edit_of(branched, branched.commit("squash"))
    assert kinds(replays(squash, edits(branched, "main~..work"), shop)) == [(2, "whole")]


def test_a_byte_more_leaves_a_part_or_nothing(branched: GitRepository, shop: Threeway) -> None:
    old = edits(branched, "main..work")
    branched.git("merge", "--squash", "work")
    beside = branched.commit("squash", f=text(l2="TWO\nsmuggled", l4="FOUR", l8="EIGHT"))
    assert kinds(replays(edit_of(branched, beside), old, shop)) == [(2, "part")]
    within = branched.commit("again", f=text(l2="TWO!", l4="FOUR", l8="EIGHT"))
    change = edit_of(branched, within, f"{beside}~")
    assert kinds(replays(change, old, shop)) == [(1, "part")]


def test_a_change_that_takes_half_of_a_chain_back_is_not_the_chain(branched: GitRepository, shop: Threeway) -> None:
    old = edits(branched, "main..work")
    back = branched.commit("foul", f=text(l2="line 2\nTWO", l4="FOUR", l8="EIGHT"))
    assert kinds(replays(edit_of(branched, back), old, shop)) == [(1, "part")]


def test_edits_that_do_not_follow_each_other_are_put_together(branched: GitRepository, shop: Threeway) -> None:
    old = edits(branched, "main..work")
    branched.git("merge", "--squash", "work")
    squash = edit_of(branched, branched.commit("squash"))
    apart = [(edit,) for edit in old]
    assert sorted(kinds(find_replays(squash, apart, shop))) == [(1, "part"), (1, "whole")]


def test_a_rename_on_the_way_is_part_of_the_chain(repository: GitRepository, shop: Threeway) -> None:
    repository.commit("base", a=text())
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("edit", a=text(l2="TWO"))
    repository.git("mv", "a", "b")
    repository.commit("rename")
    repository.commit("edit", b=text(l2="TWO", l4="FOUR"))
    repository.git("checkout", "-q", "main")
    repository.commit("eight", a=text(l8="EIGHT"))
    repository.git("merge", "--squash", "work")
    squash = edit_of(repository, repository.commit("squash"))
    assert (squash.before.path, squash.after.path) == (b"a", b"b")
    assert kinds(replays(squash, edits(repository, "main~..work"), shop)) == [(3, "whole")]


def test_an_edit_is_replayed_where_its_file_has_another_name(repository: GitRepository, shop: Threeway) -> None:
    repository.commit("base", a=text())
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("edit", a=text(l2="TWO"))
    repository.git("checkout", "-q", "main")
    repository.git("mv", "a", "b")
    repository.commit("rename", b=text(l8="EIGHT"))
    repository.git("cherry-pick", "work")
    assert kinds(replays(edit_of(repository, "HEAD"), edits(repository, "main~..work"), shop)) == [(1, "whole")]


@pytest.mark.parametrize("squashed_onto", ["main~", "main"])
def test_a_squash_of_a_branch_that_merged_main(branched: GitRepository, shop: Threeway, squashed_onto: str) -> None:
    first, second = edits(branched, "main..work")
    branched.git("checkout", "-q", "work")
    branched.git("merge", "-q", "--no-edit", "main")
    merge = edit_of(branched, "work", "work^1")
    last = edit_of(branched, branched.commit("six", f=text(l2="TWO", l4="FOUR", l6="SIX", l8="EIGHT")))
    follows = {second.fact: [first.fact], merge.fact: [second.fact, fact("main")], last.fact: [merge.fact]}
    branched.git("checkout", "-q", "main")
    branched.commit("nothing to f", g="g\n")
    branched.git("checkout", "-q", squashed_onto)
    branched.git("merge", "--squash", "work")
    squash = edit_of(branched, branched.commit("squash"))
    chains = chains_among({e.fact: e for e in (first, second, merge, last)}, lambda name: follows.get(name, []))
    assert kinds(find_replays(squash, chains, shop)) == [(4, "whole")]


def test_a_chain_holds_what_a_merge_brought_in() -> None:
    one, other = (Edit(fact(name), version(0), version(n)) for n, name in ((1, "one"), (2, "other")))
    merge = Edit(fact("merge"), version(1), version(3))
    follows = {merge.fact: [one.fact, other.fact]}
    chains = chains_among({e.fact: e for e in (one, other, merge)}, lambda name: follows.get(name, []))
    assert {edit.fact for edit in chains[0]} == {one.fact, other.fact, merge.fact}
    assert chains[0][-1] is merge


def test_of_chains_with_the_same_ends_there_is_the_shortest() -> None:
    line = [Edit(fact(str(n)), version(a), version(b)) for n, (a, b) in enumerate([(0, 1), (1, 2), (2, 1), (1, 3)])]
    found = {tuple(line.index(edit) for edit in chain) for chain in line_of(line)}
    assert found == {(0, 1, 2, 3), (0,), (0, 1), (1,), (1, 2), (2,), (2, 3), (3,)} - {(0, 1, 2)}


def test_what_was_taken_back_on_the_way_is_not_replayed(branched: GitRepository, shop: Threeway) -> None:
    first, _ = edits(branched, "main..work")
    branched.git("checkout", "-q", "work")
    branched.git("revert", "--no-edit", "HEAD")
    last = edit_of(branched, branched.commit("six", f=text(l2="TWO", l6="SIX")))
    old = edits(branched, "main..work")
    branched.git("checkout", "-q", "main")
    branched.git("merge", "--squash", "work")
    squash = edit_of(branched, branched.commit("squash"))
    assert replays(squash, old, shop) == (Replay((first.fact, last.fact), Fit.WHOLE),)


def test_a_conflict_settled_with_lines_of_both_sides(repository: GitRepository, shop: Threeway) -> None:
    repository.commit("base", f=text())
    repository.git("checkout", "-q", "-b", "work")
    old = edit_of(repository, repository.commit("theirs", f=text(l2="THEIRS", l8="EIGHT")))
    repository.git("checkout", "-q", "main")
    ours = repository.commit("ours", f=text(l2="OURS"))
    settled = edit_of(repository, repository.commit("settled", f=text(l2="THEIRS\nOURS", l8="EIGHT")))
    assert replays(settled, [old], shop) == (Replay((old.fact,), Fit.RESOLVED),)
    for foul in (text(l2="THEIRS\nOURS\nforeign", l8="EIGHT"), text(l2="THEIRS\nOURS", l8="EIGHT", l9="foreign")):
        change = edit_of(repository, repository.commit("foul", f=foul), ours)
        assert replays(change, [old], shop) == (Replay((old.fact,), Fit.CONFLICTED),)


def test_a_conflict_that_was_dropped_is_no_replay(repository: GitRepository, shop: Threeway) -> None:
    repository.commit("base", f=text())
    repository.git("checkout", "-q", "-b", "work")
    old = edit_of(repository, repository.commit("theirs", f=text(l2="THEIRS")))
    repository.git("checkout", "-q", "main")
    repository.commit("ours", f=text(l2="OURS"))
    gone = edit_of(repository, repository.commit("gone", f=text().replace("line 2\n", "")))
    assert replays(gone, [old], shop) == ()


def test_added_and_removed_files_are_replayed(repository: GitRepository, shop: Threeway) -> None:
    base = repository.commit("base", f=text(), g="g\n")
    repository.git("checkout", "-q", "-b", "work")
    added = [edit_of(repository, repository.commit(m, new=c)) for m, c in (("a", "1\n"), ("b", "1\n2\n"))]
    removed = edit_of(repository, repository.commit("remove", g=None))
    repository.git("checkout", "-q", "main")
    assert kinds(replays(edit_of(repository, repository.commit("squash", new="1\n2\n")), added, shop)) == [(2, "whole")]
    longer = edit_of(repository, repository.commit("more", new="1\n2\n3\n"), base)
    assert kinds(replays(longer, added, shop)) == [(2, "part")]
    assert kinds(replays(edit_of(repository, repository.commit("remove", g=None)), [removed], shop)) == [(1, "whole")]


def test_modes_are_replayed_and_never_smuggled(repository: GitRepository, shop: Threeway) -> None:
    repository.commit("base", f=text())
    repository.git("checkout", "-q", "-b", "work")
    old = edit_of(repository, repository.commit("two", f=text(l2="TWO")))
    (repository.path / "f").chmod(0o755)
    repository.commit("mode")
    mode = edit_of(repository, "HEAD")
    repository.git("checkout", "-q", "main")
    repository.commit("eight", f=text(l8="EIGHT"))
    repository.git("cherry-pick", "work~")
    (repository.path / "f").chmod(0o755)
    repository.git("commit", "-q", "--all", "--amend", "--no-edit")
    change = edit_of(repository, "HEAD")
    assert replays(change, [old], shop) == (Replay((old.fact,), Fit.PART),)
    assert kinds(replays(change, [old, mode], shop)) == [(2, "whole")]


def test_binary_files_are_replayed_by_identity_alone(repository: GitRepository, shop: Threeway) -> None:
    repository.commit("base", f=b"\0one")
    repository.git("checkout", "-q", "-b", "work")
    old = [edit_of(repository, repository.commit("b", f=content)) for content in (b"\0two", b"\0three")]
    repository.git("checkout", "-q", "main")
    assert kinds(replays(edit_of(repository, repository.commit("s", f=b"\0three")), old, shop)) == [(2, "whole")]
    assert replays(edit_of(repository, repository.commit("s", f=b"\0four")), old, shop) == ()


def test_a_revert_undone_and_a_byte_more_does_not(branched: GitRepository, shop: Threeway) -> None:
    branched.git("merge", "-q", "--no-edit", "work")
    two, four = edits(branched, "main~..work")
    branched.git("revert", "--no-edit", "work~")
    revert = edit_of(branched, "HEAD")
    assert undone(revert, [two], shop) == two
    assert undone(revert, [four], shop) is None
    more = edit_of(branched, branched.commit("more", f=text(l4="FOUR", l8="EIGHT!")), "HEAD~")
    assert undone(more, [two], shop) is None


def test_sha256_repositories_are_merged_too(tmp_path: Path) -> None:
    repository = GitRepository.create(tmp_path / "sha256", "--object-format=sha256")
    repository.commit("base", f=text())
    repository.git("checkout", "-q", "-b", "work")
    old = edit_of(repository, repository.commit("two", f=text(l2="TWO")))
    repository.git("checkout", "-q", "main")
    repository.commit("eight", f=text(l8="EIGHT"))
    repository.git("cherry-pick", "work")
    with workshop(repository) as shop:
        assert replays(edit_of(repository, "HEAD"), [old], shop) == (Replay((old.fact,), Fit.WHOLE),)


def test_a_workshop_leaves_nothing_behind(branched: GitRepository, tmp_path: Path, monkeypatch) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    before = branched.git("count-objects")
    with workshop(branched) as shop:
        old = edits(branched, "main..work")
        branched.git("cherry-pick", "work~")
        assert kinds(replays(edit_of(branched, "HEAD"), old, shop)) == [(1, "whole")]
        assert list(place.iterdir())
    assert not list(place.iterdir())
    assert branched.git("count-objects") != before
    assert not [each for each in (branched.path / ".git/scratch/objects").rglob("*") if each.is_file()]


# -- conflicts of merges ---------------------------------------------------------------------------------------------


def conflicts(repository: GitRepository, merge: str = "HEAD"):
    raw = repository.run("cat-file", "commit", merge).stdout
    scratch = Scratch.open(repository.path / ".git" / "scratch", Repository.discover(repository.path, os.environ))
    return conflicts_of(scratch, parse_commit(ObjectId(repository.git("rev-parse", merge)), raw))


def merged(repository: GitRepository, ours: str, base: str, theirs: str, result: str) -> None:
    """Merge two branches of `f` and commit `result`, whatever git makes of them."""
    repository.commit("base", f=base)
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("theirs", f=theirs)
    repository.git("checkout", "-q", "main")
    repository.commit("ours", f=ours)
    repository.git("merge", "-q", "--no-commit", "work", check=False)
    repository.commit("merge", f=result)


def test_the_conflicts_of_a_merge_and_their_resolution(repository: GitRepository) -> None:
    merged(repository, text(l2="OURS"), text(), text(l2="THEIRS", l8="EIGHT"), text(l2="OURS\nTHEIRS", l8="EIGHT"))
    template = conflicts(repository)[b"f"]
    (region,) = template.regions
    assert (region.ours, region.base, region.theirs) == ((b"OURS",), (b"line 2",), (b"THEIRS",))
    result = tuple(text(l2="OURS\nTHEIRS", l8="EIGHT").encode().split(b"\n"))
    assert is_resolution(template, result)
    assert not is_resolution(template, result, frozenset({Side.OURS}))
    assert not is_resolution(template, text(l2="OURS", l8="smuggled").encode().split(b"\n"))
    assert not is_resolution(template, text(l2="OURS\nsmuggled", l8="EIGHT").encode().split(b"\n"))


def test_a_conflict_at_an_end_without_newline(repository: GitRepository) -> None:
    merged(repository, "a\nours", "a\nb", "a\ntheirs", "a\nours")
    template = conflicts(repository)[b"f"]
    assert is_resolution(template, (b"a", b"ours"))
    assert is_resolution(template, (b"a", b"ours", b"theirs", b""))
    assert not is_resolution(template, (b"a", b"ours", b"", b""))


def test_a_conflict_with_a_mode_or_without_text_has_no_resolution(repository: GitRepository) -> None:
    merged(repository, "ours\n", "base\n", "theirs\n", "ours\n")
    assert b"f" in conflicts(repository)
    repository.git("update-index", "--chmod=+x", "f")
    repository.git("commit", "-q", "--amend", "--no-edit")
    assert conflicts(repository) == {}


def test_a_text_full_of_markers_fakes_no_conflict(repository: GitRepository) -> None:
    fake = "<<<<<<< HEAD\nx\n||||||| base\ny\n=======\nz\n>>>>>>> work\n"
    merged(repository, fake + text(l2="OURS"), fake + text(), fake + text(l2="=======\n<<<<<<< a"), fake + text())
    (region,) = conflicts(repository)[b"f"].regions
    assert region.theirs == (b"=======", b"<<<<<<< a")


# -- tracing ---------------------------------------------------------------------------------------------------------


def test_each_line_of_a_squash_is_traced_to_its_edit(branched: GitRepository, shop: Threeway) -> None:
    old = edits(branched, "main..work")
    branched.git("merge", "--squash", "work")
    squash = edit_of(branched, branched.commit("squash", f=text(l2="TWO\nsmuggled", l4="FOUR", l8="EIGHT")))
    assert squash.after.blob
    found = trace(squash.after.blob, range(11), old, shop)
    assert found == (None, None, Origin(0, 2), None, None, Origin(1, 4), None, None, None, None, None)


def test_a_line_is_traced_through_a_merge_that_is_no_edit_of_the_chain(branched: GitRepository, shop: Threeway) -> None:
    """As where git merged by itself: the edit after the merge goes on from what no edit of the chain left."""
    two, four = edits(branched, "main~..work")
    branched.git("merge", "-q", "--no-edit", "work")
    last = edit_of(branched, branched.commit("last", f=text(l0="ZERO", l2="TWO", l4="FOUR", l8="EIGHT")))
    assert last.after.blob
    found = trace(last.after.blob, range(11), [two, four, last], shop)
    assert [each for each in found if each] == [Origin(2, 0), Origin(0, 2), Origin(1, 4)]
