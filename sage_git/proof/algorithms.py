"""The signature algorithms of SSH that are accepted: how each writes its keys and signatures, and whether they fit.

Ed25519 (RFC 8709), ECDSA (RFC 5656), RSA with SHA-2 (RFC 8332), and the first two in a security key (OpenSSH's
PROTOCOL.u2f). Refused on purpose: DSA, RSA below 2,048 bits, RSA with SHA-1, certificates. cryptography does the
mathematics, and is imported where it is needed, since most who read events never meet a signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from sage_git.proof.ed25519 import is_signed
from sage_git.proof.wire import BadProof, Wire

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

SECURITY_KEY: Final = "sk-"
"""What the names of kinds begin with whose private half never leaves a security key."""

_ED25519_KEY_BYTES: Final = 32
_ED25519_SIGNATURE_BYTES: Final = 64
_RSA_BITS: Final = range(2_048, 16_384 + 1)
_RSA_EXPONENT_BITS: Final = 32  # OpenSSL would count with any, for minutes
_UNCOMPRESSED: Final = b"\4"
_USER_PRESENT: Final = 0x01


class Algorithm(Protocol):
    """One kind of key; `key` and `signature` are what follows the kind's name on the wire, to be read to the end."""

    def check_key(self, key: Wire) -> None:
        """Nothing, if it is a key of this kind. Raises BadProof."""

    def verify(self, key: Wire, made_with: str, signature: Wire, message: bytes) -> None:
        """Nothing, if the key made the signature, which names `made_with`. Raises BadProof, InvalidSignature."""


@dataclass(frozen=True, slots=True)
class Ed25519:
    """RFC 8709; `kind` says whether a security key holds it."""

    kind: str

    def check_key(self, key: Wire) -> None:
        self._read(key)

    def verify(self, key: Wire, made_with: str, signature: Wire, message: bytes) -> None:
        from cryptography.exceptions import InvalidSignature

        public, application = self._read(key)
        _check_name(made_with, self.kind)
        made = signature.string()
        if len(made) != _ED25519_SIGNATURE_BYTES:
            raise BadProof("has an Ed25519 signature that is not 64 bytes")
        signed = _signed_text(application, signature, message)
        if not is_signed(public, made, signed):
            raise InvalidSignature

    def _read(self, key: Wire) -> tuple[bytes, bytes | None]:
        """The public key, and the application that a security key made it for."""
        public, application = key.string(), _application(self.kind, key)
        if len(public) != _ED25519_KEY_BYTES:
            raise BadProof("has an Ed25519 key that is not 32 bytes")
        return public, application


@dataclass(frozen=True, slots=True)
class Ecdsa:
    """RFC 5656 on one of the curves nistp256, nistp384 and nistp521."""

    kind: str
    curve: str

    def check_key(self, key: Wire) -> None:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

        point, _ = self._read(key)
        try:
            EllipticCurvePublicKey.from_encoded_point(_curve(self.curve)[0], point)
        except ValueError:
            raise BadProof("has a key that is no point on its curve") from None

    def verify(self, key: Wire, made_with: str, signature: Wire, message: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        point, application = self._read(key)
        _check_name(made_with, self.kind)
        made = Wire(signature.string())
        r, s = made.positive(), made.positive()
        made.end()
        signed = _signed_text(application, signature, message)
        curve, digest = _curve(self.curve)
        public = EllipticCurvePublicKey.from_encoded_point(curve, point)
        public.verify(encode_dss_signature(r, s), signed, ECDSA(digest))

    def _read(self, key: Wire) -> tuple[bytes, bytes | None]:
        """The point, and the application that a security key made it for."""
        if key.string() != self.curve.encode("ascii"):
            raise BadProof("has a key on another curve than it says")
        point, application = key.string(), _application(self.kind, key)
        if point[:1] != _UNCOMPRESSED:
            raise BadProof("has a point that is not written out")
        return point, application


@dataclass(frozen=True, slots=True)
class Rsa:
    """RFC 8332: an `ssh-rsa` key that signs with SHA-256 or SHA-512."""

    def check_key(self, key: Wire) -> None:
        self._read(key)

    def verify(self, key: Wire, made_with: str, signature: Wire, message: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
        from cryptography.hazmat.primitives.hashes import SHA256, SHA512

        exponent, modulus = self._read(key)
        _check_name(made_with, "rsa-sha2-256", "rsa-sha2-512")  # "ssh-rsa" would be SHA-1
        made = signature.string()
        signature.end()
        if len(made) != (modulus.bit_length() + 7) // 8:
            raise BadProof("is not as long as its RSA key")
        digest: HashAlgorithm = SHA256() if made_with == "rsa-sha2-256" else SHA512()
        RSAPublicNumbers(exponent, modulus).public_key().verify(made, message, PKCS1v15(), digest)

    def _read(self, key: Wire) -> tuple[int, int]:
        """Exponent and modulus."""
        exponent, modulus = key.positive(), key.positive()
        key.end()
        if modulus.bit_length() not in _RSA_BITS:
            raise BadProof(f"is by an RSA key of {modulus.bit_length()} bits; it must have {_RSA_BITS.start} or more")
        if exponent < 3 or exponent.bit_length() > _RSA_EXPONENT_BITS or not exponent & modulus & 1:
            raise BadProof("has an RSA key that nobody makes")
        return exponent, modulus


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "ssh-ed25519": Ed25519("ssh-ed25519"),
    "sk-ssh-ed25519@openssh.com": Ed25519("sk-ssh-ed25519@openssh.com"),
    "ecdsa-sha2-nistp256": Ecdsa("ecdsa-sha2-nistp256", "nistp256"),
    "ecdsa-sha2-nistp384": Ecdsa("ecdsa-sha2-nistp384", "nistp384"),
    "ecdsa-sha2-nistp521": Ecdsa("ecdsa-sha2-nistp521", "nistp521"),
    "sk-ecdsa-sha2-nistp256@openssh.com": Ecdsa("sk-ecdsa-sha2-nistp256@openssh.com", "nistp256"),
    "ssh-rsa": Rsa(),
}
"""The kinds of keys that are accepted, by their names in SSH."""


def _check_name(made_with: str, *accepted: str) -> None:
    if made_with not in accepted:
        raise BadProof(f"is made with {made_with[:64]}, not with {' or '.join(accepted)}")


def _application(kind: str, key: Wire) -> bytes | None:
    """What ends a key: the application if a security key holds it, else nothing."""
    application = key.string() if kind.startswith(SECURITY_KEY) else None
    key.end()
    return application


def _signed_text(application: bytes | None, signature: Wire, message: bytes) -> bytes:
    """What was signed for `message`: itself, or what a security key makes of it, as the signature's end says."""
    if application is None:
        signature.end()
        return message
    flags, counter = signature.take(1), signature.take(4)
    signature.end()
    if not flags[0] & _USER_PRESENT:
        raise BadProof("was made by a security key that nobody touched")
    return sha256(application).digest() + flags + counter + sha256(message).digest()


def _curve(name: str) -> tuple[EllipticCurve, HashAlgorithm]:
    """The curve, and the hash that goes with it (RFC 5656, section 6.2.1)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    match name:
        case "nistp256":
            return ec.SECP256R1(), hashes.SHA256()
        case "nistp384":
            return ec.SECP384R1(), hashes.SHA384()
        case _:
            return ec.SECP521R1(), hashes.SHA512()
