"""The recorder that hooks start: it records as long as one of them wants it (docs/decisions/0005)."""

from __future__ import annotations

import os
from typing import Final

from sage_git.operations.checkout import Checkout
from sage_git.operations.recording.record import RecordOutcome, record

_WANTED: Final = "wanted"
_RECORDING: Final = "recording"


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
