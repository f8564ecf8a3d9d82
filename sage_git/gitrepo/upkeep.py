"""What a repository of ours needs now and then: packs put together, garbage thrown away, what a killed git left behind.

Whoever calls holds the lock of all who write there. Not here: what is in the repository (segments).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from sage_git.errors import GitFailed

DURABLE: Final = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync")
"""By default git leaves loose objects to the kernel; a log's end is cut off on the strength of them."""

_MANY_PACKS: Final = 24
_MANY_LOOSE: Final = 5  # in one of 256 folders: some 1,300
_WORTH_COLLECTING_BYTES: Final = 4 << 20
_GRACE: Final = "1.hour.ago"
"""Somebody may be fetching by a ref that has moved since."""

Git = Callable[..., bytes]
"""Runs git in the repository, as `SegmentRepository` does."""


def tidy(git_dir: Path, git: Git) -> None:
    """Put packs and loose objects together once there are many: each costs whoever reads or fetches.

    An end of a log that was published is garbage once the log has grown. It is thrown away when what there is has
    doubled since the last time, so that this costs no more than a part of what writing it did.
    """
    packs, collected = git_dir / "objects" / "pack", git_dir / "sage.collected"
    if not (_has(git_dir / "objects" / "17", "*", _MANY_LOOSE) or _has(packs, "*.pack", _MANY_PACKS)):
        return
    remove_unfinished_packs(git_dir)
    with suppress(GitFailed, OSError, ValueError):  # what was written is there; the next that writes tries again
        left_bytes = int(collected.read_bytes()) if collected.exists() else 0
        if _bytes(packs) > 2 * left_bytes + _WORTH_COLLECTING_BYTES:
            git(*DURABLE, "repack", "-d", "-q", "--cruft", f"--cruft-expiration={_GRACE}")
            collected.write_bytes(b"%d" % _bytes(packs))
        else:
            git(*DURABLE, "repack", "-d", "-q", "--geometric=2")


def remove_stale_locks(git_dir: Path) -> bool:
    """True if there were lock files. The caller's own lock keeps everybody else who could have made them away."""
    locks = [*git_dir.glob("*.lock"), *git_dir.glob("refs/**/*.lock")]
    for path in (*locks, *git_dir.glob("fast_import_crash_*")):
        path.unlink(missing_ok=True)
    remove_unfinished_packs(git_dir)
    return bool(locks)


def remove_unfinished_packs(git_dir: Path) -> None:
    """Delete the packs that somebody began and was killed over."""
    packs = git_dir / "objects" / "pack"
    for path in (*packs.glob("tmp_*"), *packs.glob(".tmp-*")):
        path.unlink(missing_ok=True)


def _bytes(packs: Path) -> int:
    """What packs hold that is not known to be garbage; that has a file of times beside it (gitformat-pack(5))."""
    return sum(path.stat().st_size for path in packs.glob("*.pack") if not path.with_suffix(".mtimes").exists())


def _has(directory: Path, pattern: str, count: int) -> bool:
    """Whether at least so many files are there."""
    return len(list(islice(directory.glob(pattern), count))) == count
