"""How things are timed and told: interleaved runs, medians, one table. Not here: what is measured."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from statistics import median

Way = Callable[[], float]
"""Does something once and gives the seconds that it took, preparations left out."""


class Bound(Enum):
    """Which side of the target is good."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of SPEC 13."""

    bound: Bound
    value: float

    def is_met_by(self, value: float) -> bool:
        """True if `value` is on the good side."""
        return value <= self.value if self.bound is Bound.AT_MOST else value >= self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; without a target it only puts the others in proportion."""

    what: str
    value: float
    unit: str
    beside: str = ""
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where there is no target."""
        if self.target is None:
            return ""
        return "met" if self.target.is_met_by(self.value) else "MISSED"


def at_most(value: float) -> Target:
    """The target of what should be small."""
    return Target(Bound.AT_MOST, value)


def at_least(value: float) -> Target:
    """The target of what should be large."""
    return Target(Bound.AT_LEAST, value)


def timed(action: Callable[[], object]) -> float:
    """Seconds that `action` took."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleaved(rounds: int, *ways: Way) -> list[list[float]]:
    """Seconds of each way, run in turns so that a noisy machine is unkind to all; the first round warms up."""
    taken = [[way() for way in ways] for _ in range(rounds + 1)][1:]
    return [list(column) for column in zip(*taken, strict=True)]


def added_ms(with_it: list[float], without: list[float]) -> float:
    """Median of what each round took longer, in milliseconds."""
    return 1000 * median(a - b for a, b in zip(with_it, without, strict=True))


def ratio(with_it: list[float], without: list[float]) -> float:
    """Median of the rounds' ratios."""
    return median(a / b for a, b in zip(with_it, without, strict=True))


def ms(seconds: Iterable[float]) -> float:
    """Median in milliseconds."""
    return 1000 * median(seconds)


def heading() -> str:
    """The machine and its versions, and how busy it is with other things."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    load = " ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"{git}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, load {load}"
    )


def line(row: Row) -> str:
    """`row` as a line of the table."""
    target = f"{row.target.bound.value} {figure(row.target.value)} {row.unit}" if row.target else ""
    return f"{row.what:<46} {figure(row.value):>9} {row.unit:<9} {target:>20}  {row.verdict:<6}  {row.beside}".rstrip()


def figure(value: float) -> str:
    """`value` with three significant digits, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(text: str) -> None:
    """Print a line at once, since the next may be long in coming."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
