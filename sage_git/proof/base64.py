"""Base64 (RFC 4648, section 4) in the one form in which a text can have it. Not here: what is written in it."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from sage_git.errors import ProofFailed


def encoded(content: bytes) -> str:
    """`content` in Base64."""
    return b64encode(content).decode("ascii")


def decoded(text: str, what: str) -> bytes:
    """What `text` is the Base64 of, if it is written as we would write it. Raises ProofFailed, which names `what`."""
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        content = b""
    if not content or b64encode(content) != text.encode():
        raise ProofFailed(f"{what} is not in Base64 as it should be")
    return content
