"""Sees to it that 300 events are in the writer log of the directory named on the command line, once, and seals them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import RepositoryId
from sage_git.errors import SageError
from sage_git.gitrepo.store import Store
from sage_git.storage.durable import make_directory
from sage_git.storage.keys import ensure_writer, introduction
from sage_git.storage.lock import held
from sage_git.storage.writerlog import WriterLog

ENVELOPE = {"type": "AGENT_ACTION", "actor": {"agent": "test", "id": "ada"}, "timestamp": "2026-01-02T03:04:05.678Z"}


def lines() -> list[bytes]:
    return [Event.sealed({**ENVELOPE, "action": f"step {number}"}).line for number in range(300)]


def bodies(directory: Path, writer: str) -> Iterator[bytes]:
    """Every body in the log, in order; each once even while it is both sealed and in the tail."""
    log, store = WriterLog(directory), Store(directory, "sha1", os.environ)
    first = log.sealed()
    yield from (entry.body for entry in store.entries(writer) if entry.number < first)
    yield from (entry.body for entry in log.read_tail())


def log_and_seal(directory: Path) -> None:
    make_directory(directory)
    with held(directory / "log.lock", 2000):
        log, store = WriterLog(directory), Store(directory, "sha1", os.environ)
        writer = ensure_writer(directory, RepositoryId("r"))
        known = set(bodies(directory, writer))
        log.append([line for line in lines() if line not in known])
        full = log.sealable()
        if full:
            pairs = [(entry.leaf, entry.body) for entry in full]
            log.drop_sealed(store.seal(writer, full[0].number, pairs, introduction(directory)))


if __name__ == "__main__":
    try:
        log_and_seal(Path(sys.argv[1]))
    except SageError as problem:
        print(problem.code)
        sys.exit(problem.exit_status)
