"""What a statement is about: a source's path, or the name of a subject such as `plans` (SPEC 4.3)."""

from __future__ import annotations

import re
from typing import Final

WRITERS: Final = "writers"
"""What is said of the writers of logs; a halt there is about trust in one of them, and binds no source."""
_SUBJECT_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")


def is_subject_name(text: str) -> bool:
    """True if `text` names a subject of the repository, not a source."""
    return _SUBJECT_NAME.fullmatch(text) is not None


def subject_lineage(subject: str) -> str | None:
    """The name of the lineage that a subject's chronicle is; None if `subject` is a source's path."""
    return f"subject:{subject}" if is_subject_name(subject) else None


def subject_source(subject: str) -> str:
    """The source's path in a `subject`."""
    return subject.removeprefix("./")


def subject_of_source(path: str) -> str:
    """What statements about the source at `path` carry: its path, marked where it looks like a subject's name."""
    return f"./{path}" if is_subject_name(path) else path
