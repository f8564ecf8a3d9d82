"""In what one policy lets more through than another (SPEC 6.3). Pure. Not here: whether somebody answered for that."""

from __future__ import annotations

from typing import Final

from sage_git.judgement.policy import Judged, Mode, Policy

_STRICTNESS: Final = {Mode.RECORD: 0, Mode.WARN: 1, Mode.BLOCK: 2}


def weakenings(before: Policy, after: Policy) -> tuple[str, ...]:
    """Each respect in which `after` is weaker than `before`, or alters what is immutable, in words with its key."""
    found = [f"{name} is another" for name in _altered(before, after)]
    if _STRICTNESS[after.rogue.mode] < _STRICTNESS[before.rogue.mode]:
        found.append(f"rogue.mode is {after.rogue.mode}, not {before.rogue.mode}")
    dropped = [kind for kind in Judged if kind in before.rogue.changes - after.rogue.changes]
    if dropped:
        found.append(f"rogue.changes lacks {', '.join(dropped)}")
    if exempt := _newly_exempt(before.rogue.exempt.texts, after.rogue.exempt.texts):
        found.append(f"rogue.exempt has {exempt}")
    if before.approval.signed and not after.approval.signed:
        found.append("approval.signed is false")
    if after.approval.required < before.approval.required:
        found.append(f"approval.required is {after.approval.required}, not {before.approval.required}")
    if after.approval.self_approval and not before.approval.self_approval:
        found.append("approval.self_approval is true")
    if after.approval.implicit and not before.approval.implicit:
        found.append("approval.implicit is true")
    return tuple(found)


def _altered(before: Policy, after: Policy) -> list[str]:
    """The keys of what no commit may change that are not the same."""
    names = ("repository", "since", "backfill", "rules")
    return [name for name in names if getattr(before.identity, name) != getattr(after.identity, name)]


def _newly_exempt(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """The first pattern that may exempt more than before; patterns that take exemptions back count the other way."""
    added = [text for text in after if text not in before and not text.startswith("!")]
    lost = [text for text in before if text not in after and text.startswith("!")]
    if added:
        return added[0]
    if lost:
        return f"no more {lost[0]}"
    kept = [text for text in after if text in before]
    is_in_order = kept == [text for text in before if text in after]
    return "" if is_in_order or not any(text.startswith("!") for text in kept) else "its patterns in another order"
