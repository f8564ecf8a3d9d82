"""Whether a statement says what was said before, so that a retry does not double it (SPEC 4.2).

What an event says is all of it but its id and its parents, which the second time are others. Not here: appending.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sage_git.chronicle.canonical import canonical_json
from sage_git.chronicle.event import LINKS, Event
from sage_git.operations.ledger import lineages_of
from sage_git.storage.recent import RECENT_LINES

if TYPE_CHECKING:
    from sage_git.operations.checkout import Checkout

_SIGNATURE: Final = frozenset(("signature",))
_FRAGMENTS: Final = 8


def said_before(checkout: Checkout, event: Event, standing: Event) -> Event | None:
    """The event among the last 1,000 of its chronicle that says the same; an event with a true id wants one with one.

    `standing` is `event` under its true id.
    """
    has_true_id = event.has_true_id()
    return _found(checkout, event, standing, LINKS, lambda found: found.has_true_id() or not has_true_id)


def said_and_signed_before(checkout: Checkout, event: Event) -> Event | None:
    """The signed event that says the same as `event`, which is not signed yet: no two signatures need be equal."""
    return _found(checkout, event, event, LINKS | _SIGNATURE, lambda found: "signature" in found)


def _found(
    checkout: Checkout, event: Event, standing: Event, dropped: frozenset[str], is_enough: Callable[[Event], bool]
) -> Event | None:
    index = checkout.index
    with index.transaction():  # naming a lineage may make it
        components = {index.events.component(each) for each in lineages_of(index, checkout.known_identity(), standing)}
    content = _content(event, dropped)
    parts = sorted((canonical_json({name: value})[1:-1] for name, value in content.items()), key=len)
    for component in components:
        for line in index.events.recent(component, RECENT_LINES, parts[-_FRAGMENTS:]):
            found = Event.from_line(line)
            if _content(found, dropped) == content and is_enough(found):
                return found
    return None


def _content(event: Event, dropped: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in dropped}
