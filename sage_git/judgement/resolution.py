"""Conflicts of a three-way merge, and whether a result settles them with lines of the base and the sides alone.

A `Template` is what git's merge left: lines that stand, and regions in conflict. Not here: how git is asked
(`gitrepo.threeway`, `gitrepo.merges`), and whose lines the sides' are (`standing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Side(Enum):
    """Where a line of a resolution may come from besides the base."""

    OURS = "ours"
    THEIRS = "theirs"


EITHER: Final = frozenset(Side)


@dataclass(frozen=True, slots=True)
class Region:
    """The lines of a conflict, as each version has them; without their newlines."""

    ours: tuple[bytes, ...]
    base: tuple[bytes, ...]
    theirs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text with conflicts: `fixed[0]`, `regions[0]`, `fixed[1]`, …, `fixed[-1]`; one more fixed than regions."""

    fixed: tuple[tuple[bytes, ...], ...]
    regions: tuple[Region, ...]


def parse_template(conflicted: Sequence[bytes], ours: bytes, theirs: bytes, marker_size: int) -> Template | None:
    """The template in the lines of a diff3 conflicted text whose markers are named by `ours` and `theirs`.

    None if anything about the markers is odd.
    """
    raise NotImplementedError


def is_resolution(template: Template, lines: Sequence[bytes], sides: frozenset[Side] = EITHER) -> bool:
    """True if `lines` are the template with every line in a region's place one of its base's or of `sides`'s."""
    raise NotImplementedError
