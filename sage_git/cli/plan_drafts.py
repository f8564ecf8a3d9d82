"""What `plan draft` is told: by options, and where they are silent by a file. Not here: whether that can be a plan."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sage_git.cli import render
from sage_git.cli.saying import actor_option
from sage_git.cli.signing import signing_options
from sage_git.errors import UsageError

if TYPE_CHECKING:
    from sage_git.cli.surroundings import Surroundings
    from sage_git.operations.planning.drafting import Draft

_LATER: Final = re.compile(r"\+(\d{1,5})([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def draft_options(draft: argparse.ArgumentParser) -> None:
    """Add what a draft may be told."""
    draft.add_argument("--summary", metavar="WHAT", help="what is to be done, in a line")
    draft.add_argument("--step", dest="steps", action="append", metavar="TEXT", help="a step; may be given again")
    draft.add_argument(
        "--scope", action="append", metavar="PATTERN", help="what may change, as in .gitignore; may be given again"
    )
    draft.add_argument(
        "--expires", metavar="DATE", help="the last moment: +7d, +12h, +2w, 2026-01-31, 2026-01-31T12:00"
    )
    draft.add_argument("--id", metavar="ID", help="its name; else one is made from the summary")
    draft.add_argument(
        "--from", dest="file", metavar="FILE", help="read it from a file with front matter; - for standard input"
    )
    actor_option(draft)
    signing_options(draft)
    render.reading_options(draft)


def draft_meant(arguments: argparse.Namespace, surroundings: Surroundings) -> Draft:
    """What the options say, and, where they are silent, the file. Raises UsageError, ValidationError."""
    from sage_git.operations.planning.documents import Document, parse_document
    from sage_git.operations.planning.drafting import Draft

    document = Document("", "", (), "", ())
    if arguments.file is not None:
        text, name = _read(arguments.file, surroundings)
        document = parse_document(text, name)
    expires = arguments.expires or document.expires
    return Draft(
        summary=arguments.summary or document.summary,
        scope=tuple(arguments.scope or document.scope),
        steps=tuple(arguments.steps or document.steps),
        expires_at_ms=_moment_ms(expires, surroundings.now) if expires else None,
        plan_id=arguments.id or document.plan_id,
    )


def _read(file: str, surroundings: Surroundings) -> tuple[bytes, str]:
    """The text of a plan and what to call it in messages. Raises UsageError."""
    if file == "-":
        return surroundings.standard_input(), "standard input"
    try:
        return (surroundings.cwd / file).read_bytes(), file
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise UsageError(f"cannot read {file}: {why}", remedy="name a file, or - for standard input") from None


def _moment_ms(words: str, now: datetime) -> int:
    """The last moment that a person means, in ms since 1970: a day lasts to its end. Raises UsageError."""
    from sage_git.cli.dates import parse_date

    said = words.strip()
    try:
        later = _LATER.fullmatch(said)
        moment = now + int(later[1]) * _UNITS[later[2]] if later else parse_date(said, now)
        if _DAY.fullmatch(said):
            moment += timedelta(days=1, milliseconds=-1)
        return int(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        raise UsageError(f"'{words}' is too far away", remedy="leave it out if the plan has no end") from None
    except UsageError:
        remedy = "write +7d, +12h, +2w, 2026-01-31 or 2026-01-31T12:00"
        raise UsageError(f"'{words}' is not a time at which a plan may end", remedy=remedy) from None
