"""Ed25519, and the keys under which anybody can sign."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sage_git.proof.ed25519 import _Y_OF_SMALL_ORDER, is_of_small_order, is_signed

PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME


def test_a_signature_counts_for_its_key_and_message_only():
    key, other = (Ed25519PrivateKey.from_private_bytes(letter * 32) for letter in (b"a", b"b"))
    signature = key.sign(b"message")
    assert is_signed(key.public_key().public_bytes_raw(), signature, b"message")
    assert not is_signed(key.public_key().public_bytes_raw(), signature, b"massage")
    assert not is_signed(other.public_key().public_bytes_raw(), signature, b"message")


@pytest.mark.parametrize(
    "key, signature", [(b"", b""), (b"k" * 31, b"s" * 64), (b"\xff" * 32, b"s" * 64), (b"k" * 32, b"")]
)
def test_what_is_no_key_or_no_signature_signs_nothing(key, signature):
    assert not is_signed(key, signature, b"message")


def test_under_a_key_of_small_order_anybody_could_sign():
    """What the library takes: a signature of zeros by the key of zeros, over some of a few hundred messages."""
    zeros = Ed25519PublicKey.from_public_bytes(bytes(32))
    taken = [message for message in (b"%d" % number for number in range(300)) if takes(zeros, bytes(64), message)]
    assert taken != []
    assert not any(is_signed(bytes(32), bytes(64), message) for message in taken)


def takes(key, signature, message):
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("key", sorted(_Y_OF_SMALL_ORDER), ids=bytes.hex)
def test_every_listed_key_is_of_small_order(key):
    """Eight times the point is the neutral one: y = 1 (RFC 8032, 5.1.4, in y alone)."""
    y = int.from_bytes(key, "little") % PRIME
    for _ in range(3):
        y = doubled(y)
    assert y == 1
    assert is_of_small_order(key)
    assert is_of_small_order(key[:31] + bytes([key[31] | 0x80]))


def doubled(y: int) -> int:
    """The y of twice a point: (y² + x²) / (1 - d x² y²), where x² = (y² - 1) / (d y² + 1)."""
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    return (y * y + x_squared) * pow(1 - D * x_squared * y * y, -1, PRIME) % PRIME
