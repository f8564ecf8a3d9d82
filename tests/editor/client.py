"""A language client of our own, without any library: one process, one pipe each way, and everything that came back.

with Client.start(repository.path) as client:
    client.open("src/app.py")                     didOpen with the text on disk (or `text`)
    client.ask("textDocument/hover", …)           the result; `Refused` for an error reply
    client.diagnostics("src/app.py", until=…)     the last that were published, once they are as `until` wants
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

ALL = {
    "workspace": {
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
        "applyEdit": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "publishDiagnostics": {"relatedInformation": True},
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
}
PATIENCE_S = 30.0


class Refused(Exception):
    """An error reply: `code` and what was said."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code, self.error = error["code"], error


class Client:
    """One server and what it said. Requests of the server's are answered with null."""

    def __init__(self, command: list[str], root: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.process = subprocess.Popen(
            command,
            cwd=root.parent,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.replies: dict[Any, dict[str, Any]] = {}
        self.notes: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.published: dict[str, dict[str, Any]] = {}
        self.capabilities: dict[str, Any] = {}
        self.errors = b""
        self.stray = b""
        self._number = 0
        self._versions: dict[str, int] = {}
        self._came = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._drain, daemon=True).start()

    @classmethod
    def start(
        cls,
        root: Path,
        *,
        encodings: list[str] | None = None,
        options: object = None,
        capabilities: Mapping[str, Any] | None = None,
        folders: list[Path] | None = None,
    ) -> Self:
        """A server that is initialized."""
        client = cls([sys.executable, "-P", "-m", "sage_git", "lsp"], root, _importable())
        said = json.loads(json.dumps(ALL if capabilities is None else capabilities))
        if encodings is not None:
            said["general"] = {"positionEncodings": encodings}
        client.initialize(said, options, folders or [root])
        return client

    def initialize(self, capabilities: Mapping[str, Any], options: object, folders: list[Path]) -> None:
        """Say what this client is."""
        params = {
            "processId": os.getpid(),
            "rootUri": folders[0].as_uri(),
            "workspaceFolders": [{"uri": each.as_uri(), "name": each.name} for each in folders],
            "capabilities": capabilities,
            "initializationOptions": {"hearsChanges": True} if options is None else options,
        }
        self.capabilities = self.ask("initialize", params)["capabilities"]
        self.tell("initialized", {})

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def open(self, path: str, text: str | None = None) -> None:
        uri = self.uri(path)
        content = (self.root / path).read_bytes().decode("utf-8", "replace") if text is None else text
        self._versions[uri] = 1
        self.tell(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "text", "version": 1, "text": content}},
        )

    def change(self, path: str, text: str) -> int:
        uri = self.uri(path)
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        return self._versions[uri]

    def save(self, path: str, text: str) -> None:
        """Change the buffer and write it."""
        self.change(path, text)
        (self.root / path).write_bytes(text.encode())
        self.tell("textDocument/didSave", {"textDocument": {"uri": self.uri(path)}})

    def close(self, path: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": self.uri(path)}})

    def hover(self, path: str, line: int, character: int = 0) -> Any:
        return self.at("textDocument/hover", path, line, character)

    def at(self, method: str, path: str, line: int, character: int = 0, **more: Any) -> Any:
        """What a request about a position answers."""
        place = {"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": character}}
        return self.ask(method, {**place, **more})

    def about(self, method: str, path: str, **more: Any) -> Any:
        """What a request about a document answers."""
        return self.ask(method, {"textDocument": {"uri": self.uri(path)}, **more})

    def hints(self, path: str) -> Any:
        return self.about("textDocument/inlayHint", path, range=lines(0, 100_000))

    def actions(self, path: str, first: int, last: int) -> Any:
        told = self.published.get(self.uri(path), {}).get("diagnostics", [])
        here = [each for each in told if first <= each["range"]["start"]["line"] <= last]
        return self.about("textDocument/codeAction", path, range=lines(first, last), context={"diagnostics": here})

    def command(self, name: str, **argument: Any) -> Any:
        return self.ask("workspace/executeCommand", {"command": name, "arguments": [argument]})

    def diagnostics(self, path: str, until: Callable[[list[dict[str, Any]]], bool] = lambda _: True) -> Any:
        """The diagnostics of a file, once any were published that `until` accepts."""
        uri = self.uri(path)

        def came() -> bool:
            return uri in self.published and until(self.published[uri]["diagnostics"])

        self.wait(came, lambda: f"diagnostics of {path}: {self.published.get(uri)}")
        return self.published[uri]["diagnostics"]

    def told(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """The notifications of this name, once there are so many."""

        def found() -> list[dict[str, Any]]:
            return [each["params"] for each in self.notes if each["method"] == method]

        self.wait(lambda: len(found()) >= count, lambda: f"{count} {method}, not {found()}")
        return found()

    def ask(self, method: str, params: object = None, patience_s: float = PATIENCE_S) -> Any:
        """The result of a request. Raises Refused."""
        return self.answer(self.begin(method, params), patience_s)

    def begin(self, method: str, params: object = None) -> int:
        """Send a request and give its id."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def answer(self, number: Any, patience_s: float = PATIENCE_S) -> Any:
        """The result of a request that was sent. Raises Refused."""
        self.wait(lambda: number in self.replies, lambda: f"an answer to {number}", patience_s)
        reply = self.replies.pop(number)
        if "error" in reply:
            raise Refused(reply["error"])
        return reply["result"]

    def tell(self, method: str, params: object = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, message: object) -> None:
        self.send_raw(json.dumps(message).encode())

    def send_raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def wait(self, holds: Callable[[], bool], what: Callable[[], str], patience_s: float = PATIENCE_S) -> None:
        """Wait until something holds."""
        end = time.monotonic() + patience_s
        with self._came:
            while not holds():
                left = end - time.monotonic()
                assert left > 0, f"waited {patience_s} s for {what()}; {self.errors.decode()}"
                assert not self._ended, f"the server ended before {what()}; {self.errors.decode()}"
                self._came.wait(min(left, 0.5))

    def stop(self) -> int:
        """Shut down and exit as the protocol wants it; gives the exit status."""
        self.ask("shutdown")
        self.tell("exit")
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        try:
            while header := stream.readline():
                length = 0
                while header.strip():
                    name, _, value = header.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                    elif name.lower() != b"content-type":
                        self.stray += header
                    header = stream.readline()
                self._take(json.loads(stream.read(length)))
        except ValueError:
            pass
        with self._came:
            self._ended = True
            self._came.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._came:
            if "method" in message and "id" in message:
                self.requests.append(message)
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            elif "method" in message:
                self.notes.append(message)
                if message["method"] == "textDocument/publishDiagnostics":
                    self.published[message["params"]["uri"]] = message["params"]
            else:
                self.replies[message.get("id")] = message
            self._came.notify_all()

    def _drain(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        try:
            while piece := stream.read1(65536):  # type: ignore[attr-defined]
                self.errors += piece
        except ValueError:
            pass


def lines(first: int, last: int) -> dict[str, Any]:
    """A range of whole lines."""
    return {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}


def _importable() -> dict[str, str]:
    """An environment in which the server finds these very sources, wherever it is started."""
    return {"PYTHONPATH": str(Path(__file__).parents[2])}
