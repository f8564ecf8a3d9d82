"""One repository's record as an editor asks it: kept open in a thread of its own, opened anew when anything changed.

SQLite and git belong to the thread that opened them, so each `Lane` is one thread with one reading, and the event loop
only awaits what it does. Not here: which repository a file is in (`workspaces`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.reading.opening import Reading

Answer = TypeVar("Answer")
Told = Callable[[int, int], None]
"""How many commits of how many are recorded."""


class Lane:
    """A thread in which one reading of a record is kept, and asked one thing after another."""

    def __init__(self, root: Path, environment: Mapping[str, str], told: Told, name: str) -> None:
        self._root, self._environment, self._told = root, environment, told
        self._pool = ThreadPoolExecutor(1, f"lane-{name}")
        self._open: ExitStack | None = None
        self._reading: Reading | None = None
        self._state: object = None

    async def ask(self, question: Callable[[Reading], Answer]) -> Answer:
        """What `question` finds in the record as it is now. Not started if nobody waits for it any more."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question)

    def end(self) -> None:
        """Take no more questions."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Callable[[Reading], Answer]) -> Answer:
        return question(self._current())

    def _current(self) -> Reading:
        """The reading, opened anew if something happened since. Raises NotHere and what opening raises."""
        if self._reading is not None and self._state == state_of(self._reading.checkout):
            return self._reading
        self._close()
        from sage_git.operations.reading.opening import Reading

        with ExitStack() as stack:
            reading = stack.enter_context(Reading.open(self._root, self._environment, self._told))
            self._state = state_of(reading.checkout)
            self._open = stack.pop_all()
        self._reading = reading
        return reading

    async def rest(self) -> None:
        """Keep the reading, and nothing that can be read again."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._rest)

    def _rest(self) -> None:
        if self._reading is not None:
            self._reading.rest()

    async def close(self) -> None:
        """Keep nothing; the next question opens the record anew."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)

    def forget(self, reading: Reading) -> None:
        """Have the next question open the record anew: this one changed it. Called in the lane."""
        if reading is self._reading:
            self._state = None

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = self._reading = None


class Record:
    """A repository's record. What many wait for goes through `lines`, what may take long through `questions`."""

    def __init__(self, root: Path, environment: Mapping[str, str], told: Told) -> None:
        self.root = root
        self.lines = Lane(root, environment, told, "lines")
        self.questions = Lane(root, environment, told, "questions")
        self.state: object = None
        """As it was when the open documents were looked at last."""
        self._checkout: Checkout | None = None

    def look_from(self, checkout: Checkout) -> None:
        """Know from where to `glance`: the places are the same for every checkout of this record."""
        if self._checkout is None:
            self.state = state_of(checkout)
            self._checkout = checkout

    def glance(self) -> object:
        """The state now; before a record was read, whether one was begun."""
        if self._checkout is None:
            own = self.root / ".git"
            return stamp(own / "sage" / "clone.json"), stamp(own / "logs" / "HEAD")
        return state_of(self._checkout)

    async def rest(self) -> None:
        """Keep only what the next hover or save would wait for."""
        await asyncio.gather(self.lines.rest(), self.questions.close())

    def end(self) -> None:
        """Take no more questions."""
        self.lines.end()
        self.questions.end()


def state_of(checkout: Checkout) -> object:
    """Something that is another one after HEAD, the record, or the plan in use changed. A few calls of stat."""
    from sage_git.operations.gating.places import plan_file

    repository, sage = checkout.repository, checkout.sage
    own, common = repository.git_dir, repository.common_dir
    head = own / "HEAD"
    try:
        named = head.read_bytes()[:4096]
    except OSError:
        named = b""
    branch = common / os.fsdecode(named.removeprefix(b"ref: ").strip()) if named.startswith(b"ref: refs/") else head
    watched = (
        head,
        branch,
        own / "logs" / "HEAD",
        common / "packed-refs",
        common / "shallow",
        common / "reftable" / "tables.list",
        sage / "clone.json",
        sage / "tail.ndjson",
        sage / "store.git" / "packed-refs",
        sage / "store.git" / "refs" / "sage" / "writers",
        plan_file(checkout),
    )
    return named, tuple(map(stamp, watched))


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What a file is another one by; None if it is not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
