"""One holder at a time, between threads and between processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from sage_git.errors import LockTimeout
from sage_git.storage.lock import held, open_locked

HOLD = """
import sys
from sage_git.storage.lock import held
with held(sys.argv[1], 0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that holds tmp_path / "lock" until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_whoever_waits_in_vain_is_told_who_holds_the_lock(tmp_path, other_process):
    began = time.monotonic()
    with pytest.raises(LockTimeout) as caught, held(tmp_path / "lock", 50):
        pass
    assert 0.05 <= time.monotonic() - began < 2
    assert (caught.value.holder, caught.value.timeout_ms) == (other_process.pid, 50)
    assert caught.value.path == str(tmp_path / "lock")


def test_a_lock_dies_with_its_holder(tmp_path, other_process):
    other_process.kill()
    other_process.wait()
    with held(tmp_path / "lock", 0):
        assert (tmp_path / "lock").read_text().strip() == str(os.getpid())


def test_threads_exclude_one_another(tmp_path):
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with held(tmp_path / "lock", 10_000):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_file_that_was_replaced_while_we_waited_is_locked_anew(tmp_path):
    path = tmp_path / "lock"
    old = open_locked(path, 0)
    got: list[int] = []
    waiter = threading.Thread(target=lambda: got.append(open_locked(path, 10_000)))
    waiter.start()
    os.rename(path, tmp_path / "gone")
    path.write_bytes(b"new")
    os.close(old)
    waiter.join()
    assert os.path.samestat(os.fstat(got[0]), path.stat())
    os.close(got[0])
