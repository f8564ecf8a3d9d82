"""TLS 1.3 whose certificates nobody vouches for: a server's is made from its key, and clients look at the key alone.

Clients have no certificate (Python's server cannot take one that it does not know): they sign within the session.
Not here: what is said in a session (greeting).
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

_FOR_EVER: Final = timedelta(days=365 * 100)
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def server_context(private_key: Ed25519PrivateKey) -> ssl.SSLContext:
    """The side of TLS that has this key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # a session that goes on is a session whose key nobody looks at
    secret = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pipes = [_pipe_with(content) for content in (certificate(private_key), secret)]
    try:
        context.load_cert_chain(*(f"/dev/fd/{pipe}" for pipe in pipes))
    finally:
        for pipe in pipes:
            os.close(pipe)
    return context


def client_context() -> ssl.SSLContext:
    """The side of TLS that takes any certificate, and must ask `key_shown` whose it is before it says anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def certificate(private_key: Ed25519PrivateKey) -> bytes:
    """A certificate for this key by this key, as PEM. It is the same every time: there is nothing in it but the key."""
    public_key = private_key.public_key()
    key = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key.hex())])
    unsigned = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=public_key,
        serial_number=1,
        not_valid_before=_EPOCH,
        not_valid_after=_EPOCH + _FOR_EVER,
    )
    return unsigned.sign(private_key, None).public_bytes(Encoding.PEM)


def key_shown(connection: ssl.SSLObject) -> str | None:
    """The key (hex) that the server has proved to have; None if it is no Ed25519 key."""
    shown = connection.getpeercert(binary_form=True)
    try:
        key = x509.load_der_x509_certificate(shown or b"").public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex() if isinstance(key, Ed25519PublicKey) else None


def _pipe_with(content: bytes) -> int:
    """A pipe to read `content` from: OpenSSL reads files only, and a key of ours shall not lie in a second one."""
    reading, writing = os.pipe()
    os.write(writing, content)  # some hundred bytes, and any pipe holds 4,096
    os.close(writing)
    return reading
