"""What tests of the language server begin with: a record with a plan, a planned edit and an unplanned one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.editor.client import Client
from tests.judged import Desk
from tests.kit import GitRepository

APP = "first\nsecond\nthird\n"


@pytest.fixture
def desk(repository: GitRepository) -> Desk:
    """`app.py` with three lines from before the record; the second was edited under a plan, the third under none."""
    repository.commit("begin", **{"app.py": APP, "other.txt": "x\n"})
    desk = Desk.begin(repository)
    repository.commit("keep the record")
    claim = desk.approve("tidy-up", "app.py")
    repository.commit(f"tidy the second\n\n{claim}", **{"app.py": APP.replace("second", "SECOND")})
    repository.commit("meddle with the third", **{"app.py": "first\nSECOND\nTHIRD\n"})
    return desk


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    """A client of a server in `desk`'s repository."""
    with Client.start(desk.repository.path) as client:
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
