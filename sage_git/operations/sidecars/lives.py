"""Which chronicle the source at a path has: its life at one commit (docs/decisions/0002)."""

from __future__ import annotations

from sage_git.chronicle.ids import ObjectId, lineage_name
from sage_git.observation.lineage import heads
from sage_git.operations.checkout import Checkout
from sage_git.operations.ledger import lineages_along
from sage_git.operations.paths import path_text


def component_at(checkout: Checkout, head: ObjectId | None, path: bytes) -> int | None:
    """The chronicle of a source at HEAD; None if nothing is known of it. Whether HEAD has the source is not asked.

    Of a commit before `since` nothing is known: what is in the tree of `since` counts as born there (SPEC 3).
    """
    index, identity = checkout.index, checkout.known_identity()
    if head is not None and head != identity.since and index.commits.known(head) is None:
        return None
    lineages = lineages_along(index, heads(index.commits, index.commits.place(head), path), path)
    if lineages:
        return index.events.component(lineages[0])
    number = index.events.known_lineage(lineage_name(identity.repository, path_text(path), identity.since))
    return None if number is None else index.events.component(number)
