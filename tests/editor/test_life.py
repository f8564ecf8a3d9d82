"""A server's life: errors for what cannot be, exit statuses, its client's death, slow work, and many surprises."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("pygls")

from lsp_server import chronicle_reading, serving
from lsp_server.documents import Document
from lsp_server.positions import Encoding
from lsp_server.records import Record
from lsp_server.waiting import GivenUp, Wanted, in_a_thread
from lsp_server.workspaces import KnownChronicle
from tests.editor.client import ALL, Client, Refused, _importable
from tests.editor.conftest import APP

INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, NOT_INITIALIZED, NO_METHOD = -32602, -32600, -32700, -32002, -32601
CANCELLED = -32800


@pytest.fixture
def bare(tmp_path):
    """A server that nobody initialized, in a folder without a repository."""
    home = tmp_path / "plain"
    home.mkdir()
    with Client([sys.executable, "-P", "-m", "lsp_server"], home, _importable()) as client:
        yield client


def refusal(client, method, params=None):
    with pytest.raises(Refused) as refused:
        client.ask(method, params)
    assert set(refused.value.error) == {"code", "message"}
    assert "Traceback" not in str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    "method, params",
    [
        ("textDocument/hover", None),
        ("textDocument/hover", {}),
        ("textDocument/hover", []),
        ("textDocument/hover", {"textDocument": 3, "position": "x"}),
        ("textDocument/codeAction", {"textDocument": {"uri": "file:///x"}, "range": None}),
        ("workspace/executeCommand", {"command": "sage.nothing"}),
        ("workspace/executeCommand", {"command": "sage.line", "arguments": [{"uri": "file:///x", "line": "3"}]}),
        ("workspace/executeCommand", {"command": "sage.status", "arguments": [{}]}),
        ("workspace/executeCommand", {"command": "sage.status", "arguments": [3]}),
        ("workspace/executeCommand", {"command": "sage.status", "arguments": [{"uri": "file:///x"}, 4]}),
    ],
)
def test_bad_parameters_get_an_error(onlooker, method, params):
    assert refusal(onlooker, method, params) == INVALID_PARAMS


def test_a_command_that_lacks_something_says_what(client):
    with pytest.raises(Refused, match="eventId") as refused:
        client.command("sage.showDiff", uri=client.uri("app.py"))
    assert refused.value.code == INVALID_PARAMS
    with pytest.raises(Refused, match="no plan 'nothing' is known here"):
        client.command("sage.planApprove", uri=client.uri("app.py"), planId="nothing")


def test_what_is_no_message_gets_the_answers_of_the_specification(client):
    client.send_raw(b"{")
    client.wait(lambda: None in client.replies, lambda: "an answer to nonsense")
    assert client.replies.pop(None)["error"]["code"] == PARSE_ERROR
    client.send_raw(b"[1, 2]")
    client.wait(lambda: None in client.replies, lambda: "an answer to a list")
    client.replies.pop(None)
    client.send({"jsonrpc": "2.0", "id": {}, "method": "shutdown"})
    client.wait(lambda: None in client.replies, lambda: "an answer to a bad id")
    assert client.replies.pop(None)["error"]["code"] == INVALID_REQUEST
    assert refusal(client, "textDocument/nothing", {}) == NO_METHOD
    assert client.stop() == 0


def test_nothing_is_answered_before_initialize_or_after_shutdown(bare):
    assert refusal(bare, "textDocument/hover", {}) == NOT_INITIALIZED
    bare.initialize(ALL, None, [bare.root])
    assert refusal(bare, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}) == INVALID_REQUEST
    assert bare.ask("shutdown") is None
    assert refusal(bare, "textDocument/hover", {}) == INVALID_REQUEST
    bare.tell("exit")
    assert bare.process.wait(5) == 0


@pytest.mark.parametrize("last", ["exit", "end of input"])
def test_going_without_a_shutdown_is_status_1(client, last):
    if last == "exit":
        client.tell("exit")
    else:
        client.process.stdin.close()
    assert client.process.wait(5) == 1


def test_standard_output_has_nothing_but_the_protocol(client):
    client.open("app.py")
    client.diagnostics("app.py")
    assert client.stop() == 0
    assert client.stray == b""
    assert client.errors == b""


def test_a_cancelled_request_is_answered_so(client):
    client.open("app.py")
    number = client.begin(
        "workspace/executeCommand", {"command": "sage.status", "arguments": [{"uri": client.uri("")}]}
    )
    client.tell("$/cancelRequest", {"id": number})
    with pytest.raises(Refused) as refused:
        client.answer(number)
    assert refused.value.code == CANCELLED
    client.tell("$/cancelRequest", {"id": "never asked"})
    assert client.hover("app.py", 0)


def test_work_that_was_cancelled_ends_at_its_next_row():
    begun, cancelled, ended = Event(), Event(), Event()
    seen = []

    def rows():
        yield "first"
        begun.set()
        cancelled.wait(20)
        yield "second"
        yield "third"

    def work(wanted):
        try:
            seen.extend(wanted.rows(rows()))
        except GivenUp:
            ended.set()
            raise

    async def ask():
        asked = asyncio.ensure_future(in_a_thread(work))
        await asyncio.to_thread(begun.wait, 20)
        asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled()
        cancelled.set()
        assert await asyncio.to_thread(ended.wait, 20)

    asyncio.run(ask())
    assert seen == ["first"]


def test_a_long_look_at_a_chronicle_ends_when_nobody_waits(desk):
    row = {"type": "FILE_EDITED", "timestamp": "", "graphCommit": "0" * 40, "filePath": "app.py"}
    document = Document("file:///app.py.sage", 1, f"{json.dumps(row, separators=(',', ':'))}\n" * 2)
    known = KnownChronicle(Record(desk.repository.path, {}, lambda *_: None), "app.py.sage")
    wanted, unwanted = Wanted(), Wanted()
    with suppress(asyncio.CancelledError), unwanted.while_awaited():
        raise asyncio.CancelledError
    for look in (
        partial(chronicle_reading.outline, encoding=Encoding.UTF16),
        partial(chronicle_reading.links, encoding=Encoding.UTF16, has_tips=True),
        chronicle_reading.folding,
    ):
        assert list(look(document, known, wanted))
        with pytest.raises(GivenUp):
            list(look(document, known, unwanted))


def test_the_server_goes_when_its_client_is_killed(desk, tmp_path):
    """The client dies and its ends of the pipes stay open elsewhere; the server's parent lives on."""
    assert serving._LOOKED_FOR_S < 15
    looking_often = (
        "import runpy; from lsp_server import serving; serving._LOOKED_FOR_S = 0.1; "
        "runpy.run_module('lsp_server', run_name='__main__')"
    )
    victim = subprocess.Popen(["sleep", "60"])
    with Client([sys.executable, "-P", "-c", looking_often], desk.repository.path, _importable()) as client:
        client.ask("initialize", {"processId": victim.pid, "rootUri": None, "capabilities": {}})
        client.tell("initialized", {})
        with pytest.raises(subprocess.TimeoutExpired):
            client.process.wait(1)  # it has looked ten times
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert client.process.wait(15) == 1


