"""Keeping chronicles current with the peers of their records, while any of their files is open and the user wants it.

Each record has a thread of its own for that, which waits for the network and for nobody else. What comes is noticed as
any change of the record is. Not here: exchanging (`operations.exchange`), and noticing (`workspaces`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from lsp_server.records import stamp
from sage_git.errors import SageError

if TYPE_CHECKING:
    from sage_git.operations.checkout import Checkout
    from sage_git.operations.exchange.outcomes import Outcome

_LOOKED_EVERY_S: Final = 1.0
_AFTER_A_FAULT_S: Final = 60.0
Told = Callable[[Path, str], None]
"""Whose peers, and what came of meeting one of them."""


class Exchange:
    """One record's exchange with its peers, until it is ended."""

    def __init__(self, root: Path, environment: Mapping[str, str], told: Told) -> None:
        self._root, self._environment, self._told = root, environment, told
        self._ended = Event()
        Thread(target=self._run, name="exchange", daemon=True).start()

    def end(self) -> None:
        """Meet nobody any more; a meeting that has begun goes on to its end."""
        self._ended.set()

    def _run(self) -> None:
        from sage_git.operations.checkout import Checkout

        fault = ""
        while not self._ended.is_set():
            try:
                with Checkout.open(self._root, self._environment) as checkout:
                    self._watch(checkout)
                fault = ""
            except (SageError, OSError) as problem:
                if str(problem) != fault:  # once is enough
                    self._told(self._root, str(problem))
                fault = str(problem)
                self._ended.wait(_AFTER_A_FAULT_S)

    def _watch(self, checkout: Checkout) -> None:
        """Meet peers until it ends, or until other ones are kept."""
        from sage_git.operations.exchange.sync import Direction
        from sage_git.operations.exchange.watch import watch

        kept = checkout.sage / "peers.json", checkout.repository.common_dir / "config"
        before = tuple(map(stamp, kept))

        def pause(seconds: float) -> bool:
            is_over = self._ended.wait(min(max(seconds, 0.0), _LOOKED_EVERY_S))
            return is_over or tuple(map(stamp, kept)) != before

        for news in watch(checkout, (), Direction.BOTH, pause=pause):
            for outcome in news.outcomes:
                self._told(self._root, _words(outcome))


class Exchanges:
    """Those of every record whose files are open."""

    def __init__(self, environment: Mapping[str, str], told: Told) -> None:
        self._environment, self._told = environment, told
        self._running: dict[Path, Exchange] = {}

    def keep(self, roots: Iterable[Path]) -> None:
        """Exchange for the records at these roots and for no others."""
        wanted = set(roots)
        for root in self._running.keys() - wanted:
            self._running.pop(root).end()
        for root in wanted - self._running.keys():
            self._running[root] = Exchange(root, self._environment, self._told)


def _words(outcome: Outcome) -> str:
    """One line for what came of meeting a peer, not escaped."""
    said = f"{outcome.peer}: {outcome.state.value}, {outcome.received:,} received, {outcome.sent:,} sent"
    refused = [f"{each.code}: {each.reason}" for each in outcome.refused]
    return "; ".join(filter(None, (said, outcome.reason, *refused)))
