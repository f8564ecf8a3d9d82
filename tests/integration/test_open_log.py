"""`sage_git.open_log`: this clone's log as agents use it, and the mistakes that such logs make, which it does not.

Here are those of one clone (SPEC 11): two processes that open one log, a length that is asked for before the log is
open, an entry that does not read back, a merge that depends on more than the entries. That a replication error kills
nobody, and that an id for discovery lets nobody read, is shown where peers meet (tests/peers).
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import sage_git
from sage_git.chronicle.dag import order
from sage_git.operations.proving.checking import check_proof
from tests.kit import GitRepository, run_sage

APPEND = """
import sys, sage_git
with sage_git.open_log(sys.argv[1]) as log:
    for number in range(int(sys.argv[3])):
        at = log.append(
            {"action": f"step {number}", "actor": {"agent": "test", "id": sys.argv[2]}}, lock_timeout_ms=60_000
        )
        print(at)
"""


def step(action="lint", **fields):
    return {"action": action, "actor": {"agent": "test", "id": "ada"}} | fields


@pytest.fixture
def recorded(repository, sage):
    repository.commit("first", **{"foo.py": "x = 1\n"})
    assert sage("init").returncode == 0
    repository.commit("second", **{"foo.py": "x = 2\n"})
    return repository


@pytest.fixture
def log(recorded):
    with sage_git.open_log(recorded.path) as log:
        yield log


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A log for tests that only append to it."""
    repository = GitRepository.create(tmp_path_factory.mktemp("shared"))
    repository.commit("first", **{"foo.py": "x = 1\n"})
    assert run_sage("init", cwd=repository.path).returncode == 0
    repository.commit("second", **{"foo.py": "x = 2\n"})
    with sage_git.open_log(repository.path) as log:
        yield log, repository.path / ".git/sage/tail.ndjson"


def test_what_is_appended_has_a_number_and_is_read_under_it(shared):
    log, _ = shared
    before = log.length()
    numbers = [log.append(step(f"step {number}")) for number in range(3)]
    assert numbers == [before, before + 1, before + 2]
    assert log.length() == before + 3
    assert [log.read(number)["action"] for number in numbers] == ["step 0", "step 1", "step 2"]
    assert log.read(numbers[1]).type == "AGENT_ACTION"


def test_a_log_begins_with_what_was_recorded(shared):
    log, _ = shared
    types = [event.type for event in log.iterate()]
    assert "FILE_EDITED" in types
    assert len(types) == log.length()


def test_iterating_begins_where_it_is_told_and_ends_at_what_was_there(shared):
    log, _ = shared
    first = log.append(step("one"))
    entries = log.iterate(first)
    log.append(step("two"))
    assert [event["action"] for event in entries] == ["one"]
    assert [event["action"] for event in log.iterate(first)] == ["one", "two"]
    assert list(log.iterate(log.length() + 5)) == []


def test_what_is_appended_is_a_statement_like_any_other(log, recorded, sage):
    log.append(step("deployed", subject="builds"))
    log.append(step("looked at", subject="foo.py"))
    assert "deployed" in sage("log", ".sage/builds.sage").stdout
    assert "looked at" in (recorded.path / "foo.py.sage").read_text()
    assert sage("fsck").returncode == 0


def test_entries_are_read_through_sealed_segments_and_the_end_that_is_not(log, recorded, sage):
    recorded.commit("many", **{f"new{number}.py": "y = 1\n" for number in range(300)})
    log.append(step("last"))
    assert (recorded.path / ".git/sage/store.git").is_dir()
    whole = list(log.iterate())
    assert len(whole) == log.length() > 256
    for number in (0, 254, 255, 256, 257, log.length() - 1):
        assert log.read(number) == whole[number]
    assert list(log.iterate(255)) == whole[255:]
    log.verify()


def test_every_entry_can_be_proved_to_a_stranger(shared):
    log, _ = shared
    number = log.append(step("to be proved"))
    proved = check_proof(log.proof(number))
    assert (proved.number, proved.event) == (number, log.read(number))
    for other in range(log.length()):
        assert check_proof(log.proof(other)).number == other


def test_a_redacted_entry_keeps_its_number_and_its_proof(log, sage):
    number = log.append(step("a secret"))
    identifier = log.read(number).event_id
    assert sage("redact", identifier, "-m", "it was a secret").returncode == 0
    assert log.read(number) is None
    assert next(log.iterate(number)) is None
    assert check_proof(log.proof(number), identifier).event is None
    log.verify()


@pytest.mark.parametrize("number", [-1, 10_000])
def test_there_is_no_entry_beyond_the_ends(shared, number):
    log, _ = shared
    with pytest.raises(sage_git.NotHere, match="no entry"):
        log.read(number)
    with pytest.raises(sage_git.NotHere, match="no entry"):
        log.proof(number)


def test_a_log_whose_entry_was_altered_does_not_verify(log, recorded):
    log.append(step("as it was"))
    log.verify()
    tail = recorded.path / ".git/sage/tail.ndjson"
    tail.write_bytes(tail.read_bytes().replace(b"as it was", b"as it wasn't"))
    with pytest.raises(sage_git.ProofFailed, match="was altered"):
        log.verify()


