"""`make bench`: the table of speeds, each beside its target and measured in one run with what it is compared to.

    python -m benchmarks.run [GROUP…]    groups: appending, commits, recording, reading, editor, peers; all without any
    BENCH_REPO=PATH                         also observe this repository (a clone of it)

Figures are medians of interleaved runs. A missed target makes no exit status, since speed is no test.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import appending, commits, editor, exchange, proofs, reading, recording
from benchmarks.measure import Row, heading, line, show

GROUPS = ("appending", "commits", "recording", "reading", "editor", "peers")


def rows(group: str, ground: Path, real: Path | None) -> Iterator[Row]:
    """The rows of `group`."""
    match group:
        case "appending":
            yield from appending.rows(ground / "appending")
        case "commits":
            yield from commits.rows(ground)
        case "recording":
            yield from recording.rows(ground, real)
        case "reading":
            yield from reading.rows(ground / "long")
        case "editor":
            yield from editor.rows(ground)
        case "peers":
            yield from proofs.rows()
            yield from exchange.rows(ground / "peers")
        case _:
            raise SystemExit(f"no such group: {group}; there are {', '.join(GROUPS)}")


def main() -> None:
    """Measure what was asked for and print the table."""
    real = os.environ.get("BENCH_REPO")
    groups = sys.argv[1:] or GROUPS
    if "reading" in groups and "recording" not in groups:
        raise SystemExit("reading needs the record that recording makes: name both")
    show(heading())
    with TemporaryDirectory(prefix="sage-bench-") as ground:
        measured = []
        for group in groups:
            for row in rows(group, Path(ground), Path(real) if real else None):
                show(line(row))
                measured.append(row)
    missed = [row.what.strip() for row in measured if row.verdict == "MISSED"]
    show(f"{heading()}\n{len(missed)} missed: {'; '.join(missed)}" if missed else f"{heading()}\nevery target is met")


if __name__ == "__main__":
    main()
