"""Where the sidecar of a source or subject lies in the work tree (SPEC 3), and which one a sidecar's path means."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Final

from sage_git.operations.identity import Identity
from sage_git.operations.subjects import is_subject_name

TREE: Final = b".sage/tree/"
_SUBJECTS: Final = b".sage/"
_SUBJECT_KEY: Final = b"\0"
_LONGEST_NAME_BYTES: Final = 255


def subject_key(name: str) -> bytes:
    """What stands for a subject where paths of sources stand: no path of git's has a NUL."""
    return _SUBJECT_KEY + name.encode("ascii")


def subject_in(key: bytes) -> str | None:
    """The subject that a key stands for; None for a source's path."""
    return key[1:].decode("ascii") if key.startswith(_SUBJECT_KEY) else None


def is_inside(path: bytes) -> bool:
    """True if a source can lie at `path`: it goes down only and into no `.git`, whatever a tree or statement says."""
    parts = path.lower().split(b"/")
    return b"\0" not in path and not any(part in (b"", b".", b"..", b".git") for part in parts)


def sidecar_of(identity: Identity, key: bytes) -> bytes:
    """The sidecar's path, relative to the work tree, of a source's path or a subject's key."""
    suffix = identity.suffix.encode()
    subject = subject_in(key)
    if subject is not None:
        return _SUBJECTS + subject.encode("ascii") + suffix
    folder, name = os.path.split(key)
    if folder == b".sage" and is_subject_name(name.decode("utf-8", "replace")):
        return TREE + key + suffix  # beside it, it would be taken for that subject's
    if len(name + suffix) > _LONGEST_NAME_BYTES:
        short = sha256(key).hexdigest().encode("ascii")
        return TREE + os.path.join(folder, short + suffix)
    return TREE + key + suffix if identity.place == "tree" else key + suffix


def key_of(identity: Identity, sidecar: bytes) -> bytes | None:
    """The source's path or subject's key that a sidecar's path means; None if it ends in another suffix.

    The name of a source too long for a sidecar of its own cannot be told from the sidecar's.
    """
    suffix = identity.suffix.encode()
    if not sidecar.endswith(suffix):
        return None
    stem = sidecar[: -len(suffix)]
    if stem.startswith(TREE):
        return stem[len(TREE) :]
    folder, name = os.path.split(stem)
    if folder == b".sage" and is_subject_name(name.decode("utf-8", "replace")):
        return subject_key(name.decode("ascii"))
    return stem
