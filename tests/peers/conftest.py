"""A village of clones that have met, made once and copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.clones import Village


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Village:
    """Alice began the record, and edited twice; Bob joined, and edited once. Both know all, and so does the remote."""
    village = Village.founded(tmp_path_factory.mktemp("founded") / "village", "alice", "bob")
    for name, path in (("alice", "foo.py"), ("alice", "foo.py"), ("bob", "bar.py")):
        repository = village[name].repository
        repository.git("pull", "-q", "--rebase")
        repository.commit(f"{name} works", **{path: f"x = '{repository.head}'\n"})
        repository.git("push", "-q", "origin", "main")
    village["alice"].git("pull", "-q", "--rebase")
    village["alice"].ok("note", "build", "success", "--id", "of-alice")
    village.settle()
    return village


@pytest.fixture
def village(founded: Village, tmp_path: Path) -> Village:
    """A village of this test's own, in which nothing is left to be exchanged."""
    return founded.moved(tmp_path / "village")
