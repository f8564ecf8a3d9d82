"""`peer certify`: a person's SSH key says whose clone this writer is (`writer.sig`, namespace `sage-writer@v1`).

Not here: what a certificate is worth to others, which is for their `.sage/allowed_signers` to say.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from sage_git.errors import NotHere, ProofFailed
from sage_git.operations.checkout import Checkout
from sage_git.operations.signing import signers_now
from sage_git.proof.introduction import NAMESPACE, certified_by
from sage_git.storage.durable import replace_file
from sage_git.storage.keys import ensure_writer, introduction
from sage_git.storage.lock import held

CERTIFICATE: Final = "writer.sig"
_TIMEOUT_MS: Final = 10_000


def certify(checkout: Checkout, key_file: Path | None) -> str:
    """Who certifies this clone's key now; empty if `.sage/allowed_signers` does not know the SSH key.

    Raises NotHere without an SSH key, SigningFailed, StorageError.
    """
    from sage_git.gitrepo.signing import configured_key, key_in, sign

    key = configured_key(checkout.repository) if key_file is None else key_in(key_file)
    if key is None:
        remedy = "give --key FILE, or set git's user.signingKey and gpg.format=ssh"
        raise NotHere("git has no SSH key of yours to certify with", remedy=remedy)
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        ensure_writer(checkout.sage, checkout.known_identity().repository)
        content = introduction(checkout.sage)
    signature = sign(key, content, NAMESPACE, checkout.repository.environment).encode("ascii")
    with held(checkout.sage / "log.lock", _TIMEOUT_MS):
        replace_file(checkout.sage / CERTIFICATE, signature)
    signers = signers_now(checkout)
    try:
        return "" if signers is None else certified_by(content, signature, signers, int(time.time()))
    except ProofFailed:
        return ""


def certificate(directory: Path) -> bytes | None:
    """The certificate of the clone with this `sage/` directory; None if nobody gave one."""
    try:
        return (directory / CERTIFICATE).read_bytes()
    except OSError:
        return None
