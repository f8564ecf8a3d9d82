"""What patterns mean, by example; that git agrees is a law in tests/properties/test_patterns.py."""

from __future__ import annotations

import pytest

from sage_git.judgement.patterns import Patterns


@pytest.mark.parametrize(
    "pattern, path, matched",
    [
        ("vendor/**", "vendor/a/b.py", True),
        ("vendor/**", "src/vendor/a.py", False),
        ("vendor/", "src/vendor/a.py", True),
        ("vendor/", "vendor", False),
        ("/vendor", "src/vendor", False),
        ("*.py", "src/a.py", True),
        ("src/*.py", "src/deep/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("docs/?.md", "docs/é.md", False),
        ("docs/*.md", "docs/é.md", True),
        ("# comment", "# comment", False),
        ("\\#name", "#name", True),
        ("[!a].c", "b.c", True),
        ("[a", "[a", False),
        ("", "a", False),
    ],
)
def test_a_pattern_matches_as_in_a_gitignore(pattern: str, path: str, matched: bool) -> None:
    assert Patterns([pattern]).matches(path) is matched


def test_the_last_pattern_that_matches_decides() -> None:
    assert not Patterns(["*.py", "!keep.py"]).matches("keep.py")
    assert Patterns(["!keep.py", "*.py"]).matches("keep.py")


def test_nothing_in_a_matched_folder_can_be_taken_out_again() -> None:
    assert Patterns(["out/", "!out/keep.py"]).matches("out/keep.py")
    assert not Patterns(["out/*", "!out/keep.py"]).matches("out/keep.py")


def test_no_patterns_match_nothing_and_equal_lists_are_equal() -> None:
    assert not Patterns().matches("a")
    assert Patterns(["a"]) == Patterns(["a"]) != Patterns(["b"])
    assert len({Patterns(["a"]), Patterns(["a"])}) == 1
