"""The language server: how soon it is there, how soon it answers, what it weighs; beside pygls with nothing behind it.

    python -m benchmarks.run editor

The repository has one source with ten thousand events: five thousand commits, each an unplanned edit. The same
chronicle is open in all servers that are weighed. jedi-language-server is measured too where it is installed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.ground import Repository, sealed_environment
from benchmarks.measure import Row, at_most
from tests.editor.client import ALL, Client

COMMITS = 5_000
STARTS = 12
ROUNDS = 7
ASKED = 300
_CHRONICLE = "app.py.sage"
_SOURCES = str(Path(__file__).parents[1])
_OURS = [sys.executable, "-P", "-m", "lsp_server"]
_BARE = [sys.executable, "-P", str(Path(__file__).with_name("bare_server.py"))]
_JEDI = [sys.executable, "-P", "-c", "from jedi_language_server.cli import cli; cli()"]


def rows(ground: Path) -> Iterator[Row]:
    """The rows of this group."""
    repository = _repository(ground / "editor")
    yield from _starts(repository)
    with _client(_OURS, repository) as client:
        yield from _answers(client)
        yield from _chronicle(client)
        yield _memory("memory, ten thousand events open", client, 60)
    yield from _weights_of_others(repository)


def _repository(path: Path) -> Repository:
    """A recorded repository whose `app.py` has ten thousand events."""
    environment = sealed_environment(path.parent / "home") | {"PYTHONPATH": _SOURCES}
    repository = Repository(path, environment)
    path.mkdir(parents=True)
    repository.git("init", "--quiet", "--initial-branch=main")
    (path / "app.py").write_text("".join(f"line {number}\n" for number in range(400)), encoding="utf-8")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "-m", "begin")
    _sage(repository, "init")
    repository.git("config", "core.hooksPath", "/dev/null")
    _grow(repository, COMMITS)
    _sage(repository, "record")
    return repository


def _grow(repository: Repository, commits: int) -> None:
    """Edit one line of `app.py`, again and again."""
    lines = (repository.path / "app.py").read_text(encoding="utf-8").splitlines(keepends=True)
    stream = []
    for number in range(commits):
        lines[number % len(lines)] = f"line {number % len(lines)} version {number}\n"
        text = "".join(lines)
        start = "from refs/heads/main^0\n" if number == 0 else ""
        stream.append(
            f"commit refs/heads/main\ncommitter Ada Lovelace <ada@example.org> {1_767_300_000 + number} +0000\n"
            f"data 4\nedit\n{start}M 100644 inline app.py\ndata {len(text)}\n{text}\n"
        )
    repository.grow(each.encode() for each in stream)


def _sage(repository: Repository, *arguments: str) -> None:
    repository.run(sys.executable, "-P", "-m", "sage_git", *arguments)


def _client(command: list[str], repository: Repository) -> Client:
    client = Client(command, repository.path, repository.environment)
    client.initialize(ALL, None, [repository.path])
    return client


def _starts(repository: Repository) -> Iterator[Row]:
    """From the process's beginning to the answer of initialize, in turns."""
    ways = {"ours": _OURS} | _others()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(STARTS):
        for name, command in ways.items():
            begun = time.perf_counter()
            with _client(command, repository) as client:
                taken[name].append(time.perf_counter() - begun)
                worked[name].append(_processor_ms(client))
    added = 1000 * (min(taken["ours"]) - min(taken["bare pygls"]))
    noted = f"ours {1000 * min(taken['ours']):.0f} ms; the least of {STARTS} each"
    yield Row("initialize, beyond bare pygls", added, "ms", noted, at_most(40))
    more = min(worked["ours"]) - min(worked["bare pygls"])
    yield Row("  of that the processor's time", more, "ms", "which others on the machine do not change")
    for name in list(ways)[1:]:
        yield Row(f"  {name}", 1000 * min(taken[name]), "ms")


