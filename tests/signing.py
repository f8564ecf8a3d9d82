"""Keys that nobody minds losing, and who signs with them: ssh-keygen if there is one, a security key of software.

needs_ssh_keygen                     marks a test that is skipped without OpenSSH; fixed vectors run everywhere
key = make_key(tmp_path, "ed25519")   the path of a new private key; its public half is beside it, in `.pub`
sign(key, b"text")                   what `ssh-keygen -Y sign` prints
says_yes(signature, b"text", ...)    whether `ssh-keygen -Y verify` agrees
Authenticator("ed25519").sign(b"text")   the same by a security key, which a test can have left untouched
"""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sage_git.proof.publickey import Key
from sage_git.proof.sshsig import Signature, signed_text
from sage_git.proof.wire import string

NAMESPACE = "sage-event@v1"
KINDS = {
    "ed25519": ("-t", "ed25519"),
    "ecdsa-256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa-384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa-521": ("-t", "ecdsa", "-b", "521"),
    "rsa": ("-t", "rsa", "-b", "2048"),
}
needs_ssh_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed; the fixed vectors are tested all the same"
)
TOUCHED, VERIFIED = 0x01, 0x04


def keygen(*arguments: str, stdin: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """ssh-keygen, which asks nobody."""
    nobody = {**os.environ, "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force"}
    return subprocess.run(["ssh-keygen", *arguments], input=stdin, capture_output=True, check=check, env=nobody)


def make_key(folder: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A new private key, named after its kind."""
    path = folder / f"id-{kind}{'-locked' if passphrase else ''}"
    keygen("-q", *KINDS[kind], "-N", passphrase, "-C", "nobody", "-f", str(path))
    return path


def public_of(key: Path) -> str:
    """KIND BASE64 of a key made here."""
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])


def sign(key: Path, message: bytes, *options: str, namespace: str = NAMESPACE) -> str:
    """The signature that ssh-keygen makes."""
    done = keygen("-q", "-Y", "sign", "-n", namespace, "-f", str(key), *options, stdin=message)
    return done.stdout.decode("ascii")


def says_yes(signature: str, message: bytes, signers: Path, principal: str, *options: str) -> bool:
    """True if `ssh-keygen -Y verify` accepts the signature by what `signers` allows."""
    file = signers.with_name("signature")
    file.write_text(signature)
    arguments = ("-Y", "verify", "-f", str(signers), "-I", principal, "-n", NAMESPACE, "-s", str(file), *options)
    return keygen(*arguments, stdin=message, check=False).returncode == 0


class Authenticator:
    """A security key made of software: signs as PROTOCOL.u2f says, with the flags that a test wants."""

    def __init__(self, kind: str, application: bytes = b"ssh:") -> None:
        self.application = application
        self._key: Ed25519PrivateKey | None = None
        if kind == "ed25519":
            self.kind = "sk-ssh-ed25519@openssh.com"
            self._key = Ed25519PrivateKey.generate()
            public = string(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        else:
            self.kind = "sk-ecdsa-sha2-nistp256@openssh.com"
            self._ecdsa = generate_private_key(SECP256R1())
            point = self._ecdsa.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            public = string(b"nistp256") + string(point)
        self.key = Key.from_blob(string(self.kind.encode()) + public + string(application))

    def sign(self, message: bytes, flags: int = TOUCHED, counter: int = 7, namespace: str = NAMESPACE) -> str:
        """The armored signature."""
        text = signed_text(message, namespace, "sha512")
        rest = bytes((flags,)) + counter.to_bytes(4)
        signed = sha256(self.application).digest() + rest + sha256(text).digest()
        made = string(self.kind.encode()) + string(self._made(signed)) + rest
        return Signature(self.key, namespace, "sha512", made).text

    def _made(self, signed: bytes) -> bytes:
        if self._key is not None:
            return self._key.sign(signed)
        numbers = decode_dss_signature(self._ecdsa.sign(signed, ECDSA(SHA256())))
        return b"".join(string(number.to_bytes(number.bit_length() // 8 + 1)) for number in numbers)
