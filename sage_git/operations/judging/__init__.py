"""Judging: which edits nobody answers for, as evidence, plans, answers and policy say (SPEC 6)."""