def _answers(client: Client) -> Iterator[Row]:
    begun = time.perf_counter()
    client.open("app.py")
    client.hover("app.py", 0)
    yield Row("open a source → first hover", 1000 * (time.perf_counter() - begun), "ms", "four hundred lines")
    hovers = _timed(ASKED, lambda number: client.hover("app.py", number % 400))
    yield Row("hover, median", _ms(hovers), "ms", target=at_most(1))
    yield Row("hover, 95th percentile", 1000 * quantiles(hovers, n=20)[-1], "ms", target=at_most(3))
    asked: dict[str, Any] = {"command": "sage.history", "arguments": [{"uri": client.uri("app.py")}]}
    slow = [client.begin("workspace/executeCommand", asked) for _ in range(8)]
    beside = _timed(20, lambda number: client.hover("app.py", number))
    for number in slow:
        client.answer(number, 120)
    yield Row("hover beside eight slow requests, worst", 1000 * max(beside), "ms", target=at_most(50))


def _chronicle(client: Client) -> Iterator[Row]:
    """A sidecar of ten thousand events: opened, and saved after a change."""
    name = _CHRONICLE
    text = (client.root / name).read_text(encoding="utf-8")
    altered = text.replace("Ada Lovelace", "Eve Lovelace", 1)
    opened = []
    for _ in range(ROUNDS):
        client.published.pop(client.uri(name), None)
        begun = time.perf_counter()
        client.open(name, text)
        client.diagnostics(name)
        opened.append(time.perf_counter() - begun)
        client.close(name)
        client.wait(lambda: client.uri(name) in client.published, lambda: "an end")
    yield Row("open a chronicle of 10,000 events → diagnostics", _ms(opened), "ms", target=at_most(150))
    client.open(name, text)
    client.diagnostics(name)
    outline = client.begin("textDocument/documentSymbol", {"textDocument": {"uri": client.uri(name)}})
    beside = _timed(20, lambda number: client.hover("app.py", number))
    client.answer(outline, 120)
    yield Row("hover beside its outline, worst", 1000 * max(beside), "ms", target=at_most(50))
    saved = []
    for number in range(ROUNDS):
        client.change(name, altered if number % 2 == 0 else text)
        client.diagnostics(name, lambda found, wrong=number % 2 == 0: bool(found) == wrong)  # type: ignore[misc]
        client.published.pop(client.uri(name), None)
        begun = time.perf_counter()
        client.tell("textDocument/didSave", {"textDocument": {"uri": client.uri(name)}})
        client.diagnostics(name)
        saved.append(time.perf_counter() - begun)
    yield Row("save it → diagnostics", _ms(saved), "ms", target=at_most(15))


def _weights_of_others(repository: Repository) -> Iterator[Row]:
    """What others weigh with nothing open, and with the same chronicle open."""
    for name, command in _others().items():
        with _client(command, repository) as client:
            yield _memory(f"  {name}, nothing open", client, None)
            client.open(_CHRONICLE)
            client.hover(_CHRONICLE, 0)
            yield _memory(f"  {name}, the same open", client, None)


def _others() -> dict[str, list[str]]:
    return {"bare pygls": _BARE} | ({"jedi-language-server": _JEDI} if find_spec("jedi_language_server") else {})


def _memory(what: str, client: Client, most: float | None) -> Row:
    time.sleep(2)  # what a moment took goes back a second later
    with open(f"/proc/{client.process.pid}/status", encoding="ascii") as status:
        held = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return Row(what, held / 1024, "MiB", target=None if most is None else at_most(most))


def _processor_ms(client: Client) -> float:
    """How long the main thread of a server had a processor so far."""
    with open(f"/proc/{client.process.pid}/schedstat", encoding="ascii") as schedule:
        return int(schedule.read().split()[0]) / 1e6


def _timed(count: int, ask: Callable[[int], object]) -> list[float]:
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        ask(number)
        taken.append(time.perf_counter() - begun)
    return taken


def _ms(seconds: list[float]) -> float:
    return 1000 * median(seconds)


if __name__ == "__main__":
    raise SystemExit(f"{os.path.basename(__file__)}: python -m benchmarks.run editor")
