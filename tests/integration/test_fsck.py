"""`fsck` and `fsck --repair`: whatever is done to a sidecar, log or index is named, and mended with no word lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sage_git.chronicle.event import Event
from sage_git.operations.checking.flaws import Severity
from sage_git.operations.checking.fsck import inspect
from sage_git.operations.checking.repair import repair
from sage_git.operations.checkout import Checkout
from tests.kit import GitRepository
from tests.recorded import keep_record

FOREIGN = {"type": "AGENT_ACTION", "actor": {"agent": "foreign", "id": "eve"}, "timestamp": "2026-02-03T04:05:06.789Z"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A recorded repository with sources, a rename, and statements about a source and a subject. Not to be changed."""
    from tests.kit import run_sage

    repository = GitRepository.create(tmp_path_factory.mktemp("fsck") / "repository")
    repository.commit("first", **{"foo.py": "x = 1\n", "src/bar.py": "y = 1\n"})
    keep_record(repository)
    for number in range(4):
        repository.commit(f"edit {number}", **{"foo.py": f"x = {number}\n", f"src/new{number}.py": f"{number}\n"})
    repository.git("mv", "src/bar.py", "src/baz.py")
    repository.commit("rename")
    for number in range(5):
        done = run_sage("note", "action", "-m", f"step {number}", "--about", "foo.py", cwd=repository.path)
        assert done.returncode == 0, done.stderr
        assert run_sage("note", "build", "success", "--id", str(number), cwd=repository.path).returncode == 0
    assert run_sage("record", cwd=repository.path).returncode == 0
    return repository.path


@pytest.fixture
def copy(recorded, tmp_path):
    """The recorded repository, to be damaged; times are kept, so that sidecars look as we left them."""
    return Path(shutil.copytree(recorded, tmp_path / "copy", symlinks=True))


def opened(path: Path) -> Checkout:
    return Checkout.open(path, dict(os.environ))


def flaws(path: Path, least: Severity = Severity.WARNING):
    with opened(path) as checkout:
        found = inspect(checkout).flaws
    return [flaw for flaw in found if least is Severity.NOTE or flaw.severity is not Severity.NOTE]


def mend(path: Path):
    with opened(path) as checkout:
        return [flaw for flaw in repair(checkout).flaws if flaw.severity is not Severity.NOTE]


def sidecars(path: Path) -> dict[str, list[bytes]]:
    names = sorted(each for each in path.rglob("*.sage") if each.is_file() and ".git" not in each.parts)
    return {str(each.relative_to(path)): sorted(each.read_bytes().split(b"\n")[:-1]) for each in names}


def log_lines(path: Path) -> list[bytes]:
    return (path / ".git/sage/tail.ndjson").read_bytes().split(b"\n")[1:-1]


def test_nothing_is_wrong_with_what_only_we_wrote(recorded, sage):
    done = sage("fsck", cwd=recorded)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("everything agrees: ")
    answer = json.loads(sage("fsck", "--json", cwd=recorded).stdout)
    assert (answer["ok"], answer["findings"]) == (True, [])
    assert answer["checked"]["sidecars"] == len(sidecars(recorded))


def foreign(number: int, subject: str) -> bytes:
    return Event.sealed({**FOREIGN, "action": f"foreign {number}", "subject": subject}).line


DAMAGES = ("flip", "drop", "double", "swap", "foreign", "truncate", "remove", "blank")


