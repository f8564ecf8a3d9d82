"""The recorder that hooks start: it records as long as one of them wants it (docs/decisions/0005)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from sage_git.operations.checkout import Checkout
from sage_git.operations.recording.record import RecordOutcome, record

_WANTED: Final = "wanted"
_RECORDING: Final = "recording"
_GLANCE_S: Final = 0.02


def record_while_wanted(checkout: Checkout) -> RecordOutcome:
    """Record, and again as long as a hook asks for it while we are at it. Raises as `record`.

    A hook that finds `recording` with a living process leaves it at asking, so that file goes before the last look at
    `wanted`: whoever asked before it went is heard, and whoever asks after it starts a recorder.
    """
    wanted, recording = checkout.sage / _WANTED, checkout.sage / _RECORDING
    while True:
        recording.write_text(f"{os.getpid()}\n", "ascii")
        try:
            wanted.unlink(missing_ok=True)
            outcome = record(checkout)
        finally:
            recording.unlink(missing_ok=True)
        if not wanted.exists():
            return outcome


def await_recorder(sage: Path, patience_s: float) -> None:
    """Return once no recorder is at work, for those who would read what it is writing; when patience ends, at last."""
    until = time.monotonic() + patience_s
    while _is_at_work(sage / _RECORDING) and time.monotonic() < until:
        time.sleep(_GLANCE_S)


def _is_at_work(recording: Path) -> bool:
    try:
        process = int(recording.read_text("ascii"))
        if process > 0 and process != os.getpid():
            os.kill(process, 0)
            return True
    except PermissionError:
        return True  # another user's
    except (OSError, ValueError, OverflowError):
        pass
    return False
