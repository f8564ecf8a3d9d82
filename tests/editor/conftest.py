"""What tests of the language server begin with: a record with a plan, a planned edit and an unplanned one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editor.client import Client
from tests.judged import Desk
from tests.kit import GitRepository

APP = "first\nsecond\nthird\n"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """What `desk` is a copy of."""
    repository = GitRepository.create(tmp_path_factory.mktemp("desk") / "repository")
    repository.commit("begin", **{"app.py": APP, "other.txt": "x\n"})
    desk = Desk.begin(repository)
    repository.commit("keep the record")
    claim = desk.approve("tidy-up", "app.py")
    repository.commit(f"tidy the second\n\n{claim}", **{"app.py": APP.replace("second", "SECOND")})
    repository.commit("meddle with the third", **{"app.py": "first\nSECOND\nTHIRD\n"})
    desk.sage("record")
    return desk


@pytest.fixture
def desk(prepared: Desk, tmp_path: Path) -> Desk:
    """`app.py` with three lines from before the record; the second was edited under a plan, the third under none."""
    return prepared.copied(tmp_path / "repository")


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    """A client of a server in `desk`'s repository."""
    with Client.start(desk.repository.path) as client:
        yield client


@pytest.fixture(scope="session")
def onlooker(prepared: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client that has `app.py` open and changes nothing, so that many tests can share it."""
    with Client.start(prepared.copied(tmp_path_factory.mktemp("seen") / "repository").repository.path) as client:
        client.open("app.py")
        yield client


@pytest.fixture
def starting(desk: Desk) -> Iterator[Callable[..., Client]]:
    """Starts clients that are stopped when the test ends."""
    started: list[Client] = []

    def start(*arguments: Any, **options: Any) -> Client:
        started.append(Client.start(*(arguments or (desk.repository.path,)), **options))
        return started[-1]

    yield start
    for each in started:
        each.__exit__()
