"""Patterns mean what they mean in a .gitignore: git is the oracle."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sage_git.judgement.patterns import Patterns
from tests.kit import GitRepository

NAMES = ["a", "b", "ab", "abc", ".a", "a.b", "é", "a b", "-", "]", "A", "[", "\\", "*", "a1", "!a", "#a"]
PIECES = [
    "a", "b", "ab", "é", ".", "*", "**", "?", "/", "/", "**/", "/**", "/**/", "\\a", "\\*", "\\", "\\/", " ", "\\ ",
    "[ab]", "[!a]", "[^a-b]", "[]a]", "[a-", "[[:alpha:]]", "[[:digit:].]", "[[:nope:]]", "[[:a]", "[:]", "[a\\]]",
    "[a\\-c]", "[+-a]", "[--a]", "[]-b]", "!", "#", "-", "]", "A", "1",
]  # fmt: skip

patterns = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
negatable = st.builds(str.__add__, st.sampled_from(["", "", "", "!", "/"]), patterns)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
numbers = count()


def ignored_by_git(repository: GitRepository, texts: list[str], names: list[str]) -> set[str]:
    """Those of `names` that git ignores with a .gitignore of `texts`, in a folder of their own."""
    folder = f"case{next(numbers)}"
    repository.write(f"{folder}/.gitignore", "".join(f"{text}\n" for text in texts))
    asked = "".join(f"{folder}/{name}\0" for name in names)
    answer = repository.git("check-ignore", "--no-index", "--stdin", "-z", stdin=asked.encode(), check=False)
    return {name.removeprefix(f"{folder}/") for name in answer.split("\0") if name}


def check_against_git(repository: GitRepository, texts: list[str], names: list[str]) -> None:
    ours = Patterns(texts)
    assert {name for name in names if ours.matches(name)} == ignored_by_git(repository, texts, names)


WITH_ONE_REPOSITORY = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
lists_of_patterns = st.lists(negatable, min_size=1, max_size=3)
lists_of_paths = st.lists(paths, min_size=1, max_size=25, unique=True)


@settings(max_examples=150, suppress_health_check=WITH_ONE_REPOSITORY)
@given(texts=lists_of_patterns, names=lists_of_paths)
@example(texts=["ab**/b"], names=["ab", "ab/b", "aba/b", "abb", "ab/a/b"])
@example(texts=["a/", "!a/b"], names=["a", "a/b", "b/a/b"])
@example(texts=["**/a*b/**/c"], names=["ab/c", "a/ab/c", "b/aab/a/b/c"])
@example(texts=["a\\ ", "b  "], names=["a ", "a", "b"])
def test_a_pattern_matches_what_git_ignores(repository: GitRepository, texts: list[str], names: list[str]) -> None:
    check_against_git(repository, texts, names)


@pytest.mark.soak
@settings(max_examples=20_000, suppress_health_check=WITH_ONE_REPOSITORY)
@given(texts=lists_of_patterns, names=lists_of_paths)
def test_many_more_patterns_match_what_git_ignores(
    repository: GitRepository, texts: list[str], names: list[str]
) -> None:
    check_against_git(repository, texts, names)


@pytest.mark.timeout(30)  # more than enough
@pytest.mark.parametrize(
    "text", ["*a" * 60 + "b", "**/a" * 60 + "/b", "**/*a*/" * 20 + "b", "?*" * 60 + "b", "**/" * 60 + "b"]
)
def test_no_pattern_takes_exponential_time(text: str) -> None:
    assert not Patterns([text]).matches("a" * 2_000 + "/a" * 40)
