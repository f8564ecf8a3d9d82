"""An import that is large enough for a commit-graph in the scratch repository says what any other says."""

from __future__ import annotations

import pytest

from sage_git.gitrepo import merges
from sage_git.gitrepo.scratch import Scratch
from tests.kit import GitRepository
from tests.recorded import keep_record, logged, sage


@pytest.fixture
def merged(repository: GitRepository) -> GitRepository:
    """Commits and merges after `init`, none of them recorded yet."""
    repository.commit("first", **{"one.py": "1\n", "two.py": "2\n"})
    keep_record(repository)
    repository.git("config", "core.hooksPath", "/dev/null")
    for number in range(3):
        repository.git("checkout", "-q", "-b", f"side{number}")
        repository.commit("side", **{"one.py": f"side {number}\n"})
        repository.git("checkout", "-q", "main")
        repository.commit("main", **{"two.py": f"main {number}\n"})
        repository.git("merge", "-q", "--no-commit", f"side{number}")
        repository.commit("merge", **{"one.py": f"evil {number}\n"})
    return repository


def test_a_commit_graph_changes_nothing_and_is_gone_afterwards(merged, monkeypatch):
    other = GitRepository(merged.path.rename(merged.path.with_name("other")))
    other.git("clone", "-q", "--no-local", str(other.path), str(merged.path))
    keep_record(merged)
    written = []
    run = Scratch.run

    def watched(scratch, *arguments, **given):
        written.append(arguments[0])
        return run(scratch, *arguments, **given)

    monkeypatch.setattr(Scratch, "run", watched)
    monkeypatch.setattr(merges, "LARGE_IMPORT", 5)
    swift = logged(merged.path)
    assert "commit-graph" in written
    assert not (merged.path / ".git/sage/scratch.git/objects/info/commit-graph").exists()
    monkeypatch.setattr(merges, "LARGE_IMPORT", 5_000)
    assert sorted(map(str, swift)) == sorted(map(str, logged(other.path)))


def test_a_history_that_is_not_whole_is_imported_all_the_same(merged, monkeypatch):
    monkeypatch.setattr(merges, "LARGE_IMPORT", 5)
    shallow = merged.clone("shallow", "--depth", "3", "--no-local")
    keep_record(shallow)
    assert sage(shallow.path, "log", "--all", "--json") == ""
    assert len(logged(merged.path)) > 9
