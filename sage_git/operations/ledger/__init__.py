"""The ledger: how events come into the index, from this clone's log, from the logs of others, and from commits.

entering   an event, and what changes with it
lineages   the chronicles it stands in
own        what this clone's log has and the index has not
foreign    what the logs of other writers have
told       what those say of commits, held against the commits
truth      whether it is true
"""

from sage_git.operations.ledger.entering import Occasion, enter, enter_new, meet_again
from sage_git.operations.ledger.lineages import MOVES, lineages_along, lineages_of
from sage_git.operations.ledger.own import Entry, enter_missing, entries_from, missing_entries, redacted_by

__all__ = [
    "MOVES",
    "Entry",
    "Occasion",
    "enter",
    "enter_missing",
    "enter_new",
    "entries_from",
    "lineages_along",
    "lineages_of",
    "meet_again",
    "missing_entries",
    "redacted_by",
]
