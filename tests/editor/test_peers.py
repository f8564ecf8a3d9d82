"""Live peers in the editor: with `sync`, what others say is known to an open file, and what is said here is given."""

from __future__ import annotations

import pytest

pytest.importorskip("pygls")

from tests.editor.client import Client
from tests.published import begin, join
from tests.recorded import sage

FILE = "src/a.py"


@pytest.fixture
def ada(repository, tmp_path):
    return begin(repository, tmp_path / "remote.git")


@pytest.fixture
def bob(ada, tmp_path):
    return join(ada, tmp_path / "bob")


@pytest.fixture
def client(bob):
    with Client.start(bob.path) as client:
        yield client


def plans_of(client):
    return {plan["planId"] for plan in client.command("sage.plans", uri=client.uri(FILE))}


def draft(clone, name):
    sage(clone.path, "plan", "draft", "--id", name, "--summary", name, "--scope", "*")


def changes(client):
    return [each for each in client.notes if each["method"] == "sage/changed"]


def logged(client):
    return [each["params"]["message"] for each in client.notes if each["method"] == "window/logMessage"]


def wait_for_plan(client, name):
    seen = 0
    while name not in plans_of(client):
        client.wait(lambda: len(changes(client)) > seen, lambda: f"news of {name}: {logged(client)}")  # noqa: B023
        seen = len(changes(client))


def test_what_peers_say_is_known_while_a_file_is_open_if_that_is_wanted(ada, bob, client, tmp_path):
    client.open(FILE)
    client.hover(FILE, 0)
    assert plans_of(client) == set()
    assert logged(client) == []
    client.tell("workspace/didChangeConfiguration", {"settings": {"sync": True}})
    wait_for_plan(client, "p1")
    draft(ada, "hers")
    sage(ada.path, "sync")
    wait_for_plan(client, "hers")
    draft(bob, "his")
    client.wait(lambda: any("1 sent" in each for each in logged(client)), lambda: f"his plan given: {logged(client)}")
    sage(ada.path, "sync")
    assert "his" in sage(ada.path, "plan", "list", "--all")
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    client.wait(lambda: any("origin: unreachable" in each for each in logged(client)), lambda: "a word on who is away")
    client.tell("workspace/didChangeConfiguration", {"settings": {"sync": False}})
    assert client.stop() == 0
    assert client.errors == b""
