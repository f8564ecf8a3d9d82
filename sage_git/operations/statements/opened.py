"""Checkouts that stay open between calls of the library, so that not every append asks git where it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sage_git.operations.checkout import Checkout

_OPEN_AT_ONCE: Final = 8


def nearest_folder(path: Path) -> Path:
    """The folder of `path`, or the nearest one above it that is there."""
    folder = path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def leads_out(folder: Path) -> bool:
    """True if a symbolic link on the way to `folder` leads out of the work tree that its name is in."""
    root = next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), None)
    return root is not None and not folder.resolve().is_relative_to(root.resolve())


class OpenCheckouts(threading.local):
    """The checkouts that this thread appended to last, so that the next append need not ask git where it is."""

    def __init__(self) -> None:
        self._open: dict[Path, tuple[tuple[object, ...], Checkout]] = {}

    def checkout(self, folder: Path, environment: Mapping[str, str]) -> Checkout:
        """The checkout around `folder`, which the path decides, not GIT_DIR. Raises NotHere, StorageError."""
        known = self._open.get(folder)
        if known is not None and known[0] == _stamp(known[1]):
            return known[1]
        self.forget(folder)
        for oldest in list(self._open)[: len(self._open) - _OPEN_AT_ONCE + 1]:
            self.forget(oldest)
        kept = {name: value for name, value in environment.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
        checkout = Checkout.open(folder, kept)
        _ = checkout.index  # makes the file whose stamp is taken
        self._open[folder] = (_stamp(checkout), checkout)
        return checkout

    def forget(self, folder: Path) -> None:
        """Close the checkout around `folder`."""
        known = self._open.pop(folder, None)
        if known is not None and known[0][0] == os.getpid():
            known[1].close()


def _stamp(checkout: Checkout) -> tuple[object, ...]:
    """What a checkout that is open depends on: the process, the identity's file and the index's."""
    found: list[object] = [os.getpid()]
    for path in (checkout.sage / "clone.json", checkout.index.path):
        try:
            there = path.stat()
        except OSError:
            return (os.getpid(), object())
        found += [there.st_ino, there.st_mtime_ns if path.suffix == ".json" else 0]
    return tuple(found)