def damaged(content: bytes, damage: str, at: int, value: int, subject: str) -> tuple[bytes, set[int]]:  # noqa: PLR0911
    """The content after something was done to it, and the lines that may be named for it."""
    lines = content.split(b"\n")[:-1]
    number = at % len(lines)
    match damage:
        case "flip":
            place = at % len(content)
            changed = bytearray(content)
            changed[place] ^= 1 + value % 255
            line = content[:place].count(b"\n") + 1
            return bytes(changed), {line, line + 1}
        case "drop":
            del lines[number]
            return b"".join(line + b"\n" for line in lines), {number}
        case "double":
            lines.insert(number, lines[number])
            return b"".join(line + b"\n" for line in lines), {number + 2}
        case "swap":
            other = value % len(lines)
            lines[number], lines[other] = lines[other], lines[number]
            return b"".join(line + b"\n" for line in lines), set(range(1, len(lines) + 1))
        case "foreign":
            lines.insert(number, foreign(value, subject))
            return b"".join(line + b"\n" for line in lines), {number + 1}
        case "blank":
            lines.insert(number, b"")
            return b"".join(line + b"\n" for line in lines), {number + 1}
        case "truncate":
            kept = content[: at % len(content)]
            return kept, set(range(kept.count(b"\n"), len(lines) + 1))
    raise AssertionError(damage)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_done_to_a_sidecar_is_named_with_its_line_and_mended(recorded, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "copy"
    shutil.copytree(recorded, path, symlinks=True)
    before = sidecars(path)
    name = data.draw(st.sampled_from(sorted(before)))
    damage = data.draw(st.sampled_from(DAMAGES))
    subject = "builds" if name == ".sage/builds.sage" else name.removesuffix(".sage")
    file = path / name
    content = file.read_bytes()
    if damage == "remove":
        file.unlink()
        after, lines = b"", set[int]()
    else:
        drawn = (data.draw(st.integers(0, 1 << 20)), data.draw(st.integers(0, 1 << 10)))
        after, lines = damaged(content, damage, *drawn, subject)
        file.write_bytes(after)
    if after != content:
        found = flaws(path, Severity.NOTE)
        assert found, f"{damage} was not seen"
        assert {flaw.path for flaw in found} == {name}
        assert damage == "remove" or {flaw.line for flaw in found} & lines, (lines, found)
    assert mend(path) == []
    expected = dict(before)
    if damage == "foreign":
        expected[name] = sorted([*before[name], next(line for line in after.split(b"\n") if b"foreign" in line)])
    assert sidecars(path) == expected
    assert mend(path) == []
    assert sidecars(path) == expected
    shutil.rmtree(path)


def test_every_byte_of_a_sidecar_matters(copy):
    file = copy / "foo.py.sage"
    content = file.read_bytes()
    with opened(copy) as checkout:
        for place in range(0, len(content), 37):
            changed = bytearray(content)
            changed[place] ^= 0x04
            file.write_bytes(changed)
            line = content[:place].count(b"\n") + 1
            found = inspect(checkout).flaws
            assert line in {flaw.line for flaw in found if flaw.path == "foo.py.sage"}, place


def test_a_flipped_byte_is_told_with_what_stood_there(copy, sage):
    file = copy / "foo.py.sage"
    content = file.read_bytes()
    file.write_bytes(content.replace(b"step 1", b"step 7"))
    done = sage("fsck", cwd=copy)
    assert done.returncode == 1
    line = content[: content.index(b"step 1")].count(b"\n") + 1
    assert f"foo.py.sage:{line}  line-altered" in done.stdout
    assert "here stood " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "sage-git fsck --repair" in done.stdout
    again = sage("fsck", "--repair", cwd=copy)
    assert (again.returncode, "mended" in again.stdout) == (0, True)
    assert file.read_bytes() == content
    assert b"step 7" in (copy / ".git/sage/lost/sidecars.ndjson").read_bytes()


def test_a_fact_that_no_commit_explains_is_forged_and_taken_out(copy):
    file = copy / "foo.py.sage"
    fact = next(json.loads(line) for line in file.read_bytes().splitlines() if b"FILE_EDITED" in line)
    forged = Event.sealed({**fact, "timestamp": "2020-01-01T00:00:00.000Z"}).line
    with file.open("ab") as out:
        out.write(forged + b"\n")
    assert [(flaw.code, flaw.path) for flaw in flaws(copy)] == [("line-forged", "foo.py.sage")]
    assert mend(copy) == []
    assert forged not in file.read_bytes()
    assert forged in (copy / ".git/sage/lost/sidecars.ndjson").read_bytes()
    assert not any(forged == line for line in log_lines(copy))


def test_a_redaction_cannot_be_said_by_writing_it_into_a_sidecar(copy):
    victim = json.loads((copy / ".sage/builds.sage").read_bytes().splitlines()[0])["eventId"]
    line = Event.sealed(
        {**FOREIGN, "type": "EVENT_REDACTED", "redactedEventId": victim, "reason": "x", "subject": "builds"}
    ).line
    with (copy / ".sage/builds.sage").open("ab") as out:
        out.write(line + b"\n")
    assert [flaw.code for flaw in flaws(copy)] == ["line-forged"]
    assert mend(copy) == []
    assert victim.encode() in (copy / ".sage/builds.sage").read_bytes()


def test_a_sidecar_without_a_source_is_named_and_goes_while_its_statements_stay(copy):
    stray = copy / "gone.py.sage"
    line = foreign(1, "gone.py")
    stray.write_bytes((copy / "foo.py.sage").read_bytes() + line + b"\n")
    assert {flaw.code for flaw in flaws(copy)} >= {"sidecar-stray", "line-unknown"}
    assert mend(copy) == []
    assert not stray.exists()
    assert line in log_lines(copy)


LOG_DAMAGES = {
    "torn": lambda lines: b"\n".join(lines) + b'\n{"action":"to',
    "header": lambda lines: b"\n".join([b"{}", *lines[1:]]) + b"\n",
    "no header": lambda lines: b"\n".join(lines[1:]) + b"\n",
    "unreadable": lambda lines: b"\n".join([*lines[:3], lines[3][:-9] + b"\xff" + lines[3][-8:], *lines[4:]]) + b"\n",
    "altered": lambda lines: b"\n".join([*lines[:-1], lines[-1].replace(b'"success"', b'"started"')]) + b"\n",
    "doubled": lambda lines: b"\n".join([*lines, lines[2]]) + b"\n",
    "shorter": lambda lines: b"\n".join(lines[:-4]) + b"\n",
    "gone": lambda _: None,
}


@pytest.mark.parametrize("damage", LOG_DAMAGES)
def test_a_damaged_log_is_named_and_made_whole_from_the_index(copy, damage):
    tail = copy / ".git/sage/tail.ndjson"
    before, shown = log_lines(copy), sidecars(copy)
    content = LOG_DAMAGES[damage](tail.read_bytes().split(b"\n")[:-1])
    tail.unlink() if content is None else tail.write_bytes(content)
    found = flaws(copy)
    assert found
    assert {flaw.path for flaw in found} == {".git/sage/tail.ndjson"}
    assert mend(copy) == []
    assert log_lines(copy) == before
    assert sidecars(copy) == shown


@pytest.mark.parametrize("damage", ["no database", "altered line", "missing event", "gone"])
def test_a_wrong_index_is_made_anew(copy, damage):
    index, before = copy / ".git/sage/index.sqlite", sidecars(copy)
    statements = {
        "altered line": "UPDATE events SET line = CAST(replace(CAST(line AS TEXT), 'step', 'stop') AS BLOB)",
        "missing event": "DELETE FROM events WHERE number = 5",
    }
    if damage in statements:
        with sqlite3.connect(index) as connection:
            connection.execute(statements[damage])
        connection.close()
    elif damage == "no database":
        index.write_bytes(b"x" * 8192)
    else:
        index.unlink()
    assert [flaw.code.partition("-")[0] for flaw in flaws(copy)][:1] == ([] if damage == "gone" else ["index"])
    assert mend(copy) == []
    assert sidecars(copy) == before


def test_a_key_that_is_not_the_one_named_is_told(copy):
    (copy / ".git/sage/writer.json").write_text(json.dumps({"key": "ab" * 32, "repository": "r"}))
    assert "key-mismatch" in {flaw.code for flaw in flaws(copy)}


def test_a_redacted_body_is_nowhere_and_nothing_brings_it_back(copy, sage):
    linked = copy.with_name("linked")
    GitRepository(copy).git("worktree", "add", "--quiet", "-b", "linked", str(linked))
    said = sage("note", "action", "-m", "TOKEN-4711", "--about", "foo.py", cwd=copy).stdout.strip()
    assert sage("record", cwd=linked).returncode == 0
    assert b"TOKEN-4711" in (linked / "foo.py.sage").read_bytes()
    line = next(each for each in (copy / "foo.py.sage").read_bytes().splitlines() if b"TOKEN-4711" in each)
    fact = next(json.loads(each) for each in (copy / "foo.py.sage").read_bytes().splitlines() if b"FILE_EDITED" in each)

    for identifier in (said[:12], fact["eventId"]):
        done = sage("redact", identifier, "-m", "must not be here", cwd=copy)
        assert done.returncode == 0, done.stderr
    assert holders(copy, b"TOKEN-4711") == []
    assert flaws(copy) == []

    again = sage("redact", said, "-m", "again", cwd=copy)
    assert (again.returncode, "redacted already" in again.stderr) == (2, True)

    with (copy / "foo.py.sage").open("ab") as out:  # somebody brings it back
        out.write(line + b"\n")
    assert [flaw.code for flaw in flaws(copy)] == ["line-redacted"]
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        (copy / ".git/sage" / name).unlink(missing_ok=True)
    assert sage("record", cwd=linked).returncode == 0
    assert sage("record", cwd=copy).returncode == 0
    assert mend(copy) == []
    assert holders(copy, b"TOKEN-4711") == []
    assert holders(linked, b"TOKEN-4711") == []
    entries = Counter(log_lines(copy))
    assert max(entries.values()) == 1
    assert entries[b'{"eventId":"%s"}' % fact["eventId"].encode()] == 1


def holders(path: Path, needle: bytes) -> list[Path]:
    """The files in which `needle` stands."""
    return [each for each in path.rglob("*") if each.is_file() and needle in each.read_bytes()]
