"""The compiled gate: what `hooks/hook` needs to let a commit pass without starting Python.

    sage-git gate 1
    config BLOB          of HEAD's .sage/config.toml for which this was worked out; `-`: always ask Python
    mode MODE            record | warn | block
    judging yes|no       whether a plan was ever approved
    halts NUMBER         open halts that bind this clone
    use PLANID           what `plan use` chose; absent: nothing
    plan PLANID APPROVAL UNTIL SCOPE    for each plan in force
    events DIGEST        of the plan and halt events that were known

APPROVAL has 16 digits, UNTIL is the last second or `-`, SCOPE a file in gate/scopes or `-` where only Python can tell.
A scope is an exclude file: git itself says which paths match, so that the hook and `judgement.patterns` agree. All this
may only ever be too strict. Whatever it cannot say, or no longer holds, sends the hook to `gate`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from sage_git.chronicle.event import Event
from sage_git.chronicle.ids import is_hex
from sage_git.errors import SageError
from sage_git.gitrepo.scratch import make_bare
from sage_git.judgement.plan import SUBJECT, Plan
from sage_git.judgement.policy import Policy
from sage_git.operations.checkout import Checkout
from sage_git.operations.completeness import is_complete
from sage_git.operations.gating.ground import Ground, claim_of
from sage_git.operations.gating.places import HEADING, LINKED, UNTOLD, compiled_file, gate_folder, plan_in_use
from sage_git.operations.subjects import subject_lineage
from sage_git.storage.durable import make_directory, replace_file
from sage_git.storage.index import Index
from sage_git.storage.lock import held

_ASKS_ALWAYS: Final = f"{HEADING}\nconfig -\nmode warn\njudging yes\nhalts 0\nevents -\n"
_LOCK_TIMEOUT_MS: Final = 5_000


def compile_gate(checkout: Checkout) -> None:
    """Let the hook know how plans, halts and policy are now. If that cannot be, it asks Python; nothing is raised."""
    try:
        make_directory(gate_folder(checkout))
        with held(checkout.sage / "gate.lock", _LOCK_TIMEOUT_MS):
            _compile(checkout)  # worked out inside, so that the last one to write knows most
    except SageError:
        with suppress(OSError):
            compiled_file(checkout).unlink(missing_ok=True)


def concerns_gate(index: Index, event: Event) -> bool:
    """True if `event` may change what the gate lets through: something about a plan or a halt."""
    if event.type != "RECONCILIATION":
        return event.type.startswith("PLAN_") or event.type == "HALT_AND_REPORT"
    if "planId" in event:
        return True
    names = event.get("resolves")
    answered = [index.events.event(name) for name in names if is_hex(name, 64)] if isinstance(names, list) else []
    return any(each is not None and each.type == "HALT_AND_REPORT" for each in answered)


def exclude_lines(scope: tuple[str, ...], policy: Policy) -> list[str] | None:
    """Patterns that match what `scope` or the policy's exemptions match; None if one list cannot say so.

    What is only ever added may stand last: there it decides nothing but what it matches.
    """
    exempt = policy.rogue.exempt.texts
    lists = sorted((scope, exempt), key=lambda texts: not any(text.startswith("!") for text in texts))
    if any(text.startswith("!") for text in lists[1]):
        return None
    joined = [text for texts in lists for text in texts if text and not text.startswith("#")]
    return joined if all(text.isprintable() for text in joined) else None


def _compile(checkout: Checkout) -> None:
    if is_complete(checkout):
        events = _digest(checkout)
        text = _compiled(checkout, Ground(checkout, int(time.time())), events)
    else:  # the recorder is still to catch up with the log
        text, events = _ASKS_ALWAYS, UNTOLD
    _make_matcher(checkout)
    _replace(compiled_file(checkout), text.encode("utf-8"))
    _clear(checkout, events)


def _compiled(checkout: Checkout, ground: Ground, events: str) -> str:
    chosen = plan_in_use(checkout)
    lines = [
        HEADING,
        f"config {ground.config}",
        f"mode {ground.policy.rogue.mode}",
        f"judging {'yes' if ground.is_judging else 'no'}",
        f"halts {len(ground.halts)}",
        *([f"use {chosen}"] if chosen else []),
        *_plan_lines(checkout, ground, chosen),
        f"events {events}",
    ]
    return "\n".join(lines) + "\n"


def _plan_lines(checkout: Checkout, ground: Ground, chosen: str | None) -> Iterator[str]:
    """A line for each plan in force; first the one in use, since a shell reads byte by byte, then the newest."""
    newest_first = list(ground.plans)[::-1]
    for plan_id in sorted(newest_first, key=lambda each: each != chosen):
        found = ground.in_force(plan_id, ground.now_s)
        if found is not None:
            plan, term = found
            until = UNTOLD if term.end is None else str(term.end)
            yield f"plan {plan_id} {claim_of(plan, term).approval} {until} {_scope(checkout, ground, plan)}"


def _scope(checkout: Checkout, ground: Ground, plan: Plan) -> str:
    """The name of the scope's file; `-` where only Python can tell, as it must where it matters who the author is."""
    lines = exclude_lines(plan.scope.texts, ground.policy) if ground.policy.approval.self_approval else None
    if lines is None:
        return UNTOLD
    content = "".join(f"{line}\n" for line in lines).encode("utf-8")
    name = sha256(content).hexdigest()[:16]
    _replace(gate_folder(checkout) / "scopes" / name, content)
    return name


def _digest(checkout: Checkout) -> str:
    """What tells whether plans and halts are still those that were known."""
    events = checkout.index.events
    lineage = events.known_lineage(subject_lineage(SUBJECT) or "")
    names: list[str] = [] if lineage is None else [name for _, name, _ in events.lines(events.component(lineage))]
    names += [halt.event.event_id or "" for halt in Ground(checkout, 0).halts]
    return sha256("".join(sorted(names)).encode("ascii")).hexdigest()[:16]


def _make_matcher(checkout: Checkout) -> None:
    gate = gate_folder(checkout)
    make_directory(gate / "empty")
    make_bare(gate / "matcher.git", "sha1", checkout.repository.environment)


def _replace(path: Path, content: bytes) -> None:
    """Have `content` in `path`, which is written only if that changes it. Raises StorageError."""
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    make_directory(path.parent)
    replace_file(path, content)


def _clear(checkout: Checkout, events: str) -> None:
    """Take away what other work trees compiled from other events, what gone ones left, and scopes that nobody names."""
    gate = gate_folder(checkout)
    own = compiled_file(checkout)
    kept = own.read_text("utf-8")
    for other in [gate / "main" / "compiled", *(gate / LINKED).glob("*/compiled")]:
        if other == own:
            continue
        with suppress(OSError, ValueError):
            text = other.read_text("utf-8")
            if text.endswith(f"\nevents {events}\n"):
                kept += text
            else:
                other.unlink()
    for folder in (gate / LINKED).glob("*"):
        if not (checkout.repository.common_dir / "worktrees" / folder.name).is_dir():
            shutil.rmtree(folder, ignore_errors=True)
    for scope in (gate / "scopes").glob("*"):
        if scope.name not in kept:
            with suppress(OSError):
                scope.unlink()