def test_a_log_that_lost_what_was_signed_does_not_verify(recorded, sage):
    directory = recorded.path / ".git/sage"
    with sage_git.open_log(recorded.path) as log:
        log.append(step("one"))
        before = (directory / "tail.ndjson").read_bytes()
        log.append(step("two"))
        assert sage("sync", "--bundle", str(recorded.path / "out.bundle")).returncode == 0
        (directory / "tail.ndjson").write_bytes(before)
        with pytest.raises(sage_git.ProofFailed, match="were there once"):
            log.verify()
    for index in directory.glob("index.sqlite*"):  # which remembered them
        index.unlink()
    with sage_git.open_log(recorded.path) as log, pytest.raises(sage_git.ProofFailed, match="not what was signed"):
        log.verify()


def test_a_mistake_that_two_processes_that_open_one_log_tear_it_apart_is_not_made(recorded, log):
    before, count = log.length(), 25
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND, str(recorded.path), f"writer {number}", str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    numbers = [int(line) for process in processes for line in process.communicate(timeout=120)[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(numbers) == list(range(before, before + 3 * count))
    assert len({event.event_id for event in log.iterate(before)}) == log.length() - before == 3 * count
    log.verify()


def test_threads_share_one_log(shared):
    log, _ = shared
    before = log.length()
    with ThreadPoolExecutor(4) as threads:
        numbers = list(
            threads.map(lambda number: log.append(step(f"step {number}"), lock_timeout_ms=60_000), range(20))
        )
    assert sorted(numbers) == list(range(before, before + 20))
    assert [log.read(at)["action"] for at in numbers] == [f"step {number}" for number in range(20)]


def test_a_mistake_that_a_length_is_asked_for_before_the_log_is_open_cannot_be_made(tmp_path, recorded, sage):
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "-q", str(empty)], check=True)
    with pytest.raises(sage_git.NotHere):
        sage_git.open_log(empty)
    with pytest.raises(sage_git.NotHere):
        sage_git.open_log(tmp_path / "nowhere")
    log = sage_git.open_log(recorded.path)
    known = log.length()  # a log that there is, is open
    assert known == len(list(log.iterate())) > 0
    log.close()
    for ask in (log.length, log.iterate, log.verify, lambda: log.read(0), lambda: log.append(step())):
        with pytest.raises(sage_git.UsageError, match="was closed"):
            ask()
    log.close()


STRANGE = [
    {"meta": {"text": "line\u2028separator\u0085next\r\n\x00 tab\t", "empty": "", "list": []}},
    {"meta": {"float": 0.1, "tiny": 5e-324, "large": 1e300, "negative zero": -0.0}},
    {"meta": {"\U0001f600": "astral", "\ufb33": "before or after", "\u20ac": "euro"}},
    {"meta": {"integer": 2**53 - 1, "other": -(2**53) + 1, "null": None, "true": True}},
    {"meta": {"nested": [[[[[[{"deep": 1}]]]]]]}},
    {"action": "x" * 200_000},
]


@pytest.mark.parametrize(
    "fields", STRANGE, ids=lambda fields: next(iter(fields["meta"])) if "meta" in fields else "long"
)
def test_a_mistake_that_an_entry_is_stored_that_does_not_read_back_is_not_made(shared, fields):
    log, _ = shared
    given = step(**fields)
    number = log.append(given)
    read = log.read(number)
    assert {name: read[name] for name in given} == given
    assert read.has_true_id()
    assert check_proof(log.proof(number)).event == read
    log.verify()


@pytest.mark.parametrize(
    "fields",
    [
        {"meta": float("nan")},
        {"meta": 2**53},
        {"meta": {"surrogate": "\ud800"}},
        {"meta": {1, 2}},
        {"meta": b"bytes"},
        {"action": "x" * (1 << 20)},
        {"action": None},
        {"actor": "ada"},
        {"type": "FILE_EDITED"},
        {"subject": "../outside"},
        {"subject": ".git/config"},
        {"subject": ""},
        {"subject": 7},
    ],
    ids=lambda fields: repr(fields)[:40],
)
def test_what_would_not_read_back_is_refused_and_leaves_no_trace(shared, fields):
    log, tail = shared
    before = tail.read_bytes()
    with pytest.raises(sage_git.ValidationError):
        log.append(step(**fields))
    assert tail.read_bytes() == before


def test_a_retry_with_the_same_time_is_the_same_entry(shared):
    log, _ = shared
    given = step("once", timestamp="2026-01-02T03:04:05.678Z")
    number = log.append(given)
    assert log.append(given) == number
    assert log.append(step("once")) == number + 1


def test_a_mistake_that_a_merge_depends_on_more_than_the_entries_is_not_made(recorded, sage):
    """Two clones say things apart; what they come to together is the same, whoever is asked first, and in any order."""
    other = recorded.clone("other")
    assert sage("init", cwd=other.path).returncode == 0
    entries = []
    for number, clone in enumerate((recorded, other)):
        with sage_git.open_log(clone.path) as log:
            for turn in range(4):
                log.append(step(f"{turn} by {number}", timestamp=f"2026-01-0{turn + 1}T00:00:0{number}.000Z"))
            entries += [event for event in log.iterate() if event and event.type == "AGENT_ACTION"]
    merged = order(entries)
    shuffled = random.Random(11)
    for _ in range(50):
        shuffled.shuffle(entries)
        half = shuffled.randrange(len(entries))
        assert order(entries) == merged == order([*order(entries[half:]), *order(entries[:half])])
        assert order([*entries, *entries]) == merged
    for one, later in itertools.combinations([event["action"] for event in merged], 2):
        assert one != later


def test_the_log_is_public_and_costs_nothing_that_is_not_used():
    code = "import sys, sage_git; print(sorted(n for n in sys.modules if n.startswith('sage_git.op')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert "open_log" in sage_git.__all__
