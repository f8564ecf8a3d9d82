"""git under limits of time, output and file size."""

from __future__ import annotations

import os
import time

import pytest

from sage_git.gitrepo.command import Limits, Over, run_bounded

WIDE = Limits(seconds=30.0, output_bytes=1 << 20, file_bytes=1 << 30, memory_bytes=1 << 31)
NARROW = Limits(seconds=0.3, output_bytes=1000, file_bytes=1 << 20, memory_bytes=1 << 31)


@pytest.fixture
def bounded(tmp_path):
    """Runs a shell command as an alias of git's."""

    def run(command, limits=WIDE, given=b""):
        alias = f"alias.do=!{command}"
        return run_bounded(["-c", alias, "do"], git_dir=tmp_path, environment=os.environ, limits=limits, input=given)

    return run


def test_what_ends_within_its_limits_is_told_as_it_ended(bounded):
    done = bounded("cat; echo words >&2; exit 3", given=b"given")
    assert (done.status, done.output, done.said, done.over) == (3, b"given", "words\n", None)


def test_time_ends_it_with_all_that_it_started(bounded):
    began = time.monotonic()
    assert bounded("sleep 300 | cat", NARROW).over is Over.TIME
    assert time.monotonic() - began < 10


def test_output_without_end_ends_it(bounded):
    done = bounded("yes", NARROW)
    assert done.over is Over.OUTPUT
    assert len(done.output) < 1 << 20


def test_words_without_end_do_not(bounded):
    done = bounded("yes | head -c 1000000 >&2; echo last >&2; echo out")
    assert (done.output, done.over) == (b"out\n", None)
    assert done.said.endswith("last\n")
    assert len(done.said) < 1 << 17


def test_who_stays_behind_with_the_pipe_is_not_waited_for(bounded):
    began = time.monotonic()
    assert bounded("(sleep 20 >/dev/null &); echo done").output == b"done\n"
    assert time.monotonic() - began < 10


def test_a_file_that_becomes_too_large_fails(bounded, tmp_path):
    assert bounded(f"head -c 3000000 /dev/zero >{tmp_path}/large", NARROW).status != 0
    assert (tmp_path / "large").stat().st_size <= NARROW.file_bytes
