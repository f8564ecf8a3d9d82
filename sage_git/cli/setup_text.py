"""What `init`, `deinit` and `doctor` did or found, in words. Spans only; the commands are `cli.setup`'s."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sage_git.cli.text import Line, Span, Style, span

if TYPE_CHECKING:
    from sage_git.operations.setup.doctor import Check
    from sage_git.operations.setup.hook_managers import Lines
    from sage_git.operations.setup.install import InitOutcome
    from sage_git.operations.setup.removal import RemoveOutcome

_SHORT: Final = 8
_LABEL: Final = 13


def begun(outcome: InitOutcome) -> Iterator[Line]:
    """What `init` did, what is left to do, and what comes next."""
    from sage_git.operations.setup.install import Beginning

    said = {
        Beginning.CREATED: "A record of this repository is kept from now on.",
        Beginning.JOINED: "This clone has joined the record that the repository keeps already.",
        Beginning.RESUMED: "This clone goes on with the record that it left.",
        Beginning.RENEWED: "This clone keeps the record already; hooks and excludes are in place again.",
    }
    if not outcome.config.is_committed:
        said[Beginning.CREATED] = "A record of this repository is kept once its config is committed."
    yield [Span(said[outcome.beginning], Style.STRONG)]
    yield _row("config", _config_words(outcome))
    since = outcome.identity.since
    yield _row("begins", f"after {since[:_SHORT]}; git has what was before" if since else "with the first commit")
    if outcome.identity.backfill:
        count = len(outcome.identity.backfill)
        yield _row("", f"and with what {count} other branch{'es' if count > 1 else ''} had by then")
    yield from _hook_rows(outcome)
    if outcome.identity.place != "off":
        shown = (
            f"FILE{outcome.identity.suffix} {'beside FILE' if outcome.identity.place == 'beside' else 'in .sage/tree'}"
        )
        yield _row("chronicles", f"{shown}, ignored by git (info/exclude), never committed")
    if remotes := outcome.config.policy.publish.remotes:
        yield _row("published", f"to {' and '.join(remotes)} by each git push; `remotes = []` in the config ends that")
    yield from _warnings(outcome)
    if outcome.missing:
        yield from _missing_rows(outcome, outcome.missing)
    if outcome.absent:
        yield from _absent_rows(outcome)
    yield []
    yield [span(_next_step(outcome))]


def _config_words(outcome: InitOutcome) -> str:
    config = outcome.config
    if config.commit:
        commit = config.commit[:_SHORT]
        return f"committed as {commit}; to undo: sage-git deinit && git revert {commit}"
    if not config.is_committed:
        return ".sage/config.toml and .sage/allowed_signers, written and not committed"
    return f".sage/config.toml of {config.source.removeprefix('refs/heads/').removeprefix('refs/remotes/')}"


def _hook_rows(outcome: InitOutcome) -> Iterator[Line]:
    from sage_git.operations.setup.hook_folder import Standing

    hooks, shims = outcome.hooks, outcome.shims
    if shims.hooks:
        yield _row("hooks", f"{len(shims.hooks)} in {_short(hooks.folder, outcome)}")
        if hooks.standing is Standing.SHARED:
            yield _row("", "other repositories use that folder too (core.hooksPath); without")
            yield _row("", "a record they notice nothing")
    elif not outcome.absent:
        yield _row("hooks", f"run by {_owner(outcome)}")
    if shims.foreign:
        yield _row("", f"{', '.join(shims.foreign)} of yours {_goes_on(len(shims.foreign))} first")
    for path in shims.leftover:
        yield _row("", f"{_short(path, outcome)} was displaced by another tool and does not run", Style.OPEN)
    if outcome.written:
        yield _row("", f"sage-git is called now from {_files(outcome.written, outcome.repository.work_tree)};")
        yield _row("", "commit that if you like: it does nothing in clones without a record")


def _missing_rows(outcome: InitOutcome, missing: tuple[Lines, ...]) -> Iterator[Line]:
    """The lines that a hook manager's files, or a team's, need, each with its place."""
    yield _row("but", f"{_owner(outcome)} has to call sage-git, and `sage-git init --hook-manager`", Style.OPEN)
    yield _row("", "writes what it can of this; or put it there by hand:")
    for lines in missing:
        where = "as the first line" if lines.first else "as the last line"
        yield []
        yield [span(f"    {_short(lines.path, outcome)}{'' if lines.text.count(chr(10)) > 1 else f', {where}'}:")]
        for line in lines.text.splitlines():
            yield [span(f"        {line}", Style.STRONG)]


def _owner(outcome: InitOutcome) -> str:
    from sage_git.operations.setup.hook_managers import Manager

    hooks = outcome.hooks
    return _short(hooks.folder, outcome) if hooks.manager is Manager.FOLDER else hooks.manager.value


def _goes_on(number: int) -> str:
    return "goes on, and runs" if number == 1 else "go on, and run"


def _files(paths: Iterable[Path], top: Path | None) -> str:
    """Their names, or how many there are in each folder."""
    folders: dict[str, list[str]] = {}
    for path in paths:
        shown = path.relative_to(top) if top and path.is_relative_to(top) else path
        folders.setdefault(str(shown.parent), []).append(str(shown))
    return ", ".join(
        names[0] if len(names) == 1 else f"{len(names)} scripts in {folder}" for folder, names in folders.items()
    )


def _absent_rows(outcome: InitOutcome) -> Iterator[Line]:
    """Where hooks cannot stand: why, what that means, and the way out."""
    from sage_git.operations.setup.hook_folder import Standing

    is_closed = outcome.hooks.standing is Standing.CLOSED
    why = "which you may not write to" if is_closed else "which is no folder, so git runs no hook"
    yield _row("but", f"core.hooksPath is {outcome.hooks.folder}, {why}", Style.OPEN)
    yield _row("", "so commits are recorded later, when you run sage-git log, status or record.")
    yield _row("", "Or let this repository run hooks of its own, and then `sage-git init` again:")
    yield _row("", f"git config core.hooksPath {shlex.quote(str(outcome.repository.common_dir / 'hooks'))}")


def _warnings(outcome: InitOutcome) -> Iterator[Line]:
    beaten, suffix = outcome.overruled, outcome.identity.suffix
    if beaten is not None:
        yield _row(
            "but", f"`{beaten.pattern}` in {beaten.source} line {beaten.line} shows {beaten.sidecar}", Style.OPEN
        )
        yield _row("", f"to git: add `*{suffix}` as the last line of {beaten.source}")
    if outcome.repository.is_shallow and not outcome.config.is_new:
        yield _row("but", "this clone is shallow, and commits whose parents it lacks have to wait:", Style.OPEN)
        yield _row("", "git fetch --unshallow")
    for tool in outcome.packagers:
        yield _row("but", f"{tool} reads only .gitignore: add `*{suffix}` there, or it packs chronicles", Style.OPEN)


def _next_step(outcome: InitOutcome) -> str:
    from sage_git.operations.setup.first_config import TO_COMMIT

    if not outcome.config.is_committed:
        return f"Nothing is recorded before you commit them: {TO_COMMIT}"
    if outcome.missing:
        return "Next: put the lines in place, then `sage-git doctor` proves that commits are recorded."
    if outcome.absent:
        return "Next: commit something, then `sage-git log`, which records it."
    return "Next: commit something, then `sage-git log`. `sage-git doctor` proves that commits are recorded."


def ended(outcome: RemoveOutcome) -> Iterator[Line]:
    """What `deinit` took away, and what stays."""
    if not outcome.was_kept and not outcome.shims.hooks and not outcome.sidecars:
        yield [span("This clone keeps no record; there was nothing to take out.")]
        return
    yield [Span("This clone keeps no record any more.", Style.STRONG)]
    yield _row("hooks", f"{len(outcome.shims.hooks)} taken out")
    if outcome.shared_with:
        one = outcome.shared_with == 1
        others = "another repository" if one else f"{outcome.shared_with} other repositories"
        yield _row("", f"those that {others} with a record {'shares' if one else 'share'} stay; here they do nothing")
    if outcome.shims.foreign:
        yield _row("", f"{', '.join(outcome.shims.foreign)} put back")
    for path in outcome.shims.leftover:
        yield _row("", f"left: {path}, which another tool had displaced")
    if outcome.changed:
        yield _row("", f"sage-git is not called any more from {_files(outcome.changed, outcome.work_tree)}")
    yield _row("chronicles", f"{outcome.sidecars:,} taken away")
    if outcome.record is not None:
        yield _row("record", f"kept in {outcome.record}; `sage-git init` goes on with it,")
        yield _row("", "`sage-git deinit --purge` deletes it")
    yield _row("config", ".sage/config.toml stays, as others may use it")


def checked(check: Check) -> Iterator[Line]:
    """One check of `doctor`, and what to do about it."""
    from sage_git.operations.setup.doctor import State

    style = {State.FINE: Style.ADDED, State.FAULT: Style.OPEN, State.WARNING: Style.COMMIT, State.SKIPPED: Style.FAINT}
    yield [Span(f"{check.state.value:<8} ", style[check.state]), *_row(check.name, check.message)]
    if check.remedy:
        yield [Span(" " * 9), *_row("", check.remedy)]


def _row(label: str, words: str, style: Style = Style.PLAIN) -> Line:
    return [Span(f"  {label:<{_LABEL}}", Style.FAINT), span(words, style)]


def _short(path: Path, outcome: InitOutcome) -> str:
    top = outcome.repository.work_tree
    return str(path.relative_to(top)) if top and path.is_relative_to(top) else str(path)
