"""Laws of replays, over histories that Hypothesis draws and real git rebases, squashes, picks and reverts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sage_git.gitrepo.threeway import Threeway
from sage_git.judgement.replay import Edit, Fit
from sage_git.judgement.tracing import Origin, trace
from sage_git.judgement.undoing import undone
from tests.kit import GitRepository
from tests.replaying import edit_of, grown, line_of, replays, workshop

# Each example is some twenty processes.
SMALL = settings(
    max_examples=500 if "SAGE_SOAK" in os.environ else 8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COMMON = [b"", b"}", b"x = 1", b"x = 1", b"end"]
History = tuple[bytes, list[bytes], list[bytes]]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A base, what `main` and what a branch make of it, one content a commit; every commit changes something."""
    base = [draw(st.sampled_from([b"base %d" % n, *COMMON])) for n in range(draw(st.integers(0, 14)))]
    ours = draw(lines_after(base, b"main", st.integers(0, 2)))
    theirs = draw(lines_after(base, b"work", st.integers(1, 4)))
    return text(base), [text(each) for each in ours], [text(each) for each in theirs]


@st.composite
def lines_after(
    draw: st.DrawFn, base: Sequence[bytes], who: bytes, lengths: st.SearchStrategy[int]
) -> list[list[bytes]]:
    contents: list[list[bytes]] = []
    lines = base
    for _ in range(draw(lengths)):
        start = draw(st.integers(0, len(lines)))
        end = min(len(lines), start + draw(st.integers(0, 2)))
        own = [b"%s %d %d" % (who, len(contents), n) for n in range(draw(st.integers(0, 3)))]
        new = [draw(st.sampled_from([line, *COMMON])) for line in own]
        lines = [*lines[:start], *new, *lines[end:]]
        if lines != (contents[-1] if contents else base):
            contents.append(lines)
    return contents


def text(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


@pytest.fixture
def shop(repository: GitRepository) -> Iterator[Threeway]:
    with workshop(repository) as opened:
        yield opened


def branched(repository: GitRepository, history: History) -> list[Edit]:
    """The edits of `work`; `main` is checked out. Without any there is no example."""
    base, ours, theirs = history
    assume(theirs)
    (root,) = grown(repository, "main", None, [base])
    grown(repository, "main", root, ours)
    commits = grown(repository, "work", root, theirs)
    repository.git("checkout", "-q", "-f", "main")
    return [edit_of(repository, commit) for commit in commits]


@SMALL
@given(history=histories())
def test_every_commit_of_a_rebase_is_a_whole_replay(
    repository: GitRepository, shop: Threeway, history: History
) -> None:
    old = branched(repository, history)
    repository.git("rebase", "-q", "main", "work", check=False)
    if repository.status:
        repository.git("rebase", "--abort")
        return
    rebased = repository.git("rev-list", "--reverse", "main..work").split()
    left = old
    for commit in rebased:  # what git dropped had come to nothing
        found = replays(edit_of(repository, commit), left, shop)
        assert found
        assert found[-1].kind is Fit.WHOLE
        left = [edit for edit in left if edit.fact not in {fact for replay in found for fact in replay.chain}]


@SMALL
@given(history=histories(), byte=st.sampled_from([b"!", b"\n", b"#"]), where=st.integers(0, 200))
def test_a_squash_is_whole_and_with_a_byte_more_it_is_not(
    repository: GitRepository, shop: Threeway, history: History, byte: bytes, where: int
) -> None:
    old = branched(repository, history)
    repository.git("merge", "-q", "--squash", "work", check=False)
    if repository.status:
        repository.git("reset", "-q", "--hard")
        return
    clean = (repository.path / "f").read_bytes()
    assume(repository.git("status", "--porcelain", "-uno"))
    squash = edit_of(repository, repository.commit("squash"))
    assert replays(squash, old, shop)[-1].kind is Fit.WHOLE
    foul = clean[:where] + byte + clean[where:]
    assume(foul != (history[1][-1] if history[1] else history[0]))
    made = {each for chain in line_of(old) for each in _made(chain, squash, shop)}
    change = edit_of(repository, repository.commit("foul", f=foul), "main~2")
    found = replays(change, old, shop)
    if change.after.blob not in made:  # a byte more may be what a shorter chain makes
        assert not found or found[-1].kind in (Fit.PART, Fit.CONFLICTED)


def _made(chain: Sequence[Edit], squash: Edit, shop: Threeway) -> set[object]:
    merge = shop.merge(chain[0].before.blob, squash.before.blob, chain[-1].after.blob)
    return {merge.blob} if merge.is_clean else set()


@SMALL
@given(history=histories(), which=st.integers(0, 3))
def test_undone_agrees_with_git_revert(repository: GitRepository, shop: Threeway, history: History, which: int) -> None:
    old = branched(repository, history)
    repository.git("checkout", "-q", "work")
    edit = old[which % len(old)]
    commit = repository.git("rev-list", "--reverse", "main..work").split()[which % len(old)]
    repository.git("revert", "--no-edit", commit, check=False)
    if repository.status:
        repository.git("revert", "--abort", check=False)
        repository.git("reset", "-q", "--hard")
        return
    revert = edit_of(repository, "HEAD")
    assert undone(revert, [edit], shop) == edit
    foul = edit_of(repository, repository.commit("foul", f=(repository.path / "f").read_bytes() + b"!"), "HEAD~")
    assert undone(foul, [edit], shop) is None


@SMALL
@given(history=histories())
def test_each_line_of_a_squash_is_traced_to_the_edit_that_added_it(
    repository: GitRepository, shop: Threeway, history: History
) -> None:
    old = branched(repository, history)
    repository.git("merge", "-q", "--squash", "work", check=False)
    if repository.status:
        repository.git("reset", "-q", "--hard")
        return
    assume(repository.git("status", "--porcelain", "-uno"))
    result = edit_of(repository, repository.commit("squash")).after.blob
    assert result is not None
    lines = shop.lines(result) or ()
    for line, origin in zip(lines, trace(result, range(len(lines)), old, shop), strict=True):
        if line.startswith(b"work "):
            number = int(line.split()[1])
            written = old[number].after.blob
            assert written is not None
            assert origin == Origin(number, (shop.lines(written) or ()).index(line))
        elif line.startswith((b"base ", b"main ")):
            assert origin is None
