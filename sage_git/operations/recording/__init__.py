"""From what git has to what the record has: which commits are new, their events, into log and index."""
