"""Bytes as SSH puts them together (RFC 4251, section 5), read so strictly that what is read writes back the same.

Not here: what the bytes mean.
"""

from __future__ import annotations

from typing import Final

from sage_git.errors import Detail, ValidationError

_LENGTH_BYTES: Final = 4


class BadProof(ValidationError):
    """A signature or key is written in a form that nobody else would read the same, or does not fit what it is for."""

    def __init__(self, reason: str, *, field: str = "signature") -> None:
        super().__init__(Detail(field, reason))


class Wire:
    """What is left to read of some bytes; each question takes its answer away, and raises BadProof if there is none."""

    __slots__ = ("_at", "_bytes")

    def __init__(self, content: bytes) -> None:
        self._bytes, self._at = content, 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._bytes):
            raise BadProof("ends in the middle")
        taken = self._bytes[self._at : end]
        self._at = end
        return taken

    def number(self) -> int:
        """A uint32."""
        return int.from_bytes(self.take(_LENGTH_BYTES))

    def string(self) -> bytes:
        """A string: its length, then that many bytes."""
        return self.take(self.number())

    def name(self) -> str:
        """A string of printable ASCII, as names of algorithms are."""
        return ascii_name(self.string())

    def positive(self) -> int:
        """A positive mpint, in the only form with no byte too many."""
        content = self.string()
        value = int.from_bytes(content)
        if value == 0 or content != _mpint(value):
            raise BadProof("has a number in a form that is not the shortest")
        return value

    def end(self) -> None:
        """Nothing, if nothing is left."""
        if self._at != len(self._bytes):
            raise BadProof("goes on after its end")


def ascii_name(content: bytes) -> str:
    """`content` as the text of a name. Raises BadProof unless it is printable ASCII without spaces, at least one."""
    if not content or not all(0x21 <= byte <= 0x7E for byte in content):
        raise BadProof("has a name that is not printable ASCII")
    return content.decode("ascii")


def string(content: bytes) -> bytes:
    """`content` as a string on the wire."""
    return len(content).to_bytes(_LENGTH_BYTES) + content


def _mpint(value: int) -> bytes:
    """The bytes of a positive mpint, a zero in front where the first bit would say that it is negative."""
    return value.to_bytes(value.bit_length() // 8 + 1)
