"""Whether the index has all that the logs here have: asked also by those who must not keep git waiting.

Not here: making it so, which is `ledger`.
"""

from __future__ import annotations

from typing import Final

from sage_git.gitrepo.glance import refs_seen
from sage_git.operations.checkout import Checkout

CATCHING_UP: Final = "catching up"
"""What the index keeps while entries of the own log are still to be entered."""
SAID_SINCE: Final = "said since"
"""Under which the index keeps when the earliest statement was said, in ms, that came after commits were judged."""
LOGS_SEEN: Final = "logs seen"
"""Under which the index keeps how the repositories of logs looked when the logs of others were entered."""


def is_complete(checkout: Checkout) -> bool:
    """True if the index has every entry of every log, and all is judged by what those say."""
    return has_own_log(checkout) and has_other_logs(checkout) and checkout.index.value(SAID_SINCE) is None


def has_own_log(checkout: Checkout) -> bool:
    """True if the index has every entry of this clone's log."""
    index = checkout.index
    return index.value(CATCHING_UP) is None and index.events.entries() == checkout.log.length()


def has_other_logs(checkout: Checkout) -> bool:
    """True if no log of another writer changed since they were entered."""
    return checkout.index.value(LOGS_SEEN) == logs_seen(checkout)


def logs_seen(checkout: Checkout) -> str | None:
    """How the repositories of logs look now; None if there are none, or no logs in them."""
    return refs_seen(checkout.sage / "store.git", checkout.sage / "private.git")
