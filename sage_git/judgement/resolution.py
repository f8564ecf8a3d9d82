"""Conflicts of a three-way merge, and whether a result settles them with lines of the base and the sides alone.

A `Template` is what git's merge left: lines that stand, and regions in conflict. Not here: how git is asked
(`gitrepo.threeway`, `gitrepo.merges`), and whose lines the sides' are (`standing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

_MAX_COMPARED: Final = 1 << 24
"""Lines that one question may compare; a text that needs more was made to need more."""
_MOST_SHOWN_WITHIN: Final = 3
"""Lines between two conflicts that git shows as one by default."""


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

    def vocabulary(self, sides: frozenset[Side]) -> frozenset[bytes]:
        """The lines of the base and of `sides`."""
        ours = self.ours if Side.OURS in sides else ()
        theirs = self.theirs if Side.THEIRS in sides else ()
        return frozenset((*self.base, *ours, *theirs))


@dataclass(frozen=True, slots=True)
class Template:
    """A text with conflicts: `fixed[0]`, `regions[0]`, `fixed[1]`, …, `fixed[-1]`; one more fixed than regions.

    `can_end_bare`: a side has no newline at its end, so a resolution need not have one (git adds it in a conflict).
    """

    fixed: tuple[tuple[bytes, ...], ...]
    regions: tuple[Region, ...]
    can_end_bare: bool = False


def as_shown(template: Template) -> Template:
    """The template with one region for what git shows as one conflict: of which at most three lines stand between.

    diff3 conflicts are told apart more finely than the default style's (xdiff/xmerge.c, xdl_simplify_non_conflicts),
    and who takes both sides of what they are shown takes the lines between twice.
    """
    first, *others = template.fixed
    regions, standing = list(template.regions[:1]), [first]
    for fixed, region in zip(others[:-1], template.regions[1:], strict=True):
        if len(fixed) > _MOST_SHOWN_WITHIN:
            standing.append(fixed)
            regions.append(region)
        else:
            last = regions[-1]
            ours, theirs = (*last.ours, *fixed, *region.ours), (*last.theirs, *fixed, *region.theirs)
            regions[-1] = Region(ours, (*last.base, *fixed, *region.base), theirs)
    return Template((*standing, others[-1]), tuple(regions), template.can_end_bare)


def parse_template(
    conflicted: Sequence[bytes], names: tuple[bytes, bytes], marker_size: int, *, can_end_bare: bool = False
) -> Template | None:
    """The template in the lines of a diff3 conflicted text; `names` stand after the markers of ours and theirs.

    None if a marker is missing, in excess or in another order: then the text holds some of its own.
    """
    texts: list[list[bytes]] = [[]]
    for line in conflicted:
        stage = _stage_after(line.removesuffix(b"\r"), names, marker_size)  # git ends markers as the text ends lines
        if stage is None:
            texts[-1].append(line)
        elif stage == len(texts) % 4:
            texts.append([])
        else:
            return None
    if len(texts) % 4 != 1 or len(texts) < 5:
        return None
    parts = [tuple(text) for text in texts]
    regions = map(Region, parts[1::4], parts[2::4], parts[3::4])
    return Template(tuple(parts[0::4]), tuple(regions), can_end_bare)


def _stage_after(line: bytes, names: tuple[bytes, bytes], size: int) -> int | None:
    """What follows a marker: 1 our lines, 2 the base's, 3 theirs, 0 lines that stand; None if `line` is none."""
    if len(line) < size:
        return None
    mark, label = line[:size], line[size:]
    if mark == b"<" * size and _is_named(label, names[0]):
        return 1
    if mark == b"|" * size and label[:1] in (b"", b" "):
        return 2
    if mark == b"=" * size and not label:
        return 3
    if mark == b">" * size and _is_named(label, names[1]):
        return 0
    return None


def _is_named(label: bytes, name: bytes) -> bool:
    """True for ` NAME`, and for ` NAME:PATH`, which git writes after a rename."""
    return label == b" " + name or label.startswith(b" " + name + b":")


def is_resolution(template: Template, lines: Sequence[bytes], sides: frozenset[Side] = EITHER) -> bool:
    """True if `lines` are the template with every line in a region's place one of its base's or of `sides`'s."""
    lines = tuple(lines)
    if template.can_end_bare and lines[-1:] != (b"",):
        lines = (*lines, b"")
    first, *others = template.fixed
    if lines[: len(first)] != first:
        return False
    # The places at which the text may have got to, for every way to tell the regions' lines from those that stand.
    places, compared = [len(first)], 0
    for number, (region, fixed) in enumerate(zip(template.regions, others, strict=True), 1):
        latest = len(lines) - sum(map(len, template.fixed[number:]))
        reached = _reached(places, lines, region.vocabulary(sides), latest)
        if number == len(others):
            return latest in reached and lines[latest:] == fixed
        candidates = [at for at in reached if not fixed or lines[at] == fixed[0]]
        compared += len(candidates) * len(fixed)
        if compared > _MAX_COMPARED:
            return False
        places = [at + len(fixed) for at in candidates if lines[at : at + len(fixed)] == fixed]
    return False


def _reached(places: Sequence[int], lines: Sequence[bytes], vocabulary: frozenset[bytes], latest: int) -> list[int]:
    """Every index up to `latest` that some of `places` (ascending) reaches over lines of the vocabulary."""
    reached: list[int] = []
    bounds = [*places, latest + 1]
    for start, following in pairwise(bounds):
        at = start
        while at <= latest:
            reached.append(at)
            at += 1
            if at >= following or lines[at - 1] not in vocabulary:
                break
    return reached