def test_nothing_is_imported_from_the_workspace(desk):
    for name in ("sage_git.py", "lsp_server.py", "pygls.py", "json.py"):
        desk.repository.write(name, "raise SystemExit('imported from the workspace')\n")
    command = [sys.executable, "-P", "-m", "lsp_server"]
    with Client(command, desk.repository.path / "inside", _importable()) as client:
        client.root = desk.repository.path
        client.initialize(ALL, None, [client.root])
        client.open("app.py")
        assert client.hover("app.py", 0)


def test_who_has_no_pygls_is_told_what_to_install(tmp_path):
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError('gone', name='pygls')", encoding="utf-8")
    environment = _importable()
    environment["PYTHONPATH"] = os.pathsep.join((str(tmp_path), environment.get("PYTHONPATH", "")))
    command = [sys.executable, "-P", "-m", "lsp_server"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "pip install 'sage-git[lsp]'" in ended.stderr


def test_slow_requests_keep_nobody_waiting(client):
    """Figures are benchmarks/editor.py's; here only that the hover is answered before the slow ones are."""
    client.open("app.py")
    client.diagnostics("app.py")
    asked = {"command": "sage.status", "arguments": [{"uri": client.uri("")}]}
    slow = [client.begin("workspace/executeCommand", asked) for _ in range(8)]
    assert client.hover("app.py", 1)
    assert sum(number not in client.replies for number in slow) >= 6
    for number in slow:
        assert client.answer(number)["recording"] == "disabled"  # its hooks are off


def fuzz(client, seed, count):
    """Send `count` random messages; every request among them must have been answered once."""
    chance = random.Random(seed)
    methods = [
        *(f"textDocument/{name}" for name in ("hover", "codeLens", "inlayHint", "codeAction", "definition")),
        *(f"textDocument/{name}" for name in ("references", "documentLink", "documentSymbol", "foldingRange")),
        *(f"textDocument/{name}" for name in ("didOpen", "didChange", "didSave", "didClose", "nothing")),
        *("workspace/symbol", "workspace/executeCommand", "workspace/didChangeConfiguration", "$/cancelRequest"),
        *("workspace/didChangeWorkspaceFolders", "window/workDoneProgress/cancel", "$/setTrace", "initialized", "x"),
    ]
    uris = [
        client.uri("app.py"),
        client.uri("app.py.sage"),
        client.uri(""),
        "file:///",
        "untitled:x",
        "",
        "http://[",
        "\0",
    ]
    commands = ["sage.status", "sage.line", "sage.history", "sage.plans", "sage.showDiff", "sage.refresh", "x"]

    def anything(depth=0):
        kinds = [None, True, -1, 0, 2**31, 2**70, 1.5, "", "😀\u2028", "file:///x", "\ud800"]
        if depth > 3 or chance.random() < 0.5:
            return chance.choice(kinds)
        if chance.random() < 0.5:
            return [anything(depth + 1) for _ in range(chance.randrange(4))]
        return {chance.choice(["uri", "x", "line", "jsonrpc", "id"]): anything(depth + 1) for _ in range(3)}

    def sensible():
        place = {"line": chance.choice([0, 1, 2, 5, 10**6, -1]), "character": chance.choice([0, 3, 10**6])}
        uri = chance.choice(uris)
        text = chance.choice([APP, "", "\r\r\n\u2028", "😀\n" * 50, '{"eventId":"' + "a" * 64 + '"}\n'])
        return {
            "textDocument": {"uri": uri, "languageId": "x", "version": chance.randrange(9), "text": text},
            "position": place,
            "range": {"start": place, "end": place},
            "context": {"diagnostics": [], "includeDeclaration": True},
            "contentChanges": [{"text": text}],
            "command": chance.choice(commands),
            "arguments": [{"uri": uri, "line": place["line"], "eventId": "abcd"}],
            "query": chance.choice(["", "tidy", "abcdef", "😀"]),
            "settings": anything(),
            "id": chance.choice([1, "x", None]),
            "event": {"added": [], "removed": []},
            "token": "x",
            "value": "off",
        }

    asked = []
    for number in range(count):
        params = sensible() if chance.random() < 0.7 else anything()
        if isinstance(params, dict) and chance.random() < 0.2 and params:
            params[chance.choice(list(params))] = anything()
        message = {"jsonrpc": "2.0", "method": chance.choice(methods), "params": params}
        if not message["method"].startswith("textDocument/did") and chance.random() < 0.8:
            message["id"] = f"f{number}"
            asked.append(message["id"])
        client.send(message)
    for number in asked:
        client.wait(lambda number=number: number in client.replies, lambda number=number: f"an answer to {number}", 120)
        reply = client.replies.pop(number)
        assert ("error" in reply) != ("result" in reply)
        assert "Traceback" not in json.dumps(reply)
        if "error" in reply:
            assert "fault of sage-git" not in reply["error"]["message"], reply


def test_an_end_that_the_reader_of_messages_meets_too_late_is_an_end_all_the_same(monkeypatch):
    """The loop may be gone before its reader has told it that there is room for more."""

    ended = asyncio.new_event_loop()
    ended.close()
    left: list[int] = []
    monkeypatch.setattr(serving, "_leave", left.append)
    body = b'{"jsonrpc":"2.0","method":"exit"}'
    serving.read_into(ended, io.BytesIO(b"Content-Length: %d\r\n\r\n%s" % (len(body), body)), lambda _: None)
    assert left == []


@pytest.mark.parametrize("seed", range(2))
def test_random_messages_are_all_answered(client, seed):
    fuzz(client, seed, 200)
    assert client.stray == b""
    assert client.stop() == 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 105))
def test_ten_thousand_random_messages_are_all_answered(client, seed):
    fuzz(client, seed, 2_000)
    assert client.stop() == 0


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to weigh a process")
def test_a_server_weighs_little_more_than_pygls(client):
    client.open("app.py")
    client.hover("app.py", 0)
    bare = [sys.executable, "-P", str(Path(__file__).parents[2] / "benchmarks/bare_server.py")]
    with Client(bare, client.root) as pygls:
        pygls.initialize(ALL, None, [client.root])
        assert weight_mib(client) < weight_mib(pygls) + 20


def weight_mib(client):
    status = Path(f"/proc/{client.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to count threads")
def test_closed_documents_leave_nothing_behind(client):
    for _ in range(20):
        client.open("app.py")
        client.hover("app.py", 0)
        client.close("app.py")
    client.open("app.py")
    client.hover("app.py", 0)
    assert len(list(Path(f"/proc/{client.process.pid}/task").iterdir())) < 20
