"""Random appends, foreign lines and torn ends against a model that is a list."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.storage import recent, sidecar

WINDOW = 4
CLOCK_MS = 0


def event(number: int, second: int) -> dict[str, Any]:
    return {
        "type": "AGENT_ACTION",
        "actor": {"agent": "test", "id": "ada"},
        "timestamp": f"2026-01-02T03:04:0{second}.000Z",
        "action": str(number),
    }


events = st.builds(event, st.integers(0, 3), st.integers(0, 2))
true, absent, wrong = (st.tuples(st.just(name), events) for name in ("true", "absent", "wrong"))
steps = st.lists(
    st.one_of(
        true,
        true,
        absent,
        wrong,
        st.tuples(st.just("batch"), st.lists(events, max_size=6)),
        st.tuples(st.just("foreign"), events),
        st.tuples(st.just("line"), st.sampled_from([b"", b"null", b"{", b'{"a":1,"a":2}', b"\xff", b"[1.50]"])),
        st.tuples(st.just("torn"), st.sampled_from([b"{", b'{"action":"x"', b"\xe2\x80"])),
        st.tuples(st.just("forget"), st.none()),
    ),
    max_size=30,
)


class Model:
    """The lines of the file: (event or None, whether its id is true)."""

    def __init__(self) -> None:
        self.lines: list[tuple[dict[str, Any] | None, bool]] = []

    def append(self, fields: dict[str, Any], sort: str) -> None:
        is_true = sort == "true"
        for there, there_is_true in self.lines[-WINDOW:]:
            if there is not None and content(there) == content(fields) and (there_is_true or not is_true):
                return
        given = dict(fields) | ({"eventId": "b" * 64} if sort == "wrong" else {})
        parents = [there for there, there_is_true in self.lines if there is not None and there_is_true]
        if parents and sort != "wrong":
            given["prevEventId"] = parents[-1]["eventId"]
        self.lines.append((dict(Event.sealed(given)) if is_true else given, is_true))

    def events(self) -> list[dict[str, Any]]:
        return [there for there, _ in self.lines if there is not None]


def content(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in ("eventId", "prevEventId", "mergedEventIds")}


def perform(path: Path, model: Model, sort: str, given: Any) -> None:
    match sort:
        case "true" | "absent":
            sidecar.append(path, given, clock_ms=CLOCK_MS, compute_id=sort == "true")
            model.append(given, sort)
        case "wrong":
            sidecar.append(path, given | {"eventId": "b" * 64}, clock_ms=CLOCK_MS, compute_id=False)
            model.append(given, sort)
        case "batch":
            sidecar.append_many(path, given, clock_ms=CLOCK_MS)
            for one in given:
                model.append(one, "true")
        case "foreign" if not ends_torn(path):
            sealed = dict(Event.sealed(given))
            write(path, json.dumps(sealed).encode() + b"\n")
            model.lines.append((sealed, True))
        case "line" if not ends_torn(path):
            write(path, given + b"\n")
            fields = json.loads(given) if given == b'{"a":1}' else None
            model.lines.append((fields, False))
        case "torn":
            write(path, given)
        case "forget":
            recent._remembered.cache_clear()
        case _:
            pass


def ends_torn(path: Path) -> bool:
    return path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")


def write(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


@given(steps)
def test_a_chronicle_holds_what_a_list_would(taken):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "RECENT_LINES", WINDOW)
        path, model = Path(folder, "notes.sage"), Model()
        write(path, b"")
        for sort, given_ in taken:
            perform(path, model, sort, given_)
            assert list(map(dict, sidecar.read(path))) == model.events()
        for n in (1, 3, 100):
            assert sidecar.tail(path, n) == sidecar.read(path)[-n:]


@given(st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=20), st.integers(1, 64))
def test_lines_read_from_the_end_are_the_lines_read_from_the_start(lines, block):
    with tempfile.TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "_FIRST_BLOCK_BYTES", block)
        whole = b"".join(line + b"\n" for line in lines)
        file.write(whole + b"torn")
        file.flush()
        assert recent.complete_size(file.fileno(), len(whole) + 4) == len(whole)
        assert list(recent.lines_backwards(file.fileno(), len(whole))) == lines[::-1]
