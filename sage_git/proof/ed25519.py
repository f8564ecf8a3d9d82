"""Ed25519 (RFC 8032), verified more strictly than libraries do: keys of small order sign nothing.

Under the few public keys of small order one signature fits many messages, so anybody can sign for them: zeros under the
key of zeros do, every few messages. The list is that of libsodium's `ge25519_has_small_order`.
"""

from __future__ import annotations

from typing import Final

_Y_OF_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(y)
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """True if whoever has the private half of `public_key` (32 bytes) made `signature` (64) over `message`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if is_of_small_order(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_of_small_order(public_key: bytes) -> bool:
    """True if `public_key` is one under which anybody can sign."""
    return public_key[:31] + bytes([public_key[31] & 0x7F]) in _Y_OF_SMALL_ORDER if len(public_key) == 32 else False
