"""What a scope takes out, and what it only seems to: as git reads a .gitignore."""

from __future__ import annotations

import pytest

from sage_git.operations.planning.drafting import futile_exceptions


@pytest.mark.parametrize(
    "scope, futile",
    [
        (["**", "!src/**"], ["!src/**"]),
        (["**", "!src/"], ["!src/"]),
        (["**", "!src/", "!src/**"], []),
        (["src/**", "!src/vendor/", "!src/vendor/**"], []),
        (["**", "!/src/*.py"], ["!/src/*.py"]),
        (["src/", "!src/a?.py"], ["!src/a?.py"]),
        (["src/*", "!src/a.py"], []),
        (["*.py", "!test_*.py"], []),
        (["src/**", "!docs/**"], []),
        (["!src/**", "src/**"], ["!src/**"]),
        (["src/*.py", "!src/[ab].py"], []),
    ],
)
def test_an_exception_below_a_covered_folder_is_futile(scope, futile):
    assert futile_exceptions(scope) == futile
