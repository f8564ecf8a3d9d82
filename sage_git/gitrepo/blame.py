"""Which commit each line of a file came in with, as git tells it. Not here: which event that was, and what it is worth.

Lines are git's: what stands between newlines. git is asked in the scratch repository, so no configuration, attribute
or list of ignored revisions of the user's has a say; whole files are followed through renames, as git does by itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sage_git.chronicle.ids import ObjectId
from sage_git.gitrepo.scratch import Scratch

_OPTIONS: Final = ("--incremental", "--root", "--encoding=UTF-8", "--no-textconv", "--no-progress")
_HEADING: Final = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+) (\d+)")
_ESCAPED: Final = re.compile(rb"\\([abtnvfr\"\\]|[0-7]{3})")
_SINGLE: Final = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines that stand together, here and where they came in. Both are counted from 1."""

    commit: ObjectId
    path: bytes
    """What the file was called in that commit."""
    original: int
    """The first of the lines in that commit's file."""
    first: int
    """The first of the lines in the file that was asked about."""
    count: int


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who wrote a commit (`Name <email>`), and when it was made, in seconds since 1970."""

    author: str
    committed_at: int


@dataclass(frozen=True, slots=True)
class Blame:
    """Every line of a file, in order, and who wrote the commits that they came in with."""

    stretches: tuple[Stretch, ...]
    authorship: Mapping[ObjectId, Authorship]


def blame(
    scratch: Scratch,
    commit: ObjectId,
    path: bytes,
    ranges: Sequence[tuple[int, int]] = (),
    boundary: Iterable[ObjectId] = (),
) -> Blame:
    """Where the lines of `path` in `commit` came from: all of them, or those in `ranges` (first and last).

    `boundary` are the commits whose parents are not here (shallow clones). Raises GitFailed.
    """
    wanted = [f"-L{first},{last}" for first, last in ranges]
    # The scratch repository does not know that the user's is shallow; -S takes commits that are to have no parents.
    cut_off = "".join(f"{each}\n" for each in boundary).encode("ascii")
    grafts = ("-S", "/dev/stdin") if cut_off else ()
    shown = scratch.run("blame", *_OPTIONS, *grafts, *wanted, commit, "--", os.fsdecode(path), input=cut_off)
    return _parsed(shown)


def _parsed(shown: bytes) -> Blame:
    """The entries of `--incremental`: a heading, what is told of a commit the first time, `filename` at the end."""
    stretches: list[Stretch] = []
    authorship: dict[ObjectId, Authorship] = {}
    told: dict[bytes, bytes] = {}
    heading: re.Match[bytes] | None = None
    for line in shown.split(b"\n"):
        if heading is None:
            heading = _HEADING.fullmatch(line)
            continue
        name, _, value = line.partition(b" ")
        told[name] = value
        if name != b"filename":
            continue
        commit = ObjectId(heading[1].decode("ascii"))
        original, first, count = (int(heading[at]) for at in (2, 3, 4))
        stretches.append(Stretch(commit, _unquoted(value), original, first, count))
        if b"author" in told:
            authorship[commit] = _authorship(told)
        told, heading = {}, None
    return Blame(tuple(sorted(stretches, key=lambda stretch: stretch.first)), authorship)


def _authorship(told: Mapping[bytes, bytes]) -> Authorship:
    author = told[b"author"] + b" " + told.get(b"author-mail", b"<>")
    seconds = told.get(b"committer-time", b"0")
    return Authorship(author.decode("utf-8", "backslashreplace").strip(), int(seconds) if seconds.isdigit() else 0)


def _unquoted(name: bytes) -> bytes:
    """A path as git has it, from the form in double quotes that it prints where there is something odd in it."""
    if not (len(name) > 1 and name.startswith(b'"') and name.endswith(b'"')):
        return name
    return _ESCAPED.sub(lambda found: _character(found[1]), name[1:-1])


def _character(code: bytes) -> bytes:
    return bytes([int(code, 8)]) if code.isdigit() else _SINGLE.get(code, code)
