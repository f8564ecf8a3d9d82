"""SSH signatures as `ssh-keygen -Y sign` makes them (OpenSSH's PROTOCOL.sshsig): read, written back, verified.

There is one text for every signature: what ssh-keygen prints, to the last newline. Not here: who may sign.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import Final, Self

from sage_git.proof.publickey import Key, from_base64
from sage_git.proof.wire import BadProof, Wire, string

LONGEST_TEXT: Final = 32_768
"""Characters; that of a 16,384-bit RSA key has 5,700."""

_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----\n"
_END: Final = "-----END SSH SIGNATURE-----\n"
_COLUMNS: Final = 70
_MAGIC: Final = b"SSHSIG"
_VERSION: Final = 1
_HASHES: Final = ("sha256", "sha512")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and what it says of itself; `made` is the key's own signature blob."""

    key: Key
    namespace: str
    hash_algorithm: str
    made: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """The signature that `text` is. Raises BadProof unless `text` is exactly how it is written."""
        if len(text) > LONGEST_TEXT:
            raise BadProof("is too long")
        if not (text.startswith(_BEGIN) and text.endswith(_END) and text.isascii()):
            raise BadProof("is not between the lines that begin and end an SSH signature")
        body = text[len(_BEGIN) : -len(_END)]
        wire = Wire(from_base64(body.replace("\n", "").encode("ascii")))
        if wire.take(len(_MAGIC)) != _MAGIC or wire.number() != _VERSION:
            raise BadProof(f"is not in version {_VERSION} of the format")
        key, namespace = Key.from_blob(wire.string()), wire.name()
        if wire.string():
            raise BadProof("uses what is reserved")
        hash_algorithm, made = wire.name(), wire.string()
        wire.end()
        if hash_algorithm not in _HASHES:
            raise BadProof(f"uses the hash {hash_algorithm[:64]}; {' and '.join(_HASHES)} are accepted")
        signature = cls(key, namespace, hash_algorithm, made)
        if signature.text != text:
            raise BadProof(f"is not wrapped at {_COLUMNS} columns")
        return signature

    @property
    def text(self) -> str:
        """The one text of this signature."""
        content = b"".join(
            (_MAGIC, _VERSION.to_bytes(4), string(self.key.blob), string(self.namespace.encode("ascii")), string(b""))
        )
        content += string(self.hash_algorithm.encode("ascii")) + string(self.made)
        coded = b64encode(content).decode("ascii")
        lines = (coded[at : at + _COLUMNS] for at in range(0, len(coded), _COLUMNS))
        return _BEGIN + "".join(f"{line}\n" for line in lines) + _END

    def check(self, message: bytes) -> None:
        """Nothing, if the key signed `message` in this namespace. Raises BadProof."""
        self.key.check(self.made, signed_text(message, self.namespace, self.hash_algorithm))


def verify(text: str, message: bytes, namespace: str) -> Key:
    """The key that signed `message` in `namespace`, as the signature `text` proves. Raises BadProof."""
    signature = Signature.parse(text)
    if signature.namespace != namespace:
        raise BadProof(f"is for {signature.namespace[:64]}, not for {namespace}")
    signature.check(message)
    return signature.key


def signed_text(message: bytes, namespace: str, hash_algorithm: str) -> bytes:
    """What a key signs when `message` is signed in `namespace`."""
    digest = hashlib.new(hash_algorithm, message).digest()
    parts = (namespace.encode("ascii"), b"", hash_algorithm.encode("ascii"), digest)
    return _MAGIC + b"".join(map(string, parts))
