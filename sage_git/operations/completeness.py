"""Whether the index has all that this clone's log has: asked also by those who must not keep git waiting.

Not here: making it so, which is `ledger`.
"""

from __future__ import annotations

from typing import Final

from sage_git.operations.checkout import Checkout

CATCHING_UP: Final = "catching up"
"""What the index keeps while entries of the log are still to be entered."""


def is_complete(checkout: Checkout) -> bool:
    """True if the index has every entry of this clone's log."""
    index = checkout.index
    return index.value(CATCHING_UP) is None and index.events.entries() == checkout.log.length()
