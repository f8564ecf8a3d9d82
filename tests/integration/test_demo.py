"""`sage-git demo` plays to its end with real git, on any machine, and touches nothing but its folder."""

from __future__ import annotations

from pathlib import Path

from tests.kit import GitRepository, run_sage
from tests.recorded import facts_and_verdicts, logged


def test_the_demo_shows_all_of_it_by_the_commands_that_it_tells_and_leaves_a_clean_repository(tmp_path: Path):
    finished = run_sage("demo", "shown", cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    shown = GitRepository(tmp_path / "shown")
    assert shown.git("status", "--short") == ""
    assert (shown.path / "shop" / "billing.py.sage").is_file()
    for words in (
        "sage-git init", "refactor-bot", "commit refused: no approved plan covers 1 staged change\n  README.md",
        "planned", "renamed", "split    shop/prices.py → shop/receipts.py",
        "unplanned: 1 edit in 1 file\n  README.md", "answered for 1 edit of README.md",
        "unplanned  7      return net * (1 + TAX / 2)", "shop/billing.py:7  commit",
        "unplanned and open: 1 change in 1 of 5 files",
        "sage-git -C ../shown-bob sync\norigin  current  22 entries came", '"eventId": "',
    ):  # fmt: skip
        assert words in finished.stdout
    assert sorted(tmp_path.iterdir()) == [shown.path, tmp_path / "shown-bob"]
    assert facts_and_verdicts(logged(tmp_path / "shown-bob")) == facts_and_verdicts(logged(shown.path))
    subjects = shown.git("log", "--no-merges", "--format=%s").splitlines()
    by_hand = [subject for subject in subjects if not subject.endswith("with sage-git")]
    assert len(by_hand) == 6
    for subject in by_hand:
        assert f"-am '{subject}'" in finished.stdout


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    finished = run_sage("demo", "full", cwd=tmp_path)
    assert finished.returncode == 2
    assert "is there already, and not empty" in finished.stderr


def test_the_users_git_configuration_does_not_matter(tmp_path: Path, sealed: Path):
    (sealed / ".gitconfig").write_text(
        "[commit]\ngpgSign = true\n[merge]\nff = only\n[init]\ntemplateDir = /nonexistent\n"
    )
    assert run_sage("demo", "shown", cwd=tmp_path).returncode == 0
