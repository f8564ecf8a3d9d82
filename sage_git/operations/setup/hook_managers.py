"""Tools that own a repository's hooks: which one does, and what has to stand in its files for our hooks to run.

husky and a `core.hooksPath` of the team's keep scripts in the work tree, lefthook rewrites git's folder from its own
file; there a line of ours must stand in *their* files. The pre-commit framework runs what it finds in git's folder, and
a `core.hooksPath` outside the history is as good as that folder (`hook_folder`), so our shims do (`shims`). Nobody's
`core.hooksPath` is ever set or changed.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from sage_git.operations.setup.hook_folder import Standing
from sage_git.storage.durable import make_directory, replace_file, told_as

MARK: Final = "# sage-git"
_GATES: Final = ("pre-commit", "pre-merge-commit")
_STARTED: Final = (
    *_GATES,
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-merge",
    "post-rewrite",
    "post-applypatch",
    "post-checkout",
)
_LEFTHOOK_FILES: Final = tuple(
    f"{folder}{name}.{kind}"
    for folder in ("", ".config/")
    for name in ("lefthook", ".lefthook")
    for kind in ("yml", "yaml", "toml", "json", "jsonc")
)
_SHELLS: Final = (b"sh", b"bash", b"dash", b"ash", b"ksh", b"zsh")


class Manager(Enum):
    """Who owns the hooks."""

    NOBODY = "nobody"
    PRE_COMMIT = "the pre-commit framework"
    LEFTHOOK = "lefthook"
    HUSKY = "husky"
    FOLDER = "core.hooksPath"


@dataclass(frozen=True, slots=True)
class Lines:
    """What has to stand in a file of the manager's. `first`: at its beginning, else at its end."""

    path: Path
    text: str
    first: bool = True


@dataclass(frozen=True, slots=True)
class Hooking:
    """Who owns the hooks, the folder that git looks into, and the lines that the owner's files need."""

    manager: Manager
    folder: Path
    standing: Standing
    lines: tuple[Lines, ...] = ()

    @property
    def owner(self) -> str:
        """Who owns the hooks, in words."""
        return str(self.folder) if self.manager is Manager.FOLDER else self.manager.value

    @property
    def needs_shims(self) -> bool:
        """Whether git runs what stands in the folder, so that shims have to be there; lines do elsewhere."""
        return self.manager not in (Manager.HUSKY, Manager.FOLDER)

    def called_by_lines(self) -> frozenset[str]:
        """The hooks that lines in the owner's files call already, so that a shim would call them twice."""
        written = "".join(lines.text for lines in self.lines if is_written(lines))
        return frozenset(hook for hook in _STARTED if f'"$h" {hook} ' in written)


def hooking(work_tree: Path, folder: Path, standing: Standing) -> Hooking:
    """How hooks are run here; `folder` is what `git rev-parse --git-path hooks` says, absolute."""
    if folder.name == "_" and (folder.parent.name == ".husky" or (folder / "h").is_file()):
        return Hooking(Manager.HUSKY, folder, standing, _script_lines(folder.parent))
    if standing is Standing.SOURCE:
        return Hooking(Manager.FOLDER, folder, standing, _script_lines(folder))
    if any((work_tree / name).is_file() for name in _LEFTHOOK_FILES):
        return Hooking(Manager.LEFTHOOK, folder, standing, _lefthook_lines(work_tree))
    if (work_tree / ".pre-commit-config.yaml").is_file():
        return Hooking(Manager.PRE_COMMIT, folder, standing)
    return Hooking(Manager.NOBODY, folder, standing)


def is_written(lines: Lines) -> bool:
    """Whether `lines` stand in their file."""
    try:
        return lines.text in lines.path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def write(lines: Sequence[Lines]) -> tuple[tuple[Path, ...], tuple[Lines, ...]]:
    """Write `lines` into their files; gives the files written, and the lines that only a person can place.

    Those are for a script that is no shell script, and for a lefthook-local.yml that says something already. Raises
    StorageError.
    """
    written: list[Path] = []
    left: list[Lines] = []
    for one in lines:
        if is_written(one):
            continue
        content = _read(one.path)
        placed = _placed(content, one)
        if placed is None:
            left.append(one)
            continue
        make_directory(one.path.parent)
        _write(one.path, placed)
        written.append(one.path)
    return tuple(written), tuple(left)


def withdraw(lines: Sequence[Lines]) -> tuple[Path, ...]:
    """Take `lines` out of their files, and files away that are then empty; gives those files. Raises StorageError."""
    changed: list[Path] = []
    for one in lines:
        if not is_written(one):
            continue
        content = _read(one.path) or b""
        rest = content.replace(one.text.encode(), b"", 1)
        with told_as(one.path, "change"):
            if rest.strip() in (b"", b"#!/bin/sh"):
                one.path.unlink()
            else:
                _write(one.path, rest)
        changed.append(one.path)
    return tuple(changed)


def _script_lines(folder: Path) -> tuple[Lines, ...]:
    """One line a hook, first so that the script's exit status and early ends stay its own; a gate may end it.

    But post-rewrite, whose standard input we would take from the script, goes last; nobody looks at its exit status.
    """
    return tuple(
        Lines(
            folder / hook,
            f'({_call(hook)} "$@"){" || exit 1" * (hook in _GATES)} {MARK}\n',
            first=hook != "post-rewrite",
        )
        for hook in _STARTED
    )


def _call(hook: str) -> str:
    """Shell that runs this clone's dispatcher, if the clone has one: the line may be shared with clones that do not."""
    return f'h="$(git rev-parse --git-common-dir)/sage/hook"; [ ! -f "$h" ] || sh "$h" {hook}'


def _lefthook_lines(work_tree: Path) -> tuple[Lines, ...]:
    """A lefthook-local.yml, which lefthook merges with the team's file, with a job for each hook that it displaces."""
    text = b"".join(_read(work_tree / name) or b"" for name in _LEFTHOOK_FILES)
    displaced = [hook for hook in _STARTED if re.search(rb"^\W{0,8}%b\W" % hook.encode(), text, re.MULTILINE)]
    jobs = [f"{MARK}: starts the recorder; `sage-git deinit` takes this out"]
    for hook in displaced:
        jobs += [f"{hook}:", "  jobs:", "    - name: sage-git", f"      run: '{_call(hook)} {{0}}'"]
        jobs += ["      use_stdin: true"] * (hook == "post-rewrite")
    return (Lines(work_tree / "lefthook-local.yml", "\n".join(jobs) + "\n"),) if displaced else ()


def _placed(content: bytes | None, lines: Lines) -> bytes | None:
    """The file's content with `lines` in it; None if that takes a person."""
    text = lines.text.encode()
    if content is None:
        return text if lines.path.suffix == ".yml" else b"#!/bin/sh\n" + text
    if lines.path.suffix == ".yml":
        return None
    shebang, newline, rest = content.partition(b"\n")
    if not shebang.startswith(b"#!"):
        shebang, newline, rest = b"", b"", content
    elif not any(word.rpartition(b"/")[2] in _SHELLS for word in shebang[2:].split()):
        return None
    if lines.first:
        return shebang + newline + text + rest
    return content + (b"" if content.endswith(b"\n") else b"\n") + text


def _write(path: Path, content: bytes) -> None:
    """Replace the file's content and keep its mode: a script that is switched off stays so; a new one is executable."""
    with told_as(path, "change"):
        before = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        replace_file(path, content, mode=0o666 if path.suffix == ".yml" else 0o777)
        if before is not None:
            path.chmod(before)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
